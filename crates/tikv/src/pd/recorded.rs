//! What a real PD answered, read by the types of this API: every recorded answer is understood, or is the error that it is.

use std::collections::BTreeMap;
use std::path::Path;

use operator_prometheus::HttpAnswer;
use serde::Deserialize;
use serde_json::Value;

use super::{PdError, api};

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    method: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    body: Value,
}

const RECORDINGS: [&str; 9] = [
    "operators-and-errors",
    "pd-empty",
    "pd-leader",
    "pd-leader-kill",
    "pd-quorum-lost",
    "sim-healthy",
    "store-decommission",
    "store-offline",
    "stores-down",
];

fn lines(name: &str) -> Vec<Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(path).expect("a recording");
    let lines = text.lines().map(|line| serde_json::from_str::<Line>(line).expect("a line"));
    lines.filter(|line| !line.method.is_empty()).collect()
}

/// The body as it was on the wire: what ends with a line break was plain text.
fn answer(line: &Line) -> HttpAnswer {
    let body = match &line.body {
        Value::String(text) if text.ends_with('\n') || text.is_empty() => text.clone().into_bytes(),
        body => body.to_string().into_bytes(),
    };
    HttpAnswer { status: line.status, content_type: None, body, is_cut: false }
}

fn reads<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<T>(body).err().map(|error| error.to_string())
}

/// What is wrong with an answer, read as what its path promises.
fn fault(path: &str, body: &[u8]) -> Option<String> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches("/pd/api/").split('/').collect();
    match parts[1..] {
        ["status"] => reads::<api::Status>(body),
        ["health"] => reads::<Vec<api::Health>>(body),
        ["members"] => reads::<api::Members>(body),
        ["leader"] => reads::<api::Member>(body),
        ["cluster", "status"] => reads::<api::ClusterStatus>(body),
        ["stores"] => reads::<api::Stores>(body),
        ["store", _] => reads::<api::StoreAndStatus>(body),
        ["stores", "limit"] => reads::<BTreeMap<u64, api::Limits>>(body),
        ["regions"] | ["regions", "check", _] => match api::beginning(body) {
            Some(_) => reads::<api::Regions>(body),
            None => Some("its beginning is not understood".to_owned()),
        },
        ["region", "id", _] => reads::<api::Region>(body),
        ["stats", "region"] => reads::<api::RegionStats>(body),
        ["config", "schedule"] => reads::<BTreeMap<String, api::Setting>>(body),
        ["config", "replicate"] => reads::<api::Replicate>(body),
        ["config", "rules"] => reads::<Vec<api::Rule>>(body),
        ["operators"] | ["operators", "records"] => reads::<Vec<api::Operator>>(body),
        ["operators", _] => match serde_json::from_slice::<String>(body) {
            Ok(text) => api::operator_status(&text).is_none().then(|| format!("{text} is no status of an operator")),
            Err(error) => Some(error.to_string()),
        },
        ["schedulers"] => reads::<Vec<String>>(body),
        ["scheduler-config", "evict-leader-scheduler", "list"] => reads::<api::EvictedStores>(body),
        ["hotspot", "regions", _] => reads::<api::HotRegions>(body),
        // Not read by this API.
        ["ping" | "version" | "cluster" | "config" | "labels" | "min-resolved-ts" | "ready"] => None,
        ["hotspot", "stores"] => None,
        _ => Some("nothing reads it".to_owned()),
    }
}

#[test]
fn every_recorded_answer_is_understood_or_is_the_error_that_it_is() {
    let mut read = 0;
    for name in RECORDINGS {
        for line in lines(name).iter().filter(|line| line.method == "GET") {
            let answer = answer(line);
            read += 1;
            if line.status == 200 {
                assert_eq!(fault(&line.path, &answer.body), None, "{name}: {}", line.path);
                continue;
            }
            let error = PdError::of_answer("pd1", &line.path, &answer);
            let right = match (line.status, line.body.as_str().unwrap_or_default()) {
                (400 | 404, _) => matches!(error, PdError::Refused { .. }),
                (500, body) if body.contains("ErrNotBootstrapped") => error == PdError::NotBootstrapped,
                // This PD trips over one question when it is empty, and says so in plain text.
                (500, body) if body.contains("ErrRedirect") || body.starts_with("PANIC") => {
                    matches!(error, PdError::ControlPlaneUnavailable { .. })
                }
                _ => false,
            };
            assert!(right, "{name}: {} {}: {error:?}", line.path, line.status);
        }
    }
    assert!(read > 700, "{read}");
}

#[test]
fn what_pd_answered_to_wrong_requests_is_a_refusal_or_a_failure_and_never_a_silence() {
    for line in lines("operators-and-errors").iter().filter(|line| line.method != "GET" && line.status != 200) {
        let error = PdError::of_answer("pd1", &line.path, &answer(line));
        let right = match line.status {
            400..=499 => matches!(error, PdError::Refused { .. }),
            _ => matches!(error, PdError::Failed { .. }),
        };
        assert!(right && !error.is_silence(), "{} {}: {error:?}", line.method, line.path);
    }
}
