//! A TCP proxy whose link can be made slow, cut or silent while it runs: the way to break one link and nothing else.

mod behaviour;
mod listener;
mod relay;

pub use behaviour::Behaviour;
pub use listener::{Proxy, ProxyError};
