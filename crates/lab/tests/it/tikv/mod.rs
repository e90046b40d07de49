//! The simulated TiKV cluster, seen through PD's and Prometheus's interfaces.

mod cluster;
mod loop_over_it;
mod scale;
mod shapes;
mod subject;
mod symptoms;
mod timing;
