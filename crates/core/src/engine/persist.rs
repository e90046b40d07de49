//! Writing what changed, and telling it once it is written.

use operator_protocols::Timestamp;

use super::Engine;
use super::state::State;
use crate::recorder::Record;
use crate::store::{KillScope, StoreError};
use crate::{AuditEvent, Principal};

impl Engine {
    pub(super) async fn read_kill_switch(&mut self, at: Timestamp) {
        let engaged = match self.store.kill_switch().await {
            Ok(states) => states
                .into_iter()
                .find(|state| {
                    state.engaged
                        && match &state.scope {
                            KillScope::Global => true,
                            KillScope::Subject(name) => *name == self.state.subject,
                        }
                })
                .map(|state| (state.scope, state.reason)),
            Err(error) => {
                self.trouble.insert("store".to_owned(), error.to_string());
                Some((KillScope::Global, format!("the kill switch cannot be read: {error}")))
            }
        };
        if engaged.is_some() != self.killed {
            self.killed = engaged.is_some();
            let (scope, reason) = engaged.unwrap_or((KillScope::Global, "released".to_owned()));
            let principal = Principal::operator();
            self.record(&Record::KillSwitch { at, principal, scope, engaged: self.killed, reason });
        }
    }

    /// Writes what changed. Gives whether everything is written.
    pub(super) async fn commit(&mut self) -> bool {
        if self.fenced || self.stale {
            return false;
        }
        if !self.state.unwritten() {
            return true;
        }
        match self.store.commit_cycle(self.epoch, self.state.commit()).await {
            Ok(()) => {
                self.trouble.remove("store");
                for event in self.state.written() {
                    self.tell(event);
                }
                true
            }
            Err(error) => {
                match &error {
                    StoreError::LostLease { .. } => self.fenced = true,
                    StoreError::Conflict { .. } => self.stale = true,
                    _ => {}
                }
                tracing::error!(subject = %self.state.subject, %error, "what changed could not be written");
                self.trouble.insert("store".to_owned(), error.to_string());
                false
            }
        }
    }

    /// Reads the state from the store again, where memory may differ from it. What was not written is found again by
    /// the next cycle.
    pub(super) async fn read_again(&mut self) {
        match self.store.load(&self.state.subject).await {
            Ok(snapshot) => {
                let mut state = State::new(&self.state.subject, &self.state.install_id, snapshot);
                state.verifications = std::mem::take(&mut self.state.verifications);
                state.questions = std::mem::take(&mut self.state.questions);
                state.deliberations = std::mem::take(&mut self.state.deliberations);
                state.past = std::mem::take(&mut self.state.past);
                self.state = state;
                self.stale = false;
            }
            Err(error) => {
                self.trouble.insert("store".to_owned(), error.to_string());
            }
        }
    }

    pub(super) fn tell(&self, event: AuditEvent) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }
}
