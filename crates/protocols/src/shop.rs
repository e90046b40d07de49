//! The larger example: a simulator of a small web shop, and the subject that shows it to an operator.
//!
//! Three services and a queue: shoppers ask a `front`, which looks things up in the `catalog` all share and places orders
//! with one of several `orders`; an order becomes a job in one of the queue's lanes, and a `packer` takes it out. It is
//! a simulator and serves nobody: but every request goes through it one by one, waits its turn, takes its time, times
//! out and is tried again, by a virtual clock and a seeded chance, so that a run repeats.
//!
//! What breaks is always a mechanism (a process ends, a machine is shared with a hog, a link delays or drops, a disk
//! fills, a canary is slow, somebody takes jobs out of a lane); every symptom follows from it. Read [`Shop`] for what
//! can be broken and what can be commanded; `model` for how a request goes through; `view` for what is shown; `checker`
//! for what must hold.

mod account_checks;
mod accounts;
mod actions;
mod call;
mod chance;
mod checker;
mod commands;
mod factory;
mod faults;
mod flow;
mod handle;
mod lanes;
mod log;
mod meter;
mod model;
mod node;
mod packing;
mod process;
mod request;
mod subject;
mod traffic;
mod view;

pub use factory::{KIND, SHOP_FACTORY};
pub use handle::{Process, Shop};
pub use lanes::LANES;
pub use node::{COMPONENTS, FRONTS, ORDERS, PACKERS};
pub use traffic::Surge;
