//! What every action that PD carries out consists of. All of it is a pure function of what PD says; reading and sending
//! are done once for all of them.

use std::time::Duration;

use operator_protocols::{ActionDefinition, Effect, Receipt, Unavailable};

use super::aim::Aim;
use super::live::{Live, Part};
use super::verdict::{Planned, Refusal, Verdict};

/// An action that PD carries out.
pub(super) trait PdAction: Sync {
    /// What it is.
    fn definition(&self) -> ActionDefinition;

    /// What must be read for it beside what every action needs.
    fn reads(&self, aim: &Aim<'_>) -> Vec<Part>;

    /// What would be sent, if every rule allows it.
    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned>;

    /// What there is to remember before it is sent.
    fn remember(&self, live: &Live, aim: &Aim<'_>) {
        let _ = (live, aim);
    }

    /// Whether it happened.
    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect>;

    /// How often to look whether it happened, and how long.
    fn patience(&self) -> Patience;
}

/// How often to look whether something happened, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    pub(super) poll: Duration,
    pub(super) deadline: Duration,
}

impl Patience {
    pub(super) const fn seconds(poll: u64, deadline: u64) -> Self {
        Self { poll: Duration::from_secs(poll), deadline: Duration::from_secs(deadline) }
    }
}

/// For what PD does at once.
pub(super) const AT_ONCE: Patience = Patience::seconds(1, 30);

pub(super) fn happened(summary: impl Into<String>) -> Verdict<Effect> {
    Ok(Effect::Happened(Receipt::new(summary)))
}

/// `Happened`, if it is so.
pub(super) fn happened_if(so: bool, summary: impl Into<String>) -> Verdict<Effect> {
    if so { happened(summary) } else { Ok(Effect::Absent) }
}

/// What is not known of an effect is said so.
pub(super) fn told(action: &str, effect: Verdict<Effect>) -> Effect {
    effect.unwrap_or_else(|refusal| match refusal {
        Refusal::Unknown(why) => Effect::Unknown(why),
        Refusal::No(why) => Effect::Unknown(Unavailable::new(format!("whether {action} happened"), why)),
    })
}
