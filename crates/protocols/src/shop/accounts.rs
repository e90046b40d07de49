//! Who says to have done how much: kept on each one's disk, so that a restart forgets nothing.

use super::lanes::LANES;
use super::node::ORDERS;

/// What can be bought.
pub(super) const ITEMS: [&str; 6] = ["bikes", "books", "chairs", "lamps", "mugs", "tea"];

#[derive(Debug, Default, Clone)]
pub(super) struct Accounts {
    /// Jobs that the queue confirmed to each replica of orders, by lane.
    pub(super) put: [[u64; LANES.len()]; ORDERS.len()],
    /// Jobs that packers finished or threw away, by who put them, by lane.
    pub(super) done: [[u64; LANES.len()]; ORDERS.len()],
    /// The same, of jobs that no replica of orders put.
    pub(super) foreign_done: [u64; LANES.len()],
    /// What each replica of orders sold, by item.
    pub(super) sold: [[u64; ITEMS.len()]; ORDERS.len()],
    /// What the catalog has recorded of it.
    pub(super) recorded: [[u64; ITEMS.len()]; ORDERS.len()],
}
