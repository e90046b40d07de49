//! What the questions answer, for series as TiKV and PD expose them: `promtool`, which comes with Prometheus, evaluates
//! them. Where it is not installed the tests say so and pass.

use std::process::{Command, Stdio};

use operator_tikv::queries;

/// Series, each with its values one a 15 s: `name{labels}`, and the values in promtool's notation.
type Given<'a> = &'a [(&'a str, &'a str)];
/// Series of the answer, and their values.
type Expected<'a> = &'a [(&'a str, f64)];

/// Asserts what the question called `name` answers `minutes` after the first values.
fn answers(name: &str, given: Given<'_>, minutes: u32, expected: Expected<'_>) {
    let query = queries::find(name).expect("in the catalogue");
    let expression = query.render("1m", "job=\"tikv\"", "job=\"pd\"", "instance").replace('\'', "''");
    let mut test = "evaluation_interval: 15s\ntests:\n- interval: 15s\n  input_series:\n".to_owned();
    for (series, values) in given {
        test.push_str(&format!("  - series: '{series}'\n    values: '{values}'\n"));
    }
    test.push_str(&format!("  promql_expr_test:\n  - expr: '{expression}'\n    eval_time: {minutes}m\n"));
    if !expected.is_empty() {
        test.push_str("    exp_samples:\n");
    }
    for (labels, value) in expected {
        test.push_str(&format!("    - labels: '{labels}'\n      value: {value}\n"));
    }
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("test.yml");
    std::fs::write(&file, &test).expect("written");
    let Ok(output) = Command::new("promtool").args(["test", "rules"]).arg(&file).stdin(Stdio::null()).output() else {
        eprintln!("skipped: no promtool");
        return;
    };
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {said}");
}

const UP: (&str, &str) = ("up{job=\"tikv\",instance=\"a\"}", "1x40");

#[test]
fn the_only_critical_error_there_ever_was_is_seen_for_a_window() {
    let born = ("tikv_critical_error_total{job=\"tikv\",instance=\"a\",type=\"panic\"}", "_x18 1x22");
    answers("critical_errors", &[UP, born], 4, &[]);
    answers("critical_errors", &[UP, born], 5, &[("{instance=\"a\"}", 1.0)]);
    answers("critical_errors", &[UP, born], 6, &[]);
}

#[test]
fn an_old_critical_error_is_none_of_now() {
    let old = ("tikv_critical_error_total{job=\"tikv\",instance=\"a\",type=\"panic\"}", "7x40");
    answers("critical_errors", &[UP, old], 5, &[]);
    // Prometheus was away for long, and comes back: the target was not seen a window ago either.
    let (up, old) = ((UP.0, "_x30 1x10"), (old.0, "_x30 7x10"));
    answers("critical_errors", &[up, old], 8, &[]);
}

#[test]
fn further_critical_errors_are_counted() {
    let more = ("tikv_critical_error_total{job=\"tikv\",instance=\"a\",type=\"panic\"}", "2+1x40");
    answers("critical_errors", &[UP, more], 5, &[("{instance=\"a\"}", 4.0)]);
}

#[test]
fn threads_are_added_up_by_their_pool() {
    let thread = |name: &str| format!("tikv_thread_cpu_seconds_total{{job=\"tikv\",instance=\"a\",name=\"{name}\"}}");
    let names = ["raftstore_1_0", "raftstore_1_1", "unified_read_po", "store_writer_0", "apply_0", "resource_meteri"];
    let threads: Vec<String> = names.iter().map(|name| thread(name)).collect();
    let given: Vec<(&str, &str)> = threads.iter().map(|series| (series.as_str(), "0+6x40")).collect();
    let expected = [
        ("{instance=\"a\",pool=\"apply\"}", 0.4),
        ("{instance=\"a\",pool=\"raftstore\"}", 0.8),
        ("{instance=\"a\",pool=\"store_write\"}", 0.4),
        ("{instance=\"a\",pool=\"unified_read_po\"}", 0.4),
    ];
    answers("thread_cpu", &given, 5, &expected);
}

#[test]
fn what_is_exposed_in_other_units_is_asked_in_the_catalogues() {
    let ratio = ("tikv_scheduler_discard_ratio{job=\"tikv\",instance=\"a\"}", "2500000x40");
    answers("flow_discard_ratio", &[ratio], 5, &[("{instance=\"a\"}", 0.25)]);
    let stall = (
        "tikv_engine_write_stall{job=\"tikv\",instance=\"a\",db=\"kv\",type=\"write_stall_percentile99\"}",
        "1500000x40",
    );
    answers("write_stall_p99", &[stall], 5, &[("{instance=\"a\"}", 1.5)]);
    let gap = ("tikv_resolved_ts_min_resolved_ts_gap_millis{job=\"tikv\",instance=\"a\"}", "1200x40");
    answers("resolved_ts_lag", &[gap], 5, &[("{instance=\"a\"}", 1.2)]);
}

#[test]
fn a_checker_that_finds_no_store_is_heard_with_placement_rules_and_without() {
    let event = |kind: &str, name: &str| {
        format!("pd_checker_event_count{{job=\"pd\",instance=\"p\",type=\"{kind}\",name=\"{name}\"}}")
    };
    let (rules, replicas) = (event("rule_checker", "no-store-replace"), event("replica_checker", "no-target-store"));
    let other = event("rule_checker", "no-new-leader");
    let given = [(rules.as_str(), "0+1x40"), (replicas.as_str(), "0+2x40"), (other.as_str(), "0+5x40")];
    let expected =
        [("{instance=\"p\",type=\"replica_checker\"}", 8.0), ("{instance=\"p\",type=\"rule_checker\"}", 4.0)];
    answers("no_target_store", &given, 5, &expected);
}

#[test]
fn stores_that_reach_each_other_are_no_pairs() {
    let pair = |other: &str| {
        format!(
            "tikv_server_report_failure_msg_total{{job=\"tikv\",instance=\"a\",type=\"unreachable\",store_id=\"{other}\"}}"
        )
    };
    let (was, is) = (pair("4"), pair("5"));
    let given = [(was.as_str(), "9x40"), (is.as_str(), "0+150x40")];
    answers("unreachable", &given, 5, &[("{instance=\"a\",store_id=\"5\"}", 10.0)]);
}

#[test]
fn leaders_that_left_are_a_drop() {
    let leaders = ("tikv_raftstore_region_count{job=\"tikv\",instance=\"a\",type=\"leader\"}", "100x15 90-10x4 50x20");
    answers("leader_drop", &[leaders], 5, &[("{instance=\"a\"}", -40.0)]);
}
