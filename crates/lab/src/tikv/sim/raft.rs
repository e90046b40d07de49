//! Who leads regions: deaths, elections, and leaders that step down.

use super::{Simulator, timing};

impl Simulator {
    /// Whether two stores hear each other.
    pub(crate) fn linked(&self, a: usize, b: usize) -> bool {
        a == b
            || (self.stores[a].reachable(self.now)
                && self.stores[b].reachable(self.now)
                && !self.cut_links.contains_key(&pair(a, b)))
    }

    /// Whether a store's heartbeats reach PD.
    pub(crate) fn reaches_pd(&self, store: usize) -> bool {
        let it = &self.stores[store];
        it.reachable(self.now) && !it.damage.pd_cut && self.pd_takes_in()
    }

    /// Processes that end or come up, and what follows for the regions on them.
    pub(super) fn step_stores(&mut self) {
        for index in 0..self.stores.len() {
            self.step_process(index);
            let reachable = self.stores[index].reachable(self.now);
            match (self.stores[index].silent_since, reachable) {
                (None, false) if self.stores[index].joined => self.falls_silent(index),
                (Some(_), true) => self.is_back(index),
                _ => {}
            }
            if self.stores[index].caught_up_at == self.now {
                self.has_caught_up(index);
            }
        }
        self.elect();
    }

    fn step_process(&mut self, index: usize) {
        let now = self.now;
        let empty = self.regions.held(index).leaders == 0;
        let store = &mut self.stores[index];
        if let Some(ends_at) = store.process.ends_at
            && (ends_at <= now || empty)
        {
            let again = store.process.starts_again;
            store.process.end("exit code 0");
            if again {
                store.process.start(now, timing::STORE_BOOT);
            }
        }
    }

    /// From one moment to the next nobody hears of it: what it led has no leader.
    fn falls_silent(&mut self, index: usize) {
        let now = self.now;
        self.stores[index].silent_since = Some(now);
        self.stores[index].lag = 0.0;
        let held: Vec<u32> = self.regions.held(index).regions.iter().copied().collect();
        for region in held {
            let it = self.regions.get(region);
            if it.leader == Some(index as u16) {
                self.regions.set_leader(region, None);
                let wait = self.chance.between(timing::RAFT_ELECTION, 2 * timing::RAFT_ELECTION);
                self.regions.set_elect_at(region, now + wait);
            } else if it.leader.is_some() && !self.has_majority(region) {
                // It goes on for as long as its lease; nobody can be elected in its place.
                self.regions.set_leader(region, None);
                self.regions.set_elect_at(region, now + timing::LEADER_LEASE);
            }
        }
    }

    /// It is heard of again; its replicas lag for a moment.
    fn is_back(&mut self, index: usize) {
        let away = self.now - self.stores[index].silent_since.take().unwrap_or(self.now);
        let catch_up = timing::CATCH_UP + (away / 20).min(120_000);
        let caught_up_at = self.now + catch_up;
        self.stores[index].caught_up_at = caught_up_at - caught_up_at.rem_euclid(timing::TICK);
        self.stores[index].slow_score = 1.0;
        let held: Vec<u32> = self.regions.held(index).regions.iter().copied().collect();
        for region in held {
            if away > timing::RAFT_ELECTION {
                self.regions.set_pending(region, index as u16, true);
            }
        }
    }

    fn has_caught_up(&mut self, index: usize) {
        let held: Vec<u32> = self.regions.held(index).regions.iter().copied().collect();
        for region in held {
            self.regions.set_pending(region, index as u16, false);
        }
    }

    fn voters_linked_to(&self, region: u32, store: usize) -> usize {
        let voters = self.regions.get(region).peers.iter().filter(|peer| !peer.learner);
        voters.filter(|peer| self.linked(store, peer.store.into())).count()
    }

    /// Whether any of its replicas reaches a majority.
    pub(crate) fn has_majority(&self, region: u32) -> bool {
        let it = self.regions.get(region);
        let voters = it.peers.iter().filter(|peer| !peer.learner).count();
        it.peers.iter().any(|peer| {
            self.stores[usize::from(peer.store)].reachable(self.now)
                && 2 * self.voters_linked_to(region, peer.store.into()) > voters
        })
    }

    fn elect(&mut self) {
        let now = self.now;
        let due: Vec<u32> = self
            .regions
            .leaderless
            .iter()
            .copied()
            .filter(|&region| self.regions.get(region).elect_at <= now)
            .collect();
        for region in due {
            let it = self.regions.get(region);
            let voters = it.peers.iter().filter(|peer| !peer.learner).count();
            let candidates: Vec<u16> = it
                .peers
                .iter()
                .filter(|peer| !peer.learner && self.stores[usize::from(peer.store)].reachable(now))
                .map(|peer| peer.store)
                .filter(|&store| 2 * self.voters_linked_to(region, store.into()) > voters)
                .collect();
            // Whoever lags is not elected by those who do not.
            let fresh: Vec<u16> = candidates
                .iter()
                .copied()
                .filter(|&store| !it.peers.iter().any(|peer| peer.store == store && peer.pending))
                .collect();
            let elected = self.chance.pick(if fresh.is_empty() { &candidates } else { &fresh });
            match elected {
                Some(store) => self.leads(region, store),
                None => {
                    let wait = self.chance.between(timing::RAFT_ELECTION, 2 * timing::RAFT_ELECTION);
                    self.regions.set_elect_at(region, now + wait);
                }
            }
        }
    }

    /// A store leads a region from now on, and tells PD at once if it can.
    pub(crate) fn leads(&mut self, region: u32, store: u16) {
        self.regions.set_leader(region, Some(store));
        if self.reaches_pd(store.into()) {
            self.regions.set_known(region, Some(store));
        }
    }

    /// Every region whose leader reaches PD reports.
    pub(crate) fn regions_report(&mut self) {
        for region in 0..self.regions.len() as u32 {
            let leader = self.regions.get(region).leader;
            if let Some(store) = leader
                && self.reaches_pd(store.into())
                && self.regions.get(region).known != leader
            {
                self.regions.set_known(region, leader);
            }
        }
    }

    /// Regions whose leader has not heard of a replica for ten minutes, by index.
    pub(crate) fn with_down_peers(&self) -> Vec<u32> {
        let long = |since: i64| self.now - since >= timing::PEER_DOWN;
        let mut found = std::collections::BTreeSet::new();
        for (index, store) in self.stores.iter().enumerate() {
            if store.silent_since.is_some_and(long) {
                found.extend(
                    self.regions
                        .held(index)
                        .regions
                        .iter()
                        .filter(|&&region| self.regions.get(region).leader.is_some()),
                );
            }
        }
        for (&(a, b), _) in self.cut_links.iter().filter(|(_, since)| long(**since)) {
            found.extend(self.regions.held(a).regions.intersection(&self.regions.held(b).regions).filter(|&&region| {
                let leader = self.regions.get(region).leader.map(usize::from);
                leader == Some(a) || leader == Some(b)
            }));
        }
        found.into_iter().collect()
    }
}

/// Two stores in one order.
pub(crate) fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}
