//! Real processes, real connections, real Redis.

mod campaign;
mod compose;
mod death;
mod driver;
mod fixture;
mod guard;
mod proxy;
mod ratelimiter;
mod rca;
mod supervisor;
mod tikv;
