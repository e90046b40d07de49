//! The causes that are considered: for each class of fault, where it could be, what it explains, and what else speaks
//! for or against it.

mod accounts;
mod blind;
mod change;
mod down;
mod full;
mod link;
mod quiet;
mod slow;

use operator_protocols::{FaultClass, Locus};

use super::case::Case;
use super::symptom::Symptom;
use super::terms::Terms;

/// A class of fault, as something that can be looked for.
pub(crate) trait Rule: Sync {
    /// The class.
    fn class(&self) -> FaultClass;

    /// Where it could be, in this case.
    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus>;

    /// How well a fault of this class at `locus` explains each symptom, from 0 to 1, and how.
    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Box<dyn Fn(&Symptom<'p>) -> (f64, &'static str) + 'p>;

    /// What else speaks for or against it.
    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>);
}

/// Every class that is looked for.
pub(crate) const RULES: &[&dyn Rule] = &[
    &down::ComponentDown,
    &down::ControlPlaneDown,
    &slow::ComponentSlow,
    &link::LinkDown,
    &link::LinkSlow,
    &accounts::StateDivergence,
    &accounts::ConfigDivergence,
    &accounts::ExternalMutation,
    &accounts::DataLoss,
    &full::CapacityExhaustion,
    &change::BadChange,
    &quiet::LoadSurge,
    &quiet::NoFault,
    &blind::ClockSkew,
    &blind::MonitoringGap,
];
