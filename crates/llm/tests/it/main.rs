//! A diagnoser over language models: tested against scripted models, honest and hostile, over real connections, and
//! against a real model where there is one.

mod adversary;
mod answers;
mod injection;
mod investigation;
mod model;
mod real;
mod replay;
mod server;
mod wire;
#[allow(dead_code, reason = "the reasoner's own tests use the rest of it")]
#[path = "../../../reasoner/tests/it/world/mod.rs"]
mod world;
