//! What a signal is on, as the file says it.

use std::fmt;

use operator_protocols::{EntityRef, GroupId, Id, Locus};

use super::{Component, Dependency};

/// What a signal is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// `component:NAME`
    Component(String),
    /// `kind:KIND`: every component of a kind.
    Kind(String),
    /// `edge:FROM>TO`
    Edge(String, String),
    /// `dependency:KIND`: every dependency of a kind.
    Links(String),
    /// `entity:KIND:KEY`
    Entity(String, String),
    /// `entity:KIND`: every entity that a label names.
    Entities(String),
}

/// What a place must look like, for errors.
pub(super) const FORMS: &str =
    "component:NAME, kind:KIND, edge:FROM>TO, dependency:KIND, entity:KIND:KEY or entity:KIND";

/// Whether a text may be a name.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}

impl Place {
    /// Reads one of the forms.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (form, rest) = text.split_once(':')?;
        let named = |text: &str| is_name(text).then(|| text.to_owned());
        match form {
            "component" => named(rest).map(Self::Component),
            "kind" => named(rest).map(Self::Kind),
            "dependency" => named(rest).map(Self::Links),
            "edge" => {
                let (from, to) = rest.split_once('>')?;
                Some(Self::Edge(named(from)?, named(to)?))
            }
            "entity" => match rest.split_once(':') {
                Some((kind, key)) if !key.is_empty() => Some(Self::Entity(named(kind)?, key.to_owned())),
                Some(_) => None,
                None => named(rest).map(Self::Entities),
            },
            _ => None,
        }
    }

    /// The loci that are known beforehand, each with the component whose metrics tell of it unless another is named.
    pub(crate) fn known(
        &self,
        subject: &str,
        components: &[Component],
        dependencies: &[Dependency],
    ) -> Vec<(Locus, Option<String>)> {
        match self {
            Self::Component(name) => vec![(Locus::component(subject, name), Some(name.clone()))],
            Self::Kind(kind) => components
                .iter()
                .filter(|component| component.kind == *kind)
                .map(|component| (Locus::component(subject, &component.name), Some(component.name.clone())))
                .collect(),
            Self::Edge(from, to) => vec![(Locus::edge(subject, from, to), Some(from.clone()))],
            Self::Links(kind) => dependencies
                .iter()
                .filter(|link| link.kind == *kind)
                .map(|link| (Locus::edge(subject, &link.from, &link.to), Some(link.from.clone())))
                .collect(),
            Self::Entity(kind, key) => vec![(Locus::entity(subject, kind, key), None)],
            Self::Entities(_) => Vec::new(),
        }
    }

    /// The group that stands for all of it, where it may be many.
    pub(crate) fn group(&self, subject: &str) -> Option<Locus> {
        match self {
            Self::Kind(kind) | Self::Links(kind) | Self::Entities(kind) => {
                Some(Locus::Group(GroupId::new(subject, kind)))
            }
            Self::Component(_) | Self::Edge(..) | Self::Entity(..) => None,
        }
    }

    /// The locus that the value of a label names; none, if it names nothing that is described.
    pub(crate) fn named(&self, subject: &str, components: &[Component], label: &str) -> Option<Locus> {
        match self {
            Self::Entities(kind) => {
                let fits = !label.is_empty()
                    && label.len() <= crate::limits::KEY_BYTES
                    && !label.chars().any(char::is_control);
                fits.then(|| Locus::Entity(EntityRef::new(subject, kind, label)))
            }
            Self::Kind(kind) => components
                .iter()
                .filter(|component| component.kind == *kind)
                .find(|component| component.name == label || component.address.as_deref() == Some(label))
                .map(|component| Locus::Component(Id::new(subject, &component.name))),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(name) => write!(f, "component:{name}"),
            Self::Kind(kind) => write!(f, "kind:{kind}"),
            Self::Edge(from, to) => write!(f, "edge:{from}>{to}"),
            Self::Links(kind) => write!(f, "dependency:{kind}"),
            Self::Entity(kind, key) => write!(f, "entity:{kind}:{key}"),
            Self::Entities(kind) => write!(f, "entity:{kind}"),
        }
    }
}
