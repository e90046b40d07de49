//! What speaks for and against one hypothesis, added up as log-likelihood.

use std::collections::BTreeMap;

use crate::{EvidenceId, EvidenceItem, EvidenceRef};

/// One piece of evidence, as one hypothesis sees it.
#[derive(Debug, Clone)]
pub(crate) struct Term<'p> {
    /// What is cited; nothing, where it is the absence of evidence that speaks.
    pub item: Option<&'p EvidenceItem>,
    pub weight: f64,
    pub because: String,
}

/// The terms of one hypothesis.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms<'p>(Vec<Term<'p>>);

impl<'p> Terms<'p> {
    /// Adds a piece of evidence.
    pub fn add(&mut self, item: &'p EvidenceItem, weight: f64, because: impl Into<String>) {
        self.0.push(Term { item: Some(item), weight, because: because.into() });
    }

    /// Adds what speaks without an item to cite, or with one where there is one.
    pub fn note(&mut self, item: Option<&'p EvidenceItem>, weight: f64, because: impl Into<String>) {
        self.0.push(Term { item, weight, because: because.into() });
    }

    /// The same, with what speaks for it counted for a part only.
    pub fn scaled(mut self, part: f64) -> Self {
        for term in &mut self.0 {
            if term.weight > 0.0 {
                term.weight *= part;
            }
        }
        self
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The sum, in the order the terms were added.
    pub fn sum(&self) -> f64 {
        self.0.iter().map(|term| term.weight).sum()
    }

    /// What speaks against it most.
    pub fn worst(&self) -> Option<&Term<'p>> {
        self.0.iter().filter(|term| term.weight < 0.0).min_by(|a, b| a.weight.total_cmp(&b.weight))
    }

    /// Citations for (`true`) or against (`false`), the weightiest first, each item once.
    pub fn citations(&self, supporting: bool, most: usize) -> Vec<EvidenceRef> {
        let mut by_item: BTreeMap<&EvidenceId, (usize, f64, Vec<&str>)> = BTreeMap::new();
        for (n, term) in self.0.iter().enumerate() {
            if let Some(item) = term.item
                && ((supporting && term.weight > 0.0) || (!supporting && term.weight < 0.0))
            {
                let entry = by_item.entry(&item.id).or_insert((n, 0.0, Vec::new()));
                entry.1 += term.weight;
                if !entry.2.contains(&term.because.as_str()) {
                    entry.2.push(&term.because);
                }
            }
        }
        let mut cited: Vec<_> = by_item.into_iter().collect();
        cited.sort_by(|(_, a), (_, b)| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        cited
            .into_iter()
            .take(most)
            .map(|(id, (_, weight, because))| EvidenceRef { id: id.clone(), because: because.join("; "), weight })
            .collect()
    }
}
