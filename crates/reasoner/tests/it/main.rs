//! The reasoner against a simulated system it has never seen: which faults it names rightly, when it abstains, and that
//! its answers depend on nothing but the evidence.

mod confusion;
mod determinism;
mod markdown;
mod neighbours;
mod properties;
mod rules;
mod scene;
mod table;
mod world;
