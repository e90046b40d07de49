//! A request, read: what it is aimed at and with what.

use operator_protocols::{ActionRequest, Locus, Value};

use super::memory::Memory;
use super::verdict::{Refusal, Verdict};
use crate::names;

/// A request whose target and parameters fit its definition, with what is remembered of earlier ones.
#[derive(Clone, Copy)]
pub(super) struct Aim<'a> {
    pub(super) request: &'a ActionRequest,
    pub(super) memory: &'a Memory,
}

impl<'a> Aim<'a> {
    /// The name of the target.
    pub(super) fn name(&self) -> &'a str {
        self.request.target.name()
    }

    /// The store it is aimed at: a component, or the drain of one.
    pub(super) fn store(&self) -> Verdict<u64> {
        names::store_id(self.name())
            .filter(|id| *id > 0)
            .ok_or_else(|| Refusal::no(format!("{} is no store", self.request.target)))
    }

    /// The region it is aimed at.
    pub(super) fn region(&self) -> Verdict<u64> {
        region_of(&self.request.target).ok_or_else(|| Refusal::no(format!("{} is no region", self.request.target)))
    }

    /// A parameter that is a whole number above zero.
    pub(super) fn number(&self, name: &str) -> Verdict<u64> {
        let number = self.request.params.get(name).and_then(Value::as_u64).filter(|number| *number > 0);
        number.ok_or_else(|| Refusal::no(format!("{name} must be a whole number above 0")))
    }

    /// A parameter that is a number, whole or not.
    pub(super) fn fraction(&self, name: &str) -> Verdict<f64> {
        let number = self.request.params.get(name).and_then(Value::as_f64);
        number.ok_or_else(|| Refusal::no(format!("{name} must be a number")))
    }

    /// A parameter that is text.
    pub(super) fn text(&self, name: &str) -> Verdict<&'a str> {
        let text = self.request.params.get(name).and_then(Value::as_str);
        text.ok_or_else(|| Refusal::no(format!("{name} must be text")))
    }
}

/// The id of the region that a locus names, written as PD writes ids.
pub(crate) fn region_of(locus: &Locus) -> Option<u64> {
    let Locus::Entity(entity) = locus else { return None };
    (entity.kind == names::REGION).then_some(())?;
    let id: u64 = entity.key.parse().ok().filter(|id| *id > 0)?;
    (id.to_string() == entity.key).then_some(id)
}
