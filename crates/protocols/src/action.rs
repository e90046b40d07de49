//! What can be done to a subject, described well enough that an action follows from a hypothesis without knowing the
//! system.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::{FaultClass, Locus, Value};

/// One kind of action that a subject offers.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ActionDefinition {
    /// Its name, `snake_case`.
    pub name: String,
    /// What it does, in one sentence.
    pub description: String,
    /// Its parameters.
    pub params: Vec<ParamDefinition>,
    /// What it may be aimed at.
    pub targets: Vec<TargetKind>,
    /// What may go wrong by it.
    pub risk: Risk,
    /// What the target can promise about repeats.
    pub class: ActionClass,
    /// The action that takes it back. Its parameters are filled from those of the same name.
    pub reversible_by: Option<String>,
    /// What it is good against.
    pub remedies: Vec<Remedy>,
    /// What should be seen when it worked.
    pub expected_effect: String,
    /// How long to watch before judging whether it worked.
    pub settle_time: Duration,
    /// Its own limits, where the operator's defaults do not fit.
    pub limits: Option<ActionLimits>,
}

/// What an action may be aimed at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum TargetKind {
    /// A component of one of these kinds; of any kind, if none is named.
    Component {
        /// The kinds.
        kinds: Vec<String>,
    },
    /// An entity of this kind.
    Entity {
        /// The kind.
        kind: String,
    },
    /// The subject as a whole ([`Locus::Nothing`]).
    Whole,
}

/// What may go wrong by an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Risk {
    /// Nothing that users notice.
    Low,
    /// Something that some users may notice.
    Medium,
    /// Something that is hard to take back.
    High,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// What the target can promise about a request that is repeated; it decides what may be done when an outcome is
/// unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ActionClass {
    /// It stores an idempotency key and answers a repeat from it.
    Keyed,
    /// It takes an absolute state with a precondition.
    Cas,
    /// It shows whether the effect happened.
    Query,
    /// None of that.
    Blind,
}

/// What an action is good against.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Remedy {
    /// The class of fault.
    pub class: FaultClass,
    /// Where to aim the action, given the fault's locus.
    pub on: RemedyOn,
    /// Whether it removes the fault or keeps its effects in bounds.
    pub does: Does,
}

impl Remedy {
    /// Aimed at the fault's own locus, it removes a fault of `class`.
    pub const fn cures(class: FaultClass) -> Self {
        Self { class, on: RemedyOn::Itself, does: Does::Cures }
    }

    /// Aimed at the fault's own locus, it keeps a fault of `class` in bounds.
    pub const fn contains(class: FaultClass) -> Self {
        Self { class, on: RemedyOn::Itself, does: Does::Contains }
    }

    /// The same, aimed elsewhere.
    pub const fn on(self, on: RemedyOn) -> Self {
        Self { class: self.class, on, does: self.does }
    }
}

/// Where to aim a remedy, given the fault's locus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum RemedyOn {
    /// At the locus itself.
    Itself,
    /// At the component where the faulty edge begins.
    EdgeFrom,
    /// At what the faulty change changed.
    ChangeSubject,
}

/// What a remedy achieves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Does {
    /// It removes the fault.
    Cures,
    /// It keeps the fault's effects in bounds, and must be taken back when the fault is gone.
    Contains,
}

/// Limits of one kind of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ActionLimits {
    /// How often an hour on one target.
    pub per_target_per_hour: u32,
    /// How often an hour on one subject.
    pub per_subject_per_hour: u32,
}

/// One parameter of an action or a probe.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ParamDefinition {
    /// Its name.
    pub name: String,
    /// What it means, with its unit.
    pub description: String,
    /// What it may be.
    pub kind: ParamKind,
    /// Where the operator takes it from when it proposes the action itself.
    pub source: ParamSource,
    /// What it is when it is not given; required, if there is none.
    pub default: Option<Value>,
}

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ParamKind {
    /// A whole number within bounds, both included.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A finite number within bounds, both included.
    Number {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
    /// Text of at most so many bytes, not empty, without control characters.
    Text {
        /// The greatest length in bytes.
        max_bytes: u32,
    },
    /// One of these words.
    OneOf {
        /// The words.
        values: Vec<String>,
    },
    /// True or false.
    Bool,
}

/// Where a parameter comes from when the operator proposes the action itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ParamSource {
    /// The name of the target.
    Locus,
    /// What the faulty change's field was before.
    ChangeBefore,
    /// The operator's policy, or else the default.
    Policy,
    /// The id of the intent: who did it, and what tells a repeat from a new request.
    IntentId,
}

