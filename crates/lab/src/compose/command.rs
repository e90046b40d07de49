//! Running a program to its end: bounded in time and in what it may say.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use super::error::ComposeError;

/// More than that is not kept of what a program says: a description of ten containers is some 100 kB.
const MAX_SAID: u64 = 8 << 20;
/// How much of it an error quotes.
const QUOTED: usize = 800;
/// Variables of this process that docker is given: where programs and its own settings are, and nothing else.
const HANDED_ON: [&str; 10] = [
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
];

/// A command to be run.
#[derive(Debug, Clone)]
pub(super) struct Run {
    program: PathBuf,
    args: Vec<OsString>,
    folder: Option<PathBuf>,
    within: Duration,
}

impl Run {
    pub(super) fn new(program: impl Into<PathBuf>, within: Duration) -> Self {
        Self { program: program.into(), args: Vec::new(), folder: None, within }
    }

    pub(super) fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(super) fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// The command, for people.
    pub(super) fn words(&self) -> String {
        let program = self.program.file_name().unwrap_or(self.program.as_os_str()).to_string_lossy().into_owned();
        let args = self.args.iter().map(|arg| arg.to_string_lossy().into_owned());
        std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
    }

    /// The command, not yet run.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(HANDED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    /// Runs it to its end; the answer is what it said on standard output.
    pub(super) async fn output(&self) -> Result<String, ComposeError> {
        self.run().await.map(|(out, _)| out)
    }

    /// Runs it to its end; the answer is all that it said.
    pub(super) async fn both(&self) -> Result<String, ComposeError> {
        self.run().await.map(|(out, err)| out + &err)
    }

    async fn run(&self) -> Result<(String, String), ComposeError> {
        let failed = |source| ComposeError::Run { program: self.program.clone(), source };
        // A Ctrl-C at the terminal is for this process to handle.
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let ended = timeout(self.within, async { tokio::join!(said(out), said(err), child.wait()) }).await;
        let Ok((out, err, status)) = ended else {
            return Err(ComposeError::TimedOut { what: self.words(), within: self.within });
        };
        tracing::debug!(command = %self.words(), ?status, "ran");
        if status.map_err(failed)?.success() {
            return Ok((out, err));
        }
        let said = if err.trim().is_empty() { out } else { err };
        Err(ComposeError::Failed { what: self.words(), said: end_of(said.trim()).to_owned() })
    }
}

async fn said(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut bytes = Vec::new();
    let _ = (&mut stream).take(MAX_SAID).read_to_end(&mut bytes).await;
    // What is beyond is read and dropped, so that the program does not wait for somebody to read it.
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The last some hundred bytes.
fn end_of(text: &str) -> &str {
    let mut from = text.len().saturating_sub(QUOTED);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, within: Duration) -> Run {
        Run::new("/bin/sh", within).args(["-c", script])
    }

    #[tokio::test]
    async fn what_fails_is_quoted_and_what_hangs_is_ended() {
        let minute = Duration::from_secs(60);
        assert_eq!(shell("echo yes", minute).output().await.expect("it works"), "yes\n");
        let error = shell("echo because >&2; exit 3", minute).output().await.expect_err("it fails").to_string();
        assert_eq!(error, "sh -c echo because >&2; exit 3 failed: because");
        let error = shell("sleep 60", Duration::from_millis(50)).output().await.expect_err("it hangs");
        assert!(matches!(error, ComposeError::TimedOut { .. }), "{error}");
        let error = Run::new("/no/such/program", minute).output().await.expect_err("it is not there");
        assert!(matches!(error, ComposeError::Run { .. }), "{error}");
    }

    #[tokio::test]
    async fn nothing_but_what_docker_needs_is_handed_on() {
        let said = shell("env", Duration::from_secs(60)).output().await.expect("it works");
        let names: Vec<_> = said.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        // A shell sets these itself.
        let own = ["PWD", "OLDPWD", "SHLVL", "_"];
        assert!(names.iter().all(|name| own.contains(name) || HANDED_ON.contains(name)), "{names:?}");
    }

    #[test]
    fn the_end_of_a_long_text_begins_at_a_character() {
        assert_eq!(end_of("short"), "short");
        let long = "ü".repeat(1000) + "x";
        assert!(end_of(&long).len() <= QUOTED && end_of(&long).ends_with("üx"));
    }
}
