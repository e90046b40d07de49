//! The files around incidents: where they begin, how they end, and what is left of one that was cut off.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use operator_core::recorder::{
    EndReason, ReadLimits, Record, Recorder, RecorderSettings, Recording, recover_interrupted,
};
use operator_protocols::example::Workshop;

use crate::recorder_loop::{MiniLoop, replayed, second, shop};

fn settings(directory: &Path) -> RecorderSettings {
    RecorderSettings {
        incidents: Some(directory.join("recordings")),
        lookback: Duration::from_secs(60),
        checkpoint_every: Duration::from_secs(20),
        ..RecorderSettings::default()
    }
}

struct Running {
    workshop: Workshop,
    recorder: Arc<Recorder>,
    mini: MiniLoop,
    n: i64,
}

impl Running {
    fn start(settings: RecorderSettings) -> Self {
        let recorder = Arc::new(Recorder::start(settings).expect("a recorder"));
        let workshop = Workshop::new(2);
        let mini = MiniLoop::recorded(shop(&workshop), recorder.clone());
        Self { workshop, recorder, mini, n: 0 }
    }

    async fn ticks(&mut self, count: i64) {
        for _ in 0..count {
            self.mini.tick(second(self.n * 5)).await;
            self.n += 1;
        }
    }
}

fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory.join("recordings")).map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    let mut names: Vec<_> =
        entries.into_iter().map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn file(directory: &Path, name: &str) -> PathBuf {
    directory.join("recordings").join(name)
}

fn ticks(recording: &Recording) -> Vec<i64> {
    let at = |record: &Record| if let Record::Tick { at } = record { Some(at.as_millis() / 1000) } else { None };
    recording.records().filter_map(|(_, record)| at(record)).collect()
}

#[tokio::test]
async fn an_incident_s_file_begins_a_lookback_before_it_and_replays_by_itself() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut running = Running::start(settings(directory.path()));
    running.ticks(50).await;
    running.workshop.stop_worker("worker-1");
    running.ticks(1).await;
    running.recorder.begin_incident("shop-I1");
    running.ticks(3).await;
    running.recorder.end_incident("shop-I1");
    running.ticks(3).await;
    running.recorder.flush().await;

    assert_eq!(files(directory.path()), ["shop-I1.jsonl"]);
    let recording = Recording::read(file(directory.path(), "shop-I1.jsonl")).expect("a recording");
    assert_eq!(recording.end(), Some(EndReason::Closed));
    // The incident began at 250 s: the newest checkpoint, one in 20 s, that was 60 s old by then.
    let begins = recording.header().started_at.as_millis() / 1000;
    assert!((165..=190).contains(&begins), "{begins}");
    let expected: Vec<i64> = (begins / 5..54).map(|n| n * 5).collect();
    assert_eq!(ticks(&recording), expected, "every tick since, up to the one in which it was over");
    let past: Vec<i64> = recording.past().iter().map(|seen| seen.at.as_millis() / 1000).collect();
    let remembered: Vec<i64> = (begins / 5 - 7..begins / 5).map(|n| n * 5).collect();
    assert_eq!(past, remembered, "what a loop that remembers 30 s remembered, oldest first");

    let replay = recording.replay();
    let subject = replay.subject.clone();
    let story = replayed(replay).await;
    assert_eq!(subject.divergences(), []);
    assert!(story.iter().any(|line| line.contains("Done(")), "the worker was started");
    let whole = running.mini.story.join("\n");
    assert!(whole.contains(&story.join("\n")), "and every word of it is what the loop said then");
}

#[tokio::test]
async fn a_file_that_begins_early_begins_with_the_loop_and_one_before_it_waits_for_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut running = Running::start(settings(directory.path()));
    running.recorder.begin_incident("before");
    running.ticks(3).await;
    running.recorder.begin_incident("early");
    running.ticks(3).await;
    running.recorder.close().await;
    for name in ["before.jsonl", "early.jsonl"] {
        let recording = Recording::read(file(directory.path(), name)).expect("a recording");
        assert_eq!(ticks(&recording), [0, 5, 10, 15, 20, 25], "{name}");
        assert_eq!(recording.end(), Some(EndReason::Stopped));
    }
}

