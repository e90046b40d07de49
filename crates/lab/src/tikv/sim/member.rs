//! Members of PD, and which of them leads.

use super::process::Process;
use super::{Simulator, timing};

/// A member of PD.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: String,
    /// Its id, above 2^53 as real ones are.
    pub(crate) id: u64,
    /// Where it is asked.
    pub(crate) url: String,
    /// Its process.
    pub(crate) process: Process,
    /// Whether its process stands still (`SIGSTOP`): connections are accepted and never answered.
    pub(crate) stopped: bool,
    /// Whether its disk hangs: it answers from memory and keeps its lease, but takes in nothing.
    pub(crate) disk_hangs: bool,
    /// What an fsync of its log takes, in milliseconds, beyond what it should.
    pub(crate) fsync_delay: f64,
    /// How far its clock jumped back, in milliseconds, and when.
    pub(crate) clock_jumped: Option<(i64, i64)>,
    /// Its priority as a leader.
    pub(crate) priority: i64,
}

impl Member {
    /// Whether it takes part.
    pub(crate) fn works(&self, now: i64) -> bool {
        self.process.works(now) && !self.stopped
    }
}

/// Who leads PD.
#[derive(Debug)]
pub(crate) struct Leadership {
    /// The leader by index.
    pub(crate) leader: Option<usize>,
    /// Since when it leads.
    pub(crate) since: i64,
    /// Since when there is none, or none that works.
    pub(crate) lost_at: Option<i64>,
    /// Who leads next, or anybody else, and when.
    handover: Option<(Option<usize>, i64)>,
    /// How many times another member became leader.
    pub(crate) changes: u32,
}

impl Leadership {
    pub(crate) fn of(leader: usize, since: i64) -> Self {
        Self { leader: Some(leader), since, lost_at: None, handover: None, changes: 0 }
    }
}

impl Simulator {
    /// The member that leads and works.
    pub(crate) fn serving(&self) -> Option<usize> {
        self.leadership.leader.filter(|&leader| self.members[leader].works(self.now))
    }

    /// Whether the leader takes in heartbeats and requests.
    pub(crate) fn pd_takes_in(&self) -> bool {
        self.serving().is_some_and(|leader| !self.members[leader].disk_hangs)
    }

    /// Whether the leader has heard of nearly all regions since it leads.
    pub(crate) fn initialized(&self) -> bool {
        self.leadership.changes == 0 || self.now - self.leadership.since >= timing::PD_COLLECTS
    }

    fn has_quorum(&self) -> bool {
        2 * self.members.iter().filter(|member| member.works(self.now)).count() > self.members.len()
    }

    /// The leadership goes to `to`, or to anybody else.
    pub(crate) fn hand_over(&mut self, to: Option<usize>) {
        let after = if to.is_some() { timing::PD_TRANSFER } else { timing::PD_RESIGN };
        self.leadership.handover = Some((to, self.now + after));
    }

    /// Deaths, elections and transfers among the members.
    pub(super) fn step_members(&mut self) {
        let now = self.now;
        for member in &mut self.members {
            if member.process.ends_at.is_some_and(|at| at <= now) {
                let again = member.process.starts_again;
                member.process.end("exit code 0");
                if again {
                    member.process.start(now, timing::MEMBER_BOOT);
                }
            }
        }
        let quorum = self.has_quorum();
        if let Some((to, at)) = self.leadership.handover
            && now >= at
        {
            self.leadership.handover = None;
            if quorum && let Some(next) = self.next_leader(to) {
                self.lead(next);
            }
        }
        let healthy = self.serving().is_some() && quorum;
        if healthy {
            self.leadership.lost_at = None;
            return;
        }
        let lost_at = *self.leadership.lost_at.get_or_insert(now);
        if self.serving().is_some() && now - lost_at >= timing::PD_LEASE {
            self.leadership.leader = None;
        }
        if quorum
            && now - lost_at >= timing::PD_FAILOVER
            && let Some(next) = self.next_leader(None)
        {
            self.lead(next);
        }
    }

    fn next_leader(&mut self, wanted: Option<usize>) -> Option<usize> {
        let old = self.leadership.leader;
        let able = |index: &usize| self.members[*index].works(self.now) && !self.members[*index].disk_hangs;
        if let Some(wanted) = wanted {
            return Some(wanted).filter(able);
        }
        let able: Vec<usize> = (0..self.members.len()).filter(able).filter(|&index| Some(index) != old).collect();
        let highest = able.iter().map(|&index| self.members[index].priority).max()?;
        let able: Vec<usize> = able.into_iter().filter(|&index| self.members[index].priority == highest).collect();
        self.chance.pick(&able)
    }

    fn lead(&mut self, next: usize) {
        if self.leadership.leader != Some(next) {
            let changes = self.leadership.changes + 1;
            self.leadership = Leadership { changes, ..Leadership::of(next, self.now) };
        }
        self.leadership.lost_at = None;
        // What is not persisted is gone: operators, and what stores said of themselves.
        self.operators.forget();
        for store in &mut self.stores {
            store.record.reported = false;
        }
        self.regions_report();
    }
}
