//! Regions, and what is counted about them store by store.

use std::collections::{BTreeSet, HashMap};

/// A replica of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its id.
    pub(crate) id: u32,
    /// On which store, by index.
    pub(crate) store: u16,
    /// Whether it has no vote yet.
    pub(crate) learner: bool,
    /// Whether it lags so far behind that its leader says so.
    pub(crate) pending: bool,
}

/// A region.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    /// Its id.
    pub(crate) id: u64,
    /// Its first key, as the number of a row; the whole of a region at the edge has no bound there.
    pub(crate) start: u64,
    /// The first key that is not its own any more.
    pub(crate) end: u64,
    /// How many times its replicas changed.
    pub(crate) conf_ver: u32,
    /// How many times its bounds changed.
    pub(crate) version: u32,
    /// Its replicas.
    pub(crate) peers: Vec<Peer>,
    /// The store that leads it, by index.
    pub(crate) leader: Option<u16>,
    /// The store that PD believes to lead it.
    pub(crate) known: Option<u16>,
    /// When the next election is tried, if there is no leader.
    pub(crate) elect_at: i64,
    /// Its size in MiB.
    pub(crate) size: u32,
    /// Its share of all traffic.
    pub(crate) weight: f32,
}

/// What is counted about one store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    /// The regions of which it has a replica, by index.
    pub(crate) regions: BTreeSet<u32>,
    /// How many it leads.
    pub(crate) leaders: i64,
    /// How many PD believes it leads.
    pub(crate) known_leaders: i64,
    /// MiB of its replicas.
    pub(crate) size: i64,
    /// MiB of those that PD believes it leads.
    pub(crate) leader_size: i64,
    /// The share of traffic of what it leads.
    pub(crate) led_weight: f64,
    /// The share of traffic of what it holds.
    pub(crate) held_weight: f64,
}

/// All regions.
#[derive(Debug, Default)]
pub(crate) struct Regions {
    list: Vec<Region>,
    by_id: HashMap<u64, u32>,
    held: Vec<Held>,
    /// Regions without a leader, by index.
    pub(crate) leaderless: BTreeSet<u32>,
    /// Regions with a replica that lags, by index.
    pub(crate) pending: BTreeSet<u32>,
    next_id: u64,
}

impl Regions {
    /// `count` regions of `size` MiB with `replicas` replicas each, spread evenly over `stores` stores that exist and
    /// `spare` that join later.
    pub(crate) fn spread(count: usize, size: u32, replicas: usize, stores: usize, spare: usize) -> Self {
        let mut regions = Self { held: vec![Held::default(); stores + spare], next_id: 1_000, ..Self::default() };
        let replicas = replicas.min(stores);
        for index in 0..count {
            let peers: Vec<Peer> = (0..replicas)
                .map(|replica| {
                    // Every store leads as many as any other, and no two stores share all their regions.
                    let step = 1 + (index / stores) % (stores.saturating_sub(1)).max(1);
                    let store = if replica == 0 { index % stores } else { (index + replica * step) % stores };
                    Peer { id: regions.new_id() as u32, store: store as u16, learner: false, pending: false }
                })
                .collect();
            let peers = distinct(peers, stores);
            let id = regions.new_id();
            let leader = peers.first().map(|peer| peer.store);
            regions.push(Region {
                id,
                start: index as u64 * 1_000_000,
                end: (index as u64 + 1) * 1_000_000,
                conf_ver: 1,
                version: 1,
                peers,
                leader,
                known: leader,
                elect_at: 0,
                size,
                weight: 1.0 / count as f32,
            });
        }
        if let Some(last) = regions.list.last_mut() {
            last.end = u64::MAX;
        }
        regions
    }

