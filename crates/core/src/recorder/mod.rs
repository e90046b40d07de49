//! Keeps what came in from outside, in the order it came, so that the same loop can be run over it again.
//!
//! A recording is a text file of [`Record`]s, one JSON object a line: a [`Header`] with everything that was open, what
//! the loop still remembered, and then every tick, command and answer of the subject. Read in this order:
//!
//! 1. Writing: a [`RecordingSubject`] around the real one hands what it answers to a [`Recorder`], which writes a file
//!    on purpose ([`Recorder::record_to`]) and one around every incident ([`Recorder::begin_incident`]).
//! 2. Reading: [`Recording::read`] checks a file, and [`Recording::replay`] makes of it a [`ReplaySubject`] that
//!    answers each call with the next record and a [`ReplayPlan`] that says when to tick and what to command. Where the
//!    loop asks for something else than it did then, there is a [`Divergence`].

mod call;
mod divergence;
mod record;
#[allow(clippy::module_inception)]
mod recorder;
mod recording;
mod recording_subject;
mod replay;
mod replay_subject;
mod retention;
mod ring;
mod settings;
mod sink;
mod tape;
mod wire_form;
mod writer;

pub use call::Call;
pub use divergence::Divergence;
pub use record::{EndReason, FORMAT, Header, Record};
pub use recorder::Recorder;
pub use recording::{ReadLimits, Recording, RecordingError};
pub use recording_subject::RecordingSubject;
pub use replay::{Replay, ReplayPlan, Step};
pub use replay_subject::ReplaySubject;
pub use retention::recover_interrupted;
pub use settings::RecorderSettings;
pub use writer::RecorderStats;
