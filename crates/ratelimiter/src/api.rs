//! What a node says over HTTP, as far as it is read here. Everything is checked before it is believed: a text that is
//! too long, a key with control characters or a number out of range makes the whole answer one that is not understood.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// The longest key a limiter takes, in bytes.
const MAX_KEY_BYTES: usize = 512;
/// The largest limit, window (ms) and cost a limiter takes.
pub(crate) const MAX_QUANTITY: u64 = 1_000_000_000;
/// Sums of costs stay below this, even with writers from outside: 2^48, the modulus of the log's prefix sums.
pub(crate) const MAX_SUM: u64 = 1 << 48;

/// How a node decides at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Together with the others, through Redis.
    Coordinated,
    /// From its own memory, its share of the limit.
    Local,
    /// It accepts everything.
    Open,
    /// It refuses everything.
    Closed,
}

impl Mode {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coordinated => "coordinated",
            Self::Local => "local",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Settings of a node that must be the same on all nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSettings {
    /// The limit where nothing else says one.
    pub default_limit: u64,
    /// The window where nothing else says one, in milliseconds.
    pub default_window_ms: u64,
    /// What it does without Redis: `local`, `open` or `closed`.
    pub on_redis_failure: Mode,
    /// How long a decision waits for Redis, in milliseconds.
    pub redis_timeout_ms: u64,
}

/// The answer of `GET /health`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Health {
    /// Its name.
    #[serde(deserialize_with = "node_id")]
    pub node_id: String,
    /// Which start of it.
    #[serde(deserialize_with = "short_text")]
    pub boot_id: String,
    /// The version it runs.
    #[serde(deserialize_with = "short_text")]
    pub version: String,
    /// Whether its Redis answers its pings.
    pub redis_connected: bool,
    /// Which start of which Redis it is connected to, or was last.
    #[serde(default, deserialize_with = "optional_short_text")]
    pub redis_run_id: Option<String>,
    /// How it decides.
    pub mode: Mode,
    /// Since how many seconds it runs.
    pub uptime_s: f64,
    /// Whether it was told to take no more traffic.
    #[serde(default)]
    pub draining: bool,
    /// Whether it is about to stop.
    #[serde(default)]
    pub leaving: bool,
    /// What must be the same on all nodes.
    pub settings: NodeSettings,
}

/// One second of what a node let through for one key and window.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AdmittedRow {
    /// The key.
    #[serde(deserialize_with = "key")]
    pub key: String,
    /// The window, in milliseconds.
    #[serde(deserialize_with = "quantity")]
    pub window_ms: u64,
    /// The generation of the key, in microseconds by Redis's clock; 0 = never reset.
    #[serde(deserialize_with = "micros")]
    pub generation: u64,
    /// The second, by Redis's clock.
    #[serde(deserialize_with = "second")]
    pub second: i64,
    /// Cost that Redis granted this node.
    #[serde(deserialize_with = "sum")]
    pub admitted: u64,
    /// Cost that this node let through without Redis.
    #[serde(deserialize_with = "sum")]
    pub degraded: u64,
    /// Cost sent to Redis whose outcome this node did not learn in time.
    #[serde(deserialize_with = "sum")]
    pub unanswered: u64,
    /// From which second on the rows of this key and window are complete.
    #[serde(deserialize_with = "second")]
    pub since: i64,
}

/// The answer of `GET /api/admitted`: one page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AdmittedPage {
    /// The node.
    #[serde(deserialize_with = "node_id")]
    pub node_id: String,
    /// Which start of it.
    #[serde(deserialize_with = "short_text")]
    pub boot_id: String,
    /// Redis's clock at the answer, in microseconds; none if it was never learned.
    pub as_of: Option<u64>,
    /// The rows of this page.
    pub rows: Vec<AdmittedRow>,
    /// How many (key, window) have rows.
    pub tracked: u64,
    /// About how many have none for want of room.
    pub untracked: u64,
    /// Where the next page begins; none if this is the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// The answer of `GET /api/limits`, as far as it is used: which keys have a stored limit, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LimitsPage {
    /// The stored limits of this page.
    pub overrides: Vec<Override>,
    /// Where the next page begins; none if this is the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// A stored limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Override {
    /// The key.
    #[serde(deserialize_with = "key")]
    pub key: String,
    /// When it was last changed, in microseconds by Redis's clock.
    #[serde(deserialize_with = "micros")]
    pub version: u64,
}

