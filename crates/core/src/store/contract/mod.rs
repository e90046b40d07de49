//! What every store must keep, as checks.
