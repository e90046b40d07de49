//! Why PD moves nothing.

use operator_protocols::Value;

use super::answer::{Answer, plain, source};
use super::rebalance_progress::spread;
use crate::actions::Scheduler;
use crate::actions::live::Live;
use crate::actions::rules::control_plane;
use crate::actions::verdict::{Verdict, known};

/// Limits of which 0 stops a kind of move.
const LIMITS: [(&str, &str); 5] = [
    ("region-schedule-limit", "balancing of regions"),
    ("leader-schedule-limit", "balancing of leaders"),
    ("replica-schedule-limit", "making and removing of replicas"),
    ("hot-region-schedule-limit", "spreading of hot regions"),
    ("merge-schedule-limit", "merging of regions"),
];

pub(super) fn explain(live: &Live) -> Verdict<Answer> {
    let operators = known(&live.operators)?;
    let mut answer = Answer::new(live.at);
    if let Err(refusal) = control_plane::steers(live) {
        answer.blames(
            format!("PD does not steer now: {refusal}"),
            Value::Null,
            source::STATUS,
            "wait until PD has a leader that has heard of all regions",
        );
    }
    about_settings(live, &mut answer);
    about_schedulers(live, &mut answer);
    about_diagnostics(live, &mut answer);
    let stops = answer.reasons();
    if let Some((low, high)) = spread(live, |store| store.region_score) {
        answer.because(
            format!("the stores' scores as holders of regions are from {low:.0} to {high:.0}"),
            Value::map([("least", Value::from(low)), ("greatest", high.into())]),
            source::STORES,
        );
    }
    answer.more("operators", (operators.len() as u64).into());
    Ok(match (operators.len(), stops) {
        (0, 0) => answer.say("Nothing keeps PD from moving regions: it sees nothing that needs to be moved"),
        (0, stops) => answer.say(format!("PD moves nothing, for {stops} reasons")),
        (count, 0) => answer.say(format!("PD is at work: {count} operators are under way")),
        (count, stops) => {
            answer.say(format!("PD works on {count} regions, and {stops} reasons keep it from other work"))
        }
    })
}

fn about_settings(live: &Live, answer: &mut Answer) {
    let Ok(settings) = &live.settings else { return };
    if settings.get("halt-scheduling").is_some_and(|value| value == "true") {
        answer.blames(
            "halt-scheduling is true",
            "true",
            source::SETTINGS,
            "find out who halted scheduling, and have them end it",
        );
    }
    for (key, what) in LIMITS {
        if settings.get(key).is_some_and(|value| value == "0") {
            answer.blames(format!("{key} is 0: no {what}"), "0", source::SETTINGS, format!("config_restore {key}"));
        }
    }
}

fn about_schedulers(live: &Live, answer: &mut Answer) {
    if let Ok(schedulers) = &live.schedulers {
        for scheduler in Scheduler::ALL.into_iter().filter(|one| *one != Scheduler::EvictSlowStore) {
            let name = scheduler.name();
            match schedulers.get(name) {
                None => answer.blames(
                    format!("PD has no {name}"),
                    Value::Null,
                    source::SCHEDULERS,
                    format!("add_scheduler {name}"),
                ),
                Some(state) if state.paused => answer.blames(
                    format!("{name} is paused"),
                    "paused",
                    source::SCHEDULERS,
                    format!("resume_scheduler {name}, if no backup or import is under way"),
                ),
                Some(state) if state.disabled => {
                    answer.because(format!("{name} is disabled"), "disabled", source::SCHEDULERS);
                }
                Some(_) => {}
            }
        }
    }
    if let Ok(checkers) = &live.checkers {
        for (name, _) in checkers.iter().filter(|(_, rests)| **rests) {
            answer.blames(
                format!("the {} checker is paused", plain(name)),
                "paused",
                source::CHECKERS,
                format!("resume_checker checker={}", plain(name)),
            );
        }
    }
}

fn about_diagnostics(live: &Live, answer: &mut Answer) {
    let Ok(diagnostics) = &live.diagnostics else { return };
    for (name, diagnostic) in diagnostics {
        if matches!(diagnostic.status.as_str(), "pending" | "paused" | "disabled" | "halted") {
            let summary = plain(&diagnostic.summary);
            let said = if summary.is_empty() { plain(&diagnostic.status) } else { summary };
            answer.because(format!("{} says: {said}", plain(name)), plain(&diagnostic.status), source::DIAGNOSTIC);
        }
    }
}
