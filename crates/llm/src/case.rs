//! One incident as a model is shown it: the ranking it judges, the names it may use, and the evidence as data.

use std::collections::BTreeSet;

use operator_protocols::{ActionDefinition, FaultClass, Locus};
use operator_reasoner::{Diagnosis, EvidenceId, EvidencePack, Hypothesis, RecommendedAction};

use crate::places::Places;
use crate::prompt::pack::{self, Shown};

/// What a model answers when nothing should be done.
pub(crate) const WAIT: &str = "wait";
/// The most places that can be named.
const PLACES: usize = 120;
/// A model that is shown so many tokens of evidence or fewer is a small one.
const SMALL: usize = 4_000;
/// Bytes of JSON a token: on the safe side for numbers and names.
const BYTES_A_TOKEN: usize = 3;

/// Everything that is fixed for one investigation.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub pack: &'a EvidencePack,
    pub actions: &'a [ActionDefinition],
    pub reasoned: &'a Diagnosis,
    /// The reasoner's explanations: rank 1 is the first.
    pub ranked: Vec<&'a Hypothesis>,
    /// What can be named.
    pub places: Places,
    /// The evidence as JSON, within the bound.
    pub text: String,
    /// How many of the ranked explanations are in it.
    pub ranks: usize,
    /// The evidence that is in it, the most relevant first.
    pub shown: Vec<EvidenceId>,
    /// The actions that are good against one of the ranked explanations.
    pub on_offer: Vec<String>,
    /// Whether it is for a small model, which is to answer in few words.
    pub small: bool,
}

impl<'a> Case<'a> {
    /// The case, shown in about `tokens` tokens.
    pub fn of(pack: &'a EvidencePack, actions: &'a [ActionDefinition], reasoned: &'a Diagnosis, tokens: usize) -> Self {
        let first = (!reasoned.abstained()).then_some(&reasoned.primary);
        let ranked: Vec<&Hypothesis> =
            first.into_iter().chain(reasoned.alternatives.iter().map(|one| &one.hypothesis)).collect();
        let on_offer: BTreeSet<String> = ranked
            .iter()
            .flat_map(|hypothesis| hypothesis.remedies(pack, actions))
            .map(|remedy| remedy.action)
            .collect();
        let order = pack::by_relevance(pack, &ranked);
        // A small context has room for few names.
        let most = (tokens / 80).clamp(12, PLACES);
        let places = Places::of(
            ranked
                .iter()
                .map(|hypothesis| &hypothesis.locus)
                .chain(order.iter().map(|item| &item.on))
                .chain(&component_loci(pack)),
            most,
        );
        let Shown { text, ids, ranks } = pack::render(pack, actions, &ranked, &order, &places, tokens * BYTES_A_TOKEN);
        Self {
            pack,
            actions,
            reasoned,
            ranked,
            places,
            text,
            ranks,
            shown: ids,
            on_offer: on_offer.into_iter().collect(),
            small: tokens <= SMALL,
        }
    }

    /// The reasoner's explanation of that class there, if it considers one.
    pub fn considered(&self, class: FaultClass, locus: &Locus) -> Option<&'a Hypothesis> {
        self.ranked.iter().find(|one| one.class == class && one.locus == *locus).copied()
    }

    /// What can be done about a cause of `class` at `locus`.
    pub fn remedies(&self, class: FaultClass, locus: &Locus) -> Vec<RecommendedAction> {
        match self.considered(class, locus) {
            Some(hypothesis) => hypothesis.remedies(self.pack, self.actions),
            None => bare(class, locus).remedies(self.pack, self.actions),
        }
    }
}

/// A hypothesis of which nothing is known.
pub(crate) fn bare(class: FaultClass, locus: &Locus) -> Hypothesis {
    Hypothesis {
        class,
        locus: locus.clone(),
        statement: String::new(),
        probability: 0.0,
        score: 0.0,
        supporting: Vec::new(),
        contradicting: Vec::new(),
    }
}

fn component_loci(pack: &EvidencePack) -> Vec<Locus> {
    pack.components.iter().take(PLACES).map(|component| Locus::Component(component.id.clone())).collect()
}
