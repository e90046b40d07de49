//! Who is in PD, and who answers.

use serde::Deserialize;

use super::scalar::null_is_empty;

/// The answer of `/members`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Members {
    pub(crate) header: Header,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) members: Vec<Member>,
    /// The member that leads PD.
    pub(crate) leader: Option<Member>,
    /// The member that leads etcd beneath.
    pub(crate) etcd_leader: Option<Member>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Header {
    pub(crate) cluster_id: u64,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) member_id: u64,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) client_urls: Vec<String>,
    pub(crate) binary_version: String,
    pub(crate) leader_priority: i64,
}

/// One entry of the answer of `/health`: whether the member that was asked reaches this one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Health {
    pub(crate) name: String,
    pub(crate) member_id: u64,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) client_urls: Vec<String>,
    pub(crate) health: bool,
}

/// The answer of `/status`, which every member gives of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) version: String,
    /// Seconds since 1970.
    pub(crate) start_timestamp: i64,
}
