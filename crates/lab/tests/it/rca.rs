//! Public root-cause data: a small made-up folder of each layout, and the real data where it is beside the checkout.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use operator_lab::rca::{self, Score};
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

/// The goal is held elsewhere; here only that the real files are read whole.
#[test]
fn the_public_data_beside_the_checkout_is_read() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/rca");
    for (dataset, cases) in [("petshop", 26), ("nezha", 52)] {
        let folder = shared.join(dataset);
        if !folder.is_dir() {
            eprintln!("skipped: no {dataset} beside the checkout");
            continue;
        }
        assert_eq!(rca::read(&folder).expect("it reads").len(), cases);
    }
}
