//! Why PD gave no answer that can be used, and what that proves of a request that should have changed something.

use operator_prometheus::{HttpAnswer, HttpError};
use operator_protocols::Unavailable;
use serde_json::Value;

/// Why PD gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PdError {
    /// Nothing left this side.
    #[error("nothing was sent to {member}: {why}")]
    NotSent {
        /// To whom.
        member: String,
        /// What went wrong.
        why: String,
        /// Whether the host answered that nothing listens there.
        refused: bool,
    },
    /// One side does not accept the other's certificate, or one of them does not speak TLS.
    #[error("no TLS with {member}: {why}")]
    Tls {
        /// With whom.
        member: String,
        /// What went wrong.
        why: String,
        /// Whether the request had been handed over before that was found.
        sent: bool,
    },
    /// It was sent, perhaps, and no whole answer came in time.
    #[error("{member} did not answer in time: {why}")]
    Timeout {
        /// Who.
        member: String,
        /// How long it was waited for.
        why: String,
    },
    /// It was sent, perhaps, and the connection broke.
    #[error("the connection to {member} broke: {why}")]
    Broken {
        /// To whom.
        member: String,
        /// What went wrong.
        why: String,
    },
    /// PD refused (a status of 4xx): it did nothing.
    #[error("PD refused with {status}: {body}")]
    Refused {
        /// The status.
        status: u16,
        /// What it says, shortened.
        body: String,
    },
    /// PD's leader answered with an error of its own (500, in JSON): what was asked for did not come about.
    #[error("PD answered with an error: {body}")]
    Failed {
        /// The status.
        status: u16,
        /// What it says, shortened.
        body: String,
    },
    /// No store ever joined.
    #[error("PD's cluster is empty: no store ever joined")]
    NotBootstrapped,
    /// No leader answered: the member that was asked knows none, or does not reach it. That says nothing about stores.
    #[error("PD's leader does not answer: {member} says {status}: {body}")]
    ControlPlaneUnavailable {
        /// Who was asked.
        member: String,
        /// The status.
        status: u16,
        /// What it says, shortened.
        body: String,
    },
    /// PD asks to be left alone for a while (429).
    #[error("PD limits the rate of requests")]
    RateLimited,
    /// The answer is not what PD's API promises.
    #[error("PD's answer to {path} is not understood: {why}")]
    NotUnderstood {
        /// What was asked.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The answer is longer than allowed.
    #[error("PD's answer to {path} is longer than {limit} bytes")]
    TooLarge {
        /// What was asked.
        path: String,
        /// The bound, in bytes.
        limit: usize,
    },
}

/// How much of an answer is shown.
const SHOWN: usize = 300;

impl PdError {
    /// What could not be read because of this.
    pub(crate) fn unavailable(&self, what: impl Into<String>) -> Unavailable {
        Unavailable::new(what, self.to_string())
    }