/// The answer of the calls about a drain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Drain {
    /// The node.
    #[serde(deserialize_with = "node_id")]
    pub id: String,
    /// Whether it is drained.
    pub draining: bool,
    /// By whom.
    #[serde(default, deserialize_with = "optional_text")]
    pub owner: Option<String>,
    /// Until when, as the node writes it.
    #[serde(default, deserialize_with = "optional_short_text")]
    pub until: Option<String>,
    /// Rises by one at each change, from 0 at the node's start.
    pub version: u64,
}

/// The answer of a reset.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ResetDone {
    /// The key.
    #[serde(deserialize_with = "key")]
    pub key: String,
    /// The key's generation from now on.
    #[serde(deserialize_with = "micros")]
    pub generation: u64,
}

/// The answer of a change of a limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LimitDone {
    /// The key.
    #[serde(deserialize_with = "key")]
    pub key: String,
    /// The limit now stored.
    #[serde(deserialize_with = "quantity")]
    pub limit: u64,
    /// The record's version from now on.
    #[serde(deserialize_with = "micros")]
    pub version: u64,
}

/// The answer of a resync.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Resynced {
    /// Whether the view was replaced.
    pub resynced: bool,
    /// How many nodes it holds.
    pub nodes: u64,
    /// How many stored limits it holds.
    pub limits: u64,
}

/// The body of an error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(default)]
pub struct ApiError {
    /// Which error, for programs.
    pub error: String,
    /// Which error, for people.
    pub message: String,
    /// With `redis_unavailable`: `none` if nothing was done and nothing will be.
    pub outcome: Option<String>,
    /// With `drain_owned`: who drained it.
    pub owner: Option<String>,
}

/// What is appended to a status: nothing, where the body said nothing.
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.error.is_empty() && self.message.is_empty() {
            return Ok(());
        }
        write!(f, " {}: {}", self.error, self.message)
    }
}

/// Whether a text can be the name of a node: 1 to 40 letters, digits, `-`, `_` or `.`.
pub(crate) fn is_node_id(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Whether a text can be a key: 1 to 512 bytes without control characters.
pub(crate) fn is_key(text: &str) -> bool {
    (1..=MAX_KEY_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn checked_text<'de, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
    fits: impl Fn(&str) -> bool,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if fits(&text) { Ok(text) } else { Err(de::Error::custom(format!("expected {expected}"))) }
}

fn checked_number<'de, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
    fits: impl Fn(u64) -> bool,
) -> Result<u64, D::Error> {
    let number = u64::deserialize(deserializer)?;
    if fits(number) { Ok(number) } else { Err(de::Error::custom(format!("expected {expected}, got {number}"))) }
}

fn is_short(text: &str) -> bool {
    text.len() <= 80 && !text.chars().any(char::is_control)
}

fn node_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked_text(deserializer, "a node's name", is_node_id)
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked_text(deserializer, "a key of 1 to 512 bytes without control characters", is_key)
}

fn short_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked_text(deserializer, "at most 80 bytes of text", is_short)
}

fn optional_short_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if !is_short(&text) => Err(de::Error::custom("expected at most 80 bytes of text")),
        text => Ok(text),
    }
}

fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if !is_key(&text) => Err(de::Error::custom("expected 1 to 512 bytes of text")),
        text => Ok(text),
    }
}

fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    checked_number(deserializer, "a number from 1 to 1000000000", |number| (1..=MAX_QUANTITY).contains(&number))
}

fn sum<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    checked_number(deserializer, "a sum below 2^48", |number| number < MAX_SUM)
}

fn micros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    checked_number(deserializer, "microseconds below 2^53", |number| number < 1 << 53)
}

fn second<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = checked_number(deserializer, "a second below 2^33", |number| number < 1 << 33)?;
    i64::try_from(number).map_err(de::Error::custom)
}
