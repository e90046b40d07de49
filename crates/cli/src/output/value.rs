//! A subject's free-form answer for people: what it says first, why, and what would help; then whatever else there is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use operator_protocols::Value;

use crate::harmless::{columns, harmless};
use crate::output::Table;
use crate::screen::ages::age;

/// How many lines an answer may take: what is longer is for programs.
const LINES: usize = 400;
/// How deep an answer is written out; what is deeper is printed as JSON.
const DEPTH: usize = 6;
/// The widest that a list of plain values is written on one line.
const ONE_LINE: usize = 72;
/// The longest that a name is filled up to, so that what follows stands below each other.
const NAME: usize = 28;

/// Members with a place of their own, in the order in which they are read: how a subject's explanation is built.
const ANSWER: &str = "answer";
const BECAUSE: &str = "because";
const ETA: &str = "eta_seconds";
const HELP: &str = "what_would_help";
/// What a reason says; its other members tell where it comes from.
const STATEMENT: &str = "statement";

/// `value` as text of several lines. Nothing in it can act on a terminal.
pub fn for_people(value: &Value) -> String {
    let mut page = String::new();
    match value {
        Value::Map(map) if map.get(ANSWER).is_some_and(|answer| !is_nested(answer)) => explanation(&mut page, map),
        other => nested(&mut page, other, 0, 0),
    }
    let lines = page.lines().count();
    if lines <= LINES {
        return page.trim_end().to_owned();
    }
    let mut cut: String = page.lines().take(LINES).collect::<Vec<_>>().join("\n");
    let _ = write!(cut, "\n… and {} more lines; --output json has them all", lines - LINES);
    cut
}

fn explanation(page: &mut String, map: &BTreeMap<String, Value>) {
    if let Some(answer) = map.get(ANSWER) {
        let _ = writeln!(page, "{}", plain(answer));
    }
    if let Some(seconds) = map.get(ETA).and_then(Value::as_f64).filter(|seconds| *seconds >= 0.0) {
        let of = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let _ = writeln!(page, "done in about {}", age(of));
    }
    if let Some(because) = map.get(BECAUSE).filter(|because| !is_nothing(because)) {
        page.push_str("\nbecause\n");
        points(page, because);
    }
    if let Some(help) = map.get(HELP).filter(|help| !is_nothing(help)) {
        page.push_str("\nwhat would help\n");
        points(page, help);
    }
    let told = [ANSWER, BECAUSE, ETA, HELP];
    let rest: BTreeMap<_, _> = map
        .iter()
        .filter(|(name, value)| !told.contains(&name.as_str()) && !is_nothing(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !rest.is_empty() {
        page.push('\n');
        nested(page, &Value::Map(rest), 0, 0);
    }
}

/// A point a line; where it comes from in brackets behind it.
fn points(page: &mut String, value: &Value) {
    let list = match value {
        Value::List(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    for point in list {
        let said = match point {
            Value::Map(map) if map.contains_key(STATEMENT) => {
                let mut said = map.get(STATEMENT).map(plain).unwrap_or_default();
                let rest = map.iter().filter(|(name, value)| *name != STATEMENT && !is_nothing(value));
                let rest: Vec<_> = rest.map(|(name, value)| format!("{} {}", words(name), plain(value))).collect();
                if !rest.is_empty() {
                    let _ = write!(said, " ({})", rest.join(", "));
                }
                said
            }
            other => plain(other),
        };
        let _ = writeln!(page, "  - {said}");
    }
}

/// Writes `value` below what stands there, `indent` columns in.
fn nested(page: &mut String, value: &Value, indent: usize, depth: usize) {
    let space = " ".repeat(indent);
    match value {
        Value::Map(map) if map.is_empty() => {
            let _ = writeln!(page, "{space}nothing");
        }
        Value::Map(map) if depth < DEPTH => {
            let longest = map.keys().map(|name| columns(&words(name))).max().unwrap_or(0).min(NAME);
            for (name, value) in map {
                let name = words(name);
                match on_one_line(value) {
                    Some(text) => {
                        let fill = " ".repeat(longest.saturating_sub(columns(&name)));
                        let _ = writeln!(page, "{space}{name}{fill}  {text}");
                    }
                    None => {
                        let _ = writeln!(page, "{space}{name}");
                        nested(page, value, indent + 2, depth + 1);
                    }
                }
            }
        }
        Value::List(list) if depth < DEPTH => match table(list) {
            Some(table) => table.lines().for_each(|line| {
                let _ = writeln!(page, "{space}{line}");
            }),
            None => {
                for item in list {
                    match on_one_line(item) {
                        Some(text) => {
                            let _ = writeln!(page, "{space}- {text}");
                        }
                        None => {
                            let _ = writeln!(page, "{space}-");
                            nested(page, item, indent + 2, depth + 1);
                        }
                    }
                }
            }
        },
        other => {
            let _ = writeln!(page, "{space}{}", plain(other));
        }
    }
}

/// A list of maps that hold nothing nested, as rows.
fn table(list: &[Value]) -> Option<String> {
    let maps: Vec<_> = list.iter().map(Value::as_map).collect::<Option<_>>()?;
    let flat = maps.iter().all(|map| map.values().all(|value| on_one_line(value).is_some()));
    let mut names: Vec<&String> = maps.iter().flat_map(|map| map.keys()).collect();
    names.sort();
    names.dedup();
    if !flat || maps.len() < 2 || names.is_empty() || names.len() > 8 {
        return None;
    }
    let headings: Vec<_> = names.iter().map(|name| words(name)).collect();
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for map in maps {
        table.row(names.iter().map(|name| map.get(*name).and_then(on_one_line).unwrap_or_default()));
    }
    Some(table.render())
}

/// The value, if it is plain, or a short list of plain values.
fn on_one_line(value: &Value) -> Option<String> {
    match value {
        Value::List(list) if list.is_empty() => Some("none".to_owned()),
        Value::List(list) if !list.iter().any(is_nested) => {
            let text = list.iter().map(plain).collect::<Vec<_>>().join(", ");
            (columns(&text) <= ONE_LINE).then_some(text)
        }
        Value::Map(map) if map.is_empty() => Some("nothing".to_owned()),
        nested if is_nested(nested) => None,
        plain_value => Some(plain(plain_value)),
    }
}

fn is_nested(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) => false,
    }
}

/// A value in one line: text as it is, everything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Text(text) => harmless(text),
        other => harmless(&other.to_string()),
    }
}

