//! Cases of public root-cause data, whose truth is the name of a service.

use operator_protocols::FaultClass;

use super::{RecordedCase, StoredLooks};
use crate::rca::Case;
use crate::scenario::{HypothesisTruth, Pattern, Truth};

/// A case of public data, if the data says what is true. Any class of fault is right at the service at fault, and on a
/// link to it; where nothing is wrong, saying so is right, and so is not deciding.
pub fn of_public_data(data: &str, case: &Case) -> Option<RecordedCase> {
    let service = case.truth.as_deref()?;
    let hypotheses = if service.is_empty() {
        vec![HypothesisTruth { locus: Pattern::new("*"), classes: vec![FaultClass::NoFault, FaultClass::Unknown] }]
    } else {
        let faults = || FaultClass::ALL.iter().copied().filter(|class| is_fault(*class)).collect::<Vec<_>>();
        [format!("component:{service}"), format!("edge:*>{service}")]
            .map(|locus| HypothesisTruth { locus: Pattern::new(locus), classes: faults() })
            .to_vec()
    };
    let truth = Truth {
        ticket: !service.is_empty(),
        standing: Vec::new(),
        invariants: Vec::new(),
        hypotheses,
        actions: Vec::new(),
        harmful: Vec::new(),
        traps: Vec::new(),
    };
    let group = if service.is_empty() { format!("{data}, nothing wrong") } else { data.to_owned() };
    let id = format!("{data}-{}", case.id);
    let origin = format!("{data}, {}: {}", case.part, case.id);
    let pack = case.pack();
    let looks = StoredLooks::remembered(&pack, &case.past());
    Some(RecordedCase::new(&id, &group, origin, truth, Vec::new(), pack, looks))
}

fn is_fault(class: FaultClass) -> bool {
    !matches!(class, FaultClass::NoFault | FaultClass::Unknown | FaultClass::MonitoringGap)
}
