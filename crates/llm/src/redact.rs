//! Takes secrets out of whatever goes to a model and of whatever is kept of the exchange. There is one boundary, and
//! everything passes it: every body before it is sent, every answer before anybody reads it.
//!
//! Known secrets are replaced wherever they stand. What only looks like a secret is replaced too: a harmless word lost costs
//! little, a password in an audit that cannot be deleted costs much.

use std::borrow::Cow;
use std::fmt;

use regex::Regex;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;

use crate::SettingsError;

/// What stands in a secret's place. It is not ASCII, so that no key can be formed from it and what is around it.
pub const REDACTED: &str = "‹redacted›";
/// Shorter values cannot be told from words.
const MIN_KNOWN: usize = 4;

/// Names of fields whose value is a secret.
const NAMES: &str = "pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|api[_-]?key|access[_-]?key|secret[_-]?key|\
                     private[_-]?key|auth[_-]?token|access[_-]?token|client[_-]?secret";

/// Finds secrets and takes them out.
#[derive(Clone)]
pub struct Redactor {
    /// Longest first: one may be part of another.
    known: Vec<SecretString>,
    shapes: Vec<(Regex, &'static str)>,
    secret_name: Regex,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Redactor {
    /// A redactor that knows these secrets, and the shapes of others.
    ///
    /// # Errors
    /// A value is too short to be told from words, or part of what would stand in its place.
    pub fn new(known: impl IntoIterator<Item = SecretString>) -> Result<Self, SettingsError> {
        let mut known: Vec<SecretString> = known.into_iter().collect();
        for secret in &known {
            let secret = secret.expose_secret();
            if secret.len() < MIN_KNOWN || REDACTED.contains(secret) {
                let why =
                    format!("a secret of fewer than {MIN_KNOWN} bytes, or one that is a common word, cannot be found");
                return Err(SettingsError { field: "secrets", why });
            }
        }
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        let mut shapes = Vec::new();
        for (pattern, replacement) in shapes_of_secrets() {
            let shape =
                Regex::new(&pattern).map_err(|error| SettingsError { field: "secrets", why: error.to_string() })?;
            shapes.push((shape, replacement));
        }
        let secret_name = Regex::new(&format!("^(?i-u:[a-z0-9_.-]*?(?:{NAMES}))$"))
            .map_err(|error| SettingsError { field: "secrets", why: error.to_string() })?;
        Ok(Self { known, shapes, secret_name })
    }

    /// Text without the secrets in it.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.known {
            if text.contains(secret.expose_secret()) {
                text = Cow::Owned(text.replace(secret.expose_secret(), REDACTED));
            }
        }
        for (shape, replacement) in &self.shapes {
            if let Cow::Owned(replaced) = shape.replace_all(&text, *replacement) {
                text = Cow::Owned(replaced);
            }
        }
        text
    }

    /// Takes the secrets out of every text in `json`, names included, so that it stays JSON.
    pub fn json(&self, json: &mut Json) {
        match json {
            Json::Null | Json::Bool(_) => {}
            Json::Number(number) => {
                let digits = number.to_string();
                if self.known.iter().any(|secret| digits.contains(secret.expose_secret())) {
                    *json = Json::from(REDACTED);
                }
            }
            Json::String(text) => {
                if let Cow::Owned(redacted) = self.text(text) {
                    *text = redacted;
                }
            }
            Json::Array(list) => list.iter_mut().for_each(|one| self.json(one)),
            Json::Object(map) => {
                for (name, value) in std::mem::take(map) {
                    let mut value = value;
                    match &value {
                        Json::String(_) if self.secret_name.is_match(&name) => value = Json::from(REDACTED),
                        _ => self.json(&mut value),
                    }
                    map.insert(self.text(&name).into_owned(), value);
                }
            }
        }
    }

    /// A body as it came, without the secrets in it: read as JSON where it is JSON, so that none hides behind an escape.
    pub fn body(&self, body: &str) -> String {
        let Ok(mut json) = serde_json::from_str::<Json>(body) else { return self.text(body).into_owned() };
        let before = json.clone();
        self.json(&mut json);
        if json == before { self.text(body).into_owned() } else { self.text(&json.to_string()).into_owned() }
    }
}

