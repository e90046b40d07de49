//! The embedded diagnoser: differential diagnosis over an evidence pack, without knowing the system.
//!
//! [`case`] indexes the pack, [`symptom`] says what asks for an explanation, [`rules`] holds the causes that are
//! considered, [`ranking`] weighs them and decides or abstains, [`report`] says it.

mod accounts;
pub(crate) mod case;
mod links;
mod load;
mod own;
mod ranking;
mod reach;
mod report;
pub(crate) mod rules;
mod symptom;
mod terms;
mod wording;

use operator_protocols::{ActionDefinition, BoxFuture, FaultClass, Locus};

use self::case::Case;
use crate::methods::Methods;
use crate::{Answer, DiagnoseError, Diagnoser, Diagnosis, EvidencePack, Inquiry};

/// The name under which the reasoner's diagnoses are recorded.
const NAME: &str = "reasoner";

/// A place and a class, and how probable it is that the cause is there.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedPlace {
    /// What kind of cause.
    pub class: FaultClass,
    /// Where.
    pub locus: Locus,
    /// Among everything considered, from 0 to 1.
    pub probability: f64,
}

/// Everything considered.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Whether the evidence does not decide, or says that nothing is wrong.
    pub abstained: bool,
    /// The places, most probable first.
    pub places: Vec<RankedPlace>,
}

/// The embedded diagnoser. It needs no key and no network, and its answer is a pure function of the evidence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reasoner {}

impl Reasoner {
    /// The reasoner with its one frozen parameter set.
    pub fn new() -> Self {
        Self {}
    }

    /// Explains an incident. `actions` are those the subject offers; only they are recommended.
    pub fn explain(&self, pack: &EvidencePack, actions: &[ActionDefinition]) -> Diagnosis {
        let case = Case::of(pack, Methods::all());
        let ranking = ranking::rank(&case);
        report::report(&case, &ranking, actions)
    }

    /// Every place that is considered, most probable first, without the words: for measuring how well it ranks.
    pub fn rank(&self, pack: &EvidencePack) -> Ranked {
        self.rank_with(pack, Methods::all())
    }

    /// The same with some methods only, to measure what the others pay.
    #[doc(hidden)]
    pub fn rank_with(&self, pack: &EvidencePack, methods: Methods) -> Ranked {
        let case = Case::of(pack, methods);
        let ranking = ranking::rank(&case);
        let places = ranking.causes.iter().map(|cause| RankedPlace {
            class: cause.class,
            locus: rules::change_subject(&case, &cause.locus).unwrap_or(&cause.locus).clone(),
            probability: cause.probability,
        });
        let nothing = ranking.causes.first().is_none_or(|first| first.class == FaultClass::NoFault);
        Ranked { abstained: !ranking.decided || nothing, places: places.collect() }
    }
}

impl Diagnoser for Reasoner {
    fn name(&self) -> &str {
        NAME
    }

    fn diagnose<'a>(&'a self, inquiry: Inquiry<'a>) -> BoxFuture<'a, Result<Answer, DiagnoseError>> {
        Box::pin(std::future::ready(Ok(self.explain(inquiry.pack, inquiry.actions).into())))
    }
}
