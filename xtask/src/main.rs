//! Set-up, demo and test commands of the workspace.
fn main() {}
