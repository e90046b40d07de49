//! A region's replicas, its leader, and what is done with it.

use operator_protocols::Value;

use super::answer::{Answer, plain, source};
use crate::actions::live::{Live, Peer, Region, Role};
use crate::actions::rules::quorum::list;
use crate::actions::verdict::{Refusal, Verdict, known};

pub(super) fn explain(live: &Live, id: u64) -> Verdict<Answer> {
    let read = live.regions.get(&id).ok_or_else(|| Refusal::No(format!("region {id} was not asked for")))?;
    let mut answer = Answer::new(live.at);
    let Some(region) = known(read)? else {
        return Ok(answer.say(format!("There is no region {id}: it may have become part of its neighbour")));
    };
    let voters: Vec<u64> =
        region.peers.iter().filter(|peer| peer.role != Role::Learner).map(|peer| peer.store).collect();
    let answers = |store: u64| {
        live.stores.as_ref().ok().and_then(|stores| stores.get(&store)).and_then(|found| live.answers(found))
    };
    let silent: Vec<u64> =
        voters.iter().copied().filter(|store| region.down.contains(store) || answers(*store) == Some(false)).collect();
    answer.because(format!("it has replicas on stores {}", list(&stores(region))), peers(region), source::REGION);
    if !silent.is_empty() {
        answer.blames(
            format!("its replicas on stores {} do not answer", list(&silent)),
            ids(&silent),
            source::REGION,
            "start those stores",
        );
    }
    if !region.pending.is_empty() {
        answer.because(
            format!("its replicas on stores {} wait for their log or a snapshot", list(&region.pending)),
            ids(&region.pending),
            source::REGION,
        );
    }
    if let Some(Ok(Some(operator))) = live.operator_of.get(&id) {
        let (status, desc) = (plain(&operator.status), plain(&operator.desc));
        let statement = if operator.status == "RUNNING" {
            format!("PD has it do {desc}")
        } else {
            format!("the last thing PD had it do, {desc}, ended as {status}")
        };
        answer.because(statement, status.as_str(), source::OPERATORS);
    }
    answer.more("size_mib", region.size_mib.into());
    answer.more("keys", region.keys.into());
    answer.more("leader_store", region.leader.into());
    Ok(if silent.len() * 2 >= voters.len() && !voters.is_empty() {
        answer.help("nothing else: removing replicas or recovering by force loses data");
        answer.say(format!(
            "Region {id} has lost its majority: {} of {} voters do not answer, so it can neither be written nor repaired",
            silent.len(),
            voters.len()
        ))
    } else if let Some(leader) = region.leader {
        let state = if silent.is_empty() && region.pending.is_empty() { "whole" } else { "not whole" };
        answer.say(format!("Region {id} is led from store {leader} and is {state}"))
    } else {
        answer.help("wait: a region that rests is woken within five minutes; then look at the logs of its stores");
        answer.say(format!("Region {id} has no leader, although a majority of its voters may answer"))
    })
}

fn stores(region: &Region) -> Vec<u64> {
    region.peers.iter().map(|peer| peer.store).collect()
}

fn ids(ids: &[u64]) -> Value {
    Value::List(ids.iter().take(20).map(|id| Value::from(*id)).collect())
}

fn peers(region: &Region) -> Value {
    let role = |peer: &Peer| match peer.role {
        Role::Voter => "voter",
        Role::Learner => "learner",
        Role::Changing => "changing",
    };
    let peer = |peer: &Peer| Value::map([("store", Value::from(peer.store)), ("role", role(peer).into())]);
    Value::List(region.peers.iter().take(20).map(peer).collect())
}
