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

pub(crate) use change::subject as change_subject;
pub(crate) use down::members as control_plane_members;
use operator_protocols::{FaultClass, Locus};
pub(crate) use slow::waits;

use super::case::Case;
use super::symptom::Symptom;
use super::terms::Terms;

/// How well a fault explains a symptom, from 0 to 1, and how.
pub(crate) type Explains<'p> = Box<dyn Fn(&Symptom<'p>) -> (f64, &'static str) + 'p>;

/// A class of fault, as something that can be looked for.
pub(crate) trait Rule: Sync {
    /// The class.
    fn class(&self) -> FaultClass;

    /// Where it could be, in this case.
    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus>;

    /// How well a fault of this class at `locus` explains each symptom, from 0 to 1, and how.
    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p>;

    /// How sure it is, from 0 to 1, that anything happens there at all. What only says *which* place it is counts no
    /// more than that.
    fn certainty(&self, _case: &Case<'_>, _locus: &Locus) -> f64 {
        1.0
    }

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

/// How sure it is that something is wrong at one of these places: by the gravest symptom.
pub(crate) fn certainty(case: &Case<'_>, places: &[Locus]) -> f64 {
    let gravest =
        places.iter().flat_map(|place| case.symptoms_at(place)).map(|symptom| symptom.weight).fold(0.0, f64::max);
    (gravest / crate::parameters::SURE).min(1.0)
}
