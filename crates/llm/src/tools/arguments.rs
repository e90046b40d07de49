//! Arguments of a call, read against closed sets. What does not fit is told with what would.

use operator_protocols::Value;
use operator_reasoner::bounded;
use serde_json::{Map, Value as Json};

/// How many of the right words are named.
const NAMED: usize = 30;

/// The arguments of one call.
pub(crate) struct Arguments<'j> {
    members: &'j Map<String, Json>,
}

impl<'j> Arguments<'j> {
    /// The members of `json`; none of them may be another than `known`.
    pub fn of(json: &'j Json, known: &[&str]) -> Result<Self, String> {
        let Json::Object(members) = json else {
            return Err(format!("the arguments must be an object with {}", or_nothing(known)));
        };
        match members.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(format!("there is no argument {:?}; there are {}", bounded(key, 60), or_nothing(known))),
            None => Ok(Self { members }),
        }
    }

    /// A text that must be there.
    pub fn text(&self, name: &str, expected: &str) -> Result<&'j str, String> {
        match self.members.get(name) {
            Some(Json::String(text)) => Ok(text),
            given => Err(wrong(name, expected, given)),
        }
    }

    /// A text that may be left out.
    pub fn optional(&self, name: &str) -> Result<&'j str, String> {
        match self.members.get(name) {
            None | Some(Json::Null) => Ok(""),
            Some(Json::String(text)) => Ok(text),
            given => Err(wrong(name, "a text", given)),
        }
    }

    /// A whole number within bounds; the greatest, if it is left out.
    pub fn count(&self, name: &str, most: i64) -> Result<usize, String> {
        match self.members.get(name) {
            None | Some(Json::Null) => Ok(usize::try_from(most).unwrap_or(1)),
            Some(json) => match json.as_i64() {
                Some(n) if (1..=most).contains(&n) => Ok(usize::try_from(n).unwrap_or(1)),
                _ => Err(wrong(name, &format!("a whole number from 1 to {most}"), Some(json))),
            },
        }
    }

    /// A map of values.
    pub fn map(&self, name: &str) -> Result<std::collections::BTreeMap<String, Value>, String> {
        match self.members.get(name) {
            None | Some(Json::Null) => Ok(std::collections::BTreeMap::new()),
            Some(Json::Object(map)) => map
                .iter()
                .map(|(key, json)| match serde_json::from_value::<Value>(json.clone()) {
                    Ok(value) => Ok((key.clone(), value)),
                    Err(_) => Err(wrong(name, "plain values", Some(json))),
                })
                .collect(),
            given => Err(wrong(name, "an object", given)),
        }
    }
}

fn wrong(name: &str, expected: &str, given: Option<&Json>) -> String {
    let given = given.map_or_else(|| "nothing".to_owned(), |json| bounded(&json.to_string(), 60));
    format!("{name}: expected {expected}, given {given}")
}

/// The words of a closed set, for a person or a model.
pub(crate) fn list<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.into_iter().take(NAMED).map(|word| bounded(word, 60)).collect();
    if words.is_empty() { "nothing".to_owned() } else { format!("one of {}", words.join(", ")) }
}

fn or_nothing(known: &[&str]) -> String {
    if known.is_empty() { "no members".to_owned() } else { known.join(", ") }
}
