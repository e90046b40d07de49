//! What a running operator does when it is asked. Who asks is established and what they may do is checked before.

use operator_protocols::BoxFuture;

use crate::agent::{Query, QueryReply};
use crate::store::{KillAcknowledgement, KillScope, KillState};
use crate::{Command, CommandError, Principal};

/// What a running operator does when it is asked.
///
/// The server has checked that `principal` has the role it takes and that their grant covers the subject. Whoever
/// decides within a transaction checks again.
pub trait ControlHandler: Send + Sync {
    /// The subjects being watched, in order.
    fn subjects(&self) -> Vec<String>;

    /// Carries out a command between two cycles of the loop of `subject`. Answers when it was, with what to tell whoever
    /// asked.
    fn command<'a>(
        &'a self,
        principal: &'a Principal,
        subject: &'a str,
        command: Command,
    ) -> BoxFuture<'a, Result<String, CommandError>>;

    /// Reads something of the loop of `subject`, as an agent does. Changes nothing and does not wait for a cycle.
    fn query<'a>(&'a self, subject: &'a str, query: Query) -> BoxFuture<'a, Result<QueryReply, CommandError>>;

    /// Engages the kill switch. Does not wait for a cycle.
    fn engage_kill_switch<'a>(
        &'a self,
        principal: &'a Principal,
        scope: KillScope,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<KillAcknowledgement, CommandError>>;

    /// Releases the kill switch.
    fn release_kill_switch<'a>(
        &'a self,
        principal: &'a Principal,
        scope: KillScope,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), CommandError>>;

    /// Every kill switch that is or was engaged.
    fn kill_switch(&self) -> BoxFuture<'_, Result<Vec<KillState>, CommandError>>;

    /// How the loops of `subjects` are.
    fn status<'a>(&'a self, subjects: &'a [String]) -> BoxFuture<'a, Result<serde_json::Value, CommandError>>;
}
