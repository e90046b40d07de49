//! Real processes, real connections, real Redis.

mod death;
mod driver;
mod fixture;
mod guard;
mod proxy;
mod ratelimiter;
mod supervisor;
