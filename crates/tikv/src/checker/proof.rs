//! That no details, however hostile or incomplete, make a judge panic, speak of what it did not declare, or call well what
//! it did not see.

use std::collections::BTreeSet;

use operator_protocols::{History, Locus, Observation, Timestamp, Verdict};
use proptest::prelude::*;

use super::case::{Case, Earlier};
use super::invariant::Source;
use super::scene::{SUBJECT, Scene};
use super::{invariants, judge};
use crate::details::{Details, StoreState};
use crate::thresholds::Thresholds;
use crate::{names, queries};

/// Numbers that come from outside and should not.
fn hostile() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(f64::MIN),
        Just(f64::MIN_POSITIVE),
        Just(0.0),
        Just(-1.0),
        -1e3..1e12,
        any::<f64>(),
    ]
}

/// One thing that is wrong with what was observed.
#[derive(Debug, Clone)]
enum Damage {
    Metric(usize, u64, f64),
    Label(usize, String, u64, f64),
    Member(usize, f64),
    Forget(usize, u64),
    Unanswered(usize),
    Heartbeat(u64, Option<f64>, i64),
    Numbers(u64, f64, u64),
    State(u64, bool),
    Removed(u64),
    Silent(bool, bool),
    Region(usize, u64, f64),
    Pd(usize, bool),
    Uninitialized(Option<bool>, i64),
    Nothing,
}

const WORDS: [&str; 4] = ["miss-peer", "down-peer", "pending-peer", "extra-peer"];

fn damage() -> impl Strategy<Value = Damage> {
    let query = || 0..queries::ALL.len();
    let store = || prop_oneof![1_u64..=5, Just(u64::MAX)];
    prop_oneof![
        (query(), store(), hostile()).prop_map(|(q, s, v)| Damage::Metric(q, s, v)),
        (query(), "kv_get|kv_prewrite|2|99|x", store(), hostile()).prop_map(|(q, l, s, v)| Damage::Label(q, l, s, v)),
        (query(), hostile()).prop_map(|(q, v)| Damage::Member(q, v)),
        (query(), store()).prop_map(|(q, s)| Damage::Forget(q, s)),
        query().prop_map(Damage::Unanswered),
        (store(), proptest::option::of(hostile()), any::<i64>()).prop_map(|(s, a, l)| Damage::Heartbeat(s, a, l)),
        (store(), hostile(), any::<u64>()).prop_map(|(s, v, n)| Damage::Numbers(s, v, n)),
        (store(), any::<bool>()).prop_map(|(s, b)| Damage::State(s, b)),
        store().prop_map(Damage::Removed),
        (any::<bool>(), any::<bool>()).prop_map(|(a, b)| Damage::Silent(a, b)),
        (0..WORDS.len(), any::<u64>(), hostile()).prop_map(|(w, n, v)| Damage::Region(w, n, v)),
        (0..3_usize, any::<bool>()).prop_map(|(n, b)| Damage::Pd(n, b)),
        (proptest::option::of(any::<bool>()), any::<i64>()).prop_map(|(b, at)| Damage::Uninitialized(b, at)),
        Just(Damage::Nothing),
    ]
}

fn damaged(damages: &[Damage]) -> Details {
    let mut scene = Scene::healthy();
    for damage in damages {
        let details = &mut scene.details;
        match damage.clone() {
            Damage::Metric(query, store, value) => scene.metric(queries::ALL[query].name, store, value),
            Damage::Label(query, label, store, value) => {
                scene.metric_by(queries::ALL[query].name, &label, store, value);
            }
            Damage::Member(query, value) => scene.member_metric(queries::ALL[query].name, "pd-0", value),
            Damage::Forget(query, store) => scene.no_metric(queries::ALL[query].name, store),
            Damage::Unanswered(query) => scene.unanswered(queries::ALL[query].name, "it took too long"),
            Damage::Heartbeat(store, age, last) => {
                if let Some(store) = details.stores.get_mut(&store) {
                    (store.heartbeat_age_s, store.last_heartbeat_ms, store.started) = (age, Some(last), Some(last));
                }
            }
            Damage::Numbers(store, value, count) => {
                if let Some(store) = details.stores.get_mut(&store) {
                    (store.capacity, store.available, store.used) = (Some(value), Some(-value), Some(value));
                    (store.leader_weight, store.leader_count, store.region_count) = (value, count, count);
                    (store.sending_snapshots, store.receiving_snapshots) = (count, count);
                    store.slow_score = Some(count);
                    store.network_slow_score.insert(count, count);
                }
                details.cluster.max_store_down_s = Some(value);
                details.cluster.removing.insert(count, (value, value));
                details.cluster.leader_changes = u32::try_from(count).unwrap_or(u32::MAX);
                details.cluster.replicas = u32::try_from(count).ok();
            }
            Damage::State(store, offline) => {
                if let Some(store) = details.stores.get_mut(&store) {
                    store.state = if offline { StoreState::Offline } else { StoreState::Tombstone };
                }
            }
            Damage::Removed(store) => {
                details.stores.remove(&store);
            }
            Damage::Silent(pd, prometheus) => {
                if pd {
                    scene.silence_pd("no answer");
                }
                if prometheus {
                    scene.silence_prometheus();
                }
                break;
            }
            Damage::Region(word, count, value) => {
                scene.abnormal(WORDS[word], count);
                scene.drift(WORDS[word], value, value);
            }
            Damage::Pd(member, refuses) => {
                let name = format!("pd-{member}");
                scene.silence_member(&name);
                scene.pd(&name).tls = !refuses;
            }
            Damage::Uninitialized(initialized, at) => {
                (details.cluster.initialized, details.cluster.leader_changed_at) = (initialized, Some(at));
            }
            Damage::Nothing => {}
        }
    }
    scene.details
}

