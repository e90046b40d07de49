//! From evidence to explanation, without knowing the system, without I/O, clock or randomness.
//!
//! 1. [`PackInput`] is what the operator knows; [`EvidencePack`] is what of it bears on the case, every item with an id.
//! 2. A [`Diagnoser`] turns a pack into a [`Diagnosis`]: ranked [`Hypothesis`]es, each with evidence for and against.
//! 3. `Reasoner` is the embedded diagnoser: deterministic to the byte.
//! 4. A diagnoser that a model takes part in looks further through an [`Investigation`], and gives with its [`Answer`]
//!    the [`Deliberation`] that led to it.

mod deliberation;
mod diagnoser;
mod diagnosis;
mod evidence;
mod hypothesis;
mod inquiry;
mod methods;
mod pack;
mod pack_input;
mod parameters;
mod reasoner;
mod recommend;
mod remembered;
mod render;
mod signal_table;
mod text;

pub use deliberation::{Answer, Deliberation, Exchange, Outcome, Usage, Verdict};
pub use diagnoser::{DiagnoseError, Diagnoser};
pub use diagnosis::{Alternative, Confidence, Diagnosis, MetricReading, RecommendedAction, TimelineEntry};
pub use evidence::{EvidenceId, EvidenceItem, EvidenceKind, EvidencePack};
pub use hypothesis::{EvidenceRef, Hypothesis};
pub use inquiry::{Inquiry, Investigation, LogSearch, Point, Step};
pub use methods::{Method, Methods};
pub use pack_input::{PackInput, PastTicket, ViolationFact};
pub use reasoner::{Ranked, RankedPlace, Reasoner};
pub use remembered::Remembered;
pub use render::{Background, SeriesOf};
pub use signal_table::{Column, SignalTable, TableError};
pub use text::{bounded, rfc3339};
