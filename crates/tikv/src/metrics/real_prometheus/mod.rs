//! The reader against a real Prometheus that scrapes exporters with series as TiKV's and PD's. Where no Prometheus is
//! installed the tests say so and pass.

mod exporter;
mod reading;
mod server;
