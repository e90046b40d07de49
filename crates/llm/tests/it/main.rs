//! A diagnoser over language models, tested over real connections.

mod scripted;
mod wire;