/// The evaluations of details that were never written down, so that numbers that JSON cannot hold are seen too.
fn evaluations(details: Details) -> Vec<operator_protocols::Evaluation> {
    let (thresholds, past) = (Thresholds::default(), History::new());
    let now = Observation::new(Timestamp::from_millis(1_800_000_000_000));
    let earlier = Earlier {
        stores: Scene::healthy().details.stores,
        members: BTreeSet::from(["pd-0".to_owned(), "pd-9".to_owned()]),
        leader: Some("pd-9".to_owned()),
    };
    judge(&Case::of(SUBJECT, &thresholds, 1.0, &past, &now, details, earlier))
}

/// What is ok, by invariant and locus.
fn well(details: Details) -> BTreeSet<(String, Locus)> {
    let ok = evaluations(details).into_iter().filter(|evaluation| evaluation.verdict == Verdict::Ok);
    ok.map(|evaluation| (evaluation.invariant, evaluation.on)).collect()
}

fn needs(name: &str) -> &'static [Source] {
    invariants().find(|invariant| invariant.name == name).map_or(&[], |invariant| invariant.needs)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_observed_every_verdict_is_declared_once_a_locus_and_finite(
        damages in proptest::collection::vec(damage(), 0..12),
    ) {
        let mut seen = BTreeSet::new();
        for evaluation in evaluations(damaged(&damages)) {
            prop_assert!(invariants().any(|invariant| invariant.name == evaluation.invariant), "{evaluation:?}");
            if let Verdict::Violated(finding) = &evaluation.verdict {
                prop_assert!(finding.is_finite() && !finding.message.is_empty(), "{finding:?}");
            }
            prop_assert!(seen.insert((evaluation.invariant.clone(), evaluation.on.clone())), "{evaluation:?}");
        }
    }

    #[test]
    fn without_what_it_needs_nothing_is_ok(damages in proptest::collection::vec(damage(), 0..8)) {
        let mut blind = damaged(&damages);
        blind.metrics.answers = false;
        blind.metrics.answers_by_query.clear();
        for (invariant, on) in well(blind) {
            prop_assert!(needs(&invariant) != [Source::Metrics], "{invariant} at {on} without metrics");
        }
        let mut blind = damaged(&damages);
        blind.cluster = crate::details::ClusterDetail { silence: Some("no answer".to_owned()), ..Default::default() };
        for (invariant, on) in well(blind) {
            prop_assert!(!needs(&invariant).starts_with(&[Source::Leader]), "{invariant} at {on} without PD's leader");
        }
    }

    #[test]
    fn a_store_of_which_no_number_is_known_is_well_in_nothing_that_is_measured(
        damages in proptest::collection::vec(damage(), 0..8),
        id in 1_u64..=5,
    ) {
        let mut details = damaged(&damages);
        for answer in details.metrics.answers_by_query.values_mut() {
            answer.stores.remove(&id);
            answer.stores_by.values_mut().for_each(|stores| {
                stores.remove(&id);
            });
        }
        let on = names::store_locus(SUBJECT, id);
        for (invariant, _) in well(details).into_iter().filter(|(_, of)| *of == on) {
            prop_assert!(needs(&invariant) != [Source::Metrics], "{invariant}");
        }
    }
}

/// For every question, a store that did not answer it is well in nothing that was judged by it before.
#[test]
fn an_answer_that_is_missing_is_never_taken_for_a_good_one() {
    let all = well(Scene::healthy().details);
    let mut judged_by_it = 0;
    for query in queries::ALL.iter().filter(|query| !query.absent_is_zero) {
        let mut bad = Scene::healthy();
        let mut missing = Scene::healthy();
        for id in 1..=5 {
            bad.metric(query.name, id, 1e15);
            missing.no_metric(query.name, id);
        }
        for name in ["pd-0", "pd-1", "pd-2"] {
            bad.member_metric(query.name, name, 1e15);
            missing.no_member_metric(query.name, name);
        }
        let (bad, missing) = (well(bad.details), well(missing.details));
        for (invariant, on) in all.difference(&bad) {
            judged_by_it += 1;
            // Either of two sources suffices for these, as their documentation says; a quota may not exist.
            let either = needs(invariant) != [Source::Metrics] || query.name.ends_with("_quota");
            let well = missing.contains(&(invariant.clone(), on.clone()));
            assert!(!well || either, "{invariant} at {on} is ok without {}", query.name);
        }
    }
    assert!(judged_by_it > 50, "{judged_by_it}");
}
