//! The loop as a whole, over a scripted system and a real store.

mod agent;
mod answering;
mod containing;
mod deciding;
mod learning;
mod malicious;
mod noticing;
mod repairing;
mod replaying;
mod restarting;
mod storm;
mod world;
