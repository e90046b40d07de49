//! Public root-cause data: a small made-up folder of each layout, and the real data where it is beside the checkout.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use operator_lab::rca::{self, Answers, Half, Measured, Score};
use operator_reasoner::Reasoner;

/// A shop of three services in a row, of which `culprit` gets slow in the case and whoever calls it with it.
fn shop(folder: &Path, culprit: &str, answers: bool) {
    let services = ["front", "middle", "back"];
    let columns = services.map(|name| format!("{name}|latency|Average,{name}|requests|Sum")).join(",");
    let row = |n: i64, slow: bool| {
        let depth = services.iter().position(|name| *name == culprit).expect("a service");
        let mut line = format!("{}", n * 300);
        for (place, _) in services.iter().enumerate() {
            let usual = 0.1 / f64::from(u32::try_from(place).expect("few") + 1) + 0.001 * (n % 3) as f64;
            let latency = if slow && place <= depth { usual + 1.0 } else { usual };
            write!(line, ",{latency},300").expect("text");
        }
        line
    };
    let table = |rows: Vec<String>| format!("time,{columns}\n{}\n", rows.join("\n"));
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("written");
    write("normal.csv", table((0..60).map(|n| row(n, false)).collect()));
    write("case.csv", table((100..105).map(|n| row(n, n >= 102)).collect()));
    write("topology.csv", "caller,callee\nfront,middle\nmiddle,back\n".to_owned());
    let truth = if answers { format!(r#", "root_cause_service": "{culprit}""#) } else { String::new() };
    write(
        "manifest.json",
        format!(
            r#"{{"dataset": "petshop", "step_s": 300,
                "scenarios": {{"calm": {{"topology": "topology.csv", "normal": "normal.csv"}}}},
                "cases": [{{"id": "c1", "scenario": "calm", "metrics": "case.csv", "alert_row": 2,
                    "target": {{"node": "front", "metric": "latency", "stat": "Average"}}{truth}}}]}}"#
        ),
    );
}

#[test]
fn whoever_is_slow_by_itself_is_named_and_not_whoever_waits() {
    for culprit in ["front", "middle", "back"] {
        let folder = tempfile::tempdir().expect("a folder");
        shop(folder.path(), culprit, true);
        let cases = rca::read(folder.path()).expect("it reads");
        let answer = cases[0].answer(&Reasoner::new());
        assert_eq!(answer.ranking[0].service, culprit, "{answer:?}");
        let mut score = Score::default();
        score.count(&cases[0], &answer);
        assert_eq!(score.top1.hits, 1);
    }
}

#[test]
fn a_manifest_without_answers_is_answered_and_not_scored() {
    let folder = tempfile::tempdir().expect("a folder");
    shop(folder.path(), "back", false);
    let case = &rca::read(folder.path()).expect("it reads")[0];
    let mut score = Score::default();
    score.count(case, &case.answer(&Reasoner::new()));
    assert_eq!(score, Score::default());
}

#[test]
fn in_a_past_without_a_fault_it_abstains() {
    let folder = tempfile::tempdir().expect("a folder");
    shop(folder.path(), "back", true);
    let cases = rca::read_without_fault(folder.path()).expect("it reads");
    assert_eq!(cases.len(), 26);
    assert!(cases.iter().all(|case| case.answer(&Reasoner::new()).abstained));
}

#[test]
fn a_folder_that_is_none_says_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = rca::read(folder.path()).expect_err("no manifest");
    assert!(error.to_string().contains("manifest.json"), "{error}");
    let mut file = std::fs::File::create(folder.path().join("manifest.json")).expect("a file");
    file.write_all(br#"{"dataset": "zoo"}"#).expect("written");
    let error = rca::read(folder.path()).expect_err("an unknown layout").to_string();
    assert!(error.contains("petshop or nezha") && error.contains("zoo"), "{error}");
}

fn packed(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    let mut packer = GzEncoder::new(std::fs::File::create(file).expect("a file"), Compression::fast());
    packer.write_all(text.as_bytes()).expect("packed");
    packer.finish().expect("whole");
}

/// How many cases the made-up folder of the other layout has, ten minutes after each other.
const INJECTIONS: i64 = 12;
/// When the first of them was injected: 2023-01-29 08:00:30, in seconds since 1970.
const FIRST: i64 = 1_674_979_230;