#[tokio::test]
async fn an_incident_that_goes_on_goes_on_in_its_file_and_one_that_comes_back_gets_another() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut running = Running::start(settings(directory.path()));
    running.ticks(2).await;
    for _ in 0..2 {
        running.recorder.begin_incident("../I1");
        running.ticks(2).await;
        running.recorder.end_incident("../I1");
        running.recorder.begin_incident("../I1");
        running.ticks(1).await;
        running.recorder.end_incident("../I1");
        running.ticks(1).await;
    }
    running.recorder.close().await;
    assert_eq!(files(directory.path()), ["___I1.2.jsonl", "___I1.jsonl"]);
    let of = |name| ticks(&Recording::read(file(directory.path(), name)).expect("a recording")).len();
    assert_eq!((of("___I1.jsonl"), of("___I1.2.jsonl")), (5, 9));
}

/// Records 60 cycles into a file of at most so many bytes.
async fn record_within(file_bytes: u64) -> (u64, Recording) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut running = Running::start(RecorderSettings { file_bytes, ..settings(directory.path()) });
    running.ticks(2).await;
    running.recorder.begin_incident("I1");
    running.ticks(60).await;
    running.recorder.close().await;
    let path = file(directory.path(), "I1.jsonl");
    (path.metadata().expect("a file").len(), Recording::read(&path).expect("a recording"))
}

#[tokio::test]
async fn a_file_never_grows_beyond_its_bound_and_ends_with_a_whole_cycle() {
    let (bytes, mut recording) = record_within(60_000).await;
    assert!(bytes <= 60_000, "{bytes}");
    assert_eq!(recording.end(), Some(EndReason::Size));
    let whole = ticks(&recording).len();
    assert!((5..60).contains(&whole), "{whole}");
    assert!(recording.unfinished() > 0);
    let replay = recording.clone().replay();
    let subject = replay.subject.clone();
    replayed(replay).await;
    assert_eq!(subject.diverged(), 0);
    // The cycle that was cut off can be looked at all the same.
    recording.keep_unfinished();
    assert_eq!(ticks(&recording).len(), whole + 1);
    // Not even where the last line just fits, and the end does not.
    let end = "{\"record\":\"end\",\"reason\":\"size\"}\n".len() as u64;
    for most in [bytes - 1, bytes - end, bytes - end + 1] {
        let (bytes, recording) = record_within(most).await;
        assert!(bytes <= most, "{bytes} of {most}");
        assert_eq!(recording.end(), Some(EndReason::Size));
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_counted_and_holds_nobody_up() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("recordings"), "in the way").expect("a file");
    let mut running = Running::start(settings(directory.path()));
    running.ticks(2).await;
    running.recorder.begin_incident("I1");
    running.ticks(5).await;
    running.recorder.close().await;
    let stats = running.recorder.stats();
    assert_eq!((stats.errors, stats.files), (1, 0));
    assert_eq!(running.mini.story.iter().filter(|line| line.starts_with("Observation")).count(), 7);
}

#[tokio::test]
async fn a_disk_that_is_too_slow_ends_the_recording_and_says_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut running = Running::start(RecorderSettings { queue_bytes: 100, ..settings(directory.path()) });
    running.ticks(2).await;
    running.recorder.begin_incident("I1");
    running.ticks(2).await;
    running.recorder.close().await;
    assert_eq!(running.recorder.stats().lost, 1);
    let recording = Recording::read(file(directory.path(), "I1.jsonl")).expect("a recording");
    assert_eq!(recording.end(), Some(EndReason::Lost));
    assert_eq!(ticks(&recording), [0, 5], "the cycle that was not kept whole is set aside");
}

