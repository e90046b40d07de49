//! Who asks. A name alone is nothing: how it was established is part of it.

use serde::{Deserialize, Serialize};

/// What somebody may do. Each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May look.
    Viewer,
    /// May acknowledge, hold, silence, request actions and engage the kill switch.
    Operator,
    /// May also approve and reject actions.
    Approver,
    /// May also release the kill switch, change the mode and settle what is unsettled.
    Admin,
}

/// How it was established who asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The kernel says which user is at the other end of the local socket.
    Peer {
        /// The user's id.
        uid: u32,
    },
    /// A token was shown that is configured for this name.
    Token,
    /// The operator itself.
    Operator,
    /// The operator's own agent: it hands answers in, and does nothing else.
    Agent,
}

/// Somebody, established.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Principal {
    /// The name decisions are recorded under.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// How it was established that it is they.
    pub identity: Identity,
}

impl Principal {
    /// The operator itself: it requests, and never approves.
    pub fn operator() -> Self {
        Self { name: "operator".to_owned(), role: Role::Operator, identity: Identity::Operator }
    }

    /// The operator's own agent: it hands answers in.
    pub fn agent() -> Self {
        Self { name: "agent".to_owned(), role: Role::Operator, identity: Identity::Agent }
    }

    /// Whether they may do what `role` may. Neither the operator itself nor its agent ever counts as a person who
    /// decides.
    pub fn may(&self, role: Role) -> bool {
        self.role >= role && (role < Role::Approver || !matches!(self.identity, Identity::Operator | Identity::Agent))
    }
}
