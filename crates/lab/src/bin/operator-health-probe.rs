//! Asks one service on this host whether it is well, for the health checks of containers that hold nothing else: no
//! shell, no curl.
//!
//! `operator-health-probe http://HOST:PORT/PATH` succeeds on an answer 2xx, `operator-health-probe redis://HOST:PORT` on
//! a PONG.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::ExitCode;
use std::time::Duration;

/// Connecting, writing and reading may each take that long.
const PATIENCE: Duration = Duration::from_millis(1500);
/// The beginning of an answer is enough.
const ANSWER_BYTES: usize = 64;

fn main() -> ExitCode {
    let Some(target) = std::env::args().nth(1) else {
        return fail("usage: operator-health-probe http://HOST:PORT/PATH | redis://HOST:PORT");
    };
    let asked = if let Some(rest) = target.strip_prefix("http://") {
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let request = format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        ask(address, request.as_bytes()).map(|answer| is_success(&answer))
    } else if let Some(address) = target.strip_prefix("redis://") {
        ask(address, b"PING\r\n").map(|answer| answer.starts_with(b"+PONG"))
    } else {
        return fail(&format!("{target}: neither http:// nor redis://"));
    };
    match asked {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => fail(&format!("{target} is not well")),
        Err(error) => fail(&format!("{target}: {error}")),
    }
}

fn ask(address: &str, request: &[u8]) -> io::Result<Vec<u8>> {
    let address = address.to_socket_addrs()?.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut answer = vec![0; ANSWER_BYTES];
    let length = stream.read(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

/// Whether an answer begins like `HTTP/1.1 2…`.
fn is_success(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.") && answer.get(8..10) == Some(b" 2")
}

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{message}");
    ExitCode::FAILURE
}
