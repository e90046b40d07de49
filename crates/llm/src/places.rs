//! The names that a model calls loci by: those that stand in the evidence, made unambiguous, in a closed set.

use std::collections::BTreeMap;

use operator_protocols::Locus;
use operator_reasoner::bounded;

/// The longest name, in characters.
const NAME: usize = 80;

/// The loci of one case, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    names: Vec<String>,
    by_name: BTreeMap<String, Locus>,
    by_locus: BTreeMap<Locus, String>,
}

impl Places {
    /// The places that are first given first; at most `most`, and always "nothing".
    pub fn of<'a>(loci: impl IntoIterator<Item = &'a Locus>, most: usize) -> Self {
        let mut places = Self::default();
        places.add(&Locus::Nothing);
        for locus in loci {
            if places.names.len() > most {
                break;
            }
            places.add(locus);
        }
        places
    }

    fn add(&mut self, locus: &Locus) {
        if self.by_locus.contains_key(locus) {
            return;
        }
        let as_read = bounded(&locus.to_string(), NAME).trim().to_owned();
        let as_typed = bounded(&locus.to_text(), NAME).trim().to_owned();
        let numbered = format!("{as_typed} #{}", self.names.len());
        let free = |name: &String| !name.is_empty() && !self.by_name.contains_key(name);
        let Some(name) = [as_read, as_typed, numbered].into_iter().find(free) else { return };
        self.names.push(name.clone());
        self.by_name.insert(name.clone(), locus.clone());
        self.by_locus.insert(locus.clone(), name);
    }

    /// Every name, the most relevant first.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The locus called `name`.
    pub fn locus(&self, name: &str) -> Option<&Locus> {
        self.by_name.get(name)
    }

    /// The name of `locus`; its text form, if it has none here.
    pub fn name(&self, locus: &Locus) -> String {
        self.by_locus.get(locus).cloned().unwrap_or_else(|| bounded(&locus.to_string(), NAME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_name_of_its_own() {
        let loci = [
            Locus::component("s", "nothing"),
            Locus::component("s", "item x"),
            Locus::entity("s", "item", "x"),
            Locus::component("s", "\u{202e}\n"),
            Locus::component("s", "y".repeat(500)),
            Locus::component("s", format!("{}z", "y".repeat(500))),
            Locus::edge("s", "a", "b"),
        ];
        let places = Places::of(&loci, 100);
        assert_eq!(places.names().len(), loci.len() + 1);
        for locus in &loci {
            assert_eq!(places.locus(&places.name(locus)), Some(locus));
        }
        assert_eq!(places.name(&loci[6]), "a→b");
        assert_eq!(places.locus("nothing"), Some(&Locus::Nothing));
        assert_eq!(Places::of(&loci, 2).names().len(), 3);
    }
}
