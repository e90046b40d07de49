//! `slow_peer_network`: two stores that live reach each other slowly or not at all.
//!
//! A link is judged when an end has complained of it within the last two minutes; if both ends do, it is told once. A store to which most of the others
//! have a bad link is one finding about that store: it is its network that is bad, and the links are folded into it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_protocols::{Evaluation, Finding, Locus, Observation, Value, Verdict};

use super::case::{Case, Step};
use super::invariant::{Invariant, Source};
use super::measured::RATE_WINDOW;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "slow_peer_network";

/// For so long a link is judged after it was last complained of, so that its finding can clear.
pub(super) const REMEMBERED: Duration = Duration::from_secs(100);
/// Links that are judged in one observation: a whole cluster that complains needs no more to be told.
const MOST: usize = 500;

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "Stores reach each other, and soon", judge)
    .at("link between two stores, store")
    .limit(Limit::NetworkScore)
    .grace(120)
    .needs(&[Source::Metrics, Source::Leader]);

/// A link, from the store that complains to the one it complains of.
type Link = (u64, u64);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let sick = sick(case);
    let mut partners: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (from, to) in sick.keys() {
        partners.entry(*from).or_default().insert(*to);
        partners.entry(*to).or_default().insert(*from);
    }
    let living = case.stores.keys().filter(|id| !case.lost(**id)).count();
    // The common end: most of the others have a bad link to it, and it alone explains more than any other.
    let most = partners.values().map(BTreeSet::len).max().unwrap_or(0);
    let common: BTreeSet<u64> = partners
        .iter()
        .filter(|(_, others)| others.len() == most && most >= 2 && 2 * most >= living.saturating_sub(1))
        .map(|(id, _)| *id)
        .collect();
    let mut evaluations = case.each_living_store(NAME, |id, _| {
        if common.contains(&id) {
            return Ok(Verdict::Violated(of_store(case, id, &sick)));
        }
        if partners.contains_key(&id) {
            return Err(Verdict::Suppressed("told at its links".to_owned()));
        }
        readable(case, id)
    });
    let (lately, forgotten) = complained_of(case);
    for (from, to) in sick.keys().copied().chain(lately).collect::<BTreeSet<Link>>().into_iter().take(MOST) {
        let verdict =
            match sick.get(&(from, to)) {
                _ if !case.stores.contains_key(&from) || !case.stores.contains_key(&to) => {
                    if case.details.cluster.answers { Verdict::Gone } else { blind(case, from) }
                }
                _ if !is_reached(case, from) || !is_reached(case, to) => {
                    Verdict::Suppressed("a store at its end does not answer".to_owned())
                }
                Some(_) if common.contains(&from) || common.contains(&to) => Verdict::Suppressed("folded".to_owned()),
                // Both ends complain of one link: it is told once.
                Some(_) if from > to && sick.contains_key(&(to, from)) => Verdict::Suppressed("folded".to_owned()),
                Some(finding) => Verdict::Violated(finding.clone()),
                None => readable(case, from).unwrap_or_else(|verdict| verdict),
            };
        evaluations.push(Evaluation::new(NAME, case.between(from, to), verdict));
    }
    for (from, to) in forgotten {
        if evaluations.iter().all(|evaluation| evaluation.on != case.between(from, to)) {
            let verdict = readable(case, from).map_or_else(|verdict| verdict, |_| Verdict::Gone);
            evaluations.push(Evaluation::new(NAME, case.between(from, to), verdict));
        }
    }
    evaluations
}

fn is_reached(case: &Case<'_>, id: u64) -> bool {
    !case.lost(id) && case.scraped(id) != Some(false)
}

fn blind(case: &Case<'_>, from: u64) -> Verdict {
    readable(case, from).map_or_else(|verdict| verdict, |_| Verdict::Suppressed("its stores are not known".to_owned()))
}

/// That it can be told whether the links of a store are well: both complaints were read.
fn readable(case: &Case<'_>, id: u64) -> Step {
    case.pd()?;
    case.answer("unreachable")?;
    match case.scraped(id) {
        Some(true) => Ok(Verdict::Ok),
        _ => Err(super::case::untold("what it cannot reach", &names::store(id))),
    }
}

/// The links between living stores that are bad now.
fn sick(case: &Case<'_>) -> BTreeMap<Link, Finding> {
    let score_limit = case.limit(Limit::NetworkScore);
    let rate_limit = case.limit(Limit::Unreachable);
    let mut sick = BTreeMap::new();
    // A store that has just died is told by its silence, not by its links.
    let live = |id: u64| case.stores.contains_key(&id) && is_reached(case, id);
    if case.details.cluster.answers {
        for (&from, store) in case.stores.iter().filter(|(id, _)| live(**id)) {
            for (&to, &score) in &store.network_slow_score {
                let score = score as f64;
                if to != from && live(to) && score >= score_limit {
                    let (from_name, to_name) = (names::store(from), names::store(to));
                    let message = format!("{from_name} reaches {to_name} slowly: {score:.0} of 100 where 1 is well");
                    sick.insert((from, to), finding(case, (from, to), message, score, score_limit));
                }
            }
        }
    }
    if let Ok(answer) = case.answer("unreachable") {
        for (to, rates) in &answer.stores_by {
            let Ok(to) = to.parse::<u64>() else { continue };
            for (&from, &rate) in rates {
                if to != from && live(to) && live(from) && rate.is_finite() && rate > rate_limit {
                    let message = format!(
                        "{} fails to send {rate:.0} messages a second to {}, which lives",
                        names::store(from),
                        names::store(to)
                    );
                    // Held against the score's threshold: what does not arrive at all is as slow as can be.
                    sick.entry((from, to)).or_insert_with(|| finding(case, (from, to), message, 100.0, score_limit));
                }
            }
        }
    }
    sick
}

