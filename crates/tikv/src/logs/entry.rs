//! One entry of a log.

use operator_protocols::{LogLevel, Timestamp};

use super::time;

/// Keys of an entry that are kept.
const MAX_FIELDS: usize = 32;
/// Bytes of its text that are kept: more of a log is not evidence but a log.
pub(super) const MAX_TEXT: usize = 1_000;

/// One entry, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it was written.
    pub(crate) at: Timestamp,
    /// How grave its writer thought it.
    pub(crate) level: LogLevel,
    /// Where in the source it was written, `raft_client.rs:821`; none, if it does not say.
    pub(crate) source: Option<String>,
    /// What it says.
    pub(crate) message: String,
    /// Further things it says, in their order.
    pub(crate) fields: Vec<(String, String)>,
    /// Whether it was cut off: it breaks off before its end, or has more than is kept.
    pub(crate) truncated: bool,
}

impl Entry {
    /// Reads a line; none, if it does not begin as an entry does. What comes after its beginning and is not as it should
    /// be is kept as it stands: a log is written by a process that may be dying.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (at, rest) = bracketed(line)?;
        let (level, rest) = bracketed(rest)?;
        let mut entry = Self {
            at: time::read(at)?,
            level: level_of(level)?,
            source: None,
            message: String::new(),
            fields: Vec::new(),
            truncated: false,
        };
        let mut rest = rest;
        if let Some((source, after)) = bracketed(rest).filter(|(source, _)| is_source(source)) {
            entry.source = (source != "<unknown>").then(|| source.to_owned());
            rest = after;
        }
        match item(rest) {
            Some((Item::Text(message), after)) => {
                entry.message = message;
                rest = after;
            }
            _ => {
                entry.message = cut(rest.trim());
                entry.truncated = true;
                return Some(entry);
            }
        }
        while let Some((Item::Field(key, value), after)) = item(rest) {
            if entry.fields.len() < MAX_FIELDS {
                entry.fields.push((key, value));
            } else {
                entry.truncated = true;
            }
            rest = after;
        }
        if !rest.trim().is_empty() {
            entry.truncated = true;
            entry.message = cut(&format!("{} {}", entry.message, rest.trim()));
        }
        Some(entry)
    }

    /// All it says, on one line within a bound: the message, then its fields.
    pub(crate) fn text(&self) -> String {
        let mut text = self.message.clone();
        for (key, value) in &self.fields {
            if text.len() > MAX_TEXT {
                break;
            }
            text.push_str(&format!(" {key}={value}"));
        }
        cut(&text)
    }
}

/// One bracketed thing after the source.
enum Item {
    Text(String),
    Field(String, String),
}

fn level_of(word: &str) -> Option<LogLevel> {
    Some(match word {
        "TRACE" | "DEBUG" => LogLevel::Debug,
        "INFO" => LogLevel::Info,
        "WARN" | "WARNING" => LogLevel::Warn,
        "ERROR" => LogLevel::Error,
        "FATAL" | "CRITICAL" | "PANIC" => LogLevel::Fatal,
        _ => return None,
    })
}

/// `file.rs:12`, or the word for not knowing it.
fn is_source(text: &str) -> bool {
    text == "<unknown>"
        || text.rsplit_once(':').is_some_and(|(file, line)| {
            !file.is_empty()
                && !file.contains(['=', '"'])
                && !line.is_empty()
                && line.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// What stands between the brackets that `text` begins with, which holds no bracket, and what comes after.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(' ').strip_prefix('[')?;
    let end = text.find([']', '['])?;
    text[end..].starts_with(']').then(|| (&text[..end], &text[end + 1..]))
}

/// Reads `[text]`, `["text"]`, `[key=value]` or `["key"="value"]`, and what comes after.
fn item(text: &str) -> Option<(Item, &str)> {
    let text = text.trim_start_matches(' ').strip_prefix('[')?;
    let (first, rest) = word(text, &[']', '='])?;
    if let Some(after) = rest.strip_prefix(']') {
        return Some((Item::Text(first), after));
    }
    let (value, rest) = word(rest.strip_prefix('=')?, &[']'])?;
    Some((Item::Field(first, value), rest.strip_prefix(']')?))
}

/// Reads a quoted text, or one up to any of `ends`.
fn word<'a>(text: &'a str, ends: &[char]) -> Option<(String, &'a str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(ends)?;
        return Some((cut(&text[..end]), &text[end..]));
    };
    let mut escaped = false;
    let end = quoted.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    let whole = &text[..end + 2];
    // What is quoted otherwise than JSON quotes is kept as it stands.
    let word = serde_json::from_str::<String>(whole).unwrap_or_else(|_| quoted[..end].to_owned());
    Some((cut(&word), &quoted[end + 1..]))
}

