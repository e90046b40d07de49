//! What PD has regions do. It says so in prose that has kept its shape (`Operator.String` in
//! `pkg/schedule/operator/operator.go`); objects there are only from 8.1 on and only on demand.

use serde::Deserialize;

/// What PD has a region do.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Operator {
    /// What for: `balance-region`, `admin-move-peer`.
    pub(crate) desc: String,
    /// Its steps, in short.
    pub(crate) brief: String,
    /// What kinds of thing it does, separated by commas.
    pub(crate) kind: String,
    pub(crate) region: u64,
    /// Where it is among the operators that ended: `finished`, `timeout`; empty while it is under way.
    pub(crate) ending: String,
    /// Seconds it took, if it ended.
    pub(crate) took_s: Option<f64>,
}

/// An operator as an object (`?object`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    desc: String,
    brief: String,
    region_id: u64,
    kind: String,
    status: String,
}

/// `DESC {BRIEF} (kind:KIND, region:ID(…), …)` with ` ENDING (finishAt:…, duration:…)` after it among those that ended; or an
/// object.
impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Prose(String),
            Object(Object),
        }
        match Either::deserialize(deserializer)? {
            Either::Prose(text) => Self::parse(&text).ok_or_else(|| {
                D::Error::custom(format!("{:?} is no operator", text.chars().take(80).collect::<String>()))
            }),
            Either::Object(object) => Ok(Self {
                desc: object.desc,
                brief: object.brief,
                kind: object.kind,
                region: object.region_id,
                ending: object.status,
                took_s: None,
            }),
        }
    }
}

impl Operator {
    /// Reads the prose.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (desc, rest) = text.split_once(" {")?;
        let (brief, rest) = rest.split_once("} (kind:")?;
        let (kind, rest) = rest.split_once(", region:")?;
        let (region, rest) = rest.split_once('(')?;
        if desc.is_empty() || desc.contains(char::is_whitespace) {
            return None;
        }
        let (ending, took_s) = match rest.rfind(") ").and_then(|end| rest[end + 2..].split_once(" (finishAt:")) {
            None => ("", None),
            Some((ending, times)) => {
                let took = times.rsplit_once("duration:").map(|(_, took)| took.trim_end_matches(')'));
                (ending, took.and_then(super::go_duration))
            }
        };
        Some(Self {
            desc: desc.to_owned(),
            brief: brief.to_owned(),
            kind: kind.to_owned(),
            region: region.trim().parse().ok()?,
            ending: ending.to_owned(),
            took_s,
        })
    }
}

/// The answer of `/operators/ID`, `status: RUNNING, operator: …`: its status, and the operator.
pub(crate) fn operator_status(text: &str) -> Option<(String, Operator)> {
    let (status, operator) = text.strip_prefix("status: ")?.split_once(", operator: ")?;
    Some((status.to_owned(), Operator::parse(operator)?))
}

/// How far a store's removal or preparation is: the answer of `/stores/progress`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    pub(crate) action: String,
    /// From 0 to 1.
    pub(crate) progress: f64,
    /// MiB a second.
    pub(crate) current_speed: f64,
    pub(crate) left_seconds: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RUNNING: &str = "admin-transfer-leader {transfer leader: store 2 to 3} (kind:admin,leader, region:333(1, 1), \
        createAt:2026-11-23 20:57:18.629904442 +0000 UTC m=+140.870368199, startAt:2026-11-23 20:57:18.629913208 +0000 UTC \
        m=+140.870376965, currentStep:0, size:96, steps:[0:{transfer leader from store 2 to store 3}], timeout:[1m0s])";

    #[test]
    fn prose_is_read() {
        let operator = Operator::parse(RUNNING).expect("an operator");
        assert_eq!((operator.desc.as_str(), operator.region), ("admin-transfer-leader", 333));
        assert_eq!(
            (operator.brief.as_str(), operator.kind.as_str()),
            ("transfer leader: store 2 to 3", "admin,leader")
        );
        assert_eq!((operator.ending.as_str(), operator.took_s), ("", None));
        let ended = format!("{RUNNING} timeout (finishAt:2026-11-23 20:57:13.29 +0000 UTC m=+135.5, duration:1m0.5s)");
        let ended = Operator::parse(&ended).expect("an operator");
        assert_eq!((ended.ending.as_str(), ended.took_s), ("timeout", Some(60.5)));
        let (status, of) = operator_status(&format!("status: RUNNING, operator: {RUNNING}")).expect("a status");
        assert_eq!((status.as_str(), of.region), ("RUNNING", 333));
    }

    #[test]
    fn an_object_is_read() {
        let json = r#"{"desc":"balance-region","brief":"mv peer","region_id":7,"kind":"region","status":"started"}"#;
        let operator: Operator = serde_json::from_str(json).expect("an operator");
        assert_eq!((operator.desc.as_str(), operator.region), ("balance-region", 7));
    }

    #[test]
    fn other_prose_is_not_an_operator() {
        for text in ["", "nothing", "a {b} (kind:c, region:x(1, 1))", " {b} (kind:c, region:1(1, 1))"] {
            assert_eq!(Operator::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_prose_makes_it_panic(text in "[a-z{}(): ,0-9é]{0,60}") {
            let _ = Operator::parse(&text);
            let _ = operator_status(&text);
        }
    }
}
