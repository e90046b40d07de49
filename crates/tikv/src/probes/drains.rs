//! Which stores are drained, by whom and since when.

use operator_protocols::Value;

use super::answer::{Answer, source};
use crate::actions::Memory;
use crate::actions::live::Live;
use crate::actions::verdict::{Verdict, known};

pub(super) fn explain(live: &Live, memory: &Memory) -> Verdict<Answer> {
    let drains = known(&live.drains)?;
    let mut answer = Answer::new(live.at);
    let leaders =
        |id: &u64| live.stores.as_ref().ok().and_then(|stores| stores.get(id)).map(|store| store.leader_count);
    let seen = |id: &u64| {
        let drains = live.last.as_ref()?.details.cluster.drains.as_ref()?;
        drains.get(id).map(|drain| drain.seen_since)
    };
    for id in drains {
        let ours = memory.drain_of(*id);
        let evidence = Value::map([
            ("store", Value::from(*id)),
            ("leaders", leaders(id).into()),
            ("intent", ours.as_ref().map(|drain| drain.intent.clone()).into()),
            ("until", ours.as_ref().map(|drain| drain.until.as_millis()).into()),
            ("seen_since", seen(id).into()),
        ]);
        match ours {
            Some(drain) if drain.until >= live.at => {
                answer.because(
                    format!("store {id} is drained by this operator ({})", drain.intent),
                    evidence,
                    source::MEMORY,
                );
            }
            Some(drain) => answer.blames(
                format!(
                    "store {id} was drained by this operator ({}) for longer than it was meant to be",
                    drain.intent
                ),
                evidence,
                source::MEMORY,
                format!("undrain_store store-{id}"),
            ),
            None => answer.blames(
                format!("store {id} is drained, and not by this operator as far as it remembers"),
                evidence,
                source::DRAINS,
                format!("undrain_store store-{id}, if no restart or upgrade is under way"),
            ),
        }
    }
    if let Ok(slow) = &live.slow_evicted {
        for id in slow {
            answer.because(
                format!("PD itself evicts the leaders of store {id}, since it is slow"),
                Value::map([("store", Value::from(*id)), ("leaders", leaders(id).into())]),
                source::SLOW,
            );
        }
    }
    Ok(match drains.len() {
        0 => answer.say("No store is drained by request"),
        1 => answer.say("One store is drained by request"),
        count => answer.say(format!("{count} stores are drained by request")),
    })
}
