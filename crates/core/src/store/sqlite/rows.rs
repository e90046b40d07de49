//! How values stand in columns: JSON as text, counts as signed integers, as every SQL database has them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::canonical_json;
use crate::store::StoreError;
use crate::store::sqlite::trouble::corrupt;

/// A count as a column. What does not fit (it would take centuries) stays at the greatest.
pub(super) fn to_int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count from a column.
pub(super) fn from_int(column: i64, what: &str) -> Result<u64, StoreError> {
    u64::try_from(column).map_err(|error| corrupt(format!("{what} ({column})"), error))
}

/// A small count from a column.
pub(super) fn from_int32(column: i64, what: &str) -> Result<u32, StoreError> {
    u32::try_from(column).map_err(|error| corrupt(format!("{what} ({column})"), error))
}

/// A value as a column.
pub(super) fn to_body(value: &impl Serialize) -> String {
    canonical_json(value)
}

/// A value as a column that will be read back as the same value. One that would not be (an infinite number from
/// outside is enough) is refused now, not when the store is next loaded.
pub(super) fn to_readable_body<T: Serialize + DeserializeOwned>(
    value: &T,
    what: impl FnOnce() -> String,
) -> Result<String, StoreError> {
    let body = to_body(value);
    match serde_json::from_str::<T>(&body) {
        Ok(_) => Ok(body),
        Err(error) => Err(StoreError::Conflict { what: what(), why: format!("it could not be read back: {error}") }),
    }
}

/// A value from a column.
pub(super) fn from_body<T: DeserializeOwned>(body: &str, what: impl FnOnce() -> String) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|error| corrupt(what(), error))
}
