//! The simulated TiKV cluster, seen through PD's and Prometheus's interfaces.

mod cluster;
mod shapes;
mod timing;
