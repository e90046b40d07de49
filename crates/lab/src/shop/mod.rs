//! The shop as an environment: a simulator of a small web shop that runs in this process, with faults to inject.
//!
//! - [`ShopEnvironment`]: the shop, its clock and its faults; it is found by a subject of the same process only.
//! - [`Fault`]: what can be broken in it.

mod driver;
mod environment;
mod fault;
mod fault_words;
mod inject;
mod scenario;
mod stage;

pub use crate::pace::Pace;
pub use environment::ShopEnvironment;
pub use fault::Fault;
pub use operator_protocols::shop::{KIND, SHOP_FACTORY};
pub use stage::STAGE;