#[tokio::test]
async fn a_record_that_is_too_large_ends_what_is_recorded_and_nothing_leads_over_the_gap() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut running = Running::start(RecorderSettings { line_bytes: 8000, ..settings(directory.path()) });
    running.ticks(2).await;
    running.recorder.begin_incident("I1");
    running.recorder.append(&Record::Command {
        at: second(9),
        principal: crate::recorder_loop::ann(),
        command: operator_core::Command::Diagnose { incident: "x".repeat(9000) },
    });
    assert!(running.recorder.checkpoint_due(second(10)), "a new beginning is needed");
    running.recorder.begin_incident("I2");
    running.ticks(2).await;
    running.recorder.close().await;
    let end = |name| {
        let recording = Recording::read(file(directory.path(), name)).expect("a recording");
        (ticks(&recording), recording.end())
    };
    assert_eq!(end("I1.jsonl"), (vec![0], Some(EndReason::Lost)));
    assert_eq!(end("I2.jsonl"), (vec![10, 15], Some(EndReason::Stopped)));
}

#[tokio::test]
async fn too_many_incidents_at_once_go_without_a_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut running = Running::start(RecorderSettings { open_files: 3, ..settings(directory.path()) });
    running.ticks(1).await;
    for n in 0..10 {
        running.recorder.begin_incident(&format!("I{n}"));
    }
    running.ticks(1).await;
    running.recorder.close().await;
    assert_eq!(files(directory.path()), ["I0.jsonl", "I1.jsonl", "I2.jsonl"]);
    assert_eq!(running.recorder.stats().skipped, 7);
}

#[tokio::test]
async fn a_recording_that_a_dead_process_left_behind_is_readable_up_to_its_last_whole_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut running = Running::start(settings(directory.path()));
    running.ticks(4).await;
    running.recorder.begin_incident("I1");
    running.ticks(4).await;
    running.recorder.flush().await;
    assert_eq!(files(directory.path()), ["I1.jsonl.part"]);
    // As a process that is killed leaves it: nothing is finished, and the last line is not whole.
    let part = file(directory.path(), "I1.jsonl.part");
    let whole = std::fs::read(&part).expect("a file");
    std::fs::write(&part, &whole[..whole.len() - 7]).expect("written");
    std::fs::write(file(directory.path(), "I1.jsonl"), "an older one").expect("written");

    let recovered = recover_interrupted(&directory.path().join("recordings")).expect("recovered");
    assert_eq!(recovered, [file(directory.path(), "I1.2.jsonl")]);
    let recording = Recording::read(&recovered[0]).expect("a recording");
    assert_eq!(recording.end(), None);
    assert_eq!(ticks(&recording), [0, 5, 10, 15, 20, 25, 30]);
    let replay = recording.replay();
    let subject = replay.subject.clone();
    replayed(replay).await;
    assert_eq!(subject.diverged(), 0);

    // Wherever else it had been cut.
    for length in (0..whole.len()).step_by(97) {
        match Recording::parse(&whole[..length], ReadLimits::default()) {
            Ok(recording) => assert_eq!(recording.end(), None),
            Err(error) => assert!(error.to_string().contains("no whole line"), "cut at {length}: {error}"),
        }
    }
}

#[tokio::test]
async fn files_are_for_their_owner_only_and_another_file_is_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let mut running = Running::start(settings(directory.path()));
    running.ticks(1).await;
    running.recorder.begin_incident("I1");
    running.ticks(1).await;
    running.recorder.close().await;
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&file(directory.path(), "I1.jsonl")), 0o600);
    assert_eq!(mode(&directory.path().join("recordings")), 0o700);
    let recorder = Recorder::start(RecorderSettings::default()).expect("a recorder");
    let error = recorder.record_to(file(directory.path(), "I1.jsonl")).expect_err("it is there");
    assert!(error.to_string().contains("I1.jsonl exists"), "{error}");
}
