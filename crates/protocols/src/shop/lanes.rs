//! What the queue holds: jobs in lanes, on a disk that others may fill.

use std::collections::VecDeque;

/// The lanes.
pub const LANES: [&str; 3] = ["express", "freight", "parcel"];
/// How many jobs its disk holds.
pub(super) const CAPACITY: usize = 2_000;
/// So long a shopper may cancel, in microseconds: nobody takes the job before.
const COOLING_OFF: i64 = 20_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) lane: usize,
    /// When it was put, by the queue's clock, in microseconds.
    pub(super) put_at: i64,
    /// Which replica put it; none of them, if somebody else did.
    pub(super) producer: Option<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Lanes {
    pub(super) waiting: [VecDeque<Job>; LANES.len()],
    /// What each packer has in hand.
    pub(super) leased: Vec<Option<Job>>,
    /// How many jobs other people's files take the place of.
    pub(super) foreign_files: usize,
}

impl Lanes {
    pub(super) fn new(packers: usize) -> Self {
        Self { leased: vec![None; packers], ..Self::default() }
    }

    pub(super) fn held(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }

    pub(super) fn is_full(&self) -> bool {
        self.held() + self.foreign_files >= CAPACITY
    }

    pub(super) fn put(&mut self, job: Job) {
        if let Some(lane) = self.waiting.get_mut(job.lane) {
            lane.push_back(job);
        }
    }

    /// The job that has waited longest and may be taken `now`, by the queue's clock; it is in the packer's hand then.
    pub(super) fn take(&mut self, packer: usize, now: i64) -> Option<Job> {
        let oldest = (0..LANES.len()).filter_map(|lane| Some((self.waiting[lane].front()?.put_at, lane))).min();
        let (_, lane) = oldest.filter(|(put_at, _)| put_at + COOLING_OFF <= now)?;
        let job = self.waiting[lane].pop_front();
        if let Some(hand) = self.leased.get_mut(packer) {
            *hand = job;
        }
        job
    }

    /// What the packer had in hand goes back to where it was.
    pub(super) fn give_back(&mut self, packer: usize) {
        if let Some(job) = self.leased.get_mut(packer).and_then(Option::take) {
            self.waiting[job.lane].push_front(job);
        }
    }

    /// How many of the lane's jobs, in hand or not, `producer` put.
    pub(super) fn of(&self, lane: usize, producer: Option<usize>) -> u64 {
        let leased = self.leased.iter().flatten().filter(|job| job.lane == lane);
        self.waiting[lane].iter().chain(leased).filter(|job| job.producer == producer).count() as u64
    }

    /// At most so many waiting jobs of a lane are gone.
    pub(super) fn remove(&mut self, lane: usize, count: usize) -> usize {
        let lane = &mut self.waiting[lane];
        let count = count.min(lane.len());
        lane.drain(..count);
        count
    }
}
