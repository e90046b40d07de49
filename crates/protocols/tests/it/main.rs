//! The compliance kit, tried on the example subject and on one that breaks each obligation in turn.

mod broken;
mod compliance;
mod example;
mod runtime;
mod shop;
mod twisted;