/// A shop of which each service writes two lines for a request, until `culprit` does not write its second any more, in
/// the last case.
fn logged_shop(folder: &Path, culprit: &str, answers: bool) {
    let services = ["front", "middle", "back"];
    let pod = |service: &str| format!("{service}-5d8f-x1");
    let mut cases = Vec::new();
    let (mut logs, mut traces) = (BTreeMap::<String, String>::new(), BTreeMap::<String, String>::new());
    let mut metrics = "Time,PodName,CpuUsageRate(%),PodServerLatencyP95(s)\n".to_owned();
    for minute in 0..10 * INJECTIONS {
        let clock = format!("{:02}:{:02}", 8 + minute / 60, minute % 60);
        let restless = minute % 3;
        writeln!(metrics, "2023-01-29 {clock}:10.5 +0000 UTC,p,{}.5,0.02{restless}", 2 + restless).expect("text");
        let case = minute / 10;
        if minute % 10 == 0 {
            let truth = if answers { format!(r#", "root_cause_service": "{culprit}""#) } else { String::new() };
            cases.push(format!(
                r#"{{"id": "c{case:02}", "system": "S", "dir": "d", "inject_time": "2023-01-29 {clock}:30"{truth}}}"#
            ));
        }
        if minute % 10 > 2 {
            continue;
        }
        let file = clock.replace(':', "_");
        let log = logs.entry(file.clone()).or_insert_with(|| "Timestamp,TimeUnixNano,PodName,Log\n".to_owned());
        let columns = "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano\n";
        let trace = traces.entry(file).or_insert_with(|| columns.to_owned());
        for second in (0..60).step_by(6) {
            let nanos = (FIRST - 30 + 60 * minute + second) * 1_000_000_000;
            let wrong = case == INJECTIONS - 1 && (minute % 10 > 0 || second >= 30);
            let request = format!("abcdef{minute:04}{second:02}");
            for (depth, service) in services.iter().enumerate() {
                let pod = pod(service);
                let parent = if depth == 0 { "root".to_owned() } else { format!("{request}{}", depth - 1) };
                writeln!(trace, "{request},{request}{depth},{parent},{pod},GET,{nanos}").expect("text");
                for line in [17, 21] {
                    if line == 21 && wrong && *service == culprit {
                        continue;
                    }
                    let text = format!("INFO a.b.{service}#{line} TraceID: {request} at it\\n");
                    writeln!(log, r#"t,{nanos},{pod},"{{""log"":""{text}""}}""#).expect("text");
                }
            }
        }
    }
    for service in services {
        packed(&folder.join(format!("d/metric/{}_metric.csv.gz", pod(service))), &metrics);
    }
    for (kind, files) in [("log", logs), ("trace", traces)] {
        for (minute, text) in files {
            packed(&folder.join(format!("d/{kind}/{minute}_{kind}.csv.gz")), &text);
        }
    }
    let manifest = format!(r#"{{"dataset": "nezha", "cases": [{}]}}"#, cases.join(","));
    std::fs::write(folder.join("manifest.json"), manifest).expect("written");
}

#[test]
fn whoever_does_not_go_on_with_its_requests_is_named_by_its_log() {
    for culprit in ["front", "middle", "back"] {
        let folder = tempfile::tempdir().expect("a folder");
        logged_shop(folder.path(), culprit, true);
        let cases = rca::read(folder.path()).expect("it reads");
        let answer = cases.last().expect("a case").answer(&Reasoner::new());
        assert_eq!(answer.ranking[0].service, culprit, "{answer:?}");
    }
}

#[test]
fn where_all_requests_go_on_as_ever_it_abstains() {
    let folder = tempfile::tempdir().expect("a folder");
    logged_shop(folder.path(), "back", true);
    let cases = rca::read(folder.path()).expect("it reads");
    assert!(cases[0].answer(&Reasoner::new()).abstained);
}

/// What is written for a folder has these keys and no others.
fn assert_answers(folder: &Path, cases: usize) {
    let cases_read = rca::read(folder).expect("it reads");
    let (measured, answers) = Measured::of(&cases_read, &Reasoner::new());
    assert!(measured.parts.is_empty(), "nothing is known to be right: {measured:?}");
    let written = serde_json::to_value(Answers { cases: answers }).expect("JSON");
    let keys = |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&written), ["cases"]);
    let answered = written["cases"].as_array().expect("a list");
    assert_eq!(answered.len(), cases);
    for answer in answered {
        assert_eq!(keys(answer), ["abstained", "id", "ranking"]);
        assert!(answer["abstained"].is_boolean() && answer["id"].is_string());
        for ranked in answer["ranking"].as_array().expect("a list") {
            assert_eq!(keys(ranked), ["score", "service"]);
            assert!(ranked["score"].is_f64() && ranked["service"].is_string(), "{ranked}");
        }
    }
}

#[test]
fn a_folder_without_answers_is_answered_in_the_agreed_form() {
    let folder = tempfile::tempdir().expect("a folder");
    shop(folder.path(), "back", false);
    assert_answers(folder.path(), 1);
    let folder = tempfile::tempdir().expect("a folder");
    logged_shop(folder.path(), "back", false);
    assert_answers(folder.path(), 12);
}

#[test]
fn what_is_missing_or_no_number_costs_a_case_its_answer_and_not_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    shop(folder.path(), "back", false);
    let case = std::fs::read_to_string(folder.path().join("case.csv")).expect("there");
    std::fs::write(folder.path().join("case.csv"), case.replace(",300", ",NaN").replace(",0.1", ",")).expect("written");
    assert_answers(folder.path(), 1);
    for gone in ["case.csv", "topology.csv", "normal.csv"] {
        std::fs::remove_file(folder.path().join(gone)).expect("it was there");
        assert_answers(folder.path(), 1);
        assert!(rca::read(folder.path()).expect("it reads")[0].answer(&Reasoner::new()).abstained);
    }
    let folder = tempfile::tempdir().expect("a folder");
    logged_shop(folder.path(), "back", false);
    std::fs::write(folder.path().join("d/log/08_00_log.csv.gz"), "not packed").expect("written");
    std::fs::remove_file(folder.path().join("d/trace/09_50_trace.csv.gz")).expect("it was there");
    packed(&folder.path().join("d/log/09_50_log.csv.gz"), "");
    assert_answers(folder.path(), 12);
    for gone in ["d/log", "d/trace", "d/metric"] {
        std::fs::remove_dir_all(folder.path().join(gone)).expect("it was there");
        assert_answers(folder.path(), 12);
    }
}

#[test]
fn each_part_is_split_into_halves_that_do_not_depend_on_the_order_of_the_manifest() {
    let folder = tempfile::tempdir().expect("a folder");
    logged_shop(folder.path(), "back", true);
    let halves = |folder: &Path| {
        let cases = rca::read(folder).expect("it reads");
        cases.iter().map(|case| (case.id.clone(), case.half)).collect::<BTreeMap<_, _>>()
    };
    let split = halves(folder.path());
    assert_eq!(split.values().filter(|half| **half == Half::Tune).count(), 6);
    let path = folder.path().join("manifest.json");
    let mut manifest: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).expect("there")).expect("JSON");
    manifest["cases"].as_array_mut().expect("a list").reverse();
    std::fs::write(&path, manifest.to_string()).expect("written");
    assert_eq!(halves(folder.path()), split);
}

