//! Writing into a counter as a client that is none of the nodes.

use std::fmt::Write as _;
use std::net::SocketAddr;

use redis::Script;

use super::redis_commands::connect;
use crate::error::LabError;

const SCRIPT: &str = include_str!("outside_write.lua");
/// In no registry of nodes, ever.
const WRITER: &str = "unknown-client@outside";

/// What to write where.
pub(super) struct OutsideWrite<'a> {
    pub(super) key: &'a str,
    pub(super) window_ms: u32,
    pub(super) entries: u32,
    pub(super) cost: u32,
    /// The limit that an entry names where the log has none to copy it from.
    pub(super) limit: u32,
}

/// Writes it, all at once.
pub(super) async fn write(address: SocketAddr, write: &OutsideWrite<'_>) -> Result<(), LabError> {
    let mut connection = connect(address).await?;
    let key = encode(write.key);
    let script = Script::new(SCRIPT);
    let mut invocation = script.key(format!("rl:{{{key}}}:w:{}", write.window_ms));
    invocation.key(format!("rl:{{{key}}}:h"));
    invocation.arg(write.window_ms).arg(write.entries).arg(write.cost).arg(write.limit).arg(WRITER);
    let written: Result<u64, _> = invocation.invoke_async(&mut connection).await;
    written.map(|_| ()).map_err(|error| LabError::asked(format!("write into the counter of {}", write.key), error))
}

/// A limiter key as it stands in the names of Redis's keys: every byte but `A–Z a–z 0–9 - . _ ~` as `%XX`.
pub(super) fn encode(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_cut_a_hash_tag_short_is_encoded() {
        assert_eq!(encode("tenant-1._~"), "tenant-1._~");
        assert_eq!(encode("a}b:c*/ü"), "a%7Db%3Ac%2A%2F%C3%BC");
    }
}
