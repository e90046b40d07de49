//! The worked example: a workshop in memory, small enough to read in one sitting, and the subject that shows it to an
//! operator.
//!
//! Jobs arrive in a queue; a dispatcher takes them out at a set rate and hands them to workers. Read in this order:
//! the [`Workshop`] is the system, and knows nothing of operators; the subject looks at it and acts on it; the checker
//! says what must hold; the actions say what can be done.
//!
//! It moves only when somebody looks at it or calls [`Workshop::step`], so whatever is tested with it has one outcome.
//! It breaks on demand: [`Workshop::stop_worker`], [`Workshop::set_dispatch_rate`] (zero: the queue is stuck) and
//! [`Workshop::unplug`] (nothing can be read).

mod actions;
mod checker;
mod factory;
mod status;
mod subject;
mod workshop;

pub use factory::{KIND, WORKSHOP_FACTORY};
pub use status::{Refused, SettingChange, Status, Unplugged, WorkerStatus};
pub use workshop::Workshop;
