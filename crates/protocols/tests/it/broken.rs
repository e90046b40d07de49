//! Subjects that each break one obligation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use operator_protocols::example::Workshop;
use operator_protocols::{
    ActionClass, ComponentState, Effect, Evaluation, Finding, Holds, Id, Locus, Observation, Receipt, Sent, SignalKind,
    Timestamp, Unavailable, Value, Verdict,
};

use crate::twisted::Twist;

/// Twists `$field` of the honest subject.
macro_rules! twist {
    ($field:ident: $how:expr) => {
        |_| Twist { $field: Box::new($how), ..Twist::default() }
    };
}

/// How it is broken, the twist that breaks it, and the checks that say so.
pub type Broken = (&'static str, fn(&Workshop) -> Twist, &'static [&'static str]);

fn signal(observation: &mut Observation, name: &str, change: impl Fn(&mut operator_protocols::Signal)) {
    observation.signals.iter_mut().filter(|signal| signal.name == name).for_each(change);
}

/// Each obligation, broken; and the checks that say so.
pub const BROKEN: &[Broken] = &[
    ("says no kind", twist!(descriptor: |d| d.kind.clear()), &["descriptor.complete"]),
    ("panics when asked who it is", twist!(descriptor: |_| panic!("who?")), &["descriptor.complete", "dead.answers"]),
    ("speaks another version", twist!(descriptor: |d| d.protocol_version += 1), &["descriptor.protocol"]),
    ("never answers", |_| Twist { never_answers: true, ..Twist::default() }, &["observe.answers", "dead.answers"]),
    (
        "dates an observation",
        twist!(observation: |o| o.at = Timestamp::from_millis(1)),
        &["observe.answers", "dead.answers"],
    ),
    (
        "lists a component twice",
        twist!(observation: |o| o.components.push(o.components[0].clone())),
        &["components.listed"],
    ),
    (
        "depends on what it does not list",
        twist!(observation: |o| o.dependencies[0].to = Id::new("corner-shop", "attic")),
        &["dependencies.listed"],
    ),
    (
        "rewrites an event",
        |_| {
            let seen = AtomicU64::new(0);
            let rewrite = move |o: &mut Observation| {
                let number = seen.fetch_add(1, Ordering::Relaxed);
                o.events.iter_mut().for_each(|event| event.message = format!("told {number} times"));
            };
            Twist { observation: Box::new(rewrite), ..Twist::default() }
        },
        &["events.constant"],
    ),
    (
        "tells too much",
        twist!(observation: |o| { o.details.insert("diary".into(), "x".repeat(1 << 20).into()); }),
        &["details.bounded"],
    ),
    (
        "tells what JSON cannot",
        twist!(observation: |o| { o.details.insert("odd".into(), Value::List(vec![Value::Float(f64::NAN)])); }),
        &["details.bounded"],
    ),
    (
        "does not say why",
        twist!(observation: |o| o.unavailable.push(Unavailable::new("attic", ""))),
        &["unavailable.explained"],
    ),
    (
        "names another subject's",
        twist!(observation: |o| o.events.iter_mut().for_each(|e| e.on = Locus::component("other-shop", "queue"))),
        &["names.subject"],
    ),
    (
        "names what cannot be shown",
        twist!(observation: |o| o.events.iter_mut().for_each(|e| e.on = Locus::component("corner-shop", "a\nb"))),
        &["names.readable"],
    ),
    (
        "names what does not read back",
        twist!(observation: |o| o.events.iter_mut().for_each(|e| e.on = Locus::edge("corner-shop", "a>b", "c"))),
        &["names.readable"],
    ),
    (
        "measures what it does not list",
        twist!(observation: |o| signal(o, "backlog", |s| s.on = Locus::component("corner-shop", "attic"))),
        &["signals.listed"],
    ),
    (
        "measures one thing twice",
        twist!(observation: |o| { let again = o.signals.first().cloned(); o.signals.extend(again); }),
        &["signals.listed"],
    ),
    ("measures without a unit", twist!(observation: |o| signal(o, "backlog", |s| s.unit.clear())), &["signals.units"]),
    (
        "reads what is no number",
        twist!(observation: |o| signal(o, "backlog", |s| s.value = f64::NAN)),
        &["signals.finite"],
    ),
    (
        "reads the future",
        twist!(observation: |o| signal(o, "backlog", |s| s.observed_at = s.observed_at.plus(Duration::from_secs(1)))),
        &["signals.dated"],
    ),
    (
        "counts from after its reading",
        twist!(observation: |o| signal(o, "arrived_total", |s| s.kind = SignalKind::Counter { since: Timestamp::from_millis(i64::MAX) })),
        &["signals.dated"],
    ),
    (
        "counts backwards",
        twist!(observation: |o| signal(o, "arrived_total", |s| s.value = -s.value)),
        &["signals.constant"],
    ),
    ("declares an invariant twice", twist!(invariants: |all| all.push(all[0].clone())), &["invariants.defined"]),
    (
        "judges what it does not declare",
        twist!(evaluations: |_, all| all.push(Evaluation::new("tidiness", Locus::Nothing, Verdict::Suppressed("planned".into())))),
        &["evaluations.declared"],
    ),
    ("judges one thing twice", twist!(evaluations: |_, all| all.push(all[0].clone())), &["evaluations.declared"]),
    (
        "suppresses without a reason",
        twist!(evaluations: |_, all| all[0].verdict = Verdict::Suppressed(String::new())),
        &["evaluations.sound"],
    ),
    (
        "finds what is no number",
        twist!(evaluations: |_, all| all[0].verdict = Verdict::Violated(Finding::new("dust", f64::NAN, 1.0))),
        &["evaluations.sound", "evaluations.healthy"],
    ),
    (
        "cries wolf",
        twist!(evaluations: |now, all| {
            if !now.signals.is_empty() { all[0].verdict = Verdict::Violated(Finding::new("wolf", 1.0, 0.0)); }
        }),
        &["evaluations.healthy"],
    ),
    (
        "counts its judgements",
        |_| {
            let judged = AtomicU64::new(0);
            let count = move |_: &Observation, all: &mut Vec<Evaluation>| {
                let count = judged.fetch_add(1, Ordering::Relaxed);
                all.push(Evaluation::new("jobs_wait", Locus::Nothing, Verdict::Suppressed(format!("number {count}"))));
            };
            Twist { evaluations: Box::new(count), ..Twist::default() }
        },
        &["check.pure"],
    ),
    (
        "takes details for granted",
        twist!(evaluations: |now, _| { now.details.get("dispatch_rate").map(|rate| rate.as_i64().expect("a rate")); }),
        &["check.robust"],
    ),
    (
        "calls the unseen ok",
        twist!(evaluations: |_, all| {
            all.iter_mut().filter(|e| matches!(e.verdict, Verdict::Unknown(_))).for_each(|e| e.verdict = Verdict::Ok);
        }),
        &["blind.never_ok", "dead.judged"],
    ),
    (
        "calls the unseen gone",
        twist!(evaluations: |_, all| {
            all.iter_mut().filter(|e| matches!(e.verdict, Verdict::Unknown(_))).for_each(|e| e.verdict = Verdict::Gone);
        }),
        &["blind.never_ok", "dead.judged"],
    ),
    (
        "leaves out the unseen",
        twist!(evaluations: |_, all| all.retain(|e| !matches!(e.verdict, Verdict::Unknown(_)))),
        &["evaluations.never_vanish", "dead.judged"],
    ),
    (
        "forgets what is not listed",
        twist!(evaluations: |now, all| all.retain(|e| now.components.is_empty() || e.on.components().iter().all(|id| now.component(id).is_some()))),
        &["evaluations.never_vanish"],
    ),
    ("acts without an aim", twist!(actions: |all| all[1].targets.clear()), &["actions.targets"]),
    ("expects no effect", twist!(actions: |all| all[1].expected_effect.clear()), &["actions.defined"]),
    (
        "has a default that does not fit",
        twist!(actions: |all| all[1].params[0].default = Some(0_i64.into())),
        &["actions.parameters"],
    ),
    (
        "cannot be undone as it says",
        twist!(actions: |all| all[1].reversible_by = Some("set_everything_back".into())),
        &["actions.reversible"],
    ),
    (
        "contains without an end",
        twist!(actions: |all| all[1].remedies[0].does = operator_protocols::Does::Contains),
        &["actions.reversible"],
    ),
    (
        "guards by the future",
        twist!(guard: |_, guard| guard.as_of = guard.as_of.plus(Duration::from_secs(1))),
        &["guards.answer"],
    ),
    (
        "states what moves",
        |_| {
            let asked = AtomicU64::new(0);
            let count = move |_: &_, guard: &mut operator_protocols::Guard| {
                guard.facts.insert("asked".into(), asked.fetch_add(1, Ordering::Relaxed).into());
            };
            Twist { guard: Box::new(count), ..Twist::default() }
        },
        &["guards.still"],
    ),
    (
        "remembers what never was",
        |_| Twist {
            actions: Box::new(|all| all[1].class = ActionClass::Keyed),
            effect: Box::new(|_, effect| *effect = Effect::Happened(Receipt::new("surely"))),
            ..Twist::default()
        },
        &["effects.fresh"],
    ),
    (
        "guards what it does not offer",
        twist!(guard: |request, guard| if request.action == "no_such_action" { guard.holds = Holds::Yes; }),
        &["actions.unknown_refused"],
    ),
    (
        "guards everything it offers",
        twist!(guard: |request, guard| {
            if request.action != "no_such_action" { guard.holds = Holds::Yes; }
        }),
        &["actions.hostile_refused"],
    ),
    (
        "does whatever it is told",
        twist!(sent: |request, sent| {
            if request.action != "no_such_action" { *sent = Sent::Done(Receipt::new("gladly")); }
        }),
        &["actions.hostile_refused"],
    ),
    ("asks without saying what", twist!(probes: |all| all[0].description.clear()), &["probes.defined"]),
    (
        "answers what JSON cannot",
        twist!(answer: |_, answer| if answer.answer.is_ok() { answer.answer = Ok(Value::Float(f64::NAN)); }),
        &["probes.answer"],
    ),
    (
        "answers everything",
        twist!(answer: |_, answer| if answer.answer.is_err() { answer.answer = Ok(Value::Null); }),
        &["probes.refuse"],
    ),
    (
        "writes while it looks",
        |workshop| {
            let workshop = workshop.clone();
            let write = move |_: &mut Observation| {
                let _ = workshop.change_dispatch_rate(20, 20);
            };
            Twist { observation: Box::new(write), ..Twist::default() }
        },
        &["reads.write_nothing"],
    ),
    (
        "writes while it refuses",
        |workshop| {
            let workshop = workshop.clone();
            let write = move |_: &_, _: &mut Sent| {
                let _ = workshop.change_dispatch_rate(20, 20);
            };
            Twist { sent: Box::new(write), ..Twist::default() }
        },
        &["refusals.write_nothing"],
    ),
    (
        "tells the past backwards",
        twist!(history: |(from, to), kept| kept.extend([Observation::new(*to), Observation::new(*from)])),
        &["history.ordered"],
    ),
    (
        "panics when nothing answers",
        twist!(observation: |o| assert!(o.unavailable.is_empty(), "no answer")),
        &["dead.answers"],
    ),
    (
        "keeps up appearances",
        twist!(observation: |o| if !o.unavailable.is_empty() { o.components[0].state = ComponentState::Up; }),
        &["dead.says_so"],
    ),
];
