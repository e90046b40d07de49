//! The audit chain: every row holds the hash of the row before it, so that a row that was changed, removed, swapped or
//! slipped in is found by whoever reads the chain from its beginning.
//!
//! The beginning is the [`genesis`] of one installation. The end is kept as a [`ChainHead`] beside the rows, which is
//! how rows that were cut off are noticed. Whoever owns the database can rewrite rows and head together: only a copy
//! of a head kept elsewhere stops that.

pub(crate) mod chain;
mod verify;

pub use chain::{ChainHead, event_text, genesis, row_hash};
pub use verify::{ChainFault, ChainStatus, ChainVerifier, verify};
