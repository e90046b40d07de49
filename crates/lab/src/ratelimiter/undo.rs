//! How each fault is taken back. Taking back what is mended already, or never happened, changes nothing.

use serde::{Deserialize, Serialize};

use super::environment::Inner;
use super::node_api::StoredLimit;
use super::planned_work::LimitBefore;
use super::{REDIS, redis_commands};
use crate::environment::Cleared;
use crate::error::LabError;
use crate::process::CpuGroup;
use crate::proxy::Behaviour;

/// How to take a fault back. Kept in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "snake_case")]
pub enum Undo {
    /// Start a component, if it does not run.
    Start {
        /// Which.
        component: String,
    },
    /// Let a paused component go on, if it is still this start of it.
    Resume {
        /// Which.
        component: String,
        /// The paused start.
        incarnation: String,
    },
    /// Restart a component as declared, if something else runs in its place.
    RestartAsDeclared {
        /// Which.
        component: String,
    },
    /// Let a node's link to Redis pass everything.
    Mend {
        /// Whose link.
        node: String,
    },
    /// Let Redis write.
    LetRedisWrite,
    /// Give Redis all the memory it wants.
    LetRedisKeepAll,
    /// Reset a counter.
    Reset {
        /// Whose.
        key: String,
    },
    /// Put a stored limit back, if it is still the wrong one.
    RestoreLimit {
        /// Whose.
        key: String,
        /// The wrong one.
        wrong: u32,
        /// What was stored before, if anything.
        before: Option<StoredLimit>,
    },
    /// End whoever burns a node's processor time, and give it all it wants.
    FreeCpu {
        /// The group in which they are.
        group: CpuGroup,
    },
    /// End a tenant's burst.
    EndBurst,
    /// End planned work, and put limits back.
    EndWork {
        /// What was stored before.
        limits: Vec<LimitBefore>,
    },
}

impl Inner {
    /// Takes one fault back.
    pub(super) async fn undo(&self, undo: &Undo) -> Result<(), LabError> {
        match undo {
            Undo::Start { component } => {
                self.supervisor.start(component).await?;
            }
            Undo::Resume { component, incarnation } => {
                let status = self.supervisor.status(component)?;
                if status.running && status.incarnation.as_ref() == Some(incarnation) {
                    self.supervisor.resume(component)?;
                }
            }
            Undo::RestartAsDeclared { component } => {
                if self.supervisor.report(component)?.declared {
                    self.supervisor.start(component).await?;
                } else {
                    self.supervisor.restart(component).await?;
                }
                self.end_other_redis().await?;
            }
            Undo::Mend { node } => self.places.node(node)?.link.set(Behaviour::Pass),
            // A Redis that does not run pauses nothing, and forgets it when it starts.
            Undo::LetRedisWrite if !self.supervisor.status(REDIS)?.running => {}
            Undo::LetRedisWrite => redis_commands::resume_writes(self.redis_address()).await?,
            Undo::LetRedisKeepAll if !self.supervisor.status(REDIS)?.running => {}
            Undo::LetRedisKeepAll => redis_commands::keep_all(self.redis_address()).await?,
            Undo::Reset { key } => self.api().reset(key).await?,
            Undo::RestoreLimit { key, wrong, before } => {
                let now = self.api().stored_limit(key).await?;
                if now.is_some_and(|stored| stored.limit == *wrong) {
                    match before {
                        Some(before) => self.api().put_limit(key, before).await?,
                        None => self.api().delete_limit(key).await?,
                    }
                }
            }
            Undo::FreeCpu { group } => self.free_cpu(group).await?,
            Undo::EndBurst => self.end_burst().await?,
            Undo::EndWork { limits } => self.end_work(limits).await?,
        }
        Ok(())
    }

    /// Takes back everything in the journal, newest first. What fails is tried once more after the rest: a reset needs
    /// a node, and the fault that stopped the nodes may be an older one.
    pub(super) async fn undo_all(&self) -> Result<Cleared, LabError> {
        let _operation = self.operation.lock().await;
        let mut cleared = Cleared::default();
        for last_try in [false, true] {
            let open = self.journal().open_entries().to_vec();
            for entry in open.into_iter().rev() {
                match self.undo(&entry.undo).await {
                    Ok(()) => {
                        self.journal().done(entry.number)?;
                        cleared.undone.push(entry.what);
                    }
                    Err(error) if last_try => cleared.left.push(format!("{}: {error}", entry.what)),
                    Err(_) => {}
                }
            }
        }
        Ok(cleared)
    }
}
