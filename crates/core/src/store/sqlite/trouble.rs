//! How what SQLite reports becomes what a store reports.

use rusqlite::ErrorCode;

use crate::store::{ClaimError, Refusal, StoreError};

/// SQLite's extended code for a row that names another that is not there (`SQLITE_CONSTRAINT_FOREIGNKEY`).
const FOREIGN_KEY: i32 = 787;

/// What can end a transaction.
#[derive(Debug)]
pub(super) enum Trouble {
    /// SQLite failed.
    Sql(rusqlite::Error),
    /// Something the caller must know as it is.
    Store(StoreError),
    /// A claim's gate is shut.
    Refused(Refusal),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Trouble {
    /// A row is not as the caller believed.
    pub(super) fn conflict(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Store(StoreError::Conflict { what: what.into(), why: why.into() })
    }

    /// As the store reports it, having tried `doing`.
    pub(super) fn into_store(self, doing: &str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sql(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                let names_nothing = error.sqlite_error().map(|error| error.extended_code) == Some(FOREIGN_KEY);
                let why =
                    if names_nothing { "a row names another that is not there".to_owned() } else { error.to_string() };
                StoreError::Conflict { what: format!("what was to be written to {doing}"), why }
            }
            Self::Sql(error) => unavailable(doing, error),
            Self::Refused(refusal) => StoreError::Conflict { what: doing.to_owned(), why: refusal.to_string() },
        }
    }

    /// As a claim reports it.
    pub(super) fn into_claim(self, doing: &str) -> ClaimError {
        match self {
            Self::Refused(refusal) => ClaimError::Refused(refusal),
            other => ClaimError::Store(other.into_store(doing)),
        }
    }

    /// Whether the connection itself may be at fault, so that a new one is worth trying.
    pub(super) fn spoils_connection(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::SystemIoFailure
                    | ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly
                    | ErrorCode::NotADatabase
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::FileLockingProtocolFailed
                    | ErrorCode::OutOfMemory
            )
        )
    }
}

/// It could not do that, and why.
pub(super) fn unavailable(
    doing: impl Into<String>,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unavailable { doing: doing.into(), source: source.into() }
}

/// It holds something that cannot be read.
pub(super) fn corrupt(
    what: impl Into<String>,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Corrupt { what: what.into(), source: source.into() }
}
