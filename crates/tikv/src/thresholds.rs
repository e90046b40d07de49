//! Every number that the invariants are judged by, in one table: the settings `thresholds.NAME` and the page in the
//! documentation are made from it.

use std::collections::BTreeMap;

use operator_protocols::{SubjectError, Value};

/// One number that can be set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Threshold {
    /// Its name in the settings.
    pub(crate) name: &'static str,
    /// What it is unless it is set.
    pub(crate) default: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// The least it may be set to.
    pub(crate) min: f64,
    /// The greatest it may be set to.
    pub(crate) max: f64,
    /// What it is held against.
    pub(crate) what: &'static str,
    /// Where the default comes from.
    pub(crate) source: &'static str,
}

macro_rules! thresholds {
    ($($limit:ident = $name:literal, $default:expr, $unit:literal, $min:expr => $max:expr, $what:literal, $source:expr;)+) => {
        /// The name of a threshold in code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Limit {
            $(#[doc = $what] $limit),+
        }

        /// Every threshold, in the order of [`Limit`].
        pub(crate) const TABLE: &[Threshold] = &[$(Threshold {
            name: $name, default: $default, unit: $unit, min: $min, max: $max, what: $what, source: $source,
        }),+];
    };
}

const MIB: f64 = 1024.0 * 1024.0;
const GIB: f64 = 1024.0 * MIB;

/// Where a default comes from that no source of TiKV states.
const JUDGEMENT: &str = "judgement; to be fitted to the cluster";

