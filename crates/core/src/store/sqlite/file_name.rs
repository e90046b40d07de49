//! A subject's name as part of a file's name.

use crate::sha256_hex;

/// The longest encoded subject name that a file is named after; longer ones are hashed.
const MAX_NAME: usize = 128;

/// A subject's name as part of a file's name: letters, digits, `-` and `_` as they are, other bytes as `%` and two
/// digits; a hash, where that is too long.
pub(super) fn encode(name: &str) -> String {
    let encoded = name.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02x}"));
        }
        text
    });
    if encoded.len() <= MAX_NAME { encoded } else { format!("={}", sha256_hex("operator/kill-switch/1", name)) }
}

/// The name that was encoded, where it was not hashed.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                rest = after;
            }
            (b'%' | b'=', _) => return None,
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}
