//! Filling a scenario's placeholders, one choice a seed.

use std::collections::BTreeMap;

use toml::Value;

/// The choice of one seed: the first placeholder turns fastest, so that neighbouring seeds differ.
pub(super) fn choose(pick: &BTreeMap<String, Vec<String>>, seed: u64) -> BTreeMap<String, String> {
    let mut rest = seed;
    let mut chosen = BTreeMap::new();
    for (name, choices) in pick {
        let count = choices.len() as u64;
        let Some(index) = rest.checked_rem(count) else { continue };
        rest /= count;
        if let Some(choice) = usize::try_from(index).ok().and_then(|index| choices.get(index)) {
            chosen.insert(name.clone(), choice.clone());
        }
    }
    chosen
}

/// Puts the choice in place of every `{name}`, in values and in keys.
pub(super) fn fill(value: Value, chosen: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(fill_text(text, chosen)),
        Value::Array(list) => Value::Array(list.into_iter().map(|value| fill(value, chosen)).collect()),
        Value::Table(table) => {
            Value::Table(table.into_iter().map(|(key, value)| (fill_text(key, chosen), fill(value, chosen))).collect())
        }
        other => other,
    }
}

fn fill_text(text: String, chosen: &BTreeMap<String, String>) -> String {
    chosen.iter().fold(text, |text, (name, choice)| text.replace(&format!("{{{name}}}"), choice))
}

/// A placeholder that is left in a value, if there is one.
pub(super) fn left_over(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let (_, rest) = text.split_once('{')?;
            let (name, _) = rest.split_once('}')?;
            Some(format!("{{{name}}}"))
        }
        Value::Array(list) => list.iter().find_map(left_over),
        Value::Table(table) => table.values().find_map(left_over),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_go_through_every_combination() {
        let pick = BTreeMap::from([
            ("a".to_owned(), vec!["1".to_owned(), "2".to_owned(), "3".to_owned()]),
            ("b".to_owned(), vec!["x".to_owned(), "y".to_owned()]),
        ]);
        let mut seen: Vec<_> = (0..6).map(|seed| choose(&pick, seed)).collect();
        assert_ne!(seen[0]["a"], seen[1]["a"]);
        assert_eq!(choose(&pick, 6), seen[0]);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6);
    }
}
