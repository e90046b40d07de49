//! What PD answers, version by version as loose as it must be: fields come and go, zero is left out, sizes and durations
//! are text. What is missing becomes zero or absent as PD means it; what is there and wrong is an error.

mod cluster;
mod config;
mod hotspot;
mod members;
mod operators;
mod regions;
mod scalar;
mod schedulers;
mod stores;

pub(crate) use cluster::{ClusterStatus, RegionStats};
pub(crate) use config::{LabelConstraint, Replicate, Rule, Setting, flattened};
pub(crate) use hotspot::HotRegions;
pub(crate) use members::{Health, Member, Members, Status};
pub(crate) use operators::{Operator, Progress, operator_status};
pub(crate) use regions::{Peer, Region, Regions, beginning};
pub(crate) use scalar::go_duration;
pub(crate) use schedulers::{Diagnostic, EvictedSlowStores, EvictedStores};
#[cfg(test)]
pub(crate) use stores::Store;
pub(crate) use stores::{Limits, StoreAndStatus, Stores};