    /// An id that nothing has yet.
    pub(crate) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn push(&mut self, region: Region) -> u32 {
        let index = self.list.len() as u32;
        self.by_id.insert(region.id, index);
        for peer in &region.peers {
            let held = &mut self.held[usize::from(peer.store)];
            held.regions.insert(index);
            held.size += i64::from(region.size);
            held.held_weight += f64::from(region.weight);
        }
        if let Some(leader) = region.leader {
            let held = &mut self.held[usize::from(leader)];
            held.leaders += 1;
            held.led_weight += f64::from(region.weight);
        }
        if let Some(known) = region.known {
            let held = &mut self.held[usize::from(known)];
            held.known_leaders += 1;
            held.leader_size += i64::from(region.size);
        }
        self.list.push(region);
        index
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn all(&self) -> &[Region] {
        &self.list
    }

    pub(crate) fn get(&self, index: u32) -> &Region {
        &self.list[index as usize]
    }

    pub(crate) fn find(&self, id: u64) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// The region that holds a row.
    pub(crate) fn at(&self, row: u64) -> Option<u32> {
        let index = self.list.iter().position(|region| region.start <= row && row < region.end)?;
        Some(index as u32)
    }

    pub(crate) fn held(&self, store: usize) -> &Held {
        &self.held[store]
    }

    /// Room for one more store.
    pub(crate) fn add_store(&mut self) {
        self.held.push(Held::default());
    }

    /// Another store leads it, or none does.
    pub(crate) fn set_leader(&mut self, index: u32, leader: Option<u16>) {
        let region = &mut self.list[index as usize];
        let weight = f64::from(region.weight);
        if let Some(old) = std::mem::replace(&mut region.leader, leader) {
            let held = &mut self.held[usize::from(old)];
            held.leaders -= 1;
            held.led_weight -= weight;
        }
        if let Some(new) = leader {
            let held = &mut self.held[usize::from(new)];
            held.leaders += 1;
            held.led_weight += weight;
            self.leaderless.remove(&index);
        } else {
            self.leaderless.insert(index);
        }
    }

    /// PD hears who leads it.
    pub(crate) fn set_known(&mut self, index: u32, known: Option<u16>) {
        let region = &mut self.list[index as usize];
        let size = i64::from(region.size);
        if let Some(old) = std::mem::replace(&mut region.known, known) {
            self.held[usize::from(old)].known_leaders -= 1;
            self.held[usize::from(old)].leader_size -= size;
        }
        if let Some(new) = known {
            self.held[usize::from(new)].known_leaders += 1;
            self.held[usize::from(new)].leader_size += size;
        }
    }

    pub(crate) fn set_elect_at(&mut self, index: u32, at: i64) {
        self.list[index as usize].elect_at = at;
    }

    pub(crate) fn add_peer(&mut self, index: u32, store: u16, learner: bool) {
        let id = self.new_id() as u32;
        let region = &mut self.list[index as usize];
        if region.peers.iter().any(|peer| peer.store == store) {
            return;
        }
        region.peers.push(Peer { id, store, learner, pending: false });
        region.conf_ver += 1;
        let held = &mut self.held[usize::from(store)];
        held.regions.insert(index);
        held.size += i64::from(region.size);
        held.held_weight += f64::from(region.weight);
    }

    pub(crate) fn remove_peer(&mut self, index: u32, store: u16) {
        let region = &mut self.list[index as usize];
        let before = region.peers.len();
        region.peers.retain(|peer| peer.store != store);
        if region.peers.len() == before {
            return;
        }
        region.conf_ver += 1;
        if !region.peers.iter().any(|peer| peer.pending) {
            self.pending.remove(&index);
        }
        let held = &mut self.held[usize::from(store)];
        held.regions.remove(&index);
        held.size -= i64::from(region.size);
        held.held_weight -= f64::from(region.weight);
    }

    /// The replica on `store` gets a vote.
    pub(crate) fn promote(&mut self, index: u32, store: u16) {
        for peer in self.list[index as usize].peers.iter_mut().filter(|peer| peer.store == store) {
            peer.learner = false;
        }
    }

    /// Whether the replica on `store` lags.
    pub(crate) fn set_pending(&mut self, index: u32, store: u16, pending: bool) {
        let region = &mut self.list[index as usize];
        for peer in region.peers.iter_mut().filter(|peer| peer.store == store) {
            peer.pending = pending;
        }
        if region.peers.iter().any(|peer| peer.pending) {
            self.pending.insert(index);
        } else {
            self.pending.remove(&index);
        }
    }

    /// Changes shares of traffic; what is counted by store is counted anew.
    pub(crate) fn set_weights(&mut self, weight: impl Fn(usize) -> f32) {
        for held in &mut self.held {
            (held.led_weight, held.held_weight) = (0.0, 0.0);
        }
        for (index, region) in self.list.iter_mut().enumerate() {
            region.weight = weight(index);
            for peer in &region.peers {
                self.held[usize::from(peer.store)].held_weight += f64::from(region.weight);
            }
            if let Some(leader) = region.leader {
                self.held[usize::from(leader)].led_weight += f64::from(region.weight);
            }
        }
    }

    /// Cuts a region in the middle; both halves get half of its size and traffic. The new one comes first.
    pub(crate) fn split(&mut self, index: u32) -> u32 {
        let (id, old) = (self.new_id(), self.get(index).clone());
        let middle = if old.end == u64::MAX { old.start + 500_000 } else { old.start.midpoint(old.end) };
        let peer_ids: Vec<u32> = old.peers.iter().map(|_| self.new_id() as u32).collect();
        let (size, weight) = (old.size / 2, old.weight / 2.0);
        for peer in &old.peers {
            let held = &mut self.held[usize::from(peer.store)];
            held.size -= i64::from(size);
            held.held_weight -= f64::from(weight);
        }
        if let Some(leader) = old.leader {
            self.held[usize::from(leader)].led_weight -= f64::from(weight);
        }
        if let Some(known) = old.known {
            self.held[usize::from(known)].leader_size -= i64::from(size);
        }
        let right = &mut self.list[index as usize];
        right.start = middle;
        right.version += 1;
        right.size -= size;
        right.weight -= weight;
        let peers = old.peers.iter().zip(peer_ids).map(|(peer, id)| Peer { id, pending: false, ..*peer }).collect();
        let left = Region { id, end: middle, version: old.version + 1, peers, size, weight, ..old };
        let leaderless = left.leader.is_none();
        let added = self.push(left);
        if leaderless {
            self.leaderless.insert(added);
        }
        added
    }
}

/// No two replicas on one store.
fn distinct(mut peers: Vec<Peer>, stores: usize) -> Vec<Peer> {
    for i in 1..peers.len() {
        while peers[..i].iter().any(|peer| peer.store == peers[i].store) {
            peers[i].store = ((usize::from(peers[i].store) + 1) % stores) as u16;
        }
    }
    peers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_spread_evenly_and_no_two_replicas_share_a_store() {
        let regions = Regions::spread(300, 96, 3, 5, 0);
        for store in 0..5 {
            let held = regions.held(store);
            assert_eq!((held.leaders, held.known_leaders), (60, 60));
            assert!((160..=200).contains(&held.regions.len()), "{}", held.regions.len());
        }
        for region in regions.all() {
            let stores: BTreeSet<_> = region.peers.iter().map(|peer| peer.store).collect();
            assert_eq!(stores.len(), 3);
        }
    }

    #[test]
    fn what_is_counted_by_store_follows_every_change() {
        let mut regions = Regions::spread(30, 96, 3, 5, 0);
        regions.set_leader(0, Some(1));
        regions.set_known(0, Some(1));
        regions.add_peer(1, 4, false);
        regions.remove_peer(1, regions.get(1).peers[0].store);
        let new = regions.split(2);
        regions.set_leader(new, None);
        for store in 0..5_u16 {
            let held = regions.held(store.into());
            let on = |region: &&Region| region.peers.iter().any(|peer| peer.store == store);
            let size: i64 = regions.all().iter().filter(on).map(|region| i64::from(region.size)).sum();
            let weight: f64 = regions.all().iter().filter(on).map(|region| f64::from(region.weight)).sum();
            assert_eq!(held.size, size);
            assert!((held.held_weight - weight).abs() < 1e-6);
            assert_eq!(held.regions.len(), regions.all().iter().filter(on).count());
            let led = regions.all().iter().filter(|region| region.leader == Some(store)).count();
            assert_eq!(held.leaders, led as i64);
        }
        assert!(regions.leaderless.contains(&new));
    }
}
