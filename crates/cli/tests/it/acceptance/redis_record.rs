//! What Redis itself has on record: the log of its writes, and every command as it comes in.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A value as Redis writes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Text(String),
    Int(i64),
    None,
    List(Vec<Reply>),
}

impl Reply {
    /// Reads one value; gives it with what follows. `None` when there is no whole one.
    pub fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
        let (line, rest) = (std::str::from_utf8(&bytes[1..end]).ok()?, &bytes[end + 2..]);
        Some(match bytes[0] {
            b'+' | b'-' => (Self::Text(line.to_owned()), rest),
            b':' => (Self::Int(line.parse().ok()?), rest),
            b'$' if line.starts_with('-') => (Self::None, rest),
            b'$' => {
                let length: usize = line.parse().ok()?;
                let text = String::from_utf8_lossy(rest.get(..length)?).into_owned();
                (Self::Text(text), rest.get(length + 2..)?)
            }
            b'*' if line.starts_with('-') => (Self::None, rest),
            b'*' => {
                let (mut items, mut rest) = (Vec::new(), rest);
                for _ in 0..line.parse::<usize>().ok()? {
                    let (item, after) = Self::parse(rest)?;
                    items.push(item);
                    rest = after;
                }
                (Self::List(items), rest)
            }
            _ => return None,
        })
    }

    fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }
}

/// How often each effect is in the log of writes.
#[derive(Debug, Default, PartialEq)]
pub struct Effects {
    /// New generations, by limiter key.
    pub resets: BTreeMap<String, u64>,
    /// Records of intents that had an effect, by intent.
    pub intents: BTreeMap<String, u64>,
}

/// Reads the log of writes of a Redis that has ended. It must be whole: never rewritten.
pub fn effects(log: &Path) -> Effects {
    let mut logs: Vec<_> =
        std::fs::read_dir(log).expect("Redis keeps a log").flatten().map(|entry| entry.path()).collect();
    logs.retain(|path| path.to_string_lossy().ends_with(".incr.aof"));
    assert!(matches!(&logs[..], [log] if log.ends_with("appendonly.aof.1.incr.aof")), "it was rewritten: {logs:?}");
    let bytes = std::fs::read(&logs[0]).expect("the log is read");
    let (mut effects, mut rest) = (Effects::default(), &bytes[..]);
    while let Some((command, after)) = Reply::parse(rest) {
        rest = after;
        let words: Vec<_> = command.items().iter().map(Reply::text).collect();
        let &[name, key, field, ..] = &words[..] else { continue };
        if !name.eq_ignore_ascii_case("hset") {
            continue;
        }
        if let Some(of) = key.strip_suffix("}:h").and_then(|key| key.strip_prefix("rl:{")).filter(|_| field == "g") {
            *effects.resets.entry(of.to_owned()).or_default() += 1;
        } else if let Some((_, intent)) = key.strip_prefix("rl:{").and_then(|key| key.split_once("}:i:")) {
            *effects.intents.entry(intent.to_owned()).or_default() += 1;
        }
    }
    assert!(rest.is_empty(), "{} bytes of the log are not understood", rest.len());
    effects
}

/// One command as `MONITOR` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Who sent it.
    pub from: String,
    /// Its name and what was given with it.
    pub words: Vec<String>,
}

/// Every command that Redis has been sent since this began.
pub struct Monitor {
    seen: Arc<Mutex<Vec<Seen>>>,
    watching: tokio::task::JoinHandle<()>,
}

impl Monitor {
    /// Begins; when it returns, Redis shows everything.
    pub async fn start(redis: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(redis).await.expect("Redis answers");
        stream.write_all(b"MONITOR\r\n").await.expect("asked");
        let mut lines = BufReader::new(stream).lines();
        assert_eq!(lines.next_line().await.expect("an answer").as_deref(), Some("+OK"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let watching = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(command) = parse_seen(&line) {
                    kept.lock().expect("not poisoned").push(command);
                }
            }
        });
        Self { seen, watching }
    }

    /// What was seen so far of whoever `of` names.
    pub fn of(&self, of: impl Fn(&str) -> bool) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").iter().filter(|seen| of(&seen.from)).cloned().collect()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

