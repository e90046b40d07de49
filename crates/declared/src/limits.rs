//! How much a file may describe and an answer may hold. Everything that comes from outside is held to these.

use std::time::Duration;

/// Bytes of the file.
pub(crate) const FILE_BYTES: u64 = 1 << 20;
/// Components.
pub(crate) const COMPONENTS: usize = 256;
/// Checks of one component.
pub(crate) const CHECKS: usize = 8;
/// Checks of all components: they are made side by side, and each needs a socket.
pub(crate) const ALL_CHECKS: usize = 1_024;
/// Dependencies.
pub(crate) const DEPENDENCIES: usize = 2_000;
/// Signals.
pub(crate) const SIGNALS: usize = 2_000;
/// Signals and checks that are PromQL: each is a query to one server.
pub(crate) const QUERIES: usize = 200;
/// Invariants.
pub(crate) const INVARIANTS: usize = 500;
/// Labels of a component or of a metric that is looked for.
pub(crate) const LABELS: usize = 16;
/// Readings that one signal may give.
pub(crate) const READINGS_OF_ONE: usize = 500;
/// Readings in one observation.
pub(crate) const READINGS: usize = 10_000;
/// Bytes of a text in the file.
pub(crate) const TEXT_BYTES: usize = 4_096;
/// Bytes of the name of an entity that a metric names.
pub(crate) const KEY_BYTES: usize = 200;
/// Bytes that a check reads.
pub(crate) const CHECK_BYTES: usize = 64 << 10;

/// The shortest and the longest time a check or a query may be given.
pub(crate) const TIMEOUT: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(10));
/// What it is given unless the file says otherwise.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);
/// What a query to a Prometheus server is given.
pub(crate) const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest grace, time to clear, and time for which a value must not change.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The longest time for which a value must not change: as much of the past must be kept.
pub(crate) const LONGEST_UNCHANGED: Duration = Duration::from_secs(3600);

/// Checks that are under way at one time.
pub(crate) const CHECKS_AT_ONCE: usize = 128;
/// Scrapes that are under way at one time: each may hold some megabytes.
pub(crate) const SCRAPES_AT_ONCE: usize = 32;
/// Queries that are under way at one time.
pub(crate) const QUERIES_AT_ONCE: usize = 16;
