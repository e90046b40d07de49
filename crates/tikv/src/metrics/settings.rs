//! How Prometheus is asked.
//!
//! | setting | default | meaning |
//! |---|---|---|
//! | `prometheus_url` | none | the Prometheus that scrapes stores and members, `http://host:9090` |
//! | `prometheus_window` | `1m` | over which time rates are taken; at least four scrapes |
//! | `prometheus_tikv` | `job="tikv"` | the matchers that select the stores |
//! | `prometheus_pd` | `job="pd"` | the matchers that select the members of PD |
//! | `prometheus_instance_label` | `instance` | the label that names a scraped target |
//! | `prometheus_join` | `status_address` | what that label holds: the store's `status_address`, its `host`, or its `name`, the first part of its host's name |
//! | `scrape_stores` | `true` | whether, without a Prometheus that answers, up to 20 stores are asked for their metrics one by one; the members of PD always are |

use std::collections::BTreeMap;

use operator_protocols::{SubjectError, Value};

/// The settings there are.
pub(crate) const SETTINGS: [&str; 7] = [
    "prometheus_instance_label",
    "prometheus_join",
    "prometheus_pd",
    "prometheus_tikv",
    "prometheus_url",
    "prometheus_window",
    "scrape_stores",
];

/// Longer texts are no matchers but a mistake.
const MAX_TEXT: usize = 500;

/// How a scraped target is found to be a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Join {
    /// Its label is the store's status address.
    #[default]
    StatusAddress,
    /// Its label's host is the store's, whatever the port: right only where a host has one store.
    Host,
    /// Its label is the name of the store's host, or the first part of it, as the name of a pod is.
    Name,
}

impl Join {
    /// As it stands in the settings.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::StatusAddress => "status_address",
            Self::Host => "host",
            Self::Name => "name",
        }
    }
}

/// How Prometheus is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MetricsSettings {
    /// Where it is, if there is one.
    pub(crate) prometheus_url: Option<String>,
    /// Over which time rates are taken, as Prometheus writes times.
    pub(crate) window: String,
    /// The matchers that select stores.
    pub(crate) tikv: String,
    /// The matchers that select members of PD.
    pub(crate) pd: String,
    /// The label that names a scraped target.
    pub(crate) instance_label: String,
    /// What that label holds.
    pub(crate) join: Join,
    /// Whether stores are asked themselves, where no Prometheus answers.
    pub(crate) scrape_stores: bool,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self {
            prometheus_url: None,
            window: "1m".to_owned(),
            tikv: "job=\"tikv\"".to_owned(),
            pd: "job=\"pd\"".to_owned(),
            instance_label: "instance".to_owned(),
            join: Join::default(),
            scrape_stores: true,
        }
    }
}

