//! The running server: one at a time in a folder, found again by what it wrote there.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::folder::Folder;

/// How long the model may take to be read: about two seconds from a warm disk.
const STARTS_WITHIN: Duration = Duration::from_secs(180);
/// How long it may take to end when asked; then it is killed.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// How often to look.
const LOOK: Duration = Duration::from_millis(50);
/// What a model may read and write in one conversation, in tokens: four times the largest evidence, and 0.5 GB of memory.
const CONTEXT: &str = "16384";

/// How long a server stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lives {
    /// Until this program ends, whatever way it goes.
    WithThis,
    /// Until it is stopped.
    On,
}

/// A server that answers.
pub(crate) struct Server {
    /// Where, without a path.
    pub(crate) url: String,
    /// What requests call the model.
    pub(crate) model: String,
    pid: u32,
    /// Set where it is this program's own.
    child: Option<Child>,
    state: PathBuf,
}

impl Server {
    /// The server of this folder, if one runs.
    pub(crate) fn running(folder: &Folder) -> Result<Option<Self>> {
        let path = folder.state();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let Some(server) = read(&text, &path) else {
            bail!("{} is not what a server writes: remove it and try again", path.display());
        };
        // A process of that number may long be another's.
        Ok((serves(server.pid, &path) && is_healthy(&server.url)).then_some(server))
    }

    /// Starts one and waits until it answers.
    pub(crate) fn start(folder: &Folder, lives: Lives) -> Result<Self> {
        let (state, log_path) = (folder.state(), folder.log());
        let _ = fs::remove_file(&state);
        let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
        let mut command = Command::new(folder.python());
        command.arg(folder.script("server.py")).arg("--model").arg(folder.model()).arg("--state").arg(&state);
        command.args(["--context", CONTEXT]);
        match lives {
            Lives::WithThis => command.args(["--with-parent", &std::process::id().to_string()]),
            // What a person types at this terminal is not meant for it.
            Lives::On => command.process_group(0),
        };
        let log_again = log.try_clone().context("cannot write the server's log")?;
        command.stdin(Stdio::null()).stdout(log).stderr(log_again);
        eprintln!("starting the server");
        let mut child = command.spawn().context("cannot start the server")?;
        let deadline = Instant::now() + STARTS_WITHIN;
        loop {
            let text = fs::read_to_string(&state).unwrap_or_default();
            if let Some(mut server) = read(&text, &state).filter(|server| is_healthy(&server.url)) {
                server.child = (lives == Lives::WithThis).then_some(child);
                return Ok(server);
            }
            if let Some(status) = child.try_wait().context("cannot tell whether the server runs")? {
                bail!("the server ended ({status}); what it said is in {}", log_path.display());
            }
            if Instant::now() >= deadline {
                let _ = child.kill();
                let _ = child.wait();
                bail!("the server did not answer within {STARTS_WITHIN:?}; what it said is in {}", log_path.display());
            }
            sleep(LOOK);
        }
    }

    /// Ends it, if it is this program's own.
    pub(crate) fn end(self) -> Result<()> {
        if self.child.is_some() { self.stop() } else { Ok(()) }
    }

    /// Ends it.
    pub(crate) fn stop(mut self) -> Result<()> {
        signal(self.pid, "-TERM")?;
        let deadline = Instant::now() + ENDS_WITHIN;
        let mut is_there = || match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => serves(self.pid, &self.state),
        };
        while is_there() {
            if Instant::now() >= deadline {
                signal(self.pid, "-KILL")?;
                break;
            }
            sleep(LOOK);
        }
        if let Some(child) = &mut self.child {
            child.wait().context("cannot tell whether the server has ended")?;
        }
        let _ = fs::remove_file(&self.state);
        Ok(())
    }
}

fn signal(pid: u32, signal: &str) -> Result<()> {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status().context("cannot run kill")?;
    if !status.success() {
        bail!("cannot stop the server, process {pid}");
    }
    Ok(())
}

/// What a server wrote: `NAME=value`, a line each.
fn read(text: &str, state: &Path) -> Option<Server> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    Some(Server {
        url: value("OPERATOR_LLM_URL")?.to_owned(),
        model: value("OPERATOR_LLM_MODEL")?.to_owned(),
        pid: value("OPERATOR_LLM_PID")?.parse().ok()?,
        child: None,
        state: state.to_owned(),
    })
}

/// Whether that process is a server that writes this state.
fn serves(pid: u32, state: &Path) -> bool {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).any(|word| word == state.as_os_str().as_encoded_bytes())
}

/// Whether a server answers there, and has its model: 503 until then.
fn is_healthy(url: &str) -> bool {
    let ask = || -> Option<bool> {
        let address: SocketAddr = url.strip_prefix("http://")?.parse().ok()?;
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        stream.write_all(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).ok()?;
        Some(head.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_wrote_is_read_whole_or_not_at_all() {
        let text = "OPERATOR_LLM_URL=http://127.0.0.1:4\nOPERATOR_LLM_MODEL=local\nOPERATOR_LLM_PID=7\n";
        let server = read(text, Path::new("s")).expect("whole");
        assert_eq!((server.url.as_str(), server.model.as_str(), server.pid), ("http://127.0.0.1:4", "local", 7));
        for half in ["", "OPERATOR_LLM_URL=http://127.0.0.1:4\n", &text.replace("=7", "=seven")] {
            assert!(read(half, Path::new("s")).is_none(), "{half}");
        }
    }

    #[test]
    fn a_process_that_is_something_else_is_not_taken_for_the_server() {
        assert!(!serves(std::process::id(), Path::new("/nowhere/server.env")));
    }

    #[test]
    fn only_a_server_that_says_it_is_well_is_healthy() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listen");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let serve = std::thread::spawn(move || {
            for answer in ["HTTP/1.1 503 Loading\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
                let (mut stream, _) = listener.accept().expect("accept");
                let _ = stream.read(&mut [0; 256]);
                stream.write_all(answer.as_bytes()).expect("answer");
            }
        });
        assert!(!is_healthy(&url));
        assert!(is_healthy(&url));
        serve.join().expect("served");
        assert!(!is_healthy(&url), "nobody listens any more");
    }
}
