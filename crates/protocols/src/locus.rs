//! What a statement is about.

use std::fmt;

use crate::{EntityRef, EventId, GroupId, Id};

/// What a signal, a finding, a hypothesis or an action is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Locus {
    /// One component.
    Component(Id),
    /// The link from the first component to the second, as the first one experiences it.
    Edge(Id, Id),
    /// A set of components.
    Group(GroupId),
    /// Something the subject holds.
    Entity(EntityRef),
    /// A change that was made.
    Change(EventId),
    /// Nothing in particular: the statement is about the whole, or that nothing is wrong.
    Nothing,
}

/// Why a text names no locus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocusParseError {
    /// The text that was given.
    pub text: String,
}

impl fmt::Display for LocusParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} names no target; write component:NAME, edge:FROM>TO, group:NAME, entity:KIND:KEY, change:ID or nothing",
            self.text
        )
    }
}

impl std::error::Error for LocusParseError {}

impl Locus {
    /// The component called `local` within `subject`.
    pub fn component(subject: impl Into<String>, local: impl Into<String>) -> Self {
        Self::Component(Id::new(subject, local))
    }

    /// The link between two components of `subject`.
    pub fn edge(subject: &str, from: impl Into<String>, to: impl Into<String>) -> Self {
        Self::Edge(Id::new(subject, from), Id::new(subject, to))
    }

    /// The entity `key` of `kind` within `subject`.
    pub fn entity(subject: impl Into<String>, kind: impl Into<String>, key: impl Into<String>) -> Self {
        Self::Entity(EntityRef::new(subject, kind, key))
    }

    /// The bare name of what this is about: what a parameter that comes from the locus is filled with.
    /// An edge gives the name of its caller.
    pub fn name(&self) -> &str {
        match self {
            Self::Component(id) | Self::Edge(id, _) => &id.local,
            Self::Group(group) => &group.local,
            Self::Entity(entity) => &entity.key,
            Self::Change(event) => &event.local,
            Self::Nothing => "",
        }
    }

    /// The unambiguous text form that [`Locus::parse`] reads: `component:n1`, `edge:n1>n2`, `entity:kind:key`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Component(id) => format!("component:{}", id.local),
            Self::Edge(from, to) => format!("edge:{}>{}", from.local, to.local),
            Self::Group(group) => format!("group:{}", group.local),
            Self::Entity(entity) => format!("entity:{}:{}", entity.kind, entity.key),
            Self::Change(event) => format!("change:{}", event.local),
            Self::Nothing => "nothing".to_owned(),
        }
    }

    /// Reads the text form within `subject`.
    ///
    /// # Errors
    /// When the text has none of the forms of [`Locus::to_text`].
    pub fn parse(subject: &str, text: &str) -> Result<Self, LocusParseError> {
        let error = || LocusParseError { text: text.to_owned() };
        if text == "nothing" {
            return Ok(Self::Nothing);
        }
        let (form, rest) = text.split_once(':').ok_or_else(error)?;
        if rest.is_empty() {
            return Err(error());
        }
        match form {
            "component" => Ok(Self::component(subject, rest)),
            "edge" => match rest.split_once('>') {
                Some((from, to)) if !from.is_empty() && !to.is_empty() => Ok(Self::edge(subject, from, to)),
                _ => Err(error()),
            },
            "group" => Ok(Self::Group(GroupId::new(subject, rest))),
            "entity" => match rest.split_once(':') {
                Some((kind, key)) if !kind.is_empty() && !key.is_empty() => Ok(Self::entity(subject, kind, key)),
                _ => Err(error()),
            },
            "change" => Ok(Self::Change(EventId::new(subject, rest))),
            _ => Err(error()),
        }
    }

    /// The components this names directly: one for a component, two for an edge, none otherwise.
    pub fn components(&self) -> Vec<&Id> {
        match self {
            Self::Component(id) => vec![id],
            Self::Edge(from, to) => vec![from, to],
            Self::Group(_) | Self::Entity(_) | Self::Change(_) | Self::Nothing => Vec::new(),
        }
    }
}

/// The form for people: `n1`, `n1→n2`, `kind key`.
impl fmt::Display for Locus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(id) => write!(f, "{id}"),
            Self::Edge(from, to) => write!(f, "{from}→{to}"),
            Self::Group(group) => write!(f, "group {group}"),
            Self::Entity(entity) => write!(f, "{entity}"),
            Self::Change(event) => write!(f, "change {event}"),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_reads_back() {
        for locus in [
            Locus::component("s", "n1"),
            Locus::edge("s", "n1", "n2"),
            Locus::Group(GroupId::new("s", "zone-a")),
            Locus::entity("s", "item", "a:b>c"),
            Locus::Change(EventId::new("s", "e7")),
            Locus::Nothing,
        ] {
            assert_eq!(Locus::parse("s", &locus.to_text()), Ok(locus));
        }
    }

    #[test]
    fn a_text_that_names_nothing_is_an_error_that_says_the_forms() {
        for text in ["", "n1", "component:", "edge:a", "edge:a>", "entity:kind", "store:1"] {
            let error = Locus::parse("s", text).expect_err(text).to_string();
            assert!(error.contains("component:NAME"), "{error}");
        }
    }
}
