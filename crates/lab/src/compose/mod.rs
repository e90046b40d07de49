//! Systems in containers: an environment that is brought up, broken and mended through `docker compose`, whatever it
//! runs. What it runs is a [`ComposePlan`]; a subject's folder of this crate makes one.
//!
//! - [`Engine`]: whether there is a container engine here, and which compose.
//! - [`ComposeProject`]: one compose project, by the docker command line, every call bounded in time.
//! - [`ComposeDriver`]: its containers as an operator acts on them.
//! - [`ComposeEnvironment`]: all of it as an environment, with faults that are on disk before they act.
//! - [`image`]: an image from programs of this machine, without a registry.
//! - [`tikv`]: TiKV, from its public images.

mod broom;
mod command;
mod container;
mod driver;
mod engine;
mod environment;
mod error;
mod fault;
pub mod image;
mod inner;
mod plan;
mod project;
mod start;
pub mod tikv;
mod undo;
mod workload;

pub use container::Container;
pub use driver::ComposeDriver;
pub use engine::{Compose, Engine, NoEngine};
pub use environment::ComposeEnvironment;
pub use error::ComposeError;
pub use fault::ComposeFault;
pub use plan::{ComponentNames, ComposePlan, LinkOverNetwork, LoadProgram, Service};
pub use project::{ComposeProject, remains, take_down_remains};
pub use undo::ComposeUndo;