fn finding(case: &Case<'_>, (from, to): Link, message: String, measured: f64, threshold: f64) -> Finding {
    Finding {
        involves: vec![case.store(from), case.store(to)],
        persists: Some(RATE_WINDOW),
        ..Finding::new(message, measured, threshold)
    }
}

fn of_store(case: &Case<'_>, id: u64, sick: &BTreeMap<Link, Finding>) -> Finding {
    let own: Vec<(&Link, &Finding)> = sick.iter().filter(|((from, to), _)| *from == id || *to == id).collect();
    let example = own.first().map_or("", |(_, finding)| finding.message.as_str());
    let links: Vec<Locus> = own.iter().map(|((from, to), _)| case.between(*from, *to)).take(20).collect();
    Finding {
        count: u32::try_from(own.len()).unwrap_or(u32::MAX),
        persists: Some(RATE_WINDOW),
        involves: links,
        ..Finding::new(
            format!(
                "the network of {} is bad: {} links to it are, for example: {example}",
                names::store(id),
                own.len()
            ),
            own.iter().map(|(_, finding)| finding.measured).fold(0.0, f64::max),
            case.limit(Limit::NetworkScore),
        )
    }
}

/// The links that were complained of lately, and those of which the last complaint has just become too old.
fn complained_of(case: &Case<'_>) -> (BTreeSet<Link>, BTreeSet<Link>) {
    let (mut lately, mut before) = (BTreeSet::new(), BTreeSet::new());
    let horizon = case.now.at.minus(REMEMBERED);
    for seen in case.past.since(case.now.at.minus(super::LOOKBACK)) {
        let complaints = if seen.at < horizon { &mut before } else { &mut lately };
        complaints_of(seen, case, complaints);
    }
    let forgotten = before.difference(&lately).copied().take(MOST).collect();
    (lately, forgotten)
}

/// The complaints in a past observation, read without reading all of it.
fn complaints_of(seen: &Observation, case: &Case<'_>, into: &mut BTreeSet<Link>) {
    let id = |text: &String| text.parse::<u64>().ok();
    let stores = seen.details.get("stores").and_then(Value::as_map).into_iter().flatten();
    for (from, store) in stores {
        let scores = store.get("network_slow_score").and_then(Value::as_map).into_iter().flatten();
        for (to, score) in scores {
            let bad = score.as_f64().is_some_and(|score| score >= case.limit(Limit::NetworkScore));
            if let (true, Some(from), Some(to)) = (bad, id(from), id(to)) {
                into.insert((from, to));
            }
        }
    }
    let answers = seen.details.get("metrics").and_then(|metrics| metrics.get("answers_by_query"));
    let rates = answers.and_then(|answers| answers.get("unreachable")).and_then(|answer| answer.get("stores_by"));
    for (to, rates) in rates.and_then(Value::as_map).into_iter().flatten() {
        for (from, rate) in rates.as_map().into_iter().flatten() {
            let bad = rate.as_f64().is_some_and(|rate| rate > case.limit(Limit::Unreachable));
            if let (true, Some(from), Some(to)) = (bad, id(from), id(to)) {
                into.insert((from, to));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, edge, store};
    use super::*;

    #[test]
    fn a_bad_link_between_two_stores_is_told_at_the_link() {
        let mut scene = Scene::healthy();
        scene.store(1).network_slow_score.insert(2, 94);
        assert_eq!(scene.judge().violated(), []);
        scene.store(1).network_slow_score.insert(2, 95);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "store-1→store-2".to_owned())]);
        assert_eq!(judged.suppressed(NAME, &store(1)), "told at its links");
    }

    #[test]
    fn messages_that_do_not_reach_a_living_store_are_told_and_those_to_a_dead_one_are_not() {
        let mut scene = Scene::healthy();
        scene.metric_by("unreachable", "2", 1, 11.0);
        scene.metric_by("unreachable", "1", 2, 12.0);
        let judged = scene.judge();
        assert_eq!(judged.of(NAME), ["store-1→store-2"], "a link of which both ends complain is told once");
        assert_eq!(judged.suppressed(NAME, &edge(2, 1)), "folded");
        scene.kill(2, 5.0);
        assert_eq!(scene.judge().of(NAME), [""; 0], "it has just died");
        scene.kill(2, 60.0);
        assert_eq!(scene.judge().of(NAME), [""; 0]);
    }

    #[test]
    fn a_store_that_most_reach_badly_has_a_bad_network() {
        let mut scene = Scene::healthy();
        for id in [1, 2, 4] {
            scene.store(id).network_slow_score.insert(3, 100);
        }
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "store-3".to_owned())]);
        assert_eq!(judged.finding(NAME, &store(3)).count, 3);
        assert_eq!(judged.suppressed(NAME, &edge(1, 3)), "folded");
    }

    #[test]
    fn a_link_that_is_well_again_is_judged_long_enough_to_clear_and_then_gone() {
        let mut scene = Scene::healthy();
        scene.store(1).network_slow_score.insert(2, 100);
        scene.judge();
        scene.store(1).network_slow_score.clear();
        for _ in 0..20 {
            assert_eq!(scene.judge().verdict(NAME, &edge(1, 2)), &Verdict::Ok);
        }
        assert_eq!(scene.judge().verdict(NAME, &edge(1, 2)), &Verdict::Gone);
    }

    #[test]
    fn a_link_of_which_nothing_is_read_is_not_well() {
        let mut scene = Scene::healthy();
        scene.metric_by("unreachable", "2", 1, 30.0);
        scene.judge();
        scene.silence_prometheus();
        assert!(scene.judge().suppressed(NAME, &edge(1, 2)).contains("unreachable was not read"));
    }
}
