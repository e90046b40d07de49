//! What the operator promises as a whole, held against the real binary, a real system and real faults.
//!
//! - [`home`]: a configuration, a state directory, and the binary as a person calls it.
//! - [`operator_process`]: `operator run` as a process: its events, its control socket, its end.
//! - [`cluster`]: a rate limiter that runs and can be broken.
//! - [`redis_record`]: what Redis itself has on record of what was done to it.
//! - [`forwarder`]: what stands between the operator and what it watches, and keeps what is asked.
//! - [`prometheus`]: a system that is nobody's here, watched by a description of it alone ([`described`]).
//! - [`late`]: a target that takes a while to take what it is told.

mod cluster;
mod described;
mod forwarder;
mod home;
mod in_containers;
mod kill_nine;
mod late;
mod observing;
mod operator_process;
mod prometheus;
mod redis_record;
mod replaying;
mod several;
