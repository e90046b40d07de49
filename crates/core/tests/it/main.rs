//! The core against real stores, real sockets and scripted systems.

mod engine;
