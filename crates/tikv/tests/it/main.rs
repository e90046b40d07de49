//! The subject against what a real PD answered, and against servers that do not behave; and what its questions answer.

mod questions;
