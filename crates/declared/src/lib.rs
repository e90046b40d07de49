//! A subject for systems that nobody wrote Rust for: a TOML file says what there is, what is measured and what must
//! hold; the loop, tickets and diagnosis are the same as for every other subject.
//!
//! - [`factory`] makes the [`DeclaredSubject`] and its [`DeclaredChecker`] from the setting `file`; it connects to
//!   nothing.
//! - The file, read strictly within [`limits`]: `file`, one kind of table a file of code.
//! - Looking: health checks (`check`), metrics (`scrape`, `redis_info`) and PromQL, put together in `observe`.
//! - Judging: one way of judging a file (`checker`).
//! - Acting through a driver (`actions`), asking more (`probes`), the past (`past`).

mod actions;
mod check;
mod checker;
mod file;
mod limits;
mod observe;
mod past;
mod probes;
mod redis_info;
mod scrape;
mod settings;
mod subject;

pub use checker::{DeclaredChecker, FOLD_ABOVE, UP};
pub use file::{FileError, SystemFile};
pub use subject::{DeclaredSubject, KIND, factory};
