//! What can go wrong with a store.

/// What can go wrong with a store. Nothing was written, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process owns it; it will be free when that process ends.
    #[error("another operator owns the store at {path}: stop it, or use another state directory")]
    Locked {
        /// Where the store is.
        path: String,
    },
    /// The lease went to another epoch: this process must stop acting.
    #[error("the lease is at epoch {actual}, this process holds {held}: another operator took over")]
    LostLease {
        /// The epoch this process holds.
        held: u64,
        /// The epoch of the lease.
        actual: u64,
    },
    /// A row is not as the caller believed: read it again.
    #[error("{what} has changed meanwhile: {why}")]
    Conflict {
        /// Which row.
        what: String,
        /// How it differs.
        why: String,
    },
    /// The store was written by a newer version: use that version.
    #[error("the store has schema {found}, this operator knows up to {known}: use the newer operator")]
    NewerSchema {
        /// The schema found.
        found: u32,
        /// The newest schema known.
        known: u32,
    },
    /// It is busy, full, read-only or broken: nothing may be claimed; try again later.
    #[error("the store could not {doing}")]
    Unavailable {
        /// What was tried.
        doing: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something in it cannot be read back.
    #[error("the store holds {what} that cannot be read")]
    Corrupt {
        /// What.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
