//! A configuration and a state directory of its own, and the binary as a person calls it with them.

use std::path::{Path, PathBuf};
use std::process::Output;

use operator_core::store::sqlite::SqliteStore;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// Where one operator keeps everything. It goes with this, but stays where a test failed: the store says why.
pub struct Home {
    folder: TempDir,
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what the operator kept is in {}", self.folder.path().display());
            self.folder.disable_cleanup(true);
        }
    }
}

impl Home {
    /// A home with this configuration.
    pub fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        std::fs::write(folder.path().join("operator.toml"), config).expect("the configuration is written");
        Self { folder }
    }

    /// The state directory.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Where something of this name is kept beside the state.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary: that of this build, or of the folder that all programs are taken from.
    pub fn program() -> PathBuf {
        let named = std::env::var_os(operator_lab::binaries::BIN_DIR).map(|dir| PathBuf::from(dir).join("operator"));
        named.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_operator")))
    }

    /// The flags before every verb.
    pub fn flags(&self) -> Vec<std::ffi::OsString> {
        let config = self.path("operator.toml");
        vec![
            "--config".into(),
            config.into(),
            "--state-dir".into(),
            self.state().into(),
            "--output".into(),
            "json".into(),
        ]
    }

    /// `program` as it is run from here: nothing of this machine's configuration reaches it.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.folder.path()).env("TZ", "UTC").kill_on_drop(true);
        for name in ["PATH", "TMPDIR"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command
    }

    /// Calls `operator ARGS` and waits for its end.
    pub async fn operator(&self, args: &[&str]) -> Output {
        let mut command = self.command(&Self::program());
        command.args(self.flags()).args(args);
        command.output().await.expect("the binary runs")
    }

    /// Calls `operator ARGS`, which must end with `code`, and reads what it prints.
    pub async fn ask(&self, code: i32, args: &[&str]) -> Value {
        let output = self.operator(args).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "operator {args:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("operator {args:?}: {error}: {said}"))
    }

    /// The store, for reading, whether or not an operator runs.
    pub fn store(&self) -> SqliteStore {
        SqliteStore::open_read_only(&self.state()).expect("the store opens")
    }

    /// The recordings of incidents of `subject`, in the order they were begun.
    pub fn recordings(&self, subject: &str) -> Vec<PathBuf> {
        let folder = self.state().join("recordings").join(subject);
        let mut found: Vec<_> = std::fs::read_dir(&folder)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        found.retain(|path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl"));
        found.sort_by_key(|path| name_of(path));
        found
    }
}

/// A recording's name as it sorts: the tenth incident after the ninth.
fn name_of(path: &Path) -> (usize, String) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    (name.len(), name)
}
