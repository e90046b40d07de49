//! The diagnoser against scripted models, honest and hostile, and the wire against a scripted server.

mod adversary;
mod answers;
mod injection;
mod investigation;
mod replay;
mod scripted;
mod server;
mod wire;
#[allow(dead_code, reason = "the reasoner's own tests use the rest of it")]
#[path = "../../../reasoner/tests/it/world/mod.rs"]
mod world;
