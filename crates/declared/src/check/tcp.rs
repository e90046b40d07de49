//! Asking by TCP: a connection, and perhaps a line that must be answered.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::limits;

/// Connects, sends, and reads until `expect` has come; gives what came.
pub(super) async fn exchange(
    address: &str,
    send: &str,
    expect: Option<&[u8]>,
    within: Duration,
) -> Result<Vec<u8>, String> {
    let talk = async {
        let mut stream =
            TcpStream::connect(address).await.map_err(|error| format!("could not connect to {address}: {error}"))?;
        let broken = |error: std::io::Error| format!("{address} broke the connection: {error}");
        stream.write_all(send.as_bytes()).await.map_err(broken)?;
        let mut answer = Vec::new();
        let Some(expect) = expect else { return Ok(answer) };
        let mut part = [0; 4096];
        while !contains(&answer, expect) {
            let read = stream.read(&mut part).await.map_err(broken)?;
            answer.extend_from_slice(&part[..read]);
            if read == 0 || answer.len() > limits::CHECK_BYTES {
                let given: String = String::from_utf8_lossy(&answer).chars().take(60).collect();
                let expect = String::from_utf8_lossy(expect);
                return Err(format!("{address} answers {given:?}, not {expect:?}"));
            }
        }
        Ok(answer)
    };
    timeout(within, talk).await.unwrap_or_else(|_| Err(format!("no answer from {address} within {within:?}")))
}

/// Whether `part` stands in `whole`.
pub(super) fn contains(whole: &[u8], part: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part)
}
