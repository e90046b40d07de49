//! Tails of files that grow, are rotated, emptied and flooded.

use std::fs::{OpenOptions, rename};
use std::io::Write;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(5);

fn entry(level: &str, message: &str) -> String {
    format!("[2026/11/24 10:00:00.123 +00:00] [{level}] [a.rs:1] [\"{message}\"]\n")
}

struct Scene {
    directory: tempfile::TempDir,
    tails: LogTails,
}

impl Scene {
    fn new(before: &str, least: LogLevel) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tikv.log");
        std::fs::write(&path, before).expect("written");
        let tails = LogTails::new("prod", &[LogFile { component: "store-4".into(), path }], least);
        Self { directory, tails }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("tikv.log")
    }

    fn append(&self, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path()).expect("opened");
        file.write_all(text.as_bytes()).expect("written");
    }

    async fn look(&self) -> (Vec<String>, Vec<String>) {
        let (lines, unavailable) = self.tails.look(NOW).await;
        assert!(lines.iter().all(|line| line.component == Id::new("prod", "store-4")));
        let unavailable = unavailable.iter().map(ToString::to_string).collect();
        (lines.into_iter().map(|line| line.message).collect(), unavailable)
    }
}

#[tokio::test]
async fn only_what_is_written_from_now_on_is_read_each_line_once() {
    let scene = Scene::new(&entry("ERROR", "old"), LogLevel::Warn);
    assert_eq!(scene.look().await.0, [""; 0]);
    scene.append(&format!("{}{}", entry("WARN", "one"), entry("INFO", "chatter")));
    assert_eq!(scene.look().await.0, ["one"]);
    let two = entry("ERROR", "two");
    scene.append(&two[..30]);
    assert_eq!(scene.look().await.0, [""; 0], "it is not finished");
    scene.append(&two[30..]);
    assert_eq!(scene.look().await.0, ["two"]);
}

#[tokio::test]
async fn what_follows_an_entry_and_is_none_belongs_to_it() {
    let scene = Scene::new("", LogLevel::Warn);
    scene.append(&format!("{}   0: a::b\n   1: c::d\n", entry("FATAL", "panicked")));
    assert_eq!(scene.look().await.0, ["panicked\n   0: a::b\n   1: c::d"]);
    scene.append("   2: e::f\n");
    let (lines, _) = scene.tails.look(NOW).await;
    assert_eq!((lines[0].level, lines[0].message.as_str()), (LogLevel::Fatal, "   2: e::f"));
}

#[tokio::test]
async fn a_file_that_is_rotated_away_is_read_to_its_end_and_the_new_one_from_its_beginning() {
    let scene = Scene::new("", LogLevel::Warn);
    scene.append(&entry("WARN", "one"));
    rename(scene.path(), scene.directory.path().join("tikv-old.log")).expect("renamed");
    assert_eq!(scene.look().await, (vec!["one".to_owned()], vec![]), "between the two steps");
    scene.append(&entry("WARN", "two"));
    assert_eq!(scene.look().await, (vec!["two".to_owned()], vec![]));
}

#[tokio::test]
async fn a_file_that_is_emptied_is_read_from_its_beginning() {
    let scene = Scene::new(&entry("WARN", "a long line that was there before"), LogLevel::Warn);
    std::fs::write(scene.path(), entry("WARN", "new")).expect("written");
    assert_eq!(scene.look().await.0, ["new"]);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_said_and_read_once_it_is() {
    let scene = Scene::new("", LogLevel::Warn);
    let path = scene.directory.path().join("later.log");
    let tails = LogTails::new("prod", &[LogFile { component: "pd-0".into(), path: path.clone() }], LogLevel::Warn);
    let (_, unavailable) = tails.look(NOW).await;
    assert!(unavailable[0].what == "the log of pd-0" && unavailable[0].why.contains("later.log"));
    std::fs::write(&path, entry("ERROR", "here")).expect("written");
    assert_eq!(tails.look(NOW).await.0.len(), 1);
}

#[tokio::test]
async fn of_too_much_the_gravest_and_last_is_kept_and_that_is_said() {
    let scene = Scene::new("", LogLevel::Warn);
    let mut text = entry("ERROR", "first");
    (0..500).for_each(|n| text.push_str(&entry("WARN", &n.to_string())));
    scene.append(&text);
    let (lines, unavailable) = scene.look().await;
    assert_eq!((lines.len(), lines[0].as_str(), lines[99].as_str()), (MAX_LINES, "first", "499"));
    assert!(unavailable[0].contains("401 lines"), "{unavailable:?}");

    scene.append(&"x".repeat(300 << 10));
    scene.append(&format!("\n{}", entry("WARN", "after")));
    let (lines, unavailable) = scene.look().await;
    assert_eq!(lines, ["after"]);
    assert!(unavailable[0].contains("bytes"), "{unavailable:?}");
}

#[tokio::test]
async fn bytes_that_are_no_text_do_no_harm() {
    let scene = Scene::new("", LogLevel::Debug);
    let mut file = OpenOptions::new().append(true).open(scene.path()).expect("opened");
    file.write_all(b"\xff\xfe\0\n\n\r\n").expect("written");
    assert_eq!(scene.look().await.0, ["\u{fffd}\u{fffd}\0"]);
}

#[tokio::test]
async fn what_is_no_file_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = LogFile { component: "pd-0".into(), path: directory.path().to_owned() };
    let (_, unavailable) = LogTails::new("prod", &[file], LogLevel::Warn).look(NOW).await;
    assert!(unavailable[0].why.contains("it is not a file"), "{unavailable:?}");
}