/// Why parameters or a target do not fit an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamError {
    /// The parameter, or `target`.
    pub field: String,
    /// What would be right.
    pub expected: String,
    /// What was given.
    pub given: String,
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, given {}", self.field, self.expected, self.given)
    }
}

impl std::error::Error for ParamError {}

impl ParamKind {
    /// What would be right, in words.
    pub fn expectation(&self) -> String {
        match self {
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Text { max_bytes } => format!("text of 1 to {max_bytes} bytes without control characters"),
            Self::OneOf { values } => format!("one of {}", values.join(", ")),
            Self::Bool => "true or false".to_owned(),
        }
    }

    /// Whether `value` fits.
    pub fn admits(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Integer { min, max }, Value::Int(n)) => (min..=max).contains(&n),
            (Self::Number { min, max }, value) => {
                value.as_f64().is_some_and(|n| n.is_finite() && *min <= n && n <= *max)
            }
            (Self::Text { max_bytes }, Value::Text(text)) => {
                !text.is_empty() && text.len() <= *max_bytes as usize && !text.chars().any(char::is_control)
            }
            (Self::OneOf { values }, Value::Text(text)) => values.contains(text),
            (Self::Bool, Value::Bool(_)) => true,
            _ => false,
        }
    }
}

/// Checks given parameters against their definitions: nothing unknown, nothing missing, everything within its bounds.
pub(crate) fn validate_params(
    definitions: &[ParamDefinition],
    given: &BTreeMap<String, Value>,
) -> Result<(), ParamError> {
    for name in given.keys() {
        if !definitions.iter().any(|definition| &definition.name == name) {
            let known: Vec<_> = definitions.iter().map(|definition| definition.name.as_str()).collect();
            return Err(ParamError {
                field: name.clone(),
                expected: if known.is_empty() { "no parameter".to_owned() } else { known.join(", ") },
                given: "an unknown parameter".to_owned(),
            });
        }
    }
    for definition in definitions {
        match given.get(&definition.name).or(definition.default.as_ref()) {
            Some(value) if definition.kind.admits(value) => {}
            other => {
                return Err(ParamError {
                    field: definition.name.clone(),
                    expected: definition.kind.expectation(),
                    given: other.map_or_else(|| "nothing".to_owned(), ToString::to_string),
                });
            }
        }
    }
    Ok(())
}

impl ActionDefinition {
    /// Whether the action may be aimed at `target`, a component of kind `component_kind` where it is one.
    pub fn accepts(&self, target: &Locus, component_kind: Option<&str>) -> bool {
        self.targets.iter().any(|kind| match (kind, target) {
            (TargetKind::Component { kinds }, Locus::Component(_)) => {
                kinds.is_empty() || component_kind.is_some_and(|kind| kinds.iter().any(|k| k == kind))
            }
            (TargetKind::Entity { kind }, Locus::Entity(entity)) => &entity.kind == kind,
            (TargetKind::Whole, Locus::Nothing) => true,
            _ => false,
        })
    }

    /// Checks parameters: nothing unknown, nothing missing, everything within its bounds.
    ///
    /// # Errors
    /// Names the first parameter that does not fit and what would.
    pub fn validate(&self, params: &BTreeMap<String, Value>) -> Result<(), ParamError> {
        validate_params(&self.params, params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(name: &str, kind: ParamKind, default: Option<Value>) -> ParamDefinition {
        ParamDefinition {
            name: name.to_owned(),
            description: String::new(),
            kind,
            source: ParamSource::Policy,
            default,
        }
    }

    #[test]
    fn a_parameter_that_does_not_fit_is_named_with_what_would() {
        let definitions = [
            param("limit", ParamKind::Integer { min: 1, max: 10 }, None),
            param("owner", ParamKind::Text { max_bytes: 4 }, Some("me".into())),
        ];
        let check = |params: &[(&str, Value)]| {
            validate_params(&definitions, &params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect())
                .map_err(|error| error.to_string())
        };
        assert_eq!(check(&[("limit", 3_i64.into())]), Ok(()));
        assert_eq!(check(&[]), Err("limit: expected a whole number from 1 to 10, given nothing".into()));
        assert_eq!(
            check(&[("limit", 11_i64.into())]),
            Err("limit: expected a whole number from 1 to 10, given 11".into())
        );
        assert_eq!(
            check(&[("limit", 3_i64.into()), ("owner", "a\n".into())]),
            Err("owner: expected text of 1 to 4 bytes without control characters, given \"a\\n\"".into())
        );
        assert_eq!(
            check(&[("limit", 3_i64.into()), ("x", 1_i64.into())]),
            Err("x: expected limit, owner, given an unknown parameter".into())
        );
    }
}
