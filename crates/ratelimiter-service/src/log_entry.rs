//! One entry of a counter's log, as it is packed in Redis: what was granted to whom, and when.
//!
//! Offsets and meaning are documented in `docs/redis-layout.md`; the scripts pack and parse the same bytes.

use crate::keys::MAX_QUANTITY;

/// Bytes before the writer.
pub const HEADER_BYTES: usize = 37;
/// Prefix sums are kept modulo this (2^48).
pub const PREFIX_MODULUS: u64 = 1 << 48;
const FORMAT: u8 = 1;
/// Integers are exact in Redis's Lua below this.
const EXACT: u64 = 1 << 53;
const WRITER_BYTES: std::ops::RangeInclusive<usize> = 3..=80;

/// One grant, as Redis recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// When it was decided: microseconds by Redis's clock.
    pub t_us: u64,
    /// Sum of all costs up to and including this one, modulo [`PREFIX_MODULUS`].
    pub prefix: u64,
    /// What was granted.
    pub cost: u64,
    /// Its number in the log.
    pub seq: u64,
    /// The key's generation then; 0 = never reset.
    pub generation: u64,
    /// The limit in force for it.
    pub limit: u64,
    /// `node@boot` of the node it was granted to.
    pub writer: String,
}

impl LogEntry {
    /// Reads one packed entry; `None` if the bytes are none.
    #[must_use]
    pub fn decode(raw: &[u8]) -> Option<Self> {
        let (header, writer) = raw.split_at_checked(HEADER_BYTES)?;
        if header[0] != FORMAT || !WRITER_BYTES.contains(&writer.len()) {
            return None;
        }
        let number = |from: usize, to: usize| {
            let mut bytes = [0; 8];
            bytes[..to - from].copy_from_slice(&header[from..to]);
            u64::from_le_bytes(bytes)
        };
        let entry = Self {
            t_us: number(1, 9),
            prefix: number(9, 15),
            cost: number(15, 19),
            seq: number(19, 25),
            generation: number(25, 33),
            limit: number(33, 37),
            writer: std::str::from_utf8(writer).ok().filter(|w| w.is_ascii())?.to_owned(),
        };
        let sound = (1..EXACT).contains(&entry.t_us)
            && entry.generation < EXACT
            && entry.seq >= 1
            && (1..=MAX_QUANTITY).contains(&entry.cost)
            && (1..=MAX_QUANTITY).contains(&entry.limit);
        sound.then_some(entry)
    }

    /// Packs the entry as the scripts do. Numbers too large for their field lose their high bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(HEADER_BYTES + self.writer.len());
        raw.push(FORMAT);
        let fields =
            [(self.t_us, 8), (self.prefix, 6), (self.cost, 4), (self.seq, 6), (self.generation, 8), (self.limit, 4)];
        for (number, bytes) in fields {
            raw.extend_from_slice(&number.to_le_bytes()[..bytes]);
        }
        raw.extend_from_slice(self.writer.as_bytes());
        raw
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_can_be_read(
            t_us in 1..EXACT, prefix in 0..PREFIX_MODULUS, cost in 1..=MAX_QUANTITY, seq in 1..PREFIX_MODULUS,
            generation in 0..EXACT, limit in 1..=MAX_QUANTITY, writer in "[a-z]{1,20}@[0-9a-f]{1,20}",
        ) {
            let entry = LogEntry { t_us, prefix, cost, seq, generation, limit, writer };
            prop_assert_eq!(LogEntry::decode(&entry.encode()), Some(entry));
        }

        #[test]
        fn arbitrary_bytes_never_panic(raw in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = LogEntry::decode(&raw);
        }
    }
}
