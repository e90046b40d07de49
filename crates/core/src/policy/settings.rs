//! The policy as configured.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_protocols::{ActionDefinition, Does, FaultClass, Risk, Value};
use serde::{Deserialize, Serialize};

use crate::policy::{ActionBudget, Autonomy, Breaker};
use crate::{canonical_json, sha256_hex};

/// The policy as configured. The default only observes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicySettings {
    /// For actions of low risk.
    pub low_risk: Autonomy,
    /// For actions of medium risk.
    pub medium_risk: Autonomy,
    /// For actions of high risk.
    pub high_risk: Autonomy,
    /// For single actions, by name; goes before the risk's.
    pub actions: BTreeMap<String, Autonomy>,
    /// Parameters that come from policy, `ACTION.PARAM`; an action's own default where there is none.
    pub params: BTreeMap<String, Value>,
    /// How often.
    pub budget: ActionBudget,
    /// When to stop trying.
    pub breaker: Breaker,
    /// How long a proposal waits for its approval or claim. At most an hour.
    pub proposal_expires: Duration,
    /// How many cycles running a diagnosis must name the same cause before it is acted on.
    pub confirmations: u32,
    /// How probable a cause must be before it is acted on without asking, from 0 to 1. It can only withhold an action.
    pub minimum_probability: f64,
    /// How old an observation may be to act on.
    pub fresh_within: Duration,
    /// How long the outcome of a sent action is waited for.
    pub send_time_limit: Duration,
    /// How long after a send whose outcome is unknown a late request may still arrive.
    pub quiesce: Duration,
    /// How many attempts an action may have, the first included.
    pub max_attempts: u32,
    /// How many different actions may be tried for one incident before a person is called.
    pub actions_per_incident: u32,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            low_risk: Autonomy::Observe,
            medium_risk: Autonomy::Observe,
            high_risk: Autonomy::Observe,
            actions: BTreeMap::new(),
            params: BTreeMap::new(),
            budget: ActionBudget::default(),
            breaker: Breaker::default(),
            proposal_expires: Duration::from_secs(15 * 60),
            confirmations: 2,
            minimum_probability: 0.5,
            fresh_within: Duration::from_secs(30),
            send_time_limit: Duration::from_secs(15),
            quiesce: Duration::from_secs(60),
            max_attempts: 3,
            actions_per_incident: 4,
        }
    }
}

impl PolicySettings {
    /// The same level for every risk.
    pub fn everything_at(level: Autonomy) -> Self {
        Self { low_risk: level, medium_risk: level, high_risk: level, ..Self::default() }
    }

    /// The level for one action, before the rules that can only lower it.
    pub fn autonomy_for(&self, action: &str, risk: Risk) -> Autonomy {
        self.actions.get(action).copied().unwrap_or(match risk {
            Risk::Low => self.low_risk,
            Risk::Medium => self.medium_risk,
            Risk::High => self.high_risk,
        })
    }

    /// How many people must approve an action of this risk.
    pub fn quorum(risk: Risk) -> u32 {
        match risk {
            Risk::Low | Risk::Medium => 1,
            Risk::High => 2,
        }
    }

    /// Names this policy: another policy has another revision.
    pub fn revision(&self) -> String {
        sha256_hex("operator/policy/1", &canonical_json(self))[..16].to_owned()
    }

    /// The highest level that may ever apply to this remedy, whatever is configured: undoing somebody's change is never
    /// done without asking, because a deliberate change looks the same.
    pub fn ceiling(remedies: FaultClass, _does: Does) -> Autonomy {
        if remedies == FaultClass::BadChange { Autonomy::Approve } else { Autonomy::Auto }
    }

    /// The value of a parameter that comes from policy.
    pub fn param(&self, action: &ActionDefinition, param: &str) -> Option<&Value> {
        self.params.get(&format!("{}.{param}", action.name))
    }
}
