//! A request that changes something, and what PD says to it.

use std::fmt;

use serde_json::Value;

use super::error::PdError;

/// How something is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Post,
    Delete,
}

/// A request that changes something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// How.
    pub(crate) method: Method,
    /// What, from `/pd/api/v1/` on, without a query string but `state=Up`.
    pub(crate) path: String,
    /// With what.
    pub(crate) body: Option<Value>,
    /// On whose behalf: the intent. PD writes it into its audit log.
    pub(crate) intent: String,
}

/// What PD says to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reply {
    /// Its words, `The operator is created.`; empty, where it says nothing.
    pub(crate) message: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            Method::Post => "POST",
            Method::Delete => "DELETE",
        };
        write!(f, "{method} {}", self.path)?;
        self.body.as_ref().map_or(Ok(()), |body| write!(f, " {body}"))
    }
}

impl Call {
    /// Refuses what must never be sent, whoever asks for it: PD itself has no roles and takes everything from everybody.
    ///
    /// A query string is refused but for the one there is: of `?force=false` on the removal of a store only the presence
    /// counts, and it means force (`server/api/store.go` in PD).
    pub(super) fn check(&self) -> Result<(), PdError> {
        let refuse =
            |why: &str| PdError::NotSent { member: "PD".to_owned(), why: format!("{self}: {why}"), refused: false };
        let (path, query) = match self.path.split_once('?') {
            None => (self.path.as_str(), None),
            Some((path, query)) => (path, Some(query)),
        };
        let Some(rest) = path.strip_prefix("/pd/api/v1/") else {
            return Err(refuse("it is not below /pd/api/v1/"));
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if parts.iter().any(|part| part.is_empty() || part.chars().all(|c| c == '.') || !part.chars().all(sound)) {
            return Err(refuse("its path has a part that is no plain name"));
        }
        match (query, self.method, &parts[..]) {
            (None, ..) => {}
            (Some("state=Up"), Method::Post, ["store", _, "state"]) => {}
            _ => return Err(refuse("it has a query string")),
        }
        match (self.method, &parts[..]) {
            (_, ["admin", ..]) => Err(refuse("nothing below admin is sent")),
            (Method::Delete, ["operators"]) => Err(refuse("it would cancel all operators")),
            (Method::Delete, ["schedulers", "evict-leader-scheduler"]) => Err(refuse("it would end all drains")),
            (Method::Delete, ["members", ..]) => Err(refuse("no member is removed")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: Method, path: &str) -> Call {
        Call { method, path: format!("/pd/api/v1{path}"), body: None, intent: "i-1".to_owned() }
    }

    #[test]
    fn what_must_never_be_sent_is_refused_before_a_byte() {
        for (method, path) in [
            (Method::Delete, "/store/4?force"),
            (Method::Delete, "/store/4?force=false"),
            (Method::Delete, "/store/4?"),
            (Method::Delete, "/store/4?state=Up"),
            (Method::Post, "/store/4/state?state=Tombstone"),
            (Method::Post, "/store/4/state?state=Up&force"),
            (Method::Post, "/config?ttlSecond=1"),
            (Method::Delete, "/operators"),
            (Method::Delete, "/operators/"),
            (Method::Delete, "/schedulers/evict-leader-scheduler"),
            (Method::Post, "/admin/unsafe/remove-failed-stores"),
            (Method::Post, "/x/../admin/reset-ts"),
            (Method::Post, "/store/4#x"),
            (Method::Post, "/store/4%2f"),
            (Method::Delete, "/members/name/pd-0"),
        ] {
            let refused = call(method, path).check().expect_err(path);
            assert!(refused.is_unsent(), "{path}: {refused}");
        }
        let elsewhere = Call { path: "/pd/api/v2/x".to_owned(), ..call(Method::Post, "") };
        assert!(elsewhere.check().is_err());
    }

    #[test]
    fn ordinary_requests_pass() {
        for (method, path) in [
            (Method::Post, "/operators"),
            (Method::Delete, "/operators/333"),
            (Method::Delete, "/schedulers/evict-leader-scheduler-4"),
            (Method::Post, "/store/4/state?state=Up"),
            (Method::Delete, "/store/4"),
            (Method::Post, "/leader/transfer/basic-pd-0.peer"),
        ] {
            assert_eq!(call(method, path).check(), Ok(()), "{path}");
        }
    }
}