/// Reads `+1700000000.000001 [0 127.0.0.1:5000] "GET" "a"`.
fn parse_seen(line: &str) -> Option<Seen> {
    let (_, rest) = line.split_once(" [")?;
    let (from, words) = rest.split_once("] ")?;
    let (_, from) = from.split_once(' ')?;
    // A quote within a word is escaped, so that this ends a word.
    let words = words.trim_matches('"').split("\" \"").map(str::to_owned).collect();
    Some(Seen { from: from.to_owned(), words })
}

/// Greeting, signs of life and clock: commands that Redis flags neither as reading nor as writing, and that change
/// nothing that outlives the connection.
const HARMLESS: [&str; 6] = ["auth", "hello", "info", "ping", "select", "time"];

/// Those of the commands that do not read only, by what Redis says of each.
pub async fn not_reading(redis: SocketAddr, commands: &[Seen]) -> Vec<Seen> {
    let mut flags: BTreeMap<String, bool> = BTreeMap::new();
    for command in commands {
        let name = command.words[0].to_ascii_lowercase();
        if let Entry::Vacant(unknown) = flags.entry(name) {
            let name = unknown.key();
            let reads = HARMLESS.contains(&name.as_str()) || is_flagged_readonly(redis, name).await;
            unknown.insert(reads);
        }
    }
    commands.iter().filter(|command| !flags[&command.words[0].to_ascii_lowercase()]).cloned().collect()
}

async fn is_flagged_readonly(redis: SocketAddr, name: &str) -> bool {
    let answer = ask(redis, &["COMMAND", "INFO", name]).await;
    // [[name, arity, [flag …], …]]
    let flags = answer.items().first().and_then(|info| info.items().get(2)).map(|flags| flags.items().to_vec());
    flags.is_some_and(|flags| flags.iter().any(|flag| flag.text() == "readonly"))
}

/// Asks Redis one thing.
pub async fn ask(redis: SocketAddr, words: &[&str]) -> Reply {
    let mut stream = TcpStream::connect(redis).await.expect("Redis answers");
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(request.as_bytes()).await.expect("asked");
    let mut answer = Vec::new();
    loop {
        if let Some((reply, _)) = Reply::parse(&answer) {
            return reply;
        }
        let read = stream.read_buf(&mut answer).await.expect("an answer");
        assert!(read > 0, "Redis went away");
    }
}

#[test]
fn a_command_is_read_as_redis_shows_it() {
    let seen = parse_seen(r#"+1700000000.000001 [0 127.0.0.1:5000] "EVAL_RO" "return \"x\"" "0""#).expect("a command");
    assert_eq!(seen.from, "127.0.0.1:5000");
    assert_eq!(seen.words, ["EVAL_RO", r#"return \"x\""#, "0"]);
}

#[test]
fn an_effect_is_counted_each_time_it_is_on_record() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let write = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        format!("*{}\r\n{}", words.len(), words.concat())
    };
    let log = [
        write(&["SELECT", "0"]),
        write(&["HSET", "rl:{a}:h", "g", "1"]),
        write(&["HSET", "rl:{a}:h", "w:1000", "1"]),
        write(&["HSET", "rl:{a}:i:limiter-A1-x", "body", "b"]),
        write(&["HSET", "rl:{a}:h", "g", "2"]),
    ];
    std::fs::write(folder.path().join("appendonly.aof.1.incr.aof"), log.concat()).expect("a log");
    let expected = Effects {
        resets: BTreeMap::from([("a".to_owned(), 2)]),
        intents: BTreeMap::from([("limiter-A1-x".to_owned(), 1)]),
    };
    assert_eq!(effects(folder.path()), expected);
}
