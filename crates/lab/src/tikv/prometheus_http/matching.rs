//! Which question of the catalogue an expression is, whatever the settings it was rendered with.

use operator_tikv::queries::{ALL, Query};

/// An expression that is a question of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Asked<'a> {
    /// The question.
    pub(super) query: &'static Query,
    /// The window of its rates, as written.
    pub(super) window: Option<&'a str>,
    /// The label that names the target, as written.
    pub(super) instance: Option<&'a str>,
}

/// The question that `expression` is, if it is one.
pub(super) fn asked(expression: &str) -> Option<Asked<'_>> {
    ALL.iter().find_map(|query| {
        let mut bound = [None; 4];
        let right = matches(query.expression, expression, &mut bound)
            && bound[0].is_none_or(|job| job.contains("tikv"))
            && bound[1].is_none_or(|job| job.contains("pd"));
        right.then_some(Asked { query, window: bound[2], instance: bound[3] })
    })
}

const PLACEHOLDERS: [&str; 4] = ["$tikv", "$pd", "$w", "$i"];

/// Whether `text` is `template` with each placeholder replaced by the same text wherever it stands.
fn matches<'a>(template: &str, text: &'a str, bound: &mut [Option<&'a str>; 4]) -> bool {
    let next = PLACEHOLDERS
        .iter()
        .enumerate()
        .filter_map(|(index, placeholder)| template.find(placeholder).map(|at| (at, index)))
        .min();
    let Some((at, index)) = next else { return template == text };
    let (literal, rest) = (&template[..at], &template[at + PLACEHOLDERS[index].len()..]);
    let Some(text) = text.strip_prefix(literal) else { return false };
    if let Some(known) = bound[index] {
        return text.strip_prefix(known).is_some_and(|text| matches(rest, text, bound));
    }
    for (end, _) in text.char_indices().skip(1).chain([(text.len(), ' ')]) {
        let mut tried = *bound;
        tried[index] = Some(&text[..end]);
        if matches(rest, &text[end..], &mut tried) {
            *bound = tried;
            return true;
        }
    }
    false
}

/// Milliseconds of a duration as Prometheus writes it.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    super::super::go::parse_duration(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_recognised_with_any_settings() {
        for query in ALL {
            for (window, tikv, pd, instance) in [
                ("1m", "job=\"tikv\"", "job=\"pd\"", "instance"),
                ("2m30s", "job=~\"tikv-.*\",cluster=\"a\"", "job=~\"pd-.*\",cluster=\"a\"", "pod"),
            ] {
                let rendered = query.render(window, tikv, pd, instance);
                let asked = asked(&rendered).unwrap_or_else(|| panic!("{}: {rendered}", query.name));
                assert_eq!(asked.query.name, query.name);
                assert!(asked.window.is_none_or(|found| found == window));
                assert!(asked.instance.is_none_or(|found| found == instance));
            }
        }
    }

    #[test]
    fn nothing_else_is() {
        for expression in ["", "up", "sum(up{job=\"tikv\"})", "up{job=\"node\"}", "rate(x[1m])"] {
            assert_eq!(asked(expression), None, "{expression}");
        }
    }
}
