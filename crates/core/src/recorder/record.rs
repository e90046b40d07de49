//! What a recording consists of: one [`Record`] a line.

use operator_protocols::{
    ActionDefinition, ActionRequest, Descriptor, Effect, Guard, Observation, PROTOCOL_VERSION, ProbeAnswer,
    ProbeDefinition, ProbeRequest, Sent, Subject, Timestamp, Unavailable,
};
use serde::{Deserialize, Serialize};

use crate::recorder::Call;
use crate::store::{KillScope, Snapshot};
use crate::{Command, Principal};

/// The version of the format written here, in every header.
pub const FORMAT: u32 = 1;

/// Something that came in from outside, or the frame around it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// What the loop started from. The first line, and only the first.
    Header(Box<Header>),
    /// An observation made before the recording began that the loop still remembered. After the header, oldest first.
    Past {
        /// The observation.
        observation: Observation,
    },
    /// A cycle began.
    Tick {
        /// The present throughout the cycle.
        at: Timestamp,
    },
    /// Somebody asked for something, and it was carried out between two cycles.
    Command {
        /// When it was carried out.
        at: Timestamp,
        /// Who asked.
        principal: Principal,
        /// For what.
        command: Command,
    },
    /// The kill switch was engaged or released.
    KillSwitch {
        /// When.
        at: Timestamp,
        /// Who did it.
        principal: Principal,
        /// What it stops.
        scope: KillScope,
        /// Engaged or released.
        engaged: bool,
        /// Why.
        reason: String,
    },
    /// What was seen.
    Observation {
        /// The present that was handed in.
        at: Timestamp,
        /// What was seen.
        observation: Observation,
    },
    /// What was told of the past.
    History {
        /// From when.
        from: Timestamp,
        /// Until when.
        to: Timestamp,
        /// The past, oldest first, or why it could not be told.
        answer: Result<Vec<Observation>, Unavailable>,
    },
    /// The facts an action relies on.
    Guard {
        /// The present that was handed in.
        at: Timestamp,
        /// The action.
        request: ActionRequest,
        /// The facts.
        guard: Guard,
    },
    /// What came of sending an action.
    Sent {
        /// The action.
        request: ActionRequest,
        /// Which attempt it was, from 1.
        attempt: u32,
        /// What came of it.
        sent: Sent,
    },
    /// What became of an action.
    Effect {
        /// The present that was handed in.
        at: Timestamp,
        /// The action.
        request: ActionRequest,
        /// What became of it.
        effect: Effect,
    },
    /// The answer to a probe.
    Probe {
        /// The present that was handed in.
        at: Timestamp,
        /// The probe.
        request: ProbeRequest,
        /// The answer.
        answer: ProbeAnswer,
    },
    /// A question the loop stopped waiting for.
    Abandoned {
        /// The question.
        call: Call,
    },
    /// The recording ends here. The last line; without it the file was cut off.
    End {
        /// Why.
        reason: EndReason,
    },
}

/// What the loop started from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the recording's format.
    pub format: u32,
    /// The version of the protocol its observations speak.
    pub protocol_version: u32,
    /// The version of the operator that wrote it.
    pub operator_version: String,
    /// Who the subject is.
    pub descriptor: Descriptor,
    /// What could be done to it.
    pub actions: Vec<ActionDefinition>,
    /// What it could be asked.
    pub probes: Vec<ProbeDefinition>,
    /// The installation, which is part of every intent's id.
    pub install_id: String,
    /// The loop's own settings (policy, interval, …), in its own words. Free of secrets.
    pub engine: serde_json::Value,
    /// What was open.
    pub snapshot: Snapshot,
    /// The instant of which the snapshot is true: before the first tick that follows.
    pub started_at: Timestamp,
}

impl Header {
    /// The header of a recording of `subject` that begins now, by this version of the operator.
    pub fn new(
        subject: &dyn Subject,
        install_id: impl Into<String>,
        engine: serde_json::Value,
        snapshot: Snapshot,
        started_at: Timestamp,
    ) -> Self {
        Self {
            format: FORMAT,
            protocol_version: PROTOCOL_VERSION,
            operator_version: env!("CARGO_PKG_VERSION").to_owned(),
            descriptor: subject.descriptor(),
            actions: subject.actions(),
            probes: subject.probes(),
            install_id: install_id.into(),
            engine,
            snapshot,
            started_at,
        }
    }
}

/// Why a recording ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The incident was over.
    Closed,
    /// The operator, or whoever asked for the recording, stopped.
    Stopped,
    /// The file had become as large as it may.
    Size,
    /// A record could not be kept: it was too large, or the disk was too slow.
    Lost,
}

impl EndReason {
    /// Whether the recording ends between two cycles. Otherwise the last one may be incomplete.
    pub const fn between_cycles(self) -> bool {
        matches!(self, Self::Closed | Self::Stopped)
    }
}

impl Record {
    /// The question this answers, if it is an answer.
    pub fn call(&self) -> Option<Call> {
        match self {
            Self::Observation { at, .. } => Some(Call::Observe { at: *at }),
            Self::History { from, to, .. } => Some(Call::History { from: *from, to: *to }),
            Self::Guard { at, request, .. } => Some(Call::Guard { at: *at, request: request.clone() }),
            Self::Sent { request, attempt, .. } => Some(Call::Execute { request: request.clone(), attempt: *attempt }),
            Self::Effect { at, request, .. } => Some(Call::Effect { at: *at, request: request.clone() }),
            Self::Probe { at, request, .. } => Some(Call::Probe { at: *at, request: request.clone() }),
            Self::Abandoned { call } => Some(call.clone()),
            Self::Header(_)
            | Self::Past { .. }
            | Self::Tick { .. }
            | Self::Command { .. }
            | Self::KillSwitch { .. }
            | Self::End { .. } => None,
        }
    }

    /// When a step of the loop happened, if this is one: a tick, a command, the kill switch.
    pub(super) fn step_at(&self) -> Option<Timestamp> {
        match self {
            Self::Tick { at } | Self::Command { at, .. } | Self::KillSwitch { at, .. } => Some(*at),
            _ => None,
        }
    }
}
