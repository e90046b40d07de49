//! One value, one text: what is hashed must not depend on how it was built.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// JSON with every map's keys in order and no white space.
///
/// # Panics
/// Never for the types of this crate: they have text keys only. A value that cannot be JSON becomes `null`.
pub fn canonical_json(value: &impl Serialize) -> String {
    // serde_json's own map is ordered by key (the `preserve_order` feature is not enabled), so one pass through it
    // puts the fields of structs in order too.
    serde_json::to_value(value).unwrap_or(serde_json::Value::Null).to_string()
}

/// SHA-256 of `domain`, a zero byte and `text`, in lower-case hexadecimal.
pub fn sha256_hex(domain: &str, text: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(domain.as_bytes());
    hasher.update([0]);
    hasher.update(text.as_bytes());
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
