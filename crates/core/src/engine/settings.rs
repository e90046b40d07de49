//! What one loop is told.

use std::time::Duration;

use operator_protocols::SubjectConfig;
use serde::{Deserialize, Serialize};

use crate::policy::PolicySettings;

/// What one loop is told. Part of every recording: a replay runs under the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineSettings {
    /// From the beginning of one cycle to the beginning of the next.
    pub interval: Duration,
    /// Tickets that begin within so much of each other, on loci that depend on each other, share an incident.
    pub incident_window: Duration,
    /// A resolved ticket whose violation comes back within so much is opened again.
    pub reopen_within: Duration,
    /// How much of the past a diagnosis looks at; at least the checker's lookback is kept anyway.
    pub evidence_window: Duration,
    /// An invariant that cannot be judged for so long is itself a ticket.
    pub monitoring_gap_after: Duration,
    /// How long a cause without a candidate action is watched before a person is called.
    pub wait_before_human: Duration,
    /// What may be done.
    pub policy: PolicySettings,
    /// The names of those who may approve here.
    pub approvers: Vec<String>,
    /// How long an agent is waited for; none, where there is no agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentSettings>,
    /// What the subject was made from, so that a replay makes the same checker. Free of secrets.
    #[serde(default)]
    pub subject: SubjectConfig,
}

/// How a loop works with an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSettings {
    /// How long proposals for an incident wait for the agent's answer; then the reasoner's explanation stands. Counted
    /// from each time it is asked.
    pub patience: Duration,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            incident_window: Duration::from_secs(120),
            reopen_within: Duration::from_secs(600),
            evidence_window: Duration::from_secs(900),
            monitoring_gap_after: Duration::from_secs(60),
            wait_before_human: Duration::from_secs(300),
            policy: PolicySettings::default(),
            approvers: Vec::new(),
            agent: None,
            subject: SubjectConfig::default(),
        }
    }
}
