//! What is said to Redis directly, past every link.

use std::net::SocketAddr;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, cmd};

use crate::error::LabError;

/// A Redis on this machine that does not answer by then is broken.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A connection of its own.
pub(super) async fn connect(address: SocketAddr) -> Result<MultiplexedConnection, LabError> {
    let what = || format!("connect to Redis at {address}");
    let client = Client::open(format!("redis://{address}")).map_err(|error| LabError::asked(what(), error))?;
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(Some(TIMEOUT));
    let connected = client.get_multiplexed_async_connection_with_config(&config).await;
    connected.map_err(|error| LabError::asked(what(), error))
}

async fn ask<T: FromRedisValue>(address: SocketAddr, what: &str, command: &Cmd) -> Result<T, LabError> {
    let mut connection = connect(address).await?;
    command.query_async(&mut connection).await.map_err(|error| LabError::asked(what, error))
}

/// Holds writes back for so long.
pub(super) async fn pause_writes(address: SocketAddr, for_ms: u32) -> Result<(), LabError> {
    ask(address, "pause Redis's writes", cmd("CLIENT").arg("PAUSE").arg(for_ms).arg("WRITE")).await
}

/// Lets writes go on.
pub(super) async fn resume_writes(address: SocketAddr) -> Result<(), LabError> {
    ask(address, "let Redis write", cmd("CLIENT").arg("UNPAUSE")).await
}

/// Makes Redis throw away what it cannot hold in so much of the memory that its data takes now.
pub(super) async fn evict(address: SocketAddr, keep_percent: u8) -> Result<(), LabError> {
    let info: String = ask(address, "ask Redis for its memory", cmd("INFO").arg("memory")).await?;
    let (used, startup) = (info_number(&info, "used_memory"), info_number(&info, "used_memory_startup"));
    let (Some(used), Some(startup)) = (used, startup) else {
        return Err(LabError::asked("ask Redis for its memory", "no used_memory in its answer"));
    };
    // 0 would mean no limit at all.
    let keep = (startup + used.saturating_sub(startup) * u64::from(keep_percent) / 100).max(1);
    let mut set = cmd("CONFIG");
    set.arg("SET").arg("maxmemory-policy").arg("allkeys-lru").arg("maxmemory").arg(keep);
    ask(address, "limit Redis's memory", &set).await
}

/// Gives Redis all the memory it wants.
pub(super) async fn keep_all(address: SocketAddr) -> Result<(), LabError> {
    let mut set = cmd("CONFIG");
    set.arg("SET").arg("maxmemory").arg(0).arg("maxmemory-policy").arg("noeviction");
    ask(address, "free Redis's memory", &set).await
}

fn info_number(info: &str, name: &str) -> Option<u64> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_its_whole_name() {
        let info = "# Memory\r\nused_memory_rss:9\r\nused_memory:1024\r\nused_memory_startup:512\r\n";
        assert_eq!(info_number(info, "used_memory"), Some(1024));
        assert_eq!(info_number(info, "used_memory_startup"), Some(512));
        assert_eq!(info_number(info, "used"), None);
    }
}
