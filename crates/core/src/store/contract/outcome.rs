//! What came of a check.

use std::fmt;

/// What came of a check.
pub type Outcome = Result<(), Broken>;

/// A promise that is not kept, and how that was seen.
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A command that should have worked and did not, with its causes.
impl<E: std::error::Error> From<E> for Broken {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self(text)
    }
}

/// Ends the check unless `$condition` holds.
macro_rules! ensure {
    ($condition:expr, $($said:tt)+) => {
        if !$condition {
            return Err($crate::store::contract::Broken(format!($($said)+)));
        }
    };
}

/// Ends the check unless the two are equal.
macro_rules! ensure_eq {
    ($left:expr, $right:expr, $($said:tt)+) => {
        match (&$left, &$right) {
            (left, right) => {
                if left != right {
                    let said = format!($($said)+);
                    return Err($crate::store::contract::Broken(format!("{said}\n  is:     {left:?}\n  should: {right:?}")));
                }
            }
        }
    };
}

/// Ends the check unless `$result` is an error of that form; gives what `$value` names in it.
macro_rules! ensure_err {
    ($result:expr, $pattern:pat => $value:expr, $($said:tt)+) => {
        match $result {
            Err($pattern) => $value,
            other => {
                let said = format!($($said)+);
                return Err($crate::store::contract::Broken(format!("{said}: {other:?}")));
            }
        }
    };
}

pub(super) use {ensure, ensure_eq, ensure_err};
