//! A server that answers from a script: one connection after the other, over real TCP, down to the byte and the pause.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What is done with one connection once its request is there.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Says nothing more and keeps the connection open.
    Stall,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// The request line and the headers.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Seen {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A running server. It ends with the test.
pub(crate) struct Scripted {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    stalled: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// Serves one connection for each of `scripts`, in order; further ones are closed.
    pub(crate) async fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stalled = Arc::new(Notify::new());
        let (kept, stalls) = (seen.clone(), stalled.clone());
        let task = tokio::spawn(async move {
            let mut open = Vec::new();
            for script in scripts {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let Some(request) = request(&mut stream).await else { continue };
                kept.lock().expect("no panic").push(request);
                for step in script {
                    match step {
                        // A client that has heard enough may be gone.
                        Step::Send(bytes) => drop(stream.write_all(&bytes).await),
                        Step::Stall => {
                            stalls.notify_one();
                            open.push(stream);
                            break;
                        }
                    }
                }
            }
            std::future::pending::<()>().await;
        });
        Self { url, seen, stalled, task }
    }

    /// Its base address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// Waits until it has begun to say nothing.
    pub(crate) async fn stalled(&self) {
        self.stalled.notified().await;
    }
}

async fn request(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head is text");
    let mut seen = Seen { head, body: String::new() };
    let length: usize = seen.header("content-length").expect("a body of known length").parse().expect("a number");
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    seen.body = String::from_utf8(bytes[end..].to_vec()).expect("a body is text");
    Some(seen)
}

/// A whole answer.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Vec<Step> {
    let head = format!("HTTP/1.1 {status} Said\r\n{headers}content-length: {}\r\n\r\n", body.len());
    vec![Step::Send([head.as_bytes(), body.as_bytes()].concat())]
}

/// A whole answer in JSON.
pub(crate) fn json(status: u16, body: &str) -> Vec<Step> {
    answer(status, "content-type: application/json\r\n", body)
}

/// The head of a stream of events, in chunks.
const STREAM: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";

/// A stream of events, sent in these parts, and properly ended.
pub(crate) fn stream<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Step> {
    let mut steps = cut_stream(parts);
    steps.push(Step::Send(b"0\r\n\r\n".to_vec()));
    steps
}

/// A stream of events that is cut off after these parts.
pub(crate) fn cut_stream<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Step> {
    let chunk = |part: &[u8]| Step::Send([format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat());
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    std::iter::once(Step::Send(STREAM.to_vec())).chain(parts.map(chunk)).collect()
}

/// A file of the recordings.
pub(crate) fn recording(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The answer of a recording: its own status and headers, and its body as it came.
pub(crate) fn recorded(name: &str) -> Vec<Step> {
    let body = recording(&format!("{name}.response.body"));
    let head = recording(&format!("{name}.response.headers"));
    if head.contains("Transfer-Encoding: chunked") {
        return stream([body.as_bytes()]);
    }
    let head = format!("{}\r\n\r\n", head.trim_end().replace("\r\n", "\n").replace('\n', "\r\n"));
    vec![Step::Send([head.as_bytes(), body.as_bytes()].concat())]
}
