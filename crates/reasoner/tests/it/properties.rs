//! What must hold of any evidence, however odd: no panic, probabilities that are ones, citations that exist, bounds.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{
    Change, Component, ComponentState, Dependency, DependencyState, Discrepancy, DiscrepancyKind, Event, EventId,
    EventKind, Finding, History, Id, Locus, LogLevel, LogLine, Observation, Severity, Signal, SignalKind, SignalRole,
    Timestamp, Unavailable, Value, Worse,
};
use operator_reasoner::{EvidencePack, PackInput, Reasoner, ViolationFact};
use proptest::prelude::*;

use crate::world::{SUBJECT, actions, invariants};

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(f64::MAX),
        Just(f64::MIN),
        Just(f64::MIN_POSITIVE),
        Just(-1e-300),
        -10.0..10.0,
        any::<f64>().prop_filter("finite", |number| number.is_finite()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-c]{1,3}",
        "\\PC{0,12}",
        Just("\u{202e}\n# **x** [y](http://z)\u{7}".to_owned())
    ]
}

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![4 => "[a-d]".prop_map(|local| Id::new(SUBJECT, local)), 1 => text().prop_map(|local| Id::new(SUBJECT, local))]
}

fn locus() -> impl Strategy<Value = Locus> {
    prop_oneof![
        id().prop_map(Locus::Component),
        (id(), id()).prop_map(|(from, to)| Locus::Edge(from, to)),
        text().prop_map(|key| Locus::entity(SUBJECT, "item", key)),
        "[x-z]".prop_map(|event| Locus::Change(EventId::new(SUBJECT, event))),
        Just(Locus::Nothing),
    ]
}

fn at() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        8 => (0_i64..200_000).prop_map(Timestamp::from_millis),
        1 => Just(Timestamp::from_millis(i64::MAX)),
        1 => Just(Timestamp::from_millis(i64::MIN)),
    ]
}

fn pick<T: Clone + std::fmt::Debug + 'static>(from: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(from)
}

fn signal() -> impl Strategy<Value = Signal> {
    let roles = pick(&[
        SignalRole::Latency,
        SignalRole::Traffic,
        SignalRole::Errors,
        SignalRole::Saturation,
        SignalRole::Availability,
        SignalRole::Other,
    ]);
    let worse = pick(&[Worse::Higher, Worse::Lower, Worse::Neither]);
    (locus(), "[p-r]", roles, number(), pick(&["s", "1", "ms", "%", ""]), at(), prop::option::of(at()), worse).prop_map(
        |(on, name, role, value, unit, observed_at, since, worse)| Signal {
            on,
            name,
            role,
            value,
            unit: unit.into(),
            observed_at,
            kind: since.map_or(SignalKind::Gauge, |since| SignalKind::Counter { since }),
            worse,
        },
    )
}

fn component() -> impl Strategy<Value = Component> {
    let states = pick(&[ComponentState::Up, ComponentState::Degraded, ComponentState::Down, ComponentState::Unknown]);
    (id(), text(), states, "[12]").prop_map(|(id, raw_state, state, incarnation)| Component {
        id,
        kind: "k".into(),
        address: None,
        state,
        raw_state,
        version: None,
        labels: [("incarnation".to_owned(), incarnation), ("plane".to_owned(), "control".to_owned())].into(),
    })
}

fn event() -> impl Strategy<Value = Event> {
    let kinds = pick(&[EventKind::ConfigChange, EventKind::Deploy, EventKind::Restart, EventKind::Action]);
    ("[x-z]", at(), locus(), kinds, prop::option::of(number()), text()).prop_map(
        |(id, at, on, kind, before, message)| Event {
            id: EventId::new(SUBJECT, id),
            at,
            on,
            kind,
            change: before.map(|before| Change { field: "f".into(), before: before.into(), after: Value::Null }),
            message,
        },
    )
}

