//! `scheduling_disabled`: PD does not move or repair what it should, because a scheduler is paused or gone, or a setting
//! forbids it. Backup and import leave that behind when they are interrupted; so do people.
//!
//! A setting whose change was seen names that change; everything else is held by PD without a known author.

use operator_protocols::{Discrepancy, DiscrepancyKind, Evaluation, EventKind, Finding, Locus, Verdict};

use super::case::{Case, Step, untold};
use super::invariant::{Invariant, Source};
use crate::names;

const NAME: &str = "scheduling_disabled";

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "PD may balance and repair", judge)
    .at("scheduler, setting")
    .grace(600)
    .needs(&[Source::Leader]);

/// The schedulers without which a cluster does not stay balanced.
const SCHEDULERS: [&str; 3] = ["balance-leader-scheduler", "balance-region-scheduler", "balance-hot-region-scheduler"];

/// Settings, and the value that stops PD from doing something.
const SETTINGS: [(&str, &str, &str); 10] = [
    ("halt-scheduling", "true", "PD moves and repairs nothing"),
    ("leader-schedule-limit", "0", "no leader is moved"),
    ("region-schedule-limit", "0", "no region is moved, so a new store stays empty"),
    ("replica-schedule-limit", "0", "no lost replica is replaced"),
    ("hot-region-schedule-limit", "0", "no hot region is moved"),
    ("enable-remove-down-replica", "false", "no dead replica is removed"),
    ("enable-replace-offline-replica", "false", "no store can be emptied"),
    ("enable-make-up-replica", "false", "no missing replica is made up for"),
    ("enable-remove-extra-replica", "false", "no replica that is too many is removed"),
    ("enable-location-replacement", "false", "no replica is moved to where its labels want it"),
];

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let schedulers = SCHEDULERS.iter().map(|name| {
        let on = Locus::entity(case.subject, names::SCHEDULER, *name);
        (on.clone(), scheduler(case, name, &on))
    });
    let settings = SETTINGS.iter().map(|(name, bad, consequence)| {
        let on = Locus::entity(case.subject, names::SETTING, *name);
        (on.clone(), setting(case, name, bad, consequence, &on))
    });
    schedulers
        .chain(settings)
        .map(|(on, verdict)| Evaluation::new(NAME, on, verdict.unwrap_or_else(|verdict| verdict)))
        .collect()
}

fn scheduler(case: &Case<'_>, name: &str, on: &Locus) -> Step {
    case.pd()?;
    if case.details.cluster.schedulers.is_empty() {
        return Err(untold("the schedulers", "PD's leader"));
    }
    let state = match case.details.cluster.schedulers.get(name) {
        Some(scheduler) if scheduler.paused => "is paused",
        Some(scheduler) if scheduler.disabled => "is disabled",
        Some(_) => return Ok(Verdict::Ok),
        None => "is not there",
    };
    Ok(Verdict::Violated(unclaimed(case, on, format!("{name} {state}, and nobody is known to have wanted that"))))
}

fn setting(case: &Case<'_>, name: &str, bad: &str, consequence: &str, on: &Locus) -> Step {
    case.pd()?;
    let settings = &case.details.cluster.settings;
    if settings.is_empty() {
        return Err(untold("the settings", "PD's leader"));
    }
    let Some(value) = settings.get(name) else {
        return Err(Verdict::Suppressed("this version has no such setting".to_owned()));
    };
    if value != bad {
        return Ok(Verdict::Ok);
    }
    let message = format!("{name} is {value}: {consequence}");
    let seen = case.past.iter().map(|past| &**past).chain(std::iter::once(case.now)).flat_map(|seen| &seen.events);
    let mut changes = seen.rev().filter(|event| event.on == *on && event.kind == EventKind::ConfigChange);
    let change = changes.next();
    Ok(Verdict::Violated(match change {
        Some(event) => Finding { involves: vec![Locus::Change(event.id.clone())], ..Finding::new(message, 1.0, 0.0) },
        None => unclaimed(case, on, message),
    }))
}

fn unclaimed(case: &Case<'_>, on: &Locus, message: String) -> Finding {
    Finding {
        discrepancies: vec![Discrepancy {
            what: on.clone(),
            claimed_by: None,
            held_by: case.leader(),
            kind: DiscrepancyKind::Unclaimed,
            amount: 1.0,
            of: 1.0,
            agree: 0,
            peers: 0,
        }],
        ..Finding::new(message, 1.0, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use operator_protocols::{Change, Event, EventId, Value};

    use super::super::scene::{SUBJECT, Scene, member};
    use super::*;

    fn entity(kind: &str, name: &str) -> Locus {
        Locus::entity(SUBJECT, kind, name)
    }

    #[test]
    fn a_scheduler_that_is_paused_disabled_or_gone_is_held_by_pd_without_an_author() {
        for state in ["is paused", "is disabled", "is not there"] {
            let mut scene = Scene::healthy();
            let schedulers = &mut scene.details.cluster.schedulers;
            let scheduler = schedulers.get_mut("balance-region-scheduler").expect("there");
            (scheduler.paused, scheduler.disabled) = (state == "is paused", state == "is disabled");
            if state == "is not there" {
                schedulers.remove("balance-region-scheduler");
            }
            let judged = scene.judge();
            let on = entity("scheduler", "balance-region-scheduler");
            let finding = judged.finding(NAME, &on);
            assert!(finding.message.contains(state));
            let discrepancy = &finding.discrepancies[0];
            assert_eq!((&discrepancy.what, &discrepancy.held_by), (&on, &member("pd-0")));
            assert_eq!((discrepancy.kind, &discrepancy.claimed_by), (DiscrepancyKind::Unclaimed, &None));
        }
    }

    #[test]
    fn a_setting_names_the_change_that_was_seen_or_has_no_author() {
        let on = entity("setting", "region-schedule-limit");
        let mut scene = Scene::healthy();
        scene.details.cluster.settings.insert("region-schedule-limit".to_owned(), "0".to_owned());
        assert_eq!(scene.judge().finding(NAME, &on).discrepancies.len(), 1);
        let id = EventId::new(SUBJECT, "change-1");
        scene.events.push(Event {
            id: id.clone(),
            at: scene.at,
            on: on.clone(),
            kind: EventKind::ConfigChange,
            change: Some(Change {
                field: "region-schedule-limit".to_owned(),
                before: Value::from("2048"),
                after: Value::from("0"),
            }),
            message: String::new(),
        });
        scene.judge();
        scene.events.clear();
        let judged = scene.judge();
        let finding = judged.finding(NAME, &on);
        assert_eq!(finding.involves, [Locus::Change(id)]);
        assert_eq!(finding.discrepancies, []);
    }

    #[test]
    fn settings_that_are_not_there_are_not_judged_and_none_at_all_is_unknown() {
        let mut scene = Scene::healthy();
        scene.details.cluster.settings.remove("halt-scheduling");
        assert!(scene.judge().suppressed(NAME, &entity("setting", "halt-scheduling")).contains("this version"));
        scene.details.cluster.settings.clear();
        scene.details.cluster.schedulers.clear();
        let judged = scene.judge();
        for on in [entity("setting", "halt-scheduling"), entity("scheduler", "balance-leader-scheduler")] {
            assert!(matches!(judged.verdict(NAME, &on), Verdict::Unknown(_)));
        }
    }
}
