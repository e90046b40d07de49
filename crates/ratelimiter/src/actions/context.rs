//! What actions work with, and how their guards are put.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use operator_protocols::{
    ActionRequest, Driver, DriverError, Effect, Guard, Holds, Id, Locus, Sent, Timestamp, Unavailable, Value,
};

use crate::api::is_key;
use crate::client::{Endpoint, NodeClient};
use crate::config::Config;
use crate::inspector::Inspector;
use crate::names::{KEY, NODE, REDIS, REDIS_ID};
use crate::observe::Target;
use crate::own_changes::OwnChanges;

/// What actions work with.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) client: &'a NodeClient,
    pub(crate) inspector: &'a Inspector,
    pub(crate) driver: Option<&'a Arc<dyn Driver>>,
    /// The expected nodes, as of the last observation.
    pub(crate) targets: Vec<Target>,
    pub(crate) own: &'a OwnChanges,
    pub(crate) starts: &'a Starts,
}

impl Context<'_> {
    /// The kind of component a locus names, within this subject.
    pub(crate) fn kind_of(&self, locus: &Locus) -> Option<&'static str> {
        match locus {
            Locus::Component(id) if id.subject != self.config.name => None,
            Locus::Component(id) if id.local == REDIS_ID => Some(REDIS),
            Locus::Component(id) => self.targets.iter().any(|target| target.id == id.local).then_some(NODE),
            Locus::Entity(entity) => {
                (entity.subject == self.config.name && entity.kind == KEY && is_key(&entity.key)).then_some(KEY)
            }
            _ => None,
        }
    }

    /// Where a node is asked.
    pub(crate) fn endpoint(&self, node: &str) -> Option<&Endpoint> {
        self.targets.iter().find(|target| target.id == node)?.endpoint.as_ref()
    }

    /// The component an action is aimed at.
    pub(super) fn id(&self, request: &ActionRequest) -> Id {
        Id::new(&self.config.name, super::target(request))
    }
}

/// Facts, by name.
pub(super) type Facts = BTreeMap<String, Value>;

pub(super) fn facts<const N: usize>(facts: [(&str, Value); N]) -> Facts {
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn yes(incarnation: Option<String>, facts: Facts, at: Timestamp) -> Guard {
    Guard { holds: Holds::Yes, incarnation, facts, as_of: at }
}

pub(super) fn no(why: impl Into<String>, at: Timestamp) -> Guard {
    Guard { holds: Holds::No(why.into()), incarnation: None, facts: Facts::new(), as_of: at }
}

pub(super) fn unknown(why: Unavailable, at: Timestamp) -> Guard {
    Guard { holds: Holds::Unknown(why), incarnation: None, facts: Facts::new(), as_of: at }
}

pub(super) fn cannot_tell(request: &ActionRequest, why: String) -> Effect {
    Effect::Unknown(Unavailable::new(format!("whether {} happened", request.action), why))
}

/// A text parameter.
pub(super) fn text<'a>(request: &'a ActionRequest, name: &str) -> &'a str {
    request.params.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What a driver's refusal says of the send.
pub(super) fn refused(error: &DriverError) -> Sent {
    match error {
        DriverError::Unknown(_) => Sent::Unknown(error.to_string()),
        _ => Sent::NoEffect(error.to_string()),
    }
}

/// After which start of a component each start or restart was to come, as far as this process knows.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    before: Mutex<BTreeMap<String, Option<String>>>,
}

/// More are not remembered; all but the last are forgotten then.
const MAX_STARTS: usize = 1000;

impl Starts {
    pub(super) fn remember(&self, intent: &str, incarnation: Option<&str>) {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        if before.len() >= MAX_STARTS {
            before.clear();
        }
        before.insert(intent.to_owned(), incarnation.map(str::to_owned));
    }

    /// The start before, which is none if there was none; `None` if it is not known here.
    pub(super) fn before(&self, intent: &str) -> Option<Option<String>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner).get(intent).cloned()
    }
}
