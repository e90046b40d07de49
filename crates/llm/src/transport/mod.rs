//! One request over HTTP/1.1 and its answer, piece by piece: bounded in time and size, no redirect followed, no proxy asked,
//! nothing repeated, and no key in clear over a network.

mod answer;
mod connection;
mod endpoint;
mod roots;

pub(crate) use answer::{Answer, Content};
pub(crate) use connection::Transport;
pub(crate) use endpoint::Endpoint;
