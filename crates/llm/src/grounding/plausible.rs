//! Where a fault of a class can be at all.

use operator_protocols::{FaultClass, Locus};

/// Whether a fault of `class` can be at `locus`.
///
/// # Errors
/// Says where it could be.
pub(crate) fn check(class: FaultClass, locus: &Locus) -> Result<(), &'static str> {
    use FaultClass as F;
    use Locus as L;
    let (plausible, expected) = match class {
        F::LinkDown | F::LinkSlow => (matches!(locus, L::Edge(..)), "a link, written a→b"),
        F::ComponentDown | F::ComponentSlow | F::ClockSkew => (matches!(locus, L::Component(_)), "a component"),
        F::BadChange => (matches!(locus, L::Change(_)), "a change"),
        F::NoFault | F::Unknown => (*locus == L::Nothing, "nothing"),
        F::StateDivergence | F::ConfigDivergence | F::ExternalMutation | F::DataLoss | F::CapacityExhaustion => {
            (matches!(locus, L::Component(_) | L::Group(_) | L::Entity(_)), "a component, a group or an entity")
        }
        F::ControlPlaneDown => (matches!(locus, L::Component(_) | L::Group(_)), "a component or a group"),
        F::LoadSurge | F::MonitoringGap => (!matches!(locus, L::Change(_)), "a place, or nothing"),
    };
    if plausible { Ok(()) } else { Err(expected) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_place_and_one_where_it_cannot_be() {
        let loci = [
            Locus::component("s", "a"),
            Locus::edge("s", "a", "b"),
            Locus::entity("s", "item", "x"),
            Locus::Change(operator_protocols::EventId::new("s", "e")),
            Locus::Nothing,
        ];
        for class in FaultClass::ALL {
            assert!(loci.iter().any(|locus| check(*class, locus).is_ok()), "{class}");
            assert!(loci.iter().any(|locus| check(*class, locus).is_err()), "{class}");
        }
    }
}
