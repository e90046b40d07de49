//! A supervisor of local processes: it starts what is declared, signals it, says how it is, and takes every child with
//! it when it ends, whatever way it ends.
//!
//! A child is started through the small program `operator-child-guard` by one thread that lives as long as this
//! process, because the kernel's promise to kill a child is bound to the *thread* that started it. What a child starts
//! in turn is the child's own affair.

mod child;
mod cpu_group;
mod driver;
mod error;
mod launch;
mod log;
mod port;
mod proc_stat;
mod readiness;
mod slot;
mod spawner;
mod spec;
mod supervisor;

pub use cpu_group::CpuGroup;
pub use driver::SupervisorDriver;
pub use error::ProcessError;
pub use log::{LogStream, LogTail};
pub use port::{PortError, ReservedPort};
pub use readiness::Readiness;
pub use spec::ProcessSpec;
pub use supervisor::{ProcessReport, Supervisor};
