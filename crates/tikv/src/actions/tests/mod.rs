//! Every action against built scenes.

mod definitions;
mod planning;
mod processes;
mod removal;
pub(crate) mod scene;
mod sick_control_plane;
