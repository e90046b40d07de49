//! The binary `operator` as a library, so that its screens and its output can be tested.
//!
//! 1. What it is told: arguments, [`config`], and the registry of subjects.
//! 2. What it shows: [`screen`], [`narrate`]; [`harmless`] stands between both and text from outside.

pub mod config;
pub mod harmless;
pub mod narrate;
pub mod screen;
