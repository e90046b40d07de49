//! What every invariant is judged from.

use std::collections::BTreeMap;

use operator_protocols::{DependencyState, Evaluation, History, Id, Locus, Observation, Unavailable, Verdict};

use crate::details::{Details, NodeDetail};
use crate::names;

/// One observation and the past, as the judges see it.
pub(super) struct Case<'a> {
    pub(super) subject: &'a str,
    pub(super) past: &'a History,
    pub(super) now: &'a Observation,
    pub(super) details: Details,
    /// The nodes of the observation before.
    pub(super) before: BTreeMap<String, NodeDetail>,
}

impl<'a> Case<'a> {
    pub(super) fn new(subject: &'a str, past: &'a History, now: &'a Observation) -> Result<Self, Unavailable> {
        let before = past.last().and_then(|last| Details::nodes_of(last).ok()).unwrap_or_default();
        Ok(Self { subject, past, now, details: Details::of(now)?, before })
    }

    pub(super) fn node(&self, name: &str) -> Locus {
        Locus::component(self.subject, name)
    }

    pub(super) fn redis(&self) -> Locus {
        Locus::Component(names::redis(self.subject))
    }

    pub(super) fn key(&self, key: &str) -> Locus {
        names::key(self.subject, key)
    }

    /// The Redis that a node uses, and whether it reaches it.
    pub(super) fn link(&self, name: &str) -> Option<(&'a Id, DependencyState)> {
        let link = self.now.dependencies.iter().find(|link| link.from.local == name && link.kind == names::REDIS);
        link.map(|link| (&link.to, link.state))
    }

    /// The link from a node to the Redis it uses.
    pub(super) fn edge(&self, name: &str) -> Locus {
        let to = self.link(name).map_or_else(|| names::redis(self.subject), |(to, _)| to.clone());
        Locus::Edge(Id::new(self.subject, name), to)
    }

    /// A reading of a node.
    pub(super) fn signal(&self, on: &Locus, name: &str) -> Option<f64> {
        self.now.signal(on, name).map(|signal| signal.value)
    }

    /// Judges every node by `judge`; one that does not answer is not judged, one that is no longer expected is gone.
    pub(super) fn each_node(&self, invariant: &str, judge: impl Fn(&str, &NodeDetail) -> Verdict) -> Vec<Evaluation> {
        let judged = self.details.nodes.iter().map(|(name, node)| {
            let verdict = if node.answers { judge(name, node) } else { silent() };
            Evaluation::new(invariant, self.node(name), verdict)
        });
        judged.chain(self.gone(invariant)).collect()
    }

    /// Nodes that were expected in the observation before and are no more.
    pub(super) fn gone(&self, invariant: &str) -> Vec<Evaluation> {
        let gone = self.before.keys().filter(|name| !self.details.nodes.contains_key(*name));
        gone.map(|name| Evaluation::new(invariant, self.node(name), Verdict::Gone)).collect()
    }

    /// The keys that were judged lately and are not judged now: one that waits for its turn is not judged, one that is
    /// no more gets `otherwise`.
    pub(super) fn keys_not_judged(&self, otherwise: &Verdict) -> BTreeMap<String, Verdict> {
        let ledger = &self.details.ledger;
        let waits = *otherwise == Verdict::Gone && ledger.coverage.waiting > 0;
        let verdict = if waits {
            Verdict::Suppressed("it waits for its turn to be looked at".to_owned())
        } else {
            otherwise.clone()
        };
        let seen = self.past.iter().flat_map(|past| Details::judged_of(past));
        seen.map(|key| (key.to_owned(), verdict.clone())).collect()
    }

    /// Why nothing can be said of keys, as a verdict; none if something can.
    pub(super) fn books_closed(&self, why_not: Option<&String>, as_of_us: Option<u64>) -> Option<Verdict> {
        let why = match (why_not, as_of_us) {
            (None, Some(_)) => return None,
            (Some(why), _) => why,
            (None, None) => "it was not read",
        };
        Some(if self.details.redis.answers {
            Verdict::Unknown(Unavailable::new("what Redis holds", why))
        } else {
            Verdict::Suppressed("Redis does not answer".to_owned())
        })
    }
}

/// A node that does not answer says nothing about itself; that it is silent, `node_down` says.
pub(super) fn silent() -> Verdict {
    Verdict::Suppressed("the node does not answer".to_owned())
}

/// A node lives, but did not say what was needed.
pub(super) fn untold(name: &str, what: &str) -> Verdict {
    Verdict::Unknown(Unavailable::new(format!("{what} of {name}"), "it was not told in this observation"))
}
