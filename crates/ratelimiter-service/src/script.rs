//! The Lua scripts: everything that changes something in Redis is one of these, atomic and with a deadline.

use std::sync::LazyLock;

/// One script and the SHA-1 by which Redis knows it.
#[derive(Debug)]
pub struct Script {
    /// What it is called in logs.
    pub name: &'static str,
    /// Its source.
    pub source: &'static str,
    /// Whether it may run as `EVALSHA_RO` (also during a write pause).
    pub read_only: bool,
    sha: LazyLock<String>,
}

impl Script {
    /// SHA-1 of the source in lower-case hex.
    #[must_use]
    pub fn sha(&self) -> &str {
        &self.sha
    }
}

macro_rules! script {
    ($(#[$doc:meta])* $name:ident, $label:literal, $read_only:literal, $($part:expr),+) => {
        $(#[$doc])*
        pub static $name: Script = Script {
            name: $label,
            source: concat!($($part),+),
            read_only: $read_only,
            sha: LazyLock::new(|| sha1_hex(concat!($($part),+))),
        };
    };
}

// The header makes Redis refuse a script whole when it is out of memory, instead of failing half-way.
script!(/** One decision. */ CHECK, "check", false,
    "#!lua\n", include_str!("script/log.lua"), include_str!("script/check.lua"));
script!(/** Reads one counter. */ COUNTER, "counter", true,
    "#!lua flags=no-writes\n", include_str!("script/log.lua"), include_str!("script/counter.lua"));
script!(/** Resets a key. */ RESET, "reset", false,
    "#!lua\n", include_str!("script/log.lua"), include_str!("script/once.lua"), include_str!("script/reset.lua"));
script!(/** Stores or deletes a limit. */ LIMIT, "limit", false,
    "#!lua\n", include_str!("script/log.lua"), include_str!("script/once.lua"), include_str!("script/limit.lua"));
script!(/** A node says that it lives. */ HEARTBEAT, "heartbeat", false,
    "#!lua\n", include_str!("script/log.lua"), include_str!("script/heartbeat.lua"));
script!(/** Takes a node out of the registry. */ FORGET, "forget", false,
    "#!lua\n", include_str!("script/log.lua"), include_str!("script/forget.lua"));
script!(/** Reads the registry. */ NODES, "nodes", true,
    "#!lua flags=no-writes\n", include_str!("script/log.lua"), include_str!("script/nodes.lua"));
script!(/** Whether Redis takes writes in time. */ PING, "ping", false,
    "#!lua\n", include_str!("script/log.lua"), include_str!("script/ping.lua"));

/// All of them, to load them into a new Redis.
pub static ALL: [&Script; 8] = [&CHECK, &COUNTER, &RESET, &LIMIT, &HEARTBEAT, &FORGET, &NODES, &PING];

fn sha1_hex(source: &str) -> String {
    redis::Script::new(source).get_hash().to_owned()
}
