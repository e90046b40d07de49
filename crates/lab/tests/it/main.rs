//! Real processes, real connections, real Redis; and systems that are simulated, and say so.

mod campaign;
mod compose;
mod death;
mod driver;
mod fixture;
mod guard;
mod proxy;
mod ratelimiter;
mod rca;
mod shop;
mod supervisor;
mod tikv;
