//! What stands between the operator and what it watches: passes everything on as it is, and keeps what was asked and
//! from which address.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::late::Lateness;

/// The longest head of a request that is looked at.
const HEAD_BYTES: usize = 64 << 10;

/// Passes connections on to one address.
pub struct Forwarder {
    /// Where to connect instead.
    pub address: SocketAddr,
    record: Arc<Mutex<Record>>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Record {
    requests: Vec<String>,
    from: BTreeSet<String>,
}

impl Forwarder {
    /// Listens, and passes on to `to`.
    pub async fn start(to: SocketAddr) -> Self {
        Self::passing(to, None).await
    }

    /// The same, with every HTTP request that is no GET passed on late, also when its caller is gone.
    pub async fn late(to: SocketAddr, lateness: &Arc<Lateness>) -> Self {
        Self::passing(to, Some(Arc::clone(lateness))).await
    }

    async fn passing(to: SocketAddr, lateness: Option<Arc<Lateness>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let record = Arc::new(Mutex::new(Record::default()));
        let kept = Arc::clone(&record);
        let accepting = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                // Who is not there refuses: the caller is let go.
                let Ok(called) = TcpStream::connect(to).await else { continue };
                let from = called.local_addr().expect("its address").to_string();
                kept.lock().expect("not poisoned").from.insert(from);
                tokio::spawn(pass(caller, called, Arc::clone(&kept), lateness.clone()));
            }
        });
        Self { address, record, accepting }
    }

    /// The first line of every HTTP request that passed.
    pub fn requests(&self) -> Vec<String> {
        self.record.lock().expect("not poisoned").requests.clone()
    }

    /// Whether the one that is passed on to saw this address as one of the callers.
    pub fn called_from(&self, address: &str) -> bool {
        self.record.lock().expect("not poisoned").from.contains(address)
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(caller: TcpStream, called: TcpStream, record: Arc<Mutex<Record>>, lateness: Option<Arc<Lateness>>) {
    let (mut from_caller, mut to_caller) = caller.into_split();
    let (mut from_called, mut to_called) = called.into_split();
    let there = async {
        let (mut requests, mut piece) = (RequestLines::default(), vec![0; 16 << 10]);
        while let Ok(read @ 1..) = from_caller.read(&mut piece).await {
            let lines = requests.read(&piece[..read]);
            if let Some(lateness) = lateness.as_ref().filter(|_| lines.iter().any(|line| !line.starts_with("GET "))) {
                lateness.wait().await;
            }
            record.lock().expect("not poisoned").requests.extend(lines);
            if to_called.write_all(&piece[..read]).await.is_err() {
                break;
            }
        }
        let _ = to_called.shutdown().await;
    };
    let back = async {
        let _ = tokio::io::copy(&mut from_called, &mut to_caller).await;
        let _ = to_caller.shutdown().await;
    };
    tokio::join!(there, back);
}

/// Finds the first lines of the requests in a connection.
#[derive(Default)]
struct RequestLines {
    head: Vec<u8>,
    body_left: usize,
}

impl RequestLines {
    fn read(&mut self, mut piece: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        while !piece.is_empty() {
            let of_body = self.body_left.min(piece.len());
            self.body_left -= of_body;
            piece = &piece[of_body..];
            let Some((&byte, rest)) = piece.split_first() else { break };
            piece = rest;
            self.head.push(byte);
            if self.head.ends_with(b"\r\n\r\n") || self.head.len() > HEAD_BYTES {
                let head = String::from_utf8_lossy(&self.head).into_owned();
                lines.push(head.lines().next().unwrap_or_default().to_owned());
                self.body_left = content_length(&head);
                self.head.clear();
            }
        }
        lines
    }
}

fn content_length(head: &str) -> usize {
    let named = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = named.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().and_then(|(_, length)| length.trim().parse().ok()).unwrap_or(0)
}

#[test]
fn every_request_of_a_connection_is_seen_whatever_pieces_it_comes_in() {
    let sent = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 17\r\n\r\nGET /c HTTP/1.1\r\nPUT /d HTTP/1.1\r\n\r\n";
    for size in [1, 7, 1000] {
        let mut requests = RequestLines::default();
        let lines: Vec<_> = sent.chunks(size).flat_map(|piece| requests.read(piece)).collect();
        assert_eq!(lines, ["GET /a HTTP/1.1", "POST /b HTTP/1.1", "PUT /d HTTP/1.1"], "in pieces of {size}");
    }
}