/// The goal is held elsewhere; here only that the real files are answered where the manifest does not say what is right.
#[test]
fn the_public_data_beside_the_checkout_is_answered_without_its_answers() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/rca");
    for (dataset, cases) in [("petshop", 26), ("nezha", 52)] {
        let from = shared.join(dataset);
        if !from.is_dir() {
            eprintln!("skipped: no {dataset} beside the checkout");
            continue;
        }
        let folder = tempfile::tempdir().expect("a folder");
        for entry in std::fs::read_dir(&from).expect("a folder") {
            let entry = entry.expect("an entry");
            std::os::unix::fs::symlink(entry.path(), folder.path().join(entry.file_name())).expect("linked");
        }
        let path = folder.path().join("manifest.json");
        let mut manifest: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).expect("there")).expect("JSON");
        let listed = manifest["cases"].as_array_mut().expect("a list");
        assert_eq!(listed.len(), cases);
        // A few of each kind: all of them take a minute, and are for `operator eval rca`.
        let mut nth = 0;
        listed.retain(|_| {
            nth += 1;
            nth % 6 == 1
        });
        let kept = listed.len();
        for case in listed {
            let case = case.as_object_mut().expect("an object");
            case.retain(|key, _| !key.starts_with("root_cause") && key != "fault_type");
        }
        std::fs::remove_file(&path).expect("only the link");
        std::fs::write(&path, manifest.to_string()).expect("written");
        assert_answers(folder.path(), kept);
    }
}
