//! The diagnoser against scripted models, honest and hostile.

mod adversary;
mod answers;
mod injection;
mod investigation;
mod replay;
mod scripted;
#[allow(dead_code, reason = "the reasoner's own tests use the rest of it")]
#[path = "../../../reasoner/tests/it/world/mod.rs"]
mod world;