    /// Whether the request provably never left this side.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self, Self::NotSent { .. } | Self::Tls { sent: false, .. })
    }

    /// Whether nobody answered for PD as a whole, so that it is not worth asking on.
    pub(crate) fn is_silence(&self) -> bool {
        !self.is_final() && !matches!(self, Self::NotUnderstood { .. })
    }

    /// Whether it is an answer that another member would not better: the leader's own.
    pub(super) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::Failed { .. }
                | Self::NotBootstrapped
                | Self::RateLimited
                | Self::TooLarge { .. }
        )
    }

    /// Which of several members' errors says most about PD as a whole: the greatest.
    pub(super) fn weight(&self) -> u8 {
        match self {
            Self::NotSent { .. } => 0,
            Self::Tls { .. } => 1,
            Self::Broken { .. } => 2,
            Self::Timeout { .. } => 3,
            Self::NotUnderstood { .. } => 4,
            Self::ControlPlaneUnavailable { .. } => 5,
            _ => 6,
        }
    }

    pub(super) fn of_http(member: &str, path: &str, error: HttpError) -> Self {
        let member = member.to_owned();
        match error {
            HttpError::Address { why, .. } => Self::NotSent { member, why, refused: false },
            HttpError::Connect { why, refused, .. } => Self::NotSent { member, why, refused },
            HttpError::Tls { why, sent, .. } => Self::Tls { member, why, sent },
            HttpError::Timeout { waited, .. } => Self::Timeout { member, why: format!("{path} within {waited:?}") },
            HttpError::Broken { why, .. } => Self::Broken { member, why },
            HttpError::TooLarge { limit, .. } => Self::TooLarge { path: path.to_owned(), limit },
        }
    }

    /// What an answer whose status is no success says.
    pub(super) fn of_answer(member: &str, path: &str, answer: &HttpAnswer) -> Self {
        let status = answer.status;
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let body = match &json {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Object(fields)) => fields.get("msg").and_then(Value::as_str).unwrap_or_default().to_owned(),
            Some(_) => String::new(),
            None => String::from_utf8_lossy(&answer.body[..answer.body.len().min(4 * SHOWN)]).into_owned(),
        };
        let body = shown(&body);
        // Go's server says so to whoever speaks plainly where TLS is spoken (net/http, server.go).
        if status == 400 && body.contains("HTTP request to an HTTPS server") {
            return Self::Tls {
                member: member.to_owned(),
                why: "it speaks TLS: give its address with https".into(),
                sent: false,
            };
        }
        match status {
            429 => Self::RateLimited,
            400..=499 => Self::Refused { status, body },
            500 if body.contains("ErrNotBootstrapped") => Self::NotBootstrapped,
            500 if json.is_some() && !body.contains("ErrRedirect") => Self::Failed { status, body },
            500..=599 => Self::ControlPlaneUnavailable { member: member.to_owned(), status, body },
            300..=399 => Self::NotUnderstood {
                path: path.to_owned(),
                why: format!("it redirects ({status}), which PD never does and is not followed"),
            },
            _ => Self::NotUnderstood { path: path.to_owned(), why: format!("its status is {status}") },
        }
    }
}

/// Text from outside, shortened, in one line.
fn shown(text: &str) -> String {
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().take(SHOWN).map(one_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> PdError {
        let answer = HttpAnswer { status, content_type: None, body: body.as_bytes().to_vec(), is_cut: false };
        PdError::of_answer("pd-0", "/pd/api/v1/stores", &answer)
    }

    #[test]
    fn an_error_in_plain_text_is_the_control_planes_and_one_in_json_the_leaders_own() {
        let plain = of(500, "[PD:apiutil:ErrRedirect]redirect failed\n");
        assert!(matches!(&plain, PdError::ControlPlaneUnavailable { body, .. } if !body.contains('\n')), "{plain}");
        let second_hop = of(500, "\"[PD:apiutil:ErrRedirectToNotLeader]redirect to not leader\"");
        assert!(matches!(second_hop, PdError::ControlPlaneUnavailable { .. }), "{second_hop}");
        let own = of(500, "\"[PD:operator:ErrAddOperator]failed to add operator, maybe already have one\"");
        assert!(matches!(own, PdError::Failed { .. }), "{own}");
        let empty =
            of(500, "\"[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first\"");
        assert_eq!(empty, PdError::NotBootstrapped);
        assert!(matches!(of(503, ""), PdError::ControlPlaneUnavailable { .. }));
        assert_eq!(of(429, "slow down"), PdError::RateLimited);
    }

    #[test]
    fn a_refusal_says_what_pd_said() {
        let input = of(400, r#"{"code":"input","msg":"strconv.ParseUint: invalid syntax","data":{}}"#);
        assert_eq!(input, PdError::Refused { status: 400, body: "strconv.ParseUint: invalid syntax".to_owned() });
        assert_eq!(of(404, "null"), PdError::Refused { status: 404, body: String::new() });
        assert!(matches!(of(400, "Client sent an HTTP request to an HTTPS server."), PdError::Tls { .. }));
        assert!(matches!(of(307, ""), PdError::NotUnderstood { .. }));
    }
}
