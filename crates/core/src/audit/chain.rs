//! How rows are linked: what is hashed, over which bytes.

use operator_protocols::Timestamp;
use sha2::{Digest, Sha256};

use crate::{AuditEvent, canonical_json, sha256_hex};

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChainHead {
    /// The last row's place; 0 for a chain without rows.
    pub seq: u64,
    /// The last row's hash, hexadecimal; the genesis for a chain without rows.
    pub hash: String,
}

/// What the first row's `prev` is: it binds the chain to one installation.
pub fn genesis(install_id: &str) -> String {
    sha256_hex("operator/audit/genesis/1", install_id)
}

/// The hash of one row: SHA-256(0x00 ‖ the 32 bytes of `prev` ‖ `seq` as 8 bytes, big-endian ‖ `event_text`).
///
/// `None` where `prev` is not 64 lower-case hexadecimal digits.
pub fn row_hash(prev: &str, seq: u64, event_text: &str) -> Option<String> {
    let prev = digest_bytes(prev)?;
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(prev);
    hasher.update(seq.to_be_bytes());
    hasher.update(event_text.as_bytes());
    Some(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The canonical JSON of an event.
pub fn event_text(event: &AuditEvent) -> String {
    assemble(&canonical_json(&event.actor), event.at, &event.body.to_string(), &event.kind, &event.reference)
}

/// The canonical JSON of an event whose `actor` and `body` are JSON texts already. A store that keeps the parts as
/// text hashes exactly the bytes it keeps: nothing is lost by reading them as something else first.
pub(crate) fn assemble(actor: &str, at: Timestamp, body: &str, kind: &str, reference: &str) -> String {
    let (kind, reference) = (canonical_json(&kind), canonical_json(&reference));
    let at = at.as_millis();
    format!(r#"{{"actor":{actor},"at":{at},"body":{body},"kind":{kind},"reference":{reference}}}"#)
}

fn digest_bytes(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Actor, Identity, Principal, Role};

    #[test]
    fn a_hash_is_over_the_documented_bytes() {
        let prev = "00".repeat(31) + "ff";
        let mut bytes = vec![0];
        bytes.extend([0; 31]);
        bytes.extend([0xff, 0, 0, 0, 0, 0, 0, 1, 2]);
        bytes.extend(b"{}");
        let expected: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(row_hash(&prev, 258, "{}"), Some(expected));
    }

    #[test]
    fn what_is_no_hash_links_to_nothing() {
        for prev in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"A".repeat(64), &"é".repeat(32)] {
            assert_eq!(row_hash(prev, 1, "{}"), None, "{prev}");
        }
    }

    #[test]
    fn two_installations_begin_differently() {
        assert_ne!(genesis("0123456789ab"), genesis("0123456789ac"));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".*".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                proptest::collection::btree_map(".*", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_text_of_an_event_is_its_canonical_json_and_survives_reading_it_back(
            body in json(), kind in ".*", reference in ".*", name in ".*", at in any::<i64>(), uid in any::<u32>()
        ) {
            let actor = Actor::Principal(Principal { name, role: Role::Admin, identity: Identity::Peer { uid } });
            let event = AuditEvent { at: Timestamp::from_millis(at), actor, kind, reference, body };
            let text = event_text(&event);
            prop_assert_eq!(&text, &canonical_json(&event));
            let back: AuditEvent = serde_json::from_str(&text).expect("canonical JSON reads back");
            prop_assert_eq!(event_text(&back), text);
        }
    }
}
