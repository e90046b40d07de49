//! What the shop can be told, each under a precondition: a repeat of what is done already does nothing.

use super::handle::Shop;
use super::node::{CATALOG, DECLARED_VERSION, QUEUE};
use super::request::Command;
use crate::EventKind;

/// Why the shop did not do what it was told. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// Nothing answers.
    Unplugged,
    /// How the thing to be changed is now cannot be read.
    Unreadable(String),
    /// It answered, and the precondition does not hold.
    Precondition(String),
}

/// What a command relies on: read when it is guarded, and held to when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    /// How the thing to be changed is now.
    pub(super) state: String,
    /// Why the command makes no sense now, if it does not.
    pub(super) against: Option<String>,
}

impl Shop {
    /// How what the command would change is now.
    pub(super) fn expected(&self, command: &Command) -> Result<Expected, Refused> {
        let model = self.lock();
        if !model.plugged_in {
            return Err(Refused::Unplugged);
        }
        let node = command.node();
        let it = &model.nodes[node];
        if it.hidden {
            return Err(Refused::Unreadable(format!("status of {}", it.name())));
        }
        let state = |state: String, against: Option<String>| Ok(Expected { state, against });
        let against = |wrong: bool, why: &str| wrong.then(|| format!("{} {why}", it.name()));
        match command {
            Command::Start(_) => state(it.incarnation(), against(it.running, "runs")),
            Command::Restart(_) => state(it.incarnation(), against(!it.running, "does not run")),
            Command::Drain(_) => {
                let others = model.nodes.iter().filter(|other| other.kind == it.kind && other.index != node);
                let left = others.filter(|other| other.running && !other.drained).count();
                let why = if it.drained { Some("is drained already") } else { None };
                let why = why.or((left == 0).then_some("is the last that takes orders"));
                state(drained(it.drained), why.map(|why| format!("{} {why}", it.name())))
            }
            Command::Undrain(_) => state(drained(it.drained), against(!it.drained, "is not drained")),
            Command::SetVersion(_, version) => {
                state(it.version.clone(), against(it.version == *version, "runs that version already"))
            }
            Command::SetCache(entries) => {
                state(it.cache_entries.to_string(), against(it.cache_entries == *entries, "keeps so many already"))
            }
            Command::FreeDisk => {
                let files = model.lanes.foreign_files;
                state(files.to_string(), against(files == 0, "has its disk to itself"))
            }
            Command::SetClock(_) => {
                let off = it.clock_ahead != 0;
                state(if off { "off" } else { "right" }.to_owned(), against(!off, "has the right time"))
            }
        }
    }

    /// Does it, if what it changes is as expected.
    pub(super) fn obey(&self, command: &Command, state: &str) -> Result<(), Refused> {
        let now = self.expected(command)?;
        if now.state != state {
            return Err(Refused::Precondition(format!("it is {} now, not {state}", now.state)));
        }
        if let Some(why) = now.against {
            return Err(Refused::Precondition(why));
        }
        let mut model = self.lock();
        let node = command.node();
        match command {
            Command::Start(_) => model.start(node),
            Command::Restart(_) => {
                model.end(node);
                model.start(node);
            }
            Command::Drain(_) => model.set_drained(node, true),
            Command::Undrain(_) => model.set_drained(node, false),
            Command::SetVersion(_, version) => {
                // Only the declared version is known to be as fast as declared; a later one keeps its cost.
                let cost = if version == DECLARED_VERSION { 1.0 } else { model.nodes[node].version_cost };
                model.roll_out(node, version, cost, EventKind::Action);
            }
            Command::SetCache(entries) => model.change_cache(*entries),
            Command::FreeDisk => model.lanes.foreign_files = 0,
            Command::SetClock(_) => model.nodes[node].clock_ahead = 0,
        }
        model.commands_obeyed += 1;
        Ok(())
    }

    /// Whether what the command asks for is so.
    pub(super) fn is_done(&self, command: &Command) -> Result<bool, Refused> {
        let model = self.lock();
        if !model.plugged_in {
            return Err(Refused::Unplugged);
        }
        let it = &model.nodes[command.node()];
        if it.hidden {
            return Err(Refused::Unreadable(format!("status of {}", it.name())));
        }
        Ok(match command {
            Command::Start(_) | Command::Restart(_) => it.running,
            Command::Drain(_) => it.drained,
            Command::Undrain(_) => !it.drained,
            Command::SetVersion(_, version) => it.version == *version,
            Command::SetCache(entries) => model.nodes[CATALOG].cache_entries == *entries,
            Command::FreeDisk => model.lanes.foreign_files == 0 && model.nodes[QUEUE].running,
            Command::SetClock(_) => it.clock_ahead == 0,
        })
    }
}

fn drained(drained: bool) -> String {
    if drained { "drained" } else { "serving" }.to_owned()
}
