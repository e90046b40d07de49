//! The subject against a real Prometheus, a real Redis, and servers that answer rightly, wrongly, too much and never.

mod compliance;
mod driver;
mod hostile;
mod programs;
mod reading;
mod world;
