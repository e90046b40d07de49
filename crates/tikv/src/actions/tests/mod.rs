//! Every action against built scenes.

mod definitions;
mod documented;
mod effects;
pub(crate) mod fake_pd;
mod forbidden;
mod hostile;
mod planning;
mod processes;
mod recorded;
mod removal;
pub(crate) mod scene;
mod sending;
mod sick_control_plane;
