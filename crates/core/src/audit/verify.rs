//! Whether a chain is whole.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::AuditRow;
use crate::audit::{ChainHead, event_text, genesis, row_hash};

/// Whether a chain is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ChainStatus {
    /// Every row is as it was written, and none is missing.
    Intact {
        /// How many rows there are.
        size: u64,
        /// The last row's hash; the genesis if there is none.
        head: String,
    },
    /// It is not.
    Broken {
        /// The first place at which something is wrong.
        first_bad_seq: u64,
        /// What is wrong there.
        why: ChainFault,
    },
}

/// What is wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainFault {
    /// The row is not what was hashed.
    Tampered,
    /// The last rows are missing.
    Truncated,
    /// A row is missing with others after it.
    Gap,
    /// The row is whole and belongs to another chain: it follows a row that does not stand before it, or the chain ends
    /// otherwise than its head says.
    Forked,
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tampered => "tampered",
            Self::Truncated => "truncated",
            Self::Gap => "gap",
            Self::Forked => "forked",
        })
    }
}

/// Goes along a chain, row by row, in constant memory.
#[derive(Debug, Clone)]
pub struct ChainVerifier {
    last: ChainHead,
}

impl ChainVerifier {
    /// At the beginning of an installation's chain.
    pub fn new(install_id: &str) -> Self {
        Self { last: ChainHead { seq: 0, hash: genesis(install_id) } }
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// The broken status, when the row does not follow. Further rows mean nothing then.
    pub fn row(&mut self, seq: u64, prev: &str, hash: &str, event_text: &str) -> Result<(), ChainStatus> {
        let expected = self.last.seq + 1;
        let broken = |first_bad_seq, why| Err(ChainStatus::Broken { first_bad_seq, why });
        if seq != expected {
            // A place taken twice is a second chain; a place left out, a hole.
            return broken(expected, if seq < expected { ChainFault::Forked } else { ChainFault::Gap });
        }
        if row_hash(prev, seq, event_text).as_deref() != Some(hash) {
            return broken(seq, ChainFault::Tampered);
        }
        if prev != self.last.hash {
            return broken(seq, ChainFault::Forked);
        }
        self.last = ChainHead { seq, hash: hash.to_owned() };
        Ok(())
    }

    /// After the last row: whether the chain ends where its head says. A store that has lost its head cannot say where
    /// its chain ends, which counts as truncated.
    pub fn finish(self, head: Option<&ChainHead>) -> ChainStatus {
        let Some(head) = head else {
            return ChainStatus::Broken { first_bad_seq: self.last.seq + 1, why: ChainFault::Truncated };
        };
        if head.seq > self.last.seq {
            return ChainStatus::Broken { first_bad_seq: self.last.seq + 1, why: ChainFault::Truncated };
        }
        if head.seq < self.last.seq {
            return ChainStatus::Broken { first_bad_seq: head.seq + 1, why: ChainFault::Forked };
        }
        if head.hash != self.last.hash {
            return ChainStatus::Broken { first_bad_seq: head.seq.max(1), why: ChainFault::Forked };
        }
        ChainStatus::Intact { size: self.last.seq, head: self.last.hash }
    }
}

/// Whether `rows`, all there are, are the whole chain of an installation.
pub fn verify(install_id: &str, rows: impl IntoIterator<Item = AuditRow>, head: Option<&ChainHead>) -> ChainStatus {
    let mut verifier = ChainVerifier::new(install_id);
    for row in rows {
        if let Err(broken) = verifier.row(row.seq, &row.prev, &row.hash, &event_text(&row.event)) {
            return broken;
        }
    }
    verifier.finish(head)
}

#[cfg(test)]
mod tests {
    use operator_protocols::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::AuditEvent;

    const INSTALL: &str = "0123456789ab";

    fn chain(length: u64) -> (Vec<AuditRow>, ChainHead) {
        let mut head = ChainHead { seq: 0, hash: genesis(INSTALL) };
        let rows = (1..=length)
            .map(|seq| {
                let at = Timestamp::from_millis(i64::try_from(seq).unwrap());
                let event = AuditEvent::by_operator(at, "ticket.opened", format!("s-T{seq}"), json!({ "n": seq }));
                let hash = row_hash(&head.hash, seq, &event_text(&event)).unwrap();
                let row = AuditRow { seq, event, prev: head.hash.clone(), hash: hash.clone() };
                head = ChainHead { seq, hash };
                row
            })
            .collect();
        (rows, head)
    }

    fn broken(first_bad_seq: u64, why: ChainFault) -> ChainStatus {
        ChainStatus::Broken { first_bad_seq, why }
    }

    #[test]
    fn a_chain_as_written_is_intact_and_so_is_an_empty_one() {
        for length in [0, 1, 7] {
            let (rows, head) = chain(length);
            assert_eq!(verify(INSTALL, rows, Some(&head)), ChainStatus::Intact { size: length, head: head.hash });
        }
    }

    #[test]
    fn the_first_bad_row_and_what_is_wrong_with_it_are_named() {
        let (rows, head) = chain(5);
        let edited = |edit: &dyn Fn(&mut Vec<AuditRow>)| {
            let mut rows = rows.clone();
            edit(&mut rows);
            verify(INSTALL, rows, Some(&head))
        };
        assert_eq!(edited(&|rows| rows[2].event.reference.push('x')), broken(3, ChainFault::Tampered));
        assert_eq!(edited(&|rows| rows[2].hash = rows[1].hash.clone()), broken(3, ChainFault::Tampered));
        assert_eq!(edited(&|rows| rows[2].prev = rows[1].prev.clone()), broken(3, ChainFault::Tampered));
        assert_eq!(edited(&|rows| drop(rows.remove(2))), broken(3, ChainFault::Gap));
        assert_eq!(edited(&|rows| rows.swap(1, 2)), broken(2, ChainFault::Gap));
        assert_eq!(edited(&|rows| rows.truncate(3)), broken(4, ChainFault::Truncated));
        assert_eq!(edited(&|rows| rows.clear()), broken(1, ChainFault::Truncated));
        let twice = |rows: &mut Vec<AuditRow>| rows.insert(2, rows[1].clone());
        assert_eq!(edited(&twice), broken(3, ChainFault::Forked));
    }

    #[test]
    fn a_chain_written_again_from_some_row_on_ends_otherwise_than_its_head_says() {
        let (mut rows, head) = chain(5);
        let mut prev = rows[2].hash.clone();
        for row in &mut rows[3..] {
            row.event.body = json!({ "n": 0 });
            row.hash = row_hash(&prev, row.seq, &event_text(&row.event)).unwrap();
            row.prev = std::mem::replace(&mut prev, row.hash.clone());
        }
        assert_eq!(verify(INSTALL, rows, Some(&head)), broken(5, ChainFault::Forked));
    }

    #[test]
    fn rows_of_another_installation_and_rows_beyond_the_head_are_a_fork() {
        let (rows, head) = chain(2);
        assert_eq!(verify("another", rows.clone(), Some(&head)), broken(1, ChainFault::Forked));
        let earlier = ChainHead { seq: 1, hash: rows[0].hash.clone() };
        assert_eq!(verify(INSTALL, rows.clone(), Some(&earlier)), broken(2, ChainFault::Forked));
        assert_eq!(verify(INSTALL, rows, None), broken(3, ChainFault::Truncated));
    }
}