thresholds! {
    HeartbeatAge = "heartbeat_age", 20.0, "s", 1.0 => 3600.0,
        "age of a store's last heartbeat from which on it is disconnected", "PD pkg/core/store.go";
    DeadAge = "dead_age", 600.0, "s", 1.0 => 86_400.0,
        "age of a heartbeat from which on a store that is not scraped either is down; a removal that waits for such a store is stuck",
        "PD pkg/core/store.go (unhealthy)";
    WarmUp = "warm_up", 600.0, "s", 0.0 => 86_400.0,
        "time after a start in which a store's latency and load are not judged", JUDGEMENT;
    Settling = "settling", 300.0, "s", 0.0 => 86_400.0,
        "time after a change of PD's leader in which numbers of regions are not judged",
        "PD server/cluster (prepare checker)";
    NotFalling = "not_falling", 600.0, "s", 1.0 => 86_400.0,
        "time in which a number that should get less must get less", JUDGEMENT;
    RemovalNotFalling = "removal_not_falling", 1800.0, "s", 1.0 => 604_800.0,
        "time in which a store that is being removed must lose regions", JUDGEMENT;
    Complaints = "complaints", 1.0, "1/s", 0.0 => 1e6,
        "messages a second that a store fails to send to another, from which on it complains of it", JUDGEMENT;
    Unreachable = "unreachable", 10.0, "1/s", 0.0 => 1e6,
        "messages a second that a store fails to send to another that is alive",
        "TiKV metrics/alertmanager (TiKV_server_report_failure_msg_total)";
    NetworkScore = "network_slow_score", 95.0, "1", 1.0 => 100.0,
        "score of slowness of a link between two stores", "PD evict-slow-store-scheduler";
    SlowScore = "slow_score", 80.0, "1", 1.0 => 100.0,
        "score of slowness of a store", "PD pkg/core/store.go (slow store threshold)";
    AppendLog = "append_log", 1.0, "s", 0.0 => 3600.0,
        "99th percentile of appending to the raft log from which on the disk is slow",
        "TiKV metrics/alertmanager (TiKV_raft_append_log_duration_secs)";
    AppendLogHint = "append_log_hint", 0.1, "s", 0.0 => 3600.0,
        "99th percentile of appending to the raft log from which on a slow commit is put down to it", JUDGEMENT;
    ProposeWait = "propose_wait", 0.1, "s", 0.0 => 3600.0,
        "99th percentile of the wait before a proposal", JUDGEMENT;
    ApplyWait = "apply_wait", 0.1, "s", 0.0 => 3600.0,
        "99th percentile of the wait before a log is applied", JUDGEMENT;
    CommitLog = "commit_log", 0.2, "s", 0.0 => 3600.0,
        "99th percentile of committing a log", JUDGEMENT;
    PointGet = "point_get", 0.05, "s", 0.0 => 3600.0,
        "99th percentile of reading one key", JUDGEMENT;
    BatchGet = "batch_get", 0.1, "s", 0.0 => 3600.0,
        "99th percentile of reading a batch of keys", JUDGEMENT;
    Transaction = "transaction", 0.2, "s", 0.0 => 3600.0,
        "99th percentile of prewrite and commit", JUDGEMENT;
    RawPut = "raw_put", 0.1, "s", 0.0 => 3600.0,
        "99th percentile of writing without a transaction", JUDGEMENT;
    Scan = "scan", 0.3, "s", 0.0 => 3600.0,
        "99th percentile of a scan", JUDGEMENT;
    Coprocessor = "coprocessor", 1.0, "s", 0.0 => 3600.0,
        "99th percentile of a coprocessor request", JUDGEMENT;
    Traffic = "minimum_traffic", 1.0, "1/s", 0.0 => 1e9,
        "requests a second below which latency says nothing", JUDGEMENT;
    WritingBytes = "scheduler_writing", 80.0 * MIB, "bytes", 1.0 => 1e15,
        "bytes that the scheduler is writing", "80 % of TiKV storage.scheduler-pending-write-threshold";
    Level0Files = "level0_files", 40.0, "1", 1.0 => 1e6,
        "files at level 0 of the storage engine; flow control begins at 20", JUDGEMENT;
    PendingCompaction = "pending_compaction", 96.0 * GIB, "bytes", 1.0 => 1e18,
        "bytes that wait for compaction", "half of TiKV storage.flow-control.soft-pending-compaction-bytes-limit";
    CoprocessorWait = "coprocessor_wait", 1.0, "s", 0.0 => 3600.0,
        "99.9th percentile of the wait of a coprocessor request", JUDGEMENT;
    Cpu = "cpu", 0.8, "1", 0.01 => 1.0,
        "part of its processors that a store uses", "TiKV metrics/alertmanager (TiKV_cpu_quota)";
    Memory = "memory", 0.9, "1", 0.01 => 1.0,
        "part of its memory that a store uses", "TiKV memory-usage-high-water";
    HotFactor = "hot_factor", 2.0, "1", 1.0 => 1000.0,
        "times the median of the stores that one store is asked", JUDGEMENT;
    HotShare = "hot_share", 0.2, "1", 0.0 => 1.0,
        "part of all requests that one store is asked", JUDGEMENT;
    HotTraffic = "hot_traffic", 100.0, "1/s", 0.0 => 1e9,
        "requests a second in all below which no store is hot", JUDGEMENT;
    HotRegion = "hot_region", 0.2, "1", 0.0 => 1.0,
        "part of what a store bears that one region is, to be named with what is wrong there", JUDGEMENT;
    LeaderRatio = "leader_ratio", 1.3, "1", 1.0 => 1000.0,
        "leaders per weight of the store with most, over those of the store with fewest", JUDGEMENT;
    LeaderDifference = "leader_difference", 20.0, "1", 0.0 => 1e9,
        "leaders per weight between the store with most and the one with fewest", JUDGEMENT;
    SpaceLeft = "space_left", 0.2, "1", 0.0 => 1.0,
        "part of the disk that is left", "PD schedule.low-space-ratio; TiKV metrics/alertmanager (TiKV_low_space)";
    BytesLeft = "bytes_left", 10.0 * GIB, "bytes", 0.0 => 1e15,
        "bytes of the disk that are left", "twice TiKV storage.reserve-space";
    PendingPeers = "pending_peers", 100.0, "1", 0.0 => 1e9,
        "regions with a replica that lags", "PD metrics/alertmanager (PD_pending_peer_region_count)";
    LogLag = "log_lag", 5000.0, "1", 0.0 => 1e12,
        "99th percentile of the entries a replica lags", "TiKV metrics/alertmanager (TiKV_raft_log_lag)";
    WalFsync = "wal_fsync", 0.1, "s", 0.0 => 3600.0,
        "99th percentile of etcd's write to disk", JUDGEMENT;
    Tso = "tso", 0.01, "s", 0.0 => 3600.0,
        "99th percentile of handing out timestamps", JUDGEMENT;
    LeaderChanges = "leader_changes", 2.0, "1", 1.0 => 1000.0,
        "changes of PD's leader within ten minutes", "PD metrics/alertmanager (PD_leader_change)";
    Restarts = "restarts", 3.0, "1", 1.0 => 1000.0,
        "starts of one store within thirty minutes", JUDGEMENT;
    ResolvedTs = "resolved_ts", 60.0, "s", 0.0 => 86_400.0,
        "how far reading from replicas lags", JUDGEMENT;
    AccountsDiffer = "accounts_differ", 0.1, "1", 0.0 => 1.0,
        "part of a store's regions that PD knows of and the store does not have; twenty regions at least", JUDGEMENT;
}

