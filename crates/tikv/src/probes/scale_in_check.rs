//! Whether a store can be taken out: the very conditions of `offline_store`, all of them shown.

use operator_protocols::Value;

use super::answer::{Answer, source};
use crate::actions::Memory;
use crate::actions::live::Live;
use crate::actions::rules::{scale_in, store};
use crate::actions::verdict::{Refusal, Verdict};
use crate::details::StoreState;

pub(super) fn explain(live: &Live, memory: &Memory, id: u64) -> Verdict<Answer> {
    let mut answer = Answer::new(live.at);
    let (mut refused, mut unknown) = (0, 0);
    for condition in scale_in::conditions(live, memory, id) {
        let (verdict, found) = match &condition.found {
            Ok(found) => ("yes", found.clone()),
            Err(Refusal::No(why)) => {
                refused += 1;
                answer.help(condition.remedy);
                ("no", why.clone())
            }
            Err(Refusal::Unknown(why)) => {
                unknown += 1;
                ("unknown", why.to_string())
            }
        };
        answer.because(
            format!("{}: {verdict}; {found}", condition.wanted),
            Value::map([("holds", Value::from(verdict))]),
            source_of(condition.wanted),
        );
    }
    if store::exists(live, id).is_ok_and(|store| store.state == StoreState::Offline) {
        return Ok(answer.say(format!("Store {id} is being removed already")));
    }
    Ok(match (refused, unknown) {
        (0, 0) => answer.say(format!("Store {id} can be taken out")),
        (0, unknown) => answer
            .say(format!("It cannot be told whether store {id} can be taken out: {unknown} conditions are unknown")),
        (refused, _) => answer.say(format!("Store {id} cannot be taken out: {refused} conditions do not hold")),
    })
}

fn source_of(wanted: &str) -> &'static str {
    match wanted {
        "PD steers the cluster and knows it" => source::STATUS,
        "nobody else is at work on a store" | "no other store is drained or removed" => source::DRAINS,
        "enough healthy stores are left for every rule" | "replicas can be kept as far apart as now" => source::RULES,
        "every region has its replicas" => source::CHECK,
        "PD moves replicas" => source::SETTINGS,
        _ => source::STORES,
    }
}
