//! Lines from a stream, bounded in length and time.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};
use tokio::time::timeout;

/// Why there is no line.
#[derive(Debug)]
pub(super) enum LineError {
    /// It has more bytes than it may.
    TooLong,
    /// It did not come in time.
    TimedOut,
    /// The stream failed.
    Io(io::Error),
}

/// Waits until something comes. Says no at the end of the stream.
pub(super) async fn wait_for_line(input: &mut (impl AsyncBufRead + Unpin), idle: Duration) -> Result<bool, LineError> {
    match timeout(idle, input.fill_buf()).await {
        Err(_) => Err(LineError::TimedOut),
        Ok(Err(error)) => Err(LineError::Io(error)),
        Ok(Ok(bytes)) => Ok(!bytes.is_empty()),
    }
}

/// Reads a line of at most `most` bytes within `limit`, without its line break; `None` at the end of the stream, even
/// within a line.
pub(super) async fn read_line(
    input: &mut (impl AsyncBufRead + Unpin),
    most: usize,
    limit: Duration,
) -> Result<Option<Vec<u8>>, LineError> {
    let mut line = Vec::new();
    let reading = async {
        loop {
            let bytes = input.fill_buf().await.map_err(LineError::Io)?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(bytes.len());
            if line.len() + taken > most {
                return Err(LineError::TooLong);
            }
            line.extend_from_slice(&bytes[..taken]);
            input.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                return Ok(Some(std::mem::take(&mut line)));
            }
        }
    };
    timeout(limit, reading).await.unwrap_or(Err(LineError::TimedOut))
}
