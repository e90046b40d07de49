//! Whatever is in a file, reading it gives a recording or an error that names the line.

use std::sync::Arc;

use operator_core::recorder::{ReadLimits, Recorder, RecorderSettings, Recording, RecordingError};
use operator_protocols::example::Workshop;
use proptest::prelude::*;

use crate::recorder_loop::{MiniLoop, second, shop};

async fn recorded() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("r.jsonl");
    let recorder = Arc::new(Recorder::start(RecorderSettings::default()).expect("a recorder"));
    recorder.record_to(&path).expect("a file");
    let workshop = Workshop::new(1);
    let mut mini = MiniLoop::recorded(shop(&workshop), recorder.clone());
    for n in 0..3 {
        mini.tick(second(n * 5)).await;
        workshop.stop_worker("worker-1");
    }
    recorder.close().await;
    std::fs::read_to_string(path).expect("text")
}

fn read(text: &str) -> Result<Recording, RecordingError> {
    Recording::parse(text.as_bytes(), ReadLimits::default())
}

fn error(text: &str) -> String {
    read(text).expect_err("something is wrong").to_string()
}

#[tokio::test]
async fn an_error_names_the_line_and_what_would_be_right() {
    let text = recorded().await;
    let lines: Vec<&str> = text.lines().collect();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n") + "\n"
    };
    assert_eq!(error(""), "line 1 of the recording: expected a header; there is no whole line");
    assert_eq!(error(lines[0]), "line 1 of the recording: expected a header; there is no whole line");
    assert!(error("{}\n").starts_with("line 1 of the recording: expected a header, which it is not: missing field"));
    assert!(error(&with(0, lines[1])).starts_with("line 1 of the recording: expected a header"));
    assert!(error(&with(3, "{\"record\":\"tick\"}")).starts_with("line 4 of the recording: missing field `at`"));
    assert!(error(&with(3, "nonsense")).starts_with("line 4 of the recording: expected ident, at byte 2"));
    assert!(
        error(&with(3, "{\"record\":\"surprise\"}")).contains("line 4 of the recording: unknown variant `surprise`")
    );
    assert_eq!(error(&with(3, lines[0])), "line 4 of the recording: expected only one header");
    let past = r#"{"record":"past","observation":{"at":1,"components":[],"dependencies":[],"signals":[],"events":[],"logs":[],"details":{},"unavailable":[]}}"#;
    assert!(read(&with(1, past)).is_ok());
    assert!(error(&with(3, past)).starts_with("line 4 of the recording: expected no past after"));
    let (again, after) = (text.clone() + lines[1] + "\n", lines.len() + 1);
    assert_eq!(error(&again), format!("line {after} of the recording: expected nothing after the end"));
    // What a line says never reaches a terminal as it is.
    let bell = error(&with(3, "{\"record\":\"\\u001b[31m\\u0007\"}"));
    assert!(!bell.chars().any(char::is_control) && bell.len() < 500, "{bell}");
}

#[tokio::test]
async fn a_recording_of_a_newer_operator_is_refused_with_its_version() {
    let text = recorded().await;
    let newer = text.replacen("\"format\":1", "\"format\":2", 1);
    assert_eq!(error(&newer), "the recording has format 2, this operator reads up to 1: use the newer operator");
    // Whatever else a newer header holds.
    assert!(error("{\"record\":\"header\",\"format\":9,\"protocol_version\":1,\"new\":[]}\n").contains("format 9"));
    let newer = text.replacen("\"protocol_version\":1", "\"protocol_version\":7", 1);
    assert!(error(&newer).contains("protocol version 7"));
}

#[tokio::test]
async fn a_file_is_read_within_bounds() {
    let text = recorded().await;
    let within = |limits| Recording::parse(text.as_bytes(), limits).map(drop).map_err(|error| error.to_string());
    let all = ReadLimits::default();
    let (lines, bytes) = (text.lines().count(), text.len() as u64);
    let longest = text.lines().map(str::len).max().expect("lines");
    assert_eq!(within(ReadLimits { lines, file_bytes: bytes, line_bytes: longest }), Ok(()));
    let error = within(ReadLimits { lines: lines - 1, ..all }).expect_err("too many");
    assert_eq!(error, format!("the recording has more than {} lines", lines - 1));
    let error = within(ReadLimits { file_bytes: bytes - 1, ..all }).expect_err("too large");
    assert_eq!(error, format!("the recording has more than {} bytes", bytes - 1));
    let error = within(ReadLimits { line_bytes: longest - 1, ..all }).expect_err("too long");
    assert!(error.ends_with(&format!("it has more than {} bytes", longest - 1)), "{error}");
    // A line without end is not read into memory.
    let endless = std::io::BufReader::new(std::io::repeat(b'x'));
    let error = Recording::parse(endless, ReadLimits { line_bytes: 1000, ..all }).expect_err("endless");
    assert!(matches!(error, RecordingError::Line { line: 1, .. }), "{error}");
    // Nor a device.
    assert!(Recording::read("/dev/zero").is_err());
    assert!(matches!(Recording::read("/dev/null/x"), Err(RecordingError::Io { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_damaged_recording_never_brings_the_reader_or_its_replay_down(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut bytes = runtime.block_on(recorded()).into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        if let Ok(recording) = Recording::parse(bytes.as_slice(), ReadLimits::default()) {
            prop_assert!(recording.replay().plan.count() <= 3);
        }
    }
}
