//! A subject's name as part of a file's name.

use crate::sha256_hex;

/// The longest encoded subject name that a file is named after; longer ones are hashed.
const MAX_NAME: usize = 128;

/// A subject's name as part of a file's name: as it is, so that somebody who makes the file by hand gets it right, but
/// for what no file can be called and for what encoding itself needs: those bytes as `%` and two digits. A hash, where
/// that is too long.
pub(super) fn encode(name: &str) -> String {
    let mut encoded = String::new();
    for letter in name.chars() {
        match letter {
            '/' | '%' | '=' => encoded.push_str(&format!("%{:02x}", u32::from(letter))),
            letter if letter.is_ascii_control() => encoded.push_str(&format!("%{:02x}", u32::from(letter))),
            letter => encoded.push(letter),
        }
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, encode};

    #[test]
    fn an_ordinary_name_is_left_as_it_is() {
        for name in ["shop", "eu-shop_2", "my.subject", "two words", "größe"] {
            assert_eq!(encode(name), name);
        }
        assert_eq!(encode("../a%"), "..%2fa%25");
    }

    proptest! {
        #[test]
        fn every_name_is_a_file_name_of_its_own(a in ".*", b in ".*") {
            let encoded = encode(&a);
            prop_assert!(encoded.len() <= 128 && !encoded.contains(['/', '\0']));
            prop_assert!(decode(&encoded).is_none_or(|name| name == a));
            prop_assert_eq!(encoded == encode(&b), a == b);
        }

        #[test]
        fn what_is_no_code_is_no_name(text in "[%a-f0-9=]{0,6}") {
            prop_assert!(decode(&text).is_none_or(|name| name.len() <= text.len()));
        }
    }
}
