//! One typed action, bound to what was seen when it was proposed. The sixth of the nine nouns: Observation → Evaluation
//! → Violation → Ticket → Diagnosis → Proposal → Approval → Execution → Verification.

use std::collections::BTreeMap;
use std::fmt;

use operator_protocols::{ActionClass, ActionRequest, Does, FaultClass, Guard, Locus, Risk, Timestamp, Value};
use serde::{Deserialize, Serialize};

use crate::{canonical_json, sha256_hex};

/// One typed action with its parameters, bound by hash to its target, its guard and the observation behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The intent's id, `SUBJECT-A1-INSTALL`: unique for ever, the idempotency key at the target.
    pub id: String,
    /// The subject instance.
    pub subject: String,
    /// The incident it answers, if it answers one.
    pub incident: Option<String>,
    /// The tickets it is to resolve.
    pub tickets: Vec<String>,
    /// The diagnosis it follows from.
    pub diagnosis: Option<String>,
    /// The action.
    pub action: String,
    /// What its target can promise about repeats.
    pub class: ActionClass,
    /// What may go wrong by it.
    pub risk: Risk,
    /// The class of fault it is to remedy.
    pub remedies: FaultClass,
    /// Whether it cures or contains.
    pub does: Does,
    /// What it is aimed at.
    pub target: Locus,
    /// Its parameters, all of them.
    pub params: BTreeMap<String, Value>,
    /// The live facts it relies on, as read when it was proposed.
    pub guard: Guard,
    /// The hash of the observation behind it.
    pub observation_hash: String,
    /// The revision of the policy under which it was proposed.
    pub policy_revision: String,
    /// What it may touch: a new violation there, while it settles, counts against it.
    pub blast_radius: Vec<Locus>,
    /// Who asked for it: `operator`, or a person.
    pub requested_by: String,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// Until when it may be claimed.
    pub expires_at: Timestamp,
    /// The intent it takes back, if it is an undo.
    pub undo_of: Option<String>,
    /// What every rule of the policy said.
    pub rules: Vec<RuleOutcome>,
}

/// What one rule of the policy said about a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleOutcome {
    /// The rule's name.
    pub rule: String,
    /// What it said.
    pub verdict: RuleVerdict,
    /// Why.
    pub because: String,
}

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleVerdict {
    /// It has nothing against carrying it out without asking.
    Allow,
    /// Somebody must approve it first.
    NeedsApproval,
    /// It may be shown, not carried out.
    ProposeOnly,
    /// It may not even be proposed now.
    Deny,
}

impl fmt::Display for RuleVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allow => "allow",
            Self::NeedsApproval => "needs approval",
            Self::ProposeOnly => "propose only",
            Self::Deny => "deny",
        })
    }
}

impl Proposal {
    /// The hash an approval is bound to. It covers what the action is, what it is aimed at, what it relies on and until
    /// when: changing any of them makes every approval void.
    pub fn bind_hash(&self) -> String {
        let bound = serde_json::json!({
            "kind": self.action,
            "params": self.params,
            "target": self.target,
            "incarnation": self.guard.incarnation,
            "class": self.class,
            "precondition": self.guard.facts,
            "observation": self.observation_hash,
            "policy_revision": self.policy_revision,
            "blast_radius": self.blast_radius,
            "expires_at": self.expires_at,
            "subject": self.subject,
        });
        sha256_hex("operator/proposal/1", &canonical_json(&bound))
    }

    /// What the guard's facts hash to: a guard read again must give the same, or the world has moved.
    pub fn guard_hash(guard: &Guard) -> String {
        let facts = serde_json::json!({ "incarnation": guard.incarnation, "facts": guard.facts });
        sha256_hex("operator/guard/1", &canonical_json(&facts))
    }

    /// The request that carries it out.
    pub fn request(&self) -> ActionRequest {
        ActionRequest {
            intent: self.id.clone(),
            action: self.action.clone(),
            target: self.target.clone(),
            params: self.params.clone(),
        }
    }

    /// What holds the target's slot: one action at a time for each.
    pub fn slot(&self) -> String {
        format!("{}/{}", self.subject, self.target.to_text())
    }
}
