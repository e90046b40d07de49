//! Regions.

use serde::Deserialize;
use serde_json::Value;

use super::scalar::null_is_empty;

/// A list of regions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Regions {
    /// How many there are.
    pub(crate) count: u64,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) regions: Vec<Region>,
}

/// A region.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Region {
    pub(crate) id: u64,
    /// Hexadecimal of the encoded key; empty for the beginning.
    pub(crate) start_key: String,
    /// Hexadecimal of the encoded key; empty for the end.
    pub(crate) end_key: String,
    pub(crate) epoch: Epoch,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) peers: Vec<Peer>,
    pub(crate) leader: Option<Peer>,
    /// Peers of which the leader has not heard for ten minutes.
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) down_peers: Vec<DownPeer>,
    /// Peers that wait for a log or a snapshot.
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) pending_peers: Vec<Peer>,
    /// MiB.
    pub(crate) approximate_size: u64,
    pub(crate) approximate_keys: u64,
    /// Bytes within the last heartbeat's interval, about a minute.
    pub(crate) written_bytes: u64,
    /// Bytes within the last heartbeat's interval, about a minute.
    pub(crate) read_bytes: u64,
}

/// Counts changes of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Epoch {
    /// Changes of its peers.
    pub(crate) conf_ver: u64,
    /// Changes of its range.
    pub(crate) version: u64,
}

/// A replica.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Peer {
    pub(crate) id: u64,
    pub(crate) store_id: u64,
    /// `Voter`, `Learner`, `IncomingVoter`, `DemotingVoter`; not in the oldest versions.
    pub(crate) role_name: String,
    pub(crate) is_learner: bool,
}

impl Peer {
    /// Whether it counts for the quorum.
    pub(crate) fn votes(&self) -> bool {
        !self.is_learner && self.role_name != "Learner"
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DownPeer {
    pub(crate) peer: Peer,
    pub(crate) down_seconds: u64,
}

impl Region {
    /// The store of its leader, if it has one: without, PD shows id 0 or nothing.
    pub(crate) fn leader_store(&self) -> Option<u64> {
        self.leader.as_ref().map(|leader| leader.store_id).filter(|store| *store != 0)
    }
}

/// A list of regions of which only the beginning was read: the count it begins with, and every region that is whole.
pub(crate) fn beginning(text: &[u8]) -> Option<Regions> {
    if let Ok(whole) = serde_json::from_slice::<Regions>(text) {
        return Some(whole);
    }
    let text = String::from_utf8_lossy(text);
    let after = |key: &str| text.find(key).map(|at| &text[at + key.len()..]);
    let digits: String = after("\"count\":")?.trim_start().chars().take_while(char::is_ascii_digit).collect();
    let mut found = Regions { count: digits.parse().ok()?, regions: Vec::new() };
    let list = after("\"regions\":").map(|rest| rest.trim_start().trim_start_matches('['));
    let mut rest = list.unwrap_or_default();
    loop {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let Some(Ok(value)) = values.next() else { return Some(found) };
        let Ok(region) = serde_json::from_value(value) else { return Some(found) };
        found.regions.push(region);
        rest = rest[values.byte_offset()..].trim_start().trim_start_matches(',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"count": 2, "regions": [{"id": 1, "peers": [{"store_id": 4, "role_name": "Voter"}]},
        {"id": 2, "leader": {"store_id": 0}}]}"#;

    #[test]
    fn a_list_that_is_cut_off_gives_its_count_and_what_is_whole() {
        let whole = beginning(LIST.as_bytes()).expect("a list");
        assert_eq!((whole.count, whole.regions.len()), (2, 2));
        let cut = beginning(&LIST.as_bytes()[..LIST.len() - 10]).expect("its beginning");
        assert_eq!((cut.count, cut.regions.len(), cut.regions[0].peers[0].store_id), (2, 1, 4));
        assert_eq!(beginning(br#"{"count": 70"#).map(|list| (list.count, list.regions.len())), Some((70, 0)));
        for length in 0..LIST.len() {
            let _ = beginning(&LIST.as_bytes()[..length]);
        }
        assert_eq!(beginning(b"null"), None);
    }

    #[test]
    fn a_region_without_leader_has_none_however_pd_writes_it() {
        let of = |json: &str| serde_json::from_str::<Region>(json).expect("a region").leader_store();
        assert_eq!(of(r#"{"id":1}"#), None);
        assert_eq!(of(r#"{"id":1,"leader":null}"#), None);
        assert_eq!(of(r#"{"id":1,"leader":{"role_name":"Voter"}}"#), None);
        assert_eq!(of(r#"{"id":1,"leader":{"store_id":3}}"#), Some(3));
    }
}
