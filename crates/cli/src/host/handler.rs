//! What the loops of this process answer over the control socket.

use std::sync::Arc;

use operator_core::agent::{Query, QueryReply};
use operator_core::control::ControlHandler;
use operator_core::engine::EngineHandle;
use operator_core::store::sqlite::SqliteStore;
use operator_core::store::{KillAcknowledgement, KillScope, KillState, Store, StoreError};
use operator_core::{Actor, AuditEvent, Command, CommandError, Principal, TicketState};
use operator_protocols::{BoxFuture, Clock, Timestamp};
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::exit::with_causes;
use crate::host::Told;

/// The loops, as whoever asks over the socket meets them.
pub(super) struct Handler {
    loops: Vec<EngineHandle>,
    store: Arc<SqliteStore>,
    clock: Arc<dyn Clock>,
    events: broadcast::Sender<Told>,
}

impl Handler {
    pub(super) fn new(
        loops: Vec<EngineHandle>,
        store: Arc<SqliteStore>,
        clock: Arc<dyn Clock>,
        events: broadcast::Sender<Told>,
    ) -> Self {
        Self { loops, store, clock, events }
    }

    fn of(&self, subject: &str) -> Result<&EngineHandle, CommandError> {
        self.loops.iter().find(|handle| handle.subject == subject).ok_or_else(|| CommandError::NotFound {
            what: format!("subject {subject}"),
            why: format!("this operator watches {}", self.subjects().join(", ")),
        })
    }
}

/// Tells the narrators of a switch: the store writes its audit row itself, so no loop does.
pub(super) fn tell_switch(
    events: &broadcast::Sender<Told>,
    by: &Principal,
    scope: &KillScope,
    engaged: bool,
    reason: &str,
    at: Timestamp,
) {
    let kind = if engaged { "kill_switch.engaged" } else { "kill_switch.released" };
    // Nobody may be listening.
    let _ = events.send(Told {
        subject: match scope {
            KillScope::Global => None,
            KillScope::Subject(name) => Some(name.clone()),
        },
        event: AuditEvent {
            at,
            actor: Actor::Principal(by.clone()),
            kind: kind.to_owned(),
            reference: scope.to_string(),
            body: json!({ "reason": reason }),
        },
    });
}

fn failed(error: &StoreError) -> CommandError {
    CommandError::store(with_causes(error))
}

impl ControlHandler for Handler {
    fn subjects(&self) -> Vec<String> {
        let mut names: Vec<_> = self.loops.iter().map(|handle| handle.subject.clone()).collect();
        names.sort();
        names
    }

    fn command<'a>(
        &'a self,
        principal: &'a Principal,
        subject: &'a str,
        command: Command,
    ) -> BoxFuture<'a, Result<String, CommandError>> {
        Box::pin(async move { self.of(subject)?.command(principal.clone(), command).await })
    }

    fn query<'a>(&'a self, subject: &'a str, query: Query) -> BoxFuture<'a, Result<QueryReply, CommandError>> {
        Box::pin(async move { self.of(subject)?.query(query).await })
    }

    fn engage_kill_switch<'a>(
        &'a self,
        principal: &'a Principal,
        scope: KillScope,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<KillAcknowledgement, CommandError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let engaged = self.store.engage_kill_switch(scope.clone(), principal, reason, now).await;
            let engaged = engaged.map_err(|error| failed(&error))?;
            tell_switch(&self.events, principal, &scope, true, reason, now);
            Ok(engaged)
        })
    }

    fn release_kill_switch<'a>(
        &'a self,
        principal: &'a Principal,
        scope: KillScope,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), CommandError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let released = self.store.release_kill_switch(scope.clone(), principal, reason, now).await;
            released.map_err(|error| failed(&error))?;
            tell_switch(&self.events, principal, &scope, false, reason, now);
            Ok(())
        })
    }

    fn kill_switch(&self) -> BoxFuture<'_, Result<Vec<KillState>, CommandError>> {
        Box::pin(async move { self.store.kill_switch().await.map_err(|error| failed(&error)) })
    }

    fn status<'a>(&'a self, subjects: &'a [String]) -> BoxFuture<'a, Result<Value, CommandError>> {
        let of_loop = |handle: &EngineHandle| {
            let view = handle.view.borrow().clone();
            let [low, medium, high] = view.autonomy;
            let open = view.tickets.iter().filter(|ticket| ticket.state != TicketState::Resolved);
            json!({
                "subject": handle.subject,
                "kind": view.descriptor.kind,
                "cycle": view.cycle,
                "at": view.at,
                "open_tickets": open.map(|ticket| &ticket.id).collect::<Vec<_>>(),
                "violations": view.violations.len(),
                "autonomy": { "low": low, "medium": medium, "high": high },
                "killed": view.killed,
                "trouble": view.trouble,
            })
        };
        let status: Vec<_> =
            self.loops.iter().filter(|handle| subjects.contains(&handle.subject)).map(of_loop).collect();
        Box::pin(std::future::ready(Ok(Value::Array(status))))
    }
}