impl Limit {
    /// Its row in the table.
    pub(crate) fn row(self) -> &'static Threshold {
        // The enum and the table are written by one macro, in one order.
        &TABLE[self as usize]
    }
}

/// The thresholds of one cluster.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Thresholds {
    set: BTreeMap<&'static str, f64>,
}

impl Thresholds {
    /// Reads the setting `thresholds`: a table of numbers by name. What it does not name has its default.
    ///
    /// # Errors
    /// Names the threshold that there is not, or whose number is out of bounds, and what would be right.
    pub(crate) fn read(setting: Option<&Value>) -> Result<Self, SubjectError> {
        let given = match setting {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Map(given)) => given,
            Some(other) => {
                return Err(SubjectError::new("thresholds", format!("expected a table of numbers, given {other}")));
            }
        };
        let mut set = BTreeMap::new();
        for (name, value) in given {
            let field = format!("thresholds.{name}");
            let Some(row) = TABLE.iter().find(|row| row.name == name) else {
                return Err(SubjectError::new(field, unknown(name)));
            };
            match value.as_f64() {
                Some(number) if number.is_finite() && (row.min..=row.max).contains(&number) => {
                    set.insert(row.name, number);
                }
                _ => {
                    let right = format!("expected a number from {} to {} ({})", row.min, row.max, row.unit);
                    return Err(SubjectError::new(field, format!("{right}, given {value}")));
                }
            }
        }
        Ok(Self { set })
    }

    /// The number in force.
    pub(crate) fn of(&self, limit: Limit) -> f64 {
        let row = limit.row();
        self.set.get(row.name).copied().unwrap_or(row.default)
    }
}

fn unknown(name: &str) -> String {
    let nearest = TABLE
        .iter()
        .map(|row| (strsim::normalized_damerau_levenshtein(name, row.name), row.name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.5);
    match nearest {
        Some((_, known)) => format!("there is no such threshold; did you mean {known}?"),
        None => "there is no such threshold; docs/tikv-invariants.md lists them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_threshold_has_a_name_of_its_own_and_a_default_within_its_bounds() {
        let names: BTreeSet<_> = TABLE.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), TABLE.len());
        for row in TABLE {
            assert!((row.min..=row.max).contains(&row.default), "{}", row.name);
        }
        assert_eq!(Limit::AccountsDiffer.row().name, "accounts_differ", "the table has the order of the enum");
    }

    #[test]
    fn a_threshold_that_is_set_is_in_force_and_the_others_keep_their_defaults() {
        let setting = Value::map([("heartbeat_age", Value::Int(45)), ("space_left", Value::Float(0.3))]);
        let thresholds = Thresholds::read(Some(&setting)).expect("right");
        assert_eq!((thresholds.of(Limit::HeartbeatAge), thresholds.of(Limit::SpaceLeft)), (45.0, 0.3));
        assert_eq!(thresholds.of(Limit::DeadAge), 600.0);
        assert_eq!(Thresholds::read(None), Ok(Thresholds::default()));
    }

    #[test]
    fn a_wrong_threshold_is_named_with_what_would_be_right() {
        for (setting, expected) in [
            (
                Value::map([("hartbeat_age", Value::Int(1))]),
                "thresholds.hartbeat_age: there is no such threshold; did you mean heartbeat_age?",
            ),
            (Value::map([("zzz", Value::Int(1))]), "thresholds.zzz: there is no such threshold; docs/"),
            (
                Value::map([("space_left", Value::Int(2))]),
                "thresholds.space_left: expected a number from 0 to 1 (1), given 2",
            ),
            (Value::map([("space_left", Value::from("x"))]), "thresholds.space_left: expected a number"),
            (Value::Int(3), "thresholds: expected a table of numbers, given 3"),
        ] {
            let error = Thresholds::read(Some(&setting)).expect_err(expected).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
