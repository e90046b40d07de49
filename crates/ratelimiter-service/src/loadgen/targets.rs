//! The nodes load goes to: those that say they are ready, in turn, as a load balancer would do it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How often each target is asked whether it is ready.
const POLL_EVERY: Duration = Duration::from_millis(500);

/// One node.
#[derive(Debug)]
pub struct Target {
    /// Its base URL.
    pub url: String,
    ready: AtomicBool,
}

/// All nodes.
#[derive(Debug)]
pub struct Targets {
    all: Vec<Target>,
    turn: AtomicUsize,
}

impl Targets {
    /// These nodes; none is ready before it was asked.
    #[must_use]
    pub fn new(urls: &[String]) -> Self {
        let all = urls.iter().map(|url| Target { url: url.clone(), ready: AtomicBool::new(false) }).collect();
        Self { all, turn: AtomicUsize::new(0) }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Target] {
        &self.all
    }

    /// How many are ready.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.all.iter().filter(|target| target.ready.load(Ordering::Relaxed)).count()
    }

    /// The next ready one in turn, by index.
    pub fn next(&self) -> Option<usize> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let at = |i: usize| (turn + i) % self.all.len();
        (0..self.all.len()).map(at).find(|&i| self.all[i].ready.load(Ordering::Relaxed))
    }

    /// Asks one target once.
    pub async fn ask(&self, client: &reqwest::Client, index: usize) {
        let target = &self.all[index];
        let answer = client.get(format!("{}/readyz", target.url)).timeout(POLL_EVERY).send().await;
        target.ready.store(answer.is_ok_and(|a| a.status().is_success()), Ordering::Relaxed);
    }

    /// Asks one target again and again; never returns.
    pub async fn poll(self: Arc<Self>, client: reqwest::Client, index: usize) {
        loop {
            tokio::time::sleep(POLL_EVERY).await;
            self.ask(&client, index).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ready_targets_take_turns() {
        let targets = Targets::new(&["a", "b", "c"].map(String::from));
        assert_eq!(targets.next(), None);
        targets.all[0].ready.store(true, Ordering::Relaxed);
        targets.all[2].ready.store(true, Ordering::Relaxed);
        let turns: Vec<_> = (0..6).filter_map(|_| targets.next()).collect();
        assert!(turns.len() == 6 && turns.contains(&0) && turns.contains(&2) && !turns.contains(&1));
    }
}
