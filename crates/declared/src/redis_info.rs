//! What a Redis server says to `INFO`, as metrics: it has no HTTP.
//!
//! A number is a metric of its name (`used_memory 1048576`); a text is a metric of value 1 with the text as its label
//! `value` (`role{value="master"} 1`); a list such as `keys=5,expires=0` is one metric with the label `field`
//! (`db0{field="keys"} 5`). A state is a number: `ok` and `up` are 1, `err` and `down` are 0, so that it can be held
//! against a limit when it changes.

use std::fmt::Write as _;
use std::time::Duration;

use operator_prometheus::{Exposition, ExpositionLimits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Bytes of an answer; a real one has about 7 KiB.
const MAX_BYTES: usize = 256 << 10;

/// Asks the server at `address`. A password is not supported.
pub(crate) async fn read(address: &str, within: Duration) -> Result<Exposition, String> {
    let text = timeout(within, ask(address)).await;
    let text = text.unwrap_or_else(|_| Err(format!("no answer from {address} within {within:?}")))?;
    Exposition::parse(exposition(&text).as_bytes(), &ExpositionLimits::default())
        .map_err(|error| format!("INFO of {address}: {error}"))
}

async fn ask(address: &str) -> Result<String, String> {
    let mut stream =
        TcpStream::connect(address).await.map_err(|error| format!("could not connect to {address}: {error}"))?;
    let broken = |error: std::io::Error| format!("{address} broke the connection: {error}");
    stream.write_all(b"INFO\r\n").await.map_err(broken)?;
    let mut answer = Vec::new();
    let mut part = [0; 8192];
    loop {
        if let Some(text) = reply(&answer).map_err(|why| format!("{address} answers INFO with {why}"))? {
            return Ok(text);
        }
        let read = stream.read(&mut part).await.map_err(broken)?;
        if read == 0 {
            return Err(format!("{address} broke off its answer to INFO"));
        }
        answer.extend_from_slice(&part[..read]);
        if answer.len() > MAX_BYTES {
            return Err(format!("{address} answers INFO with more than {MAX_BYTES} bytes"));
        }
    }
}

/// The text of a bulk reply (`$LENGTH\r\nTEXT\r\n`), if all of it is there.
fn reply(answer: &[u8]) -> Result<Option<String>, String> {
    let Some(end) = answer.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let head: String = String::from_utf8_lossy(&answer[..end]).chars().take(120).collect();
    let length = head.strip_prefix('$').and_then(|length| length.parse::<usize>().ok()).filter(|n| *n <= MAX_BYTES);
    let length = length.ok_or_else(|| format!("{head:?}"))?;
    let body = answer.get(end + 2..end + 2 + length);
    Ok(body.map(|body| String::from_utf8_lossy(body).into_owned()))
}

/// The same in the text format. What cannot be a metric's name is left out, and so is a name that comes twice.
fn exposition(info: &str) -> String {
    let mut text = String::new();
    let mut seen = std::collections::BTreeSet::new();
    for line in info.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let plain = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || !seen.insert(name) {
            continue;
        }
        let state = match value {
            "ok" | "up" => Some(1.0),
            "err" | "down" => Some(0.0),
            _ => None,
        };
        if let Some(number) = state.or_else(|| value.parse::<f64>().ok()) {
            let _ = writeln!(text, "{name} {number}");
            continue;
        }
        let pairs: Option<Vec<(&str, f64)>> = value
            .split(',')
            .map(|pair| {
                let (field, number) = pair.split_once('=')?;
                Some((field, number.parse().ok()?))
            })
            .collect();
        let mut fields = std::collections::BTreeSet::new();
        match pairs {
            Some(pairs) => {
                for (field, number) in pairs.into_iter().filter(|(field, _)| fields.insert(*field)) {
                    let _ = writeln!(text, "{name}{{field=\"{}\"}} {number}", escaped(field));
                }
            }
            None => {
                let _ = writeln!(text, "{name}{{value=\"{}\"}} 1", escaped(value));
            }
        }
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_texts_and_lists_become_metrics_and_what_cannot_be_one_is_left_out() {
        let info = "# Server\r\nredis_version:7.0.15\r\nused_memory:1024\r\nrole:master\r\ndb0:keys=5,expires=0\r\n\
                    master_link_status:down\r\nodd\"name:1\r\nexecutable:/x\\y\"z\r\nused_memory:7\r\n";
        let text = exposition(info);
        let parsed = Exposition::parse(text.as_bytes(), &ExpositionLimits::default()).expect("well formed");
        assert_eq!(parsed.sum("used_memory", &[]), Some(1024.0));
        assert_eq!(parsed.sum("role", &[("value", "master")]), Some(1.0));
        assert_eq!(parsed.sum("master_link_status", &[]), Some(0.0));
        assert_eq!(parsed.sum("db0", &[("field", "keys")]), Some(5.0));
        assert_eq!(parsed.sum("executable", &[("value", "/x\\y\"z")]), Some(1.0));
        assert!(!text.contains("odd"), "{text}");
    }

    #[test]
    fn a_reply_is_taken_only_whole_and_an_error_is_quoted() {
        assert_eq!(reply(b"$5\r\nab"), Ok(None));
        assert_eq!(reply(b"$5"), Ok(None));
        assert_eq!(reply(b"$3\r\na:1\r\n"), Ok(Some("a:1".to_owned())));
        assert_eq!(reply(b"-NOAUTH x\r\n"), Err("\"-NOAUTH x\"".to_owned()));
        assert!(reply(b"$99999999999\r\n").is_err());
    }
}