fn observation() -> impl Strategy<Value = Observation> {
    let dependency = (id(), id(), pick(&[DependencyState::Up, DependencyState::Down, DependencyState::Unknown]))
        .prop_map(|(from, to, state)| Dependency { from, to, kind: "d".into(), state });
    let line = (at(), id(), pick(&[LogLevel::Info, LogLevel::Error]), text())
        .prop_map(|(at, component, level, message)| LogLine { at, component, level, message });
    (
        prop::collection::vec(component(), 0..5),
        prop::collection::vec(dependency, 0..6),
        prop::collection::vec(signal(), 0..12),
        prop::collection::vec(event(), 0..3),
        prop::collection::vec(line, 0..4),
        prop::collection::btree_map(text(), number().prop_map(Value::from), 0..3),
        prop::option::of((text(), text())),
    )
        .prop_map(|(components, dependencies, signals, events, logs, details, unavailable)| Observation {
            at: Timestamp::default(),
            components,
            dependencies,
            signals,
            events,
            logs,
            details,
            unavailable: unavailable.into_iter().map(|(what, why)| Unavailable::new(what, why)).collect(),
        })
}

fn violation() -> impl Strategy<Value = ViolationFact> {
    let discrepancy = (
        locus(),
        prop::option::of(locus()),
        locus(),
        pick(&[DiscrepancyKind::Missing, DiscrepancyKind::Unclaimed, DiscrepancyKind::Differs]),
        number(),
        0_u32..4,
        prop_oneof![0_u32..5, Just(u32::MAX)],
    )
        .prop_map(|(what, claimed_by, held_by, kind, amount, agree, peers)| Discrepancy {
            what,
            claimed_by,
            held_by,
            kind,
            amount,
            of: amount,
            agree,
            peers,
        });
    (
        locus(),
        pick(&["down", "drift", "other"]),
        at(),
        number(),
        prop::collection::vec(locus(), 0..3),
        prop::collection::vec(discrepancy, 0..4),
        pick(&[Severity::Info, Severity::Warning, Severity::Critical]),
        text(),
    )
        .prop_map(|(on, invariant, first_seen, measured, involves, discrepancies, severity, message)| {
            ViolationFact {
                ticket: None,
                invariant: invariant.into(),
                on,
                severity,
                finding: Finding {
                    message,
                    measured,
                    threshold: 1.0,
                    involves,
                    discrepancies,
                    persists: Some(Duration::MAX),
                    count: 1,
                },
                first_seen,
                last_seen: first_seen,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_evidence_is_explained_within_bounds(
        looks in prop::collection::vec(observation(), 0..14),
        violations in prop::collection::vec(violation(), 0..5),
        own_actions in prop::collection::vec(event(), 0..2),
        incident in text(),
        now in at(),
    ) {
        let mut history = History::new();
        for (n, mut look) in looks.into_iter().enumerate() {
            look.at = Timestamp::from_millis(i64::try_from(n).unwrap() * 5_000);
            history.push(Arc::new(look), Duration::MAX);
        }
        let pack = EvidencePack::build(&PackInput {
            subject: SUBJECT,
            incident: &incident,
            now,
            history: &history,
            violations: &violations,
            invariants: &invariants(),
            actions: &actions(),
            own_actions: &own_actions,
            similar: &[],
        });
        let diagnosis = Reasoner::new().explain(&pack, &actions());

        let considered = std::iter::once(&diagnosis.primary).chain(diagnosis.alternatives.iter().map(|one| &one.hypothesis));
        let mut sum = 0.0;
        for hypothesis in considered {
            prop_assert!((0.0..=1.0 + 1e-9).contains(&hypothesis.probability), "{}", hypothesis.probability);
            prop_assert!(hypothesis.score.is_finite());
            sum += hypothesis.probability;
        }
        prop_assert!(sum <= 1.0 + 1e-6, "{}", sum);
        for id in diagnosis.cited() {
            prop_assert!(pack.item(&id).is_some(), "{} is not in the pack", id);
        }
        for (n, item) in pack.items.iter().enumerate() {
            prop_assert_eq!(&item.id.0, &format!("E{}", n + 1));
        }
        // JSON has no word for what is not finite: it would not read back.
        let json = serde_json::to_string(&(&pack, &diagnosis)).unwrap();
        prop_assert!(serde_json::from_str::<(EvidencePack, operator_reasoner::Diagnosis)>(&json).is_ok());
        let page = diagnosis.to_markdown_with_evidence(&pack);
        prop_assert!(page.len() < 200_000);
        let deceptive = page.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
        prop_assert!(!deceptive);
        prop_assert!(page.lines().filter(|line| line.starts_with("# ")).count() == 1);
        if diagnosis.abstained() {
            prop_assert!(diagnosis.recommended_actions.is_empty());
        }
        for one in &diagnosis.recommended_actions {
            prop_assert!(actions().iter().any(|action| action.name == one.action));
        }
    }
}
