//! The rate limiter environment: Redis, three nodes and load, broken and mended for real.

mod compliance;
mod control;
mod counting_forwarder;
mod death;
mod faults_of_keys;
mod faults_of_links;
mod faults_of_processes;
mod faults_of_redis;
mod limiter;
mod planned_work;
mod running;
