//! Which logs are looked at in this observation: those under suspicion, the busiest, and the rest in turn.

use std::collections::BTreeSet;

use crate::inspector::LogId;

/// What there is to choose from.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// Logs that were found wrong lately: they are looked at until they are right.
    pub(crate) suspects: Vec<LogId>,
    /// Logs by how busy they are, busiest first.
    pub(crate) busy: Vec<LogId>,
    /// Every log that is known.
    pub(crate) all: BTreeSet<LogId>,
}

/// Picks at most `most` logs. A quarter at most goes to the suspects and another to the busiest, unless the rest leaves
/// room; the rest goes on in turn after `last`. Gives the picked ones and after which one to go on next time.
pub(crate) fn pick(candidates: &Candidates, last: Option<&LogId>, most: usize) -> (Vec<LogId>, Option<LogId>) {
    if candidates.all.len() <= most {
        return (candidates.all.iter().cloned().collect(), None);
    }
    let mut picked: BTreeSet<LogId> = BTreeSet::new();
    for (logs, share) in [(&candidates.suspects, most.div_ceil(4)), (&candidates.busy, most / 4)] {
        let before = picked.len();
        for log in logs {
            if picked.len() < before + share && picked.len() < most {
                picked.insert(log.clone());
            }
        }
    }
    let mut next = last.cloned();
    let after = candidates.all.iter().filter(|log| last.is_some_and(|last| *log > last));
    let around = candidates.all.iter().filter(|log| last.is_none_or(|last| *log <= last));
    for log in after.chain(around) {
        if picked.len() >= most {
            break;
        }
        next = Some(log.clone());
        picked.insert(log.clone());
    }
    (picked.into_iter().collect(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(n: usize) -> LogId {
        LogId { key: format!("k{n:03}"), window_ms: 1000 }
    }

    #[test]
    fn all_are_looked_at_in_turn_and_suspects_and_the_busiest_always() {
        let candidates = Candidates {
            suspects: vec![log(7)],
            busy: vec![log(50), log(51), log(52)],
            all: (0..100).map(log).collect(),
        };
        let (mut seen, mut last) = (BTreeSet::new(), None);
        for _ in 0..14 {
            let (picked, next) = pick(&candidates, last.as_ref(), 12);
            assert_eq!(picked.len(), 12);
            assert!([7, 50, 51, 52].iter().all(|n| picked.contains(&log(*n))));
            seen.extend(picked);
            last = next;
        }
        assert_eq!(seen.len(), 100);
    }

    #[test]
    fn few_are_all_looked_at() {
        let candidates = Candidates { all: (0..5).map(log).collect(), ..Candidates::default() };
        assert_eq!(pick(&candidates, Some(&log(3)), 5).0.len(), 5);
    }
}