/// What secrets look like, and what stands in their place. All of it matches in time linear in the text.
fn shapes_of_secrets() -> Vec<(String, &'static str)> {
    // A value: in quotes (those of JSON within JSON too), or up to a space or the next field.
    let value = r#"(?:\\*"(?:[^"\\]|\\[^"])*\\*"|'[^'\n]*'|[^ \t-\r"',;&}\]]+)"#;
    vec![
        (
            r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)".to_owned(),
            REDACTED,
        ),
        // Before the fields: its value has two words.
        (
            r#"(?i-u:(authorization)(\\*["']?\s*[:=]\s*\\*["']?)(?:(?:bearer|basic|digest|token)\s+)?)[^ \t-\r"',;\\]+"#
                .to_owned(),
            "$1$2‹redacted›",
        ),
        (r"(?i-u:\b(bearer)\s+[A-Za-z0-9._~+/=-]{8,})".to_owned(), "$1 ‹redacted›"),
        // Up to the last @ before a slash: passwords hold @ too.
        (r#"(?i-u:\b([a-z][a-z0-9+.-]*://))[^/ \t-\r"'<>]+@"#.to_owned(), "$1‹redacted›@"),
        (format!(r#"((?i-u:(?:{NAMES})))(\\*["']?[ \t-\r]*[:=][ \t-\r]*){value}"#), "$1$2‹redacted›"),
        (r"(?-u:\b)(?:sk|pk|rk)-[A-Za-z0-9_-]{12,}".to_owned(), REDACTED),
        (r"(?-u:\b)(?:AKIA|ASIA)[0-9A-Z]{16}(?-u:\b)".to_owned(), REDACTED),
        (
            r"(?-u:\b)(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})".to_owned(),
            REDACTED,
        ),
        (r"(?-u:\b)(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{30,}|hf_[A-Za-z0-9]{20,})".to_owned(), REDACTED),
        (r"(?-u:\b)eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*".to_owned(), REDACTED),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn knowing(secrets: &[&str]) -> Redactor {
        Redactor::new(secrets.iter().map(|secret| SecretString::from((*secret).to_owned()))).expect("they can be found")
    }

    #[test]
    fn what_looks_like_a_secret_goes_and_what_is_around_it_stays() {
        let redactor = knowing(&[]);
        for (text, wanted) in [
            ("Authorization: Bearer abc.def-123 x", "Authorization: ‹redacted› x"),
            ("sent with bearer abcdefgh1234, refused", "sent with bearer ‹redacted›, refused"),
            ("authorization: Basic dXNlcjpwYXNz", "authorization: ‹redacted›"),
            ("key sk-ant-api03-AbCdEf_123456 used", "key ‹redacted› used"),
            ("AKIAIOSFODNN7EXAMPLE!", "‹redacted›!"),
            ("postgres://app:p@ss:w0rd@db.example:5432/x", "postgres://‹redacted›@db.example:5432/x"),
            ("DB_PASSWORD=hunter2 retries=3", "DB_PASSWORD=‹redacted› retries=3"),
            (r#"{"password": "hunt er2", "port": 1}"#, r#"{"password": ‹redacted›, "port": 1}"#),
            (r#"{\"api_key\":\"hunter2\",\"port\":1}"#, r#"{\"api_key\":‹redacted›,\"port\":1}"#),
            ("token: eyJhbGciOi.eyJzdWIiOi.sig and more", "token: ‹redacted› and more"),
            ("cookie eyJhbGciOi.eyJzdWIiOi.sig_-1;", "cookie ‹redacted›;"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- after", "‹redacted› after"),
            ("-----BEGIN PRIVATE KEY-----\nMIIE cut off", "‹redacted›"),
            ("ghp_0123456789abcdefghij0123", "‹redacted›"),
        ] {
            assert_eq!(redactor.text(text), wanted, "of {text:?}");
        }
    }

    #[test]
    fn evidence_without_secrets_is_left_alone() {
        let redactor = knowing(&["key-0123456789"]);
        for text in [
            "p99 latency of C3 is 912 ms, was 21.0 ms",
            "max_tokens 300, input_tokens: 5",
            "http://10.0.0.1:9090/metrics?x=1",
            "certificate -----BEGIN CERTIFICATE-----",
            "task-0123456789abcdef moved, ask-why-not-then",
            "a password was refused 17 times",
        ] {
            assert!(matches!(redactor.text(text), Cow::Borrowed(_)), "{text:?} became {:?}", redactor.text(text));
        }
    }

    #[test]
    fn json_stays_json_and_secrets_behind_names_and_escapes_go() {
        let redactor = knowing(&["s3cr\"et\n1", "987654321"]);
        let mut json = json!({"a": ["x s3cr\"et\n1 y"], "s3cr\"et\n1": 1, "dbPassword": "p w", "pin": 19876543210_u64});
        redactor.json(&mut json);
        assert_eq!(
            json,
            json!({"a": ["x ‹redacted› y"], "‹redacted›": 1, "dbPassword": "‹redacted›", "pin": "‹redacted›"})
        );
        assert_eq!(redactor.body(r#"{"a":"s3cr\u0022et\n1"}"#), r#"{"a":"‹redacted›"}"#);
        let plain = "{ \"a\" : 1.50 }";
        assert_eq!(redactor.body(plain), plain, "what holds no secret is kept as it came");
    }

    #[test]
    fn a_secret_that_is_no_more_than_a_word_is_refused() {
        for weak in ["", "abc", "redacted", "dact"] {
            assert!(Redactor::new([SecretString::from(weak.to_owned())]).is_err(), "{weak:?}");
        }
        assert!(!format!("{:?}", knowing(&["key-0123456789"])).contains("0123456789"));
    }

    proptest! {
        #[test]
        fn a_known_secret_is_in_no_body(
            secret in "[!-~]{8,40}",
            other in "[!-~]{8,20}",
            around in prop::collection::vec(".{0,12}", 4),
        ) {
            prop_assume!(!REDACTED.contains(&secret) && !REDACTED.contains(&other));
            let redactor = knowing(&[&secret, &other]);
            let text = format!("{}{secret}{}{other}{secret}{}", around[0], around[1], around[2]);
            let mut json = json!({"m": [{"content": text.clone()}, {(text.clone()): around[3]}], "password": text});
            redactor.json(&mut json);
            let sent = json.to_string();
            let again: Json = serde_json::from_str(&sent).expect("it stays JSON");
            let mut open = vec![&again];
            while let Some(value) = open.pop() {
                match value {
                    Json::String(text) => prop_assert!(!text.contains(&secret) && !text.contains(&other), "{text}"),
                    Json::Array(list) => open.extend(list),
                    Json::Object(map) => {
                        prop_assert!(map.keys().all(|name| !name.contains(&secret) && !name.contains(&other)));
                        open.extend(map.values());
                    }
                    _ => {}
                }
            }
            let kept = redactor.body(&format!("not JSON: {text}"));
            prop_assert!(!kept.contains(&secret) && !kept.contains(&other), "{kept}");
        }
    }
}
