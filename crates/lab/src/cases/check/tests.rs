use operator_protocols::{FaultClass, Locus};
use operator_reasoner::{Answer, Confidence, Diagnosis, EvidenceId, EvidenceRef, Hypothesis};

use super::super::recorded_case::tests::case;
use super::*;

fn cites(id: &str, because: &str) -> EvidenceRef {
    EvidenceRef { id: EvidenceId(id.to_owned()), because: because.to_owned(), weight: 1.0 }
}

/// An answer that the evidence of the test's case bears out.
fn grounded() -> Answer {
    let case = case("a");
    let primary = Hypothesis {
        class: FaultClass::ComponentSlow,
        locus: Locus::component("s", "store-2"),
        statement: "store-2 is slow: latency_p99 rose from 21 ms to 655 ms (E1)".to_owned(),
        probability: 0.9,
        score: 1.0,
        supporting: vec![cites("E1", "41.2 deviations from its baseline, about 0.66 s")],
        contradicting: Vec::new(),
    };
    Diagnosis {
        subject: "s".to_owned(),
        incident: "I1".to_owned(),
        diagnoser: "test".to_owned(),
        diagnoser_version: "1".to_owned(),
        made_at: case.pack.built_at,
        timeline: Vec::new(),
        affected: vec![Locus::component("s", "front-1")],
        readings: Vec::new(),
        primary,
        confidence: Confidence { word: "high".to_owned(), probability: 0.9 },
        alternatives: Vec::new(),
        severity: operator_protocols::Severity::Critical,
        recommended_action: "wait and observe".to_owned(),
        commands: Vec::new(),
        risks: Vec::new(),
        recommended_actions: Vec::new(),
        missing: Vec::new(),
    }
    .into()
}

fn objections(change: impl FnOnce(&mut Diagnosis)) -> Vec<Objection> {
    let mut answer = grounded();
    change(&mut answer.diagnosis);
    check(&case("a"), &answer).objections.into_iter().collect()
}

#[test]
fn what_the_evidence_bears_out_passes() {
    assert_eq!(objections(|_| {}), []);
}

#[test]
fn a_cause_without_evidence_is_found() {
    let found = objections(|diagnosis| {
        diagnosis.primary.supporting.clear();
        diagnosis.primary.statement = "store-2 is slow".to_owned();
    });
    assert_eq!(found, [Objection::WithoutEvidence { at: "primary".to_owned() }]);
}

#[test]
fn an_id_that_is_not_there_is_found_in_citations_and_in_words() {
    let found = objections(|diagnosis| diagnosis.primary.supporting.push(cites("E7", "so it says")));
    assert!(found.iter().any(|one| matches!(one, Objection::NoSuchItem { id, .. } if id == "E7")), "{found:?}");
    let found = objections(|diagnosis| diagnosis.primary.statement.push_str(", see E9"));
    assert!(found.iter().any(|one| matches!(one, Objection::NoSuchItem { id, .. } if id == "E9")), "{found:?}");
}

#[test]
fn a_number_that_is_not_in_what_is_cited_is_found() {
    for planted in ["it fails 87 % of the time", "it rose to 955 ms", "since 14:32"] {
        let found = objections(|diagnosis| diagnosis.primary.supporting[0].because = planted.to_owned());
        assert!(matches!(found.as_slice(), [Objection::NoSuchNumber { .. }, ..]), "{planted}: {found:?}");
    }
    // It is in the evidence, but not in what is cited for it.
    let found = objections(|diagnosis| {
        diagnosis.primary.statement = "store-2 is slow".to_owned();
        diagnosis.primary.contradicting = vec![cites("E2", "answers within 655 ms")];
    });
    assert!(matches!(found.as_slice(), [Objection::NoSuchNumber { number, .. }] if number == "655"), "{found:?}");
}

#[test]
fn a_name_that_nothing_has_is_found() {
    for planted in ["store-3 is slow", "store-2 waits for `zookeeper`", "disk_queue is full"] {
        let found = objections(|diagnosis| diagnosis.primary.statement = planted.to_owned());
        assert!(matches!(found.as_slice(), [Objection::NoSuchName { .. }]), "{planted}: {found:?}");
    }
}

#[test]
fn a_place_or_an_action_that_is_not_there_is_found() {
    let found = objections(|diagnosis| diagnosis.affected.push(Locus::component("s", "ghost")));
    let at = "affected".to_owned();
    assert_eq!(found, [Objection::NoSuchPlace { at, place: "component:ghost".to_owned() }]);
    let found = objections(|diagnosis| {
        diagnosis.recommended_actions.push(operator_reasoner::RecommendedAction {
            action: "drop_everything".to_owned(),
            target: Locus::component("s", "store-2"),
            params: std::collections::BTreeMap::new(),
            remedies: FaultClass::ComponentSlow,
            does: operator_protocols::Does::Cures,
            risk: operator_protocols::Risk::High,
            because: Vec::new(),
        });
    });
    assert_eq!(found, [Objection::NoSuchAction { action: "drop_everything".to_owned() }]);
}
