//! The subject against a real Redis, and nodes that answer as they should, wrongly, by halves, too much and never.

mod actions;
mod compliance;
mod driver;
mod fake_node;
mod hostile;
mod log_entry;
mod past;
mod reading;
mod redis_server;
mod scene;