/// A member's name as people write it.
fn words(name: &str) -> String {
    harmless(&name.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Value {
        serde_json::from_str(json).expect("a value")
    }

    #[test]
    fn an_explanation_says_its_answer_first_then_why_then_what_would_help() {
        let value = read(
            r#"{"answer": "store-4 still holds 12 regions", "eta_seconds": 90,
                "because": [{"statement": "no peer fits their rule", "evidence": "3 of 3 stores are full", "as_of": "now"},
                            "the removal is limited to 15 a minute"],
                "what_would_help": ["a fourth store"], "regions_left": 12, "stores": [], "nothing": null}"#,
        );
        insta::assert_snapshot!(for_people(&value), @r"
        store-4 still holds 12 regions
        done in about 90 s

        because
          - no peer fits their rule (as of now, evidence 3 of 3 stores are full)
          - the removal is limited to 15 a minute

        what would help
          - a fourth store

        regions left  12
        ");
    }

    #[test]
    fn any_other_value_is_written_out() {
        let value = read(
            r#"{"draining": false, "owner": null, "ages": [1, 2.5, "x"], "rows": [{"a": 1, "b": "one"}, {"a": 2}],
                "deep": {"list": [{"of": {"maps": {}}}], "long": ["word word word word word word", "word word word word word word", "word word word word"]}}"#,
        );
        insta::assert_snapshot!(for_people(&value), @r"
        ages      1, 2.5, x
        deep
          list
            -
              of
                maps  nothing
          long
            - word word word word word word
            - word word word word word word
            - word word word word
        draining  no
        owner     –
        rows
          A  B
          1  one
          2
        ");
        assert_eq!(for_people(&read("[]")), "");
        assert_eq!(for_people(&read("3")), "3");
    }

    #[test]
    fn nothing_in_an_answer_acts_on_a_terminal_and_no_size_floods_it() {
        let hostile = "\u{1b}[2J\u{202e}\r\nx".to_owned();
        let value = Value::map([(hostile.clone(), Value::from(vec![hostile.clone(), hostile.clone()]))]);
        let shown = for_people(&Value::map([("answer", Value::from(hostile)), ("rest", value)]));
        assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
        let long: Vec<i64> = (0..5000).collect();
        let shown = for_people(&long.into());
        assert!(shown.ends_with("… and 4600 more lines; --output json has them all"), "{shown}");
        let mut deep = Value::Null;
        for _ in 0..60 {
            deep = Value::map([("in", deep)]);
        }
        assert!(for_people(&deep).lines().count() < 20);
    }
}
