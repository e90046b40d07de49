//! Log entries and stored records as `docs/redis-layout.md` of the service describes them, written independently.

use crate::redis_server::RedisServer;

/// One grant.
#[derive(Clone)]
pub struct Grant {
    pub second: u64,
    pub cost: u32,
    pub writer: String,
}

pub fn grant(second: u64, cost: u32, writer: &str) -> Grant {
    Grant { second, cost, writer: writer.to_owned() }
}

/// Writes the log of `key` and `window_ms` as if these grants had been given.
pub async fn write_log(redis: &RedisServer, key: &str, window_ms: u64, limit: u32, grants: &[Grant]) {
    let (name, hash) = (format!("rl:{{{key}}}:w:{window_ms}"), format!("rl:{{{key}}}:h"));
    let mut prefix = 0_u64;
    for (index, grant) in grants.iter().enumerate() {
        prefix += u64::from(grant.cost);
        let entry = pack(grant.second * 1_000_000, prefix, grant.cost, index as u64 + 1, 0, limit, &grant.writer);
        redis.send(&[b"RPUSH", name.as_bytes(), &entry]).await;
    }
    redis.send(&[b"HSET", hash.as_bytes(), format!("w:{window_ms}").as_bytes(), b"1"]).await;
}

pub fn pack(t_us: u64, prefix: u64, cost: u32, seq: u64, generation: u64, limit: u32, writer: &str) -> Vec<u8> {
    let mut entry = vec![1];
    entry.extend_from_slice(&t_us.to_le_bytes());
    entry.extend_from_slice(&prefix.to_le_bytes()[..6]);
    entry.extend_from_slice(&cost.to_le_bytes());
    entry.extend_from_slice(&seq.to_le_bytes()[..6]);
    entry.extend_from_slice(&generation.to_le_bytes());
    entry.extend_from_slice(&limit.to_le_bytes());
    entry.extend_from_slice(writer.as_bytes());
    entry
}

/// Registers a node whose heartbeat is this old.
pub async fn register(redis: &RedisServer, id: &str, boot: &str, address: &str, age_us: u64) {
    let heartbeat = (redis.clock().await - age_us).to_string();
    let name = format!("rlreg:{{registry}}:node:{id}");
    let fields =
        [("id", id), ("boot_id", boot), ("address", address), ("heartbeat_us", &heartbeat), ("ttl_ms", "30000")];
    for (field, value) in fields {
        redis.send(&[b"HSET", name.as_bytes(), field.as_bytes(), value.as_bytes()]).await;
    }
    redis.send(&[b"ZADD", b"rlreg:{registry}:nodes", heartbeat.as_bytes(), id.as_bytes()]).await;
    redis.send(&[b"ZADD", b"rlreg:{registry}:boots", heartbeat.as_bytes(), format!("{id}@{boot}").as_bytes()]).await;
}
