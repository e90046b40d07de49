//! Names of things. Every name is a string that carries the subject instance it belongs to, so that several instances
//! of one kind can stand side by side and a recording can be read by a later version.

use std::fmt;

macro_rules! scoped_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub struct $name {
            /// The subject instance, for example `prod-eu`.
            pub subject: String,
            /// The name within the subject.
            pub local: String,
        }

        impl $name {
            /// The thing called `local` within `subject`.
            pub fn new(subject: impl Into<String>, local: impl Into<String>) -> Self {
                Self { subject: subject.into(), local: local.into() }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.local)
            }
        }
    };
}

scoped_id! {
    /// A component of a subject: a process, a node, a store.
    Id
}
scoped_id! {
    /// A named set of components that share something: a zone, a shard, a replica set.
    GroupId
}
scoped_id! {
    /// An [`Event`](crate::Event).
    EventId
}

/// Something the subject holds that is not a component: an item of a kind that the subject names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EntityRef {
    /// The subject instance.
    pub subject: String,
    /// The kind of entity, in the subject's own words.
    pub kind: String,
    /// The name of the entity within its kind.
    pub key: String,
}

impl EntityRef {
    /// The entity `key` of `kind` within `subject`.
    pub fn new(subject: impl Into<String>, kind: impl Into<String>, key: impl Into<String>) -> Self {
        Self { subject: subject.into(), kind: kind.into(), key: key.into() }
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.key)
    }
}
