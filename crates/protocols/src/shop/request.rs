//! A request that fits its action's definition, read once for guard, execution and effect alike.

use super::actions::{DRAIN, ENTRIES, FREE_DISK, SET_CACHE, SET_CLOCK, SET_VERSION, UNDRAIN, VERSION, actions};
use super::node::{CATALOG, Kind, QUEUE, index_of};
use crate::{ActionRequest, Locus, RESTART_COMPONENT, START_COMPONENT};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Start(usize),
    Restart(usize),
    Drain(usize),
    Undrain(usize),
    SetVersion(usize, String),
    SetCache(u32),
    FreeDisk,
    SetClock(usize),
}

impl Command {
    /// Checks a request to the subject called `subject` as if nobody had checked it before.
    pub(super) fn read(subject: &str, request: &ActionRequest) -> Result<Self, String> {
        let definition = actions().into_iter().find(|definition| definition.name == request.action);
        let definition = definition.ok_or_else(|| format!("no action {:?}", request.action))?;
        definition.validate(&request.params).map_err(|error| error.to_string())?;
        let node = match &request.target {
            Locus::Component(id) if id.subject == subject => index_of(&id.local),
            _ => None,
        };
        let node = node.filter(|node| definition.accepts(&request.target, Some(Kind::of(*node).name())));
        let node = node.ok_or_else(|| format!("target: {} cannot be aimed at {}", request.action, request.target))?;
        let text = |name: &str| request.params.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let number = |name: &str| request.params.get(name).and_then(|value| u32::try_from(value.as_u64()?).ok());
        let command = match &*request.action {
            START_COMPONENT => Some(Self::Start(node)),
            RESTART_COMPONENT => Some(Self::Restart(node)),
            DRAIN => Some(Self::Drain(node)),
            UNDRAIN => Some(Self::Undrain(node)),
            SET_VERSION => text(VERSION).map(|version| Self::SetVersion(node, version)),
            SET_CACHE => number(ENTRIES).map(Self::SetCache),
            FREE_DISK => Some(Self::FreeDisk),
            SET_CLOCK => Some(Self::SetClock(node)),
            _ => None,
        };
        command.ok_or_else(|| format!("{} cannot be read", request.action))
    }

    /// What it changes.
    pub(super) fn node(&self) -> usize {
        match self {
            Self::Start(node)
            | Self::Restart(node)
            | Self::Drain(node)
            | Self::Undrain(node)
            | Self::SetVersion(node, _)
            | Self::SetClock(node) => *node,
            Self::SetCache(_) => CATALOG,
            Self::FreeDisk => QUEUE,
        }
    }
}
