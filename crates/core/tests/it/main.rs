//! The core against real stores, real sockets and scripted systems.

mod control_office;
mod control_peer;
mod control_socket;
mod engine;
mod recorder_files;
mod recorder_hostile;
mod recorder_loop;
mod recorder_replay;
mod store_audit;
mod store_contract;
mod store_kill_switch;
mod store_process;
mod store_trouble;
