//! What actions and probes work with.

use std::sync::Arc;

use operator_protocols::{ActionRequest, Driver, Id, Locus};

use super::aim::region_of;
use super::live::LastLook;
use super::memory::Memory;
use super::settings::Setting;
use super::write::{MemberName, Scheduler};
use crate::names;
use crate::pd::PdClient;

/// What actions and probes work with.
pub(crate) struct Context<'a> {
    /// The subject's name.
    pub(crate) subject: &'a str,
    pub(crate) pd: &'a PdClient,
    pub(crate) driver: Option<&'a Arc<dyn Driver>>,
    pub(crate) memory: &'a Memory,
    /// The last observation.
    pub(crate) last: Option<LastLook>,
}

impl Context<'_> {
    /// The kind of component or entity that a locus names within this subject, by its name alone; none, if no name of
    /// ours looks like that. Whether there is such a thing, the guard asks PD.
    pub(crate) fn kind_of(&self, locus: &Locus) -> Option<&'static str> {
        match locus {
            Locus::Component(id) if id.subject != self.subject => None,
            Locus::Component(id) if names::store_id(&id.local).is_some_and(|store| names::store(store) == id.local) => {
                Some(names::STORE)
            }
            Locus::Component(id) if id.local == names::PROMETHEUS => Some(names::PROMETHEUS),
            Locus::Component(id) => MemberName::new(&id.local).map(|_| names::MEMBER),
            Locus::Entity(entity) if entity.subject != self.subject => None,
            Locus::Entity(entity) => match entity.kind.as_str() {
                names::REGION => region_of(locus).map(|_| names::REGION),
                names::DRAIN => names::store_id(&entity.key)
                    .is_some_and(|store| names::store(store) == entity.key)
                    .then_some(names::DRAIN),
                names::SCHEDULER => Scheduler::named(&entity.key).map(|_| names::SCHEDULER),
                names::SETTING => Setting::named(&entity.key).map(|_| names::SETTING),
                _ => None,
            },
            Locus::Nothing => Some(""),
            _ => None,
        }
    }

    /// The component an action is aimed at.
    pub(super) fn id(&self, request: &ActionRequest) -> Id {
        Id::new(self.subject, request.target.name())
    }
}
