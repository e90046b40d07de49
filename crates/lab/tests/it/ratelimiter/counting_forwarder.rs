//! What stands between the subject and a node: passes everything on as it is, and counts what is asked for but not by
//! `GET`. A node has no other requests that change nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The longest line that is looked at.
const LINE_BYTES: usize = 16 << 10;

/// Passes connections on to one address.
pub struct CountingForwarder {
    /// Where to connect instead.
    pub address: SocketAddr,
    counts: Arc<Counts>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    reading: AtomicU64,
    writing: AtomicU64,
}

impl CountingForwarder {
    pub async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let counts = Arc::new(Counts::default());
        let kept = Arc::clone(&counts);
        let accepting = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                // Who is not there refuses: the caller is let go.
                let Ok(called) = TcpStream::connect(to).await else { continue };
                tokio::spawn(pass(caller, called, Arc::clone(&kept)));
            }
        });
        Self { address, counts, accepting }
    }

    /// How many requests only read.
    pub fn reading(&self) -> u64 {
        self.counts.reading.load(Ordering::SeqCst)
    }

    /// How many requests do not.
    pub fn writing(&self) -> u64 {
        self.counts.writing.load(Ordering::SeqCst)
    }
}

impl Drop for CountingForwarder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(caller: TcpStream, called: TcpStream, counts: Arc<Counts>) {
    let (mut from_caller, mut to_caller) = caller.into_split();
    let (mut from_called, mut to_called) = called.into_split();
    let there = async {
        let (mut line, mut piece) = (Vec::new(), vec![0; 16 << 10]);
        while let Ok(read @ 1..) = from_caller.read(&mut piece).await {
            // Counted before it is passed on: who was answered has been counted.
            counts.look_at(&mut line, &piece[..read]);
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

impl Counts {
    /// Looks for lines that begin a request. A body follows its head without a line break at its end, so that the line
    /// of the next request may begin with it: only the end of a line is looked at, and its method is the last in it.
    fn look_at(&self, line: &mut Vec<u8>, piece: &[u8]) {
        for &byte in piece {
            if byte != b'\n' {
                if line.len() < LINE_BYTES {
                    line.push(byte);
                }
                continue;
            }
            if let Some(request) = line.strip_suffix(b" HTTP/1.1\r") {
                let request = String::from_utf8_lossy(request);
                let method = request.rsplit_once(" /").map_or("", |(method, _)| method);
                let counted = if method.ends_with("GET") { &self.reading } else { &self.writing };
                counted.fetch_add(1, Ordering::SeqCst);
            }
            line.clear();
        }
    }
}

#[test]
fn every_request_of_a_connection_is_counted_whatever_pieces_it_comes_in() {
    let sent = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\nPOST /b HTTP/1.1\r\ncontent-length: 7\r\n\r\n{\"a\":1}\
                 GET /c HTTP/1.1\r\n\r\nDELETE /d HTTP/1.1\r\n\r\n";
    for size in [1, 7, 1000] {
        let (counts, mut line) = (Counts::default(), Vec::new());
        sent.chunks(size).for_each(|piece| counts.look_at(&mut line, piece));
        let counted = (counts.reading.into_inner(), counts.writing.into_inner());
        assert_eq!(counted, (2, 2), "in pieces of {size}");
    }
}
