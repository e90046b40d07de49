//! Questions that an investigation, or a person, may put; each is answered with its reasons and where they were read, and
//! none writes. Every answer is a map: `answer` in words, `because` as a list of statements with evidence, source and time,
//! `eta_seconds` where there is one, and `what_would_help`.
//!
//! | question | asked of | tells |
//! |---|---|---|
//! | `why_not_tombstone` | store | what keeps a store from being removed, and how long it will take |
//! | `why_nothing_scheduled` | anything | why PD moves nothing |
//! | `rebalance_progress` | anything | whether PD rebalances, how far it is, and when it is done |
//! | `scale_in_check` | store | whether the store can be taken out: every condition of `offline_store` |
//! | `why_no_leaders` | store | why a store leads nothing, or little |
//! | `region` | region | its replicas, its leader, and what is done with it |
//! | `drains` | anything | which stores are drained, by whom and since when |
//! | `config_diff` | anything | which settings are not as usual |

mod answer;
mod config_diff;
mod drains;
mod rebalance_progress;
mod region;
mod scale_in_check;
mod why_no_leaders;
mod why_not_tombstone;
mod why_nothing_scheduled;

#[cfg(test)]
pub(crate) mod tests;

use operator_protocols::{Locus, ProbeAnswer, ProbeDefinition, ProbeRequest, Timestamp, Unavailable, Value};

use crate::actions::live::Part;
use crate::actions::verdict::Refusal;
use crate::actions::{Context, SCALE_IN_READS, look, region_of};
use crate::names;

const CONFIG_DIFF: &str = "config_diff";
const DRAINS: &str = "drains";
const REBALANCE_PROGRESS: &str = "rebalance_progress";
const REGION: &str = "region";
const SCALE_IN_CHECK: &str = "scale_in_check";
const WHY_NO_LEADERS: &str = "why_no_leaders";
const WHY_NOT_TOMBSTONE: &str = "why_not_tombstone";
const WHY_NOTHING_SCHEDULED: &str = "why_nothing_scheduled";

/// The questions.
pub(crate) fn definitions() -> Vec<ProbeDefinition> {
    [
        (CONFIG_DIFF, "Which settings of PD's scheduling are not as usual"),
        (DRAINS, "Which stores are drained, by whom as far as known, and since when"),
        (REBALANCE_PROGRESS, "Whether PD rebalances the cluster, how far it is, and when it will be done"),
        (REGION, "A region's replicas, its leader, what ails it, and what PD does with it (asked of a region)"),
        (SCALE_IN_CHECK, "Whether a store can be taken out, condition by condition (asked of a store)"),
        (WHY_NO_LEADERS, "Why a store leads no regions, or few (asked of a store)"),
        (
            WHY_NOT_TOMBSTONE,
            "What keeps a store that is to be removed from being gone, and for how long (asked of a store)",
        ),
        (WHY_NOTHING_SCHEDULED, "Why PD moves nothing"),
    ]
    .into_iter()
    .map(|(name, description)| ProbeDefinition {
        name: name.to_owned(),
        description: description.to_owned(),
        params: Vec::new(),
    })
    .collect()
}

/// Answers one.
pub(crate) async fn answer(context: &Context<'_>, request: &ProbeRequest, at: Timestamp) -> ProbeAnswer {
    ProbeAnswer { as_of: at, answer: ask(context, request, at).await }
}

async fn ask(context: &Context<'_>, request: &ProbeRequest, at: Timestamp) -> Result<Value, Unavailable> {
    let what = request.probe.as_str();
    let known = definitions();
    let definition = known.iter().find(|definition| definition.name == what).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|definition| definition.name.as_str()).collect();
        Unavailable::new(what, format!("there is no such probe; there are {}", names.join(", ")))
    })?;
    definition.validate(&request.params).map_err(|error| Unavailable::new(what, error.to_string()))?;
    let target = target(context, request)?;
    let live = look(context, &reads(what, target), at).await;
    let answer = match (what, target) {
        (CONFIG_DIFF, _) => config_diff::explain(&live),
        (DRAINS, _) => drains::explain(&live, context.memory),
        (REBALANCE_PROGRESS, _) => rebalance_progress::explain(&live),
        (WHY_NOTHING_SCHEDULED, _) => why_nothing_scheduled::explain(&live),
        (REGION, Target::Region(id)) => region::explain(&live, id),
        (SCALE_IN_CHECK, Target::Store(id)) => scale_in_check::explain(&live, context.memory, id),
        (WHY_NO_LEADERS, Target::Store(id)) => why_no_leaders::explain(&live, context.memory, id),
        (WHY_NOT_TOMBSTONE, Target::Store(id)) => why_not_tombstone::explain(&live, id),
        (_, _) => Err(Refusal::No(format!("it cannot be asked of {}", request.target))),
    };
    answer.map(answer::Answer::into_value).map_err(|refusal| match refusal {
        Refusal::Unknown(why) => why,
        Refusal::No(why) => Unavailable::new(what, why),
    })
}

/// What a question is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Store(u64),
    Region(u64),
    Any,
}

fn target(context: &Context<'_>, request: &ProbeRequest) -> Result<Target, Unavailable> {
    let what = request.probe.as_str();
    let kind = context.kind_of(&request.target);
    let wanted =
        |kind: &str| Unavailable::new(what, format!("it must be asked of a {kind}, not of {}", request.target));
    match what {
        REGION => region_of(&request.target)
            .filter(|_| kind == Some(names::REGION))
            .map(Target::Region)
            .ok_or_else(|| wanted("region")),
        SCALE_IN_CHECK | WHY_NO_LEADERS | WHY_NOT_TOMBSTONE => names::store_id(request.target.name())
            .filter(|_| kind == Some(names::STORE) && matches!(request.target, Locus::Component(_)))
            .map(Target::Store)
            .ok_or_else(|| wanted("store")),
        _ => Ok(Target::Any),
    }
}

fn reads(what: &str, target: Target) -> Vec<Part> {
    match (what, target) {
        (CONFIG_DIFF, _) => vec![Part::Settings],
        (REBALANCE_PROGRESS, _) => vec![Part::Operators, Part::Records, Part::Progress, Part::Limits, Part::Settings],
        (WHY_NOTHING_SCHEDULED, _) => {
            vec![Part::Operators, Part::Schedulers, Part::Checkers, Part::Settings, Part::Diagnostics]
        }
        (REGION, Target::Region(id)) => vec![Part::Region(id), Part::Replication],
        (SCALE_IN_CHECK, _) => SCALE_IN_READS.to_vec(),
        (WHY_NO_LEADERS, _) => vec![Part::Schedulers, Part::Settings],
        (WHY_NOT_TOMBSTONE, _) => vec![
            Part::Replication,
            Part::Settings,
            Part::Limits,
            Part::Operators,
            Part::Records,
            Part::Progress,
            Part::Abnormal,
        ],
        _ => Vec::new(),
    }
}