impl MetricsSettings {
    /// Reads them out of a subject's settings.
    ///
    /// # Errors
    /// The first one that is wrong, with what would be right.
    pub(crate) fn read(settings: &BTreeMap<String, Value>) -> Result<Self, SubjectError> {
        let defaults = Self::default();
        let text = |name: &str| match settings.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) if !text.is_empty() && text.len() <= MAX_TEXT => Ok(Some(text.clone())),
            Some(other) => Err(SubjectError::new(
                name,
                format!("expected a text of 1 to {MAX_TEXT} bytes, given {}", shortened(&other.to_string())),
            )),
        };
        let checked = |name: &str, right: fn(&str) -> bool, expected: &str, default: String| match text(name)? {
            None => Ok(default),
            Some(text) if right(&text) => Ok(text),
            Some(text) => Err(SubjectError::new(name, format!("expected {expected}, given {:?}", shortened(&text)))),
        };
        const MATCHERS: &str = "matchers as they stand between braces, such as job=\"tikv\",cluster=\"prod\"";
        Ok(Self {
            prometheus_url: text("prometheus_url")?,
            window: checked("prometheus_window", is_window, "a time such as 1m or 90s", defaults.window)?,
            tikv: checked("prometheus_tikv", are_matchers, MATCHERS, defaults.tikv)?,
            pd: checked("prometheus_pd", are_matchers, MATCHERS, defaults.pd)?,
            instance_label: checked(
                "prometheus_instance_label",
                is_label,
                "the name of a label",
                defaults.instance_label,
            )?,
            join: match text("prometheus_join")?.as_deref() {
                None | Some("status_address") => Join::StatusAddress,
                Some("host") => Join::Host,
                Some("name") => Join::Name,
                Some(other) => {
                    return Err(SubjectError::new(
                        "prometheus_join",
                        format!("expected status_address, host or name, given {:?}", shortened(other)),
                    ));
                }
            },
            scrape_stores: match settings.get("scrape_stores") {
                None | Some(Value::Null) => defaults.scrape_stores,
                Some(Value::Bool(scrape)) => *scrape,
                Some(other) => {
                    let given = shortened(&other.to_string());
                    return Err(SubjectError::new("scrape_stores", format!("expected true or false, given {given}")));
                }
            },
        })
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Whole seconds or minutes, ten seconds to an hour.
fn is_window(text: &str) -> bool {
    let seconds = text
        .strip_suffix('s')
        .and_then(|count| count.parse::<u32>().ok())
        .or_else(|| text.strip_suffix('m').and_then(|count| count.parse::<u32>().ok()?.checked_mul(60)));
    seconds.is_some_and(|seconds| (10..=3600).contains(&seconds))
}

fn is_label(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `label OP "value"` several times over, with commas in between: enough to say what is wrong before Prometheus does.
fn are_matchers(text: &str) -> bool {
    let mut rest = text.trim();
    loop {
        let name = rest.find(['=', '!']).map_or("", |end| &rest[..end]);
        if !is_label(name.trim_end()) {
            return false;
        }
        rest = &rest[name.len()..];
        let Some(after) = ["=~", "!~", "!=", "="].iter().find_map(|operator| rest.strip_prefix(operator)) else {
            return false;
        };
        let Some(after) = after.trim_start().strip_prefix('"') else { return false };
        let mut escaped = false;
        let Some(end) = after.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        }) else {
            return false;
        };
        rest = after[end + 1..].trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None => return rest.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: Value) -> Result<MetricsSettings, String> {
        MetricsSettings::read(&BTreeMap::from([(name.to_owned(), value)])).map_err(|error| error.to_string())
    }

    #[test]
    fn without_any_setting_the_usual_jobs_are_asked_for() {
        assert_eq!(MetricsSettings::read(&BTreeMap::new()).expect("defaults"), MetricsSettings::default());
    }

    #[test]
    fn what_is_right_is_taken() {
        for (name, text) in [
            ("prometheus_window", "90s"),
            ("prometheus_window", "2m"),
            ("prometheus_tikv", "job=~\"tikv|tikv-2\", cluster!=\"a\\\"b,}\""),
            ("prometheus_instance_label", "pod"),
            ("prometheus_join", "name"),
        ] {
            let settings = read(name, Value::Text(text.to_owned())).expect(text);
            assert_ne!(settings, MetricsSettings::default(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for (name, text, expected) in [
            ("prometheus_window", "5s", "1m or 90s"),
            ("prometheus_window", "1h", "1m or 90s"),
            ("prometheus_tikv", "tikv", "job=\"tikv\""),
            ("prometheus_tikv", "job=tikv", "job=\"tikv\""),
            ("prometheus_tikv", "job=\"tikv", "job=\"tikv\""),
            ("prometheus_pd", "job=\"pd\"} or up{", "job=\"tikv\""),
            ("prometheus_instance_label", "in-stance", "label"),
            ("prometheus_join", "address", "status_address, host or name"),
            ("prometheus_url", "", "1 to 500"),
        ] {
            let error = read(name, Value::Text(text.to_owned())).expect_err(text);
            assert!(error.contains(name) && error.contains(expected), "{error}");
        }
        assert!(read("prometheus_url", Value::Bool(true)).is_err());
        assert!(read("scrape_stores", Value::Text("yes".into())).is_err());
    }
}