/// At most [`MAX_TEXT`] bytes, and a sign that there was more.
pub(super) fn cut(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_entry_is_read_whole() {
        let entry = Entry::read(
            "[2026/11/24 10:00:00.123 +00:00] [WARN] [raft_client.rs:821] [\"connection \\\"lost\\\"\"] \
             [store_id=4] [err=\"RpcFailure: 14-UNAVAILABLE [x]\\n at y\"] [\"odd key\"=a] [thread_id=12]",
        )
        .expect("an entry");
        assert_eq!((entry.at.as_millis(), entry.level), (1_795_514_400_123, LogLevel::Warn));
        assert_eq!(entry.source.as_deref(), Some("raft_client.rs:821"));
        assert_eq!(entry.message, "connection \"lost\"");
        let fields: Vec<_> = entry.fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(
            fields,
            [
                ("store_id", "4"),
                ("err", "RpcFailure: 14-UNAVAILABLE [x]\n at y"),
                ("odd key", "a"),
                ("thread_id", "12")
            ]
        );
        assert!(!entry.truncated);
        assert!(entry.text().starts_with("connection \"lost\" store_id=4 err=Rpc"), "{}", entry.text());
    }

    #[test]
    fn an_entry_without_a_source_and_one_with_a_bare_message_are_read() {
        let entry =
            Entry::read("[2026/11/24 10:00:00.123 +00:00] [FATAL] [<unknown>] [stopped] [code=1]").expect("an entry");
        assert_eq!((entry.level, entry.source, entry.message.as_str()), (LogLevel::Fatal, None, "stopped"));
        let entry = Entry::read("[2026/11/24 10:00:00.123 +00:00] [INFO] [\"Welcome to TiKV\"]").expect("an entry");
        assert_eq!((entry.source, entry.message.as_str()), (None, "Welcome to TiKV"));
    }

    #[test]
    fn an_entry_that_breaks_off_keeps_what_is_there() {
        for (line, text) in [
            ("[2026/11/24 10:00:00.123 +00:00] [ERROR] [lib.rs:1] [\"thread 'raftstore-", "[\"thread 'raftstore-"),
            ("[2026/11/24 10:00:00.123 +00:00] [ERROR] [lib.rs:1] [\"a\"] [key=\"val", "a [key=\"val"),
            ("[2026/11/24 10:00:00.123 +00:00] [ERROR] plain text", "plain text"),
            ("[2026/11/24 10:00:00.123 +00:00] [ERROR]", ""),
        ] {
            let entry = Entry::read(line).expect(line);
            assert!(entry.truncated, "{line}");
            assert_eq!(entry.text(), text, "{line}");
        }
    }

    #[test]
    fn what_is_no_entry_is_none() {
        for line in [
            "",
            "   0: tikv_util::set_panic_hook",
            "[2026/11/24 10:00:00.123 +00:00]",
            "[2026/11/24] [WARN] [a.rs:1] [\"x\"]",
            "[2026/11/24 10:00:00.123 +00:00] [LOUD] [a.rs:1] [\"x\"]",
            "{\"level\":\"WARN\",\"message\":\"x\"}",
        ] {
            assert_eq!(Entry::read(line), None, "{line}");
        }
    }

    #[test]
    fn an_endless_entry_is_cut() {
        let fields: String = (0..1000).map(|n| format!(" [k{n}=\"{}\"]", "ä".repeat(2_000))).collect();
        let line = format!("[2026/11/24 10:00:00.123 +00:00] [WARN] [a.rs:1] [\"{}\"]{fields}", "m".repeat(5_000));
        let entry = Entry::read(&line).expect("an entry");
        assert_eq!(entry.fields.len(), MAX_FIELDS);
        assert!(entry.truncated && entry.text().len() <= MAX_TEXT + 3);
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_or_refused_and_stays_within_bounds(line in "\\PC{0,200}") {
            let _ = Entry::read(&line);
            let begun = format!("[2026/11/24 10:00:00.123 +00:00] [WARN] {line}");
            let entry = Entry::read(&begun).expect("it begins as an entry does");
            prop_assert!(entry.text().len() <= MAX_TEXT + 3);
        }

        #[test]
        fn almost_right_entries_are_read_or_refused(line in "[\\[\\]=\"\\\\a:1 .é]{0,80}") {
            let _ = Entry::read(&format!("[2026/11/24 10:00:00.123 +00:00] [WARN] {line}"));
        }

        #[test]
        fn what_is_written_by_the_rules_is_read_back(
            message in "\\PC{1,40}", key in "[a-z_]{1,10}", value in "\\PC{0,40}"
        ) {
            let quote = |text: &str| serde_json::to_string(text).expect("text");
            let line = format!(
                "[2026/11/24 10:00:00.123 +00:00] [WARN] [a.rs:1] [{}] [{key}={}]", quote(&message), quote(&value)
            );
            let entry = Entry::read(&line).expect("an entry");
            prop_assert_eq!(entry.message, message);
            prop_assert_eq!(entry.fields, vec![(key, value)]);
            prop_assert!(!entry.truncated);
        }
    }
}
