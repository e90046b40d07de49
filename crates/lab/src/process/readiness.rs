//! How to tell that a process that was started can be used.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::log::LogTail;

/// How long one question to the process may take.
const QUESTION: Duration = Duration::from_millis(500);
/// How often to ask.
pub(super) const INTERVAL: Duration = Duration::from_millis(20);

/// What shows that a process is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// The program runs.
    Running,
    /// It prints one JSON object a line on standard output, and one of them has the member `"event": "ready"`.
    ReadyLine,
    /// It accepts connections here, and answers what is sent with something that begins as expected.
    Answers {
        /// Where.
        address: SocketAddr,
        /// What to send.
        send: String,
        /// How the answer begins.
        expect: String,
    },
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("the program running"),
            Self::ReadyLine => f.write_str("a ready line on its standard output"),
            Self::Answers { address, expect, .. } => write!(f, "an answer {:?} from {address}", expect.trim_end()),
        }
    }
}

#[derive(Deserialize)]
struct Announcement {
    event: String,
}

impl Readiness {
    /// Asks once.
    pub(super) async fn holds(&self, pid: u32, guard: &Path, output: &mut LogTail) -> bool {
        match self {
            Self::Running => has_become_the_program(pid, guard),
            Self::ReadyLine => output.new_lines().is_ok_and(|lines| lines.iter().any(|line| is_ready_line(line))),
            Self::Answers { address, send, expect } => {
                matches!(timeout(QUESTION, answers(*address, send, expect)).await, Ok(Ok(true)))
            }
        }
    }
}

/// Whether the guard has been replaced by the program it was to run.
fn has_become_the_program(pid: u32, guard: &Path) -> bool {
    let Ok(running) = std::fs::read_link(format!("/proc/{pid}/exe")) else { return false };
    std::fs::canonicalize(guard).is_ok_and(|guard| guard != running)
}

fn is_ready_line(line: &str) -> bool {
    serde_json::from_str::<Announcement>(line).is_ok_and(|announcement| announcement.event == "ready")
}

async fn answers(address: SocketAddr, send: &str, expect: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(send.as_bytes()).await?;
    let mut answer = vec![0; expect.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer == expect.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_that_says_ready_is_a_ready_line() {
        assert!(is_ready_line(r#"{"event":"ready","node_id":"a","address":"127.0.0.1:1"}"#));
        for line in ["", "ready", "{}", r#"{"event":"starting"}"#, r#"{"event":{"ready":1}}"#, "[1]"] {
            assert!(!is_ready_line(line), "{line}");
        }
    }
}
