//! Keys of regions: rows of one table, encoded as TiKV encodes them, in upper-case hexadecimal digits.

/// The table that all rows belong to.
const TABLE: i64 = 0x5F;

/// A row's key; the rows before the first and after the last have none.
pub(super) fn of_row(row: u64) -> String {
    if row == 0 || row == u64::MAX {
        return String::new();
    }
    let mut key = b"t".to_vec();
    key.extend((TABLE ^ i64::MIN).to_be_bytes());
    key.extend(b"_r");
    key.extend((row ^ (1 << 63)).to_be_bytes());
    hex(&encoded(&key))
}

/// The row that a key stands at.
pub(super) fn row_of(key: &str) -> Option<u64> {
    if key.is_empty() {
        return Some(0);
    }
    let encoded: Option<Vec<u8>> =
        (0..key.len() / 2).map(|at| u8::from_str_radix(key.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    let raw: Vec<u8> = encoded?.chunks(9).flat_map(|group| group[..group.len().min(8)].to_vec()).collect();
    let handle: [u8; 8] = raw.get(11..19)?.try_into().ok()?;
    Some(u64::from_be_bytes(handle) ^ (1 << 63))
}

/// Groups of eight bytes, each followed by a byte that says how many of them are filling.
fn encoded(key: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut groups: Vec<&[u8]> = key.chunks(8).collect();
    if key.len().is_multiple_of(8) {
        groups.push(&[]);
    }
    for group in groups {
        let filling = 8 - group.len();
        out.extend(group);
        out.extend(std::iter::repeat_n(0, filling));
        out.push(0xFF - filling as u8);
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_encoded_as_a_real_one_and_leads_back_to_its_row() {
        assert_eq!(of_row(41).len(), 54);
        assert!(of_row(41).starts_with("7480000000000000FF5F5F7280000000"), "{}", of_row(41));
        for row in [1, 41, 299_000_000] {
            assert_eq!(row_of(&of_row(row)), Some(row));
        }
        assert_eq!(row_of(""), Some(0));
        assert_eq!(row_of("zz"), None);
    }
}
