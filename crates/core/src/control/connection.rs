//! One connection: requests one after the other, each established, authorised, carried out and answered.

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::control::authorisation::{authorise, may_see};
use crate::control::line::{LineError, read_line, wait_for_line};
use crate::control::protocol::Response;
use crate::control::server::Shared;
use crate::control::{
    CONTROL_VERSION, ControlReply, ControlRequest, Denied, Envelope, Fault, FaultCode, Grant, LINE_BYTES,
};

pub(super) struct Connection {
    input: BufReader<OwnedReadHalf>,
    output: OwnedWriteHalf,
    uid: u32,
    shared: Arc<Shared>,
}

/// Whether to go on.
#[derive(PartialEq)]
enum Then {
    Next,
    Close,
}

/// What every version of a request has.
#[derive(Deserialize)]
struct Frame {
    v: Option<u32>,
    id: Option<u64>,
}

impl Connection {
    pub(super) fn new(stream: UnixStream, uid: u32, shared: Arc<Shared>) -> Self {
        let (input, output) = stream.into_split();
        Self { input: BufReader::new(input), output, uid, shared }
    }

    pub(super) async fn serve(mut self, mut stopping: watch::Receiver<()>) {
        let limits = self.shared.limits;
        loop {
            tokio::select! {
                biased;
                _ = stopping.changed() => return,
                waited = wait_for_line(&mut self.input, limits.idle) => match waited {
                    Ok(true) => {}
                    Ok(false) | Err(_) => return,
                },
            }
            let (response, then) = match read_line(&mut self.input, LINE_BYTES, limits.line).await {
                Ok(Some(line)) => self.respond(&line).await,
                Ok(None) => return,
                Err(LineError::TooLong) => closing(format!("a request has at most {LINE_BYTES} bytes")),
                Err(LineError::TimedOut) => closing("the request did not end in time".to_owned()),
                Err(LineError::Io(error)) => {
                    tracing::debug!(%error, uid = self.uid, "a connection to the control socket failed");
                    return;
                }
            };
            if self.write(&response).await.is_err() || then == Then::Close {
                return;
            }
        }
    }

    async fn respond(&mut self, line: &[u8]) -> (Response, Then) {
        let envelope = match parse(line) {
            Ok(envelope) => envelope,
            Err((id, fault)) => return (Response::new(id, Err(fault)), Then::Next),
        };
        let grant = match self.shared.principals.establish(self.uid, envelope.token.as_ref()) {
            Ok(grant) => grant,
            Err(denied) => {
                tracing::warn!(uid = self.uid, %denied, "a request on the control socket was refused");
                if denied == Denied::WrongToken {
                    let _one_after_the_other = self.shared.wrong_token.lock().await;
                    sleep(self.shared.limits.wrong_token).await;
                }
                let fault = Fault::new(FaultCode::Unauthenticated, denied.to_string());
                return (Response::new(Some(envelope.id), Err(fault)), Then::Close);
            }
        };
        let id = Some(envelope.id);
        let outcome = match timeout(self.shared.limits.answer, self.carry_out(&grant, envelope)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let seconds = self.shared.limits.answer.as_secs();
                let message =
                    format!("no answer within {seconds} s; it may be carried out yet: look before asking again");
                Err(Fault::new(FaultCode::TimedOut, message))
            }
        };
        (Response::new(id, outcome), Then::Next)
    }

    async fn carry_out(&self, grant: &Grant, envelope: Envelope) -> Result<ControlReply, Fault> {
        let handler = &self.shared.handler;
        let known = handler.subjects();
        let subject =
            authorise(grant, &envelope.request, envelope.subject.as_deref(), &known).inspect_err(|fault| {
                let (who, what) = (&grant.principal.name, &envelope.request);
                tracing::warn!(%who, %what, %fault, "a request on the control socket was refused");
            })?;
        let principal = &grant.principal;
        Ok(match envelope.request {
            ControlRequest::Command { command } => {
                let subject = subject.unwrap_or_default();
                ControlReply::Done { message: handler.command(principal, &subject, command).await? }
            }
            ControlRequest::Query { query } => {
                let subject = subject.unwrap_or_default();
                ControlReply::Answered { reply: Box::new(handler.query(&subject, query).await?) }
            }
            ControlRequest::KillEngage { scope, reason } => {
                let acknowledgement = handler.engage_kill_switch(principal, scope, &reason).await?;
                ControlReply::KillEngaged { acknowledgement }
            }
            ControlRequest::KillRelease { scope, reason } => {
                handler.release_kill_switch(principal, scope.clone(), &reason).await?;
                ControlReply::KillReleased { scope }
            }
            ControlRequest::KillStatus {} => {
                let mut states = handler.kill_switch().await?;
                states.retain(|state| may_see(grant, &state.scope));
                ControlReply::KillStatus { states }
            }
            ControlRequest::Ping {} => ControlReply::Pong {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                subjects: grant.subjects.among(&known),
                you: principal.clone(),
            },
            ControlRequest::Status {} => {
                ControlReply::Status { status: handler.status(&grant.subjects.among(&known)).await? }
            }
        })
    }

    async fn write(&mut self, response: &Response) -> io::Result<()> {
        let mut line = serde_json::to_vec(response)?;
        line.push(b'\n');
        timeout(self.shared.limits.line, self.output.write_all(&line)).await?
    }
}

fn closing(message: String) -> (Response, Then) {
    (Response::new(None, Err(Fault::new(FaultCode::Invalid, message))), Then::Close)
}

/// Reads a request. What is wrong with it is said without quoting it: it may hold a token.
fn parse(line: &[u8]) -> Result<Envelope, (Option<u64>, Fault)> {
    let invalid = |message: String| Fault::new(FaultCode::Invalid, message);
    let not_an_object = |byte: usize| (None, invalid(format!("the request is not a JSON object, at byte {byte}")));
    // A list would be taken for the object with its values in order.
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(not_an_object(1));
    }
    let frame: Frame = serde_json::from_slice(line).map_err(|error| not_an_object(error.column()))?;
    if frame.v != Some(CONTROL_VERSION) {
        let found = frame.v.map_or("none".to_owned(), |v| v.to_string());
        let message = format!("v: expected {CONTROL_VERSION}, given {found}: use the operator's own version");
        return Err((frame.id, invalid(message)));
    }
    serde_json::from_slice(line).map_err(|error| {
        let why: String = error.to_string().chars().filter(|c| !c.is_control()).take(300).collect();
        (frame.id, invalid(format!("the request is not one: {why}")))
    })
}
