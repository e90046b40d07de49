//! What came of it, as tables.

use std::collections::BTreeMap;

use operator_lab::cases::check::{Checked, Objection};
use operator_lab::cases::{AnswerKey, Tally};
use operator_reasoner::Outcome;

use crate::output::Table;

pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted => "[accepted]".to_owned(),
        Outcome::Repaired => "[repaired]".to_owned(),
        Outcome::FallenBack { why } => format!("[fallen back: {why}]"),
    }
}

pub(super) fn tallies(tallies: &BTreeMap<String, BTreeMap<String, Tally>>) -> String {
    let mut right = Table::new(&["who", "cases", "right", "place right", "wrong", "abstained", "none"]);
    let mut model = Table::new(&[
        "who",
        "cases",
        "accepted",
        "repaired",
        "fallen back",
        "first action right",
        "harmful",
        "calls",
        "tokens in (cached)",
        "out",
        "s a case",
        "USD",
    ]);
    for (who, groups) in tallies {
        for (group, tally) in groups {
            let group = if group.is_empty() { "all" } else { group };
            right.row([
                who,
                group,
                &tally.right.to_string(),
                &tally.place.to_string(),
                &tally.wrong.to_string(),
                &tally.abstained.to_string(),
                &tally.none.to_string(),
            ]);
            let usage = &tally.usage;
            let seconds = tally.took_ms as f64 / 1e3 / f64::from(tally.right.of.max(1));
            model.row([
                who,
                group,
                &tally.accepted.to_string(),
                &tally.repaired.to_string(),
                &tally.fallen_back.to_string(),
                &tally.actions.to_string(),
                &tally.harmful.to_string(),
                &usage.calls.to_string(),
                &format!("{} ({})", usage.input_tokens, usage.cached_tokens),
                &usage.output_tokens.to_string(),
                &format!("{seconds:.1}"),
                &format!("{:.4}", usage.cost_micro_usd as f64 / 1e6),
            ]);
        }
    }
    format!("{}\n\n{}", right.render(), model.render())
}

pub(super) fn checked(results: &[(&AnswerKey, Checked)]) -> String {
    let mut by_diagnoser: BTreeMap<&str, [u32; 4]> = BTreeMap::new();
    let mut found = Table::new(&["who", "case", "what"]);
    for (key, checked) in results {
        let [answers, claims, answers_with, objections] = by_diagnoser.entry(&key.diagnoser).or_default();
        *answers += 1;
        *claims += checked.claims;
        *answers_with += u32::from(!checked.objections.is_empty());
        *objections += u32::try_from(checked.objections.len()).unwrap_or(u32::MAX);
        for objection in &checked.objections {
            found.row([&key.diagnoser, &key.case, &words(objection)]);
        }
    }
    let mut sums = Table::new(&["who", "answers", "claims checked", "answers with an objection", "objections"]);
    for (who, sum) in by_diagnoser {
        let [answers, claims, answers_with, objections] = sum.map(|count| count.to_string());
        sums.row([who, &answers, &claims, &answers_with, &objections]);
    }
    format!("{}\n\n{}", found.render(), sums.render())
}

fn words(objection: &Objection) -> String {
    match objection {
        Objection::WithoutEvidence { at } => format!("{at}: nothing is cited for it"),
        Objection::NoSuchItem { at, id } => format!("{at}: there is no {id}"),
        Objection::NoSuchNumber { at, number } => format!("{at}: {number} is not in what is cited"),
        Objection::NoSuchName { at, name } => format!("{at}: nothing is called {name:?}"),
        Objection::NoSuchPlace { at, place } => format!("{at}: nothing is known of {place}"),
        Objection::NoSuchAction { action } => format!("nobody offers {action:?}"),
    }
}
