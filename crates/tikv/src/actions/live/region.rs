//! One region.

/// One region, as PD knows it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Region {
    pub(crate) id: u64,
    /// Where it begins and ends: hexadecimal, empty for the beginning or the end of everything.
    pub(crate) start_key: String,
    pub(crate) end_key: String,
    /// Counts changes of its peers.
    pub(crate) conf_ver: u64,
    /// Counts changes of its range.
    pub(crate) version: u64,
    pub(crate) peers: Vec<Peer>,
    /// The store of its leader, if it has one.
    pub(crate) leader: Option<u64>,
    /// Stores whose peer of it does not answer its leader.
    pub(crate) down: Vec<u64>,
    /// Stores whose peer of it waits for a log or a snapshot.
    pub(crate) pending: Vec<u64>,
    pub(crate) size_mib: u64,
    pub(crate) keys: u64,
}

/// A replica of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) store: u64,
    pub(crate) role: Role,
}

/// What a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It votes.
    Voter,
    /// It only listens.
    Learner,
    /// It is about to become the one or the other.
    Changing,
}

impl Region {
    /// The peer on a store.
    pub(crate) fn peer_on(&self, store: u64) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.store == store)
    }

    /// Whether `other` begins where this one ends, or the other way round.
    pub(crate) fn adjoins(&self, other: &Self) -> bool {
        let meet = |end: &str, start: &str| !end.is_empty() && end == start;
        meet(&self.end_key, &other.start_key) || meet(&other.end_key, &self.start_key)
    }

    /// The table its keys are of, as the part of the key that names it; none, where keys are not TiDB's.
    ///
    /// TiDB's keys begin with `t` and eight bytes of the table's id; PD shows them in groups of eight bytes, each followed
    /// by a marker, so that the id ends after ten bytes (`tablecodec` and `codec.EncodeBytes` in TiDB).
    pub(crate) fn table(&self) -> Option<&str> {
        self.start_key.starts_with("7480").then(|| self.start_key.get(..20)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_and_tables_are_told_by_their_keys() {
        let region =
            |start: &str, end: &str| Region { start_key: start.into(), end_key: end.into(), ..Region::default() };
        let (a, b, c) = (region("", "10"), region("10", "20"), region("20", ""));
        assert!(a.adjoins(&b) && b.adjoins(&a) && !a.adjoins(&c), "the ends of everything do not meet");
        let of_table = region("7480000000000000FF015F728000000000FF000050FF00000000FB", "");
        assert_eq!(of_table.table(), Some("7480000000000000FF01"));
        assert_eq!(a.table(), None);
    }
}
