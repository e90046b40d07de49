//! The embedded store: one SQLite file in the state directory, one process that owns it.
//!
//! All writing goes through one connection on a thread of its own, command by command, each in one `BEGIN IMMEDIATE`
//! transaction: a claim and a kill switch cannot miss each other. Reading has its own connections, also in a process
//! that does not own the store ([`SqliteStore::open_read_only`]), also while nobody does.
//!
//! In the state directory: `operator.db` (and SQLite's own `-wal` and `-shm`), `operator.lock` (the lease: locked
//! while a process owns the store), and what [`kill_switch`] keeps there.

mod audit_log;
mod claim;
mod commit_cycle;
mod connection;
mod decide;
mod file_name;
mod finish;
mod intent;
pub mod kill_switch;
mod learning;
mod lease;
mod migration;
mod reader;
mod restore;
mod rows;
mod select;
mod slot;
mod snapshot;
mod store;
mod switch_row;
mod trouble;
mod writer;

pub use connection::MINIMUM_SQLITE_VERSION;
pub use store::SqliteStore;
