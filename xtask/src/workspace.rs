//! Where the workspace and its build are, and running cargo there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The workspace's folder.
pub(crate) fn root() -> Result<PathBuf> {
    // Set by `cargo run`, which is how this program is started.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").context("start this with `cargo xtask`")?;
    Path::new(&manifest).parent().map(Path::to_owned).context("xtask lies in no workspace")
}

/// The folder of built programs: this program lies in it, wherever the build was told to go.
pub(crate) fn programs() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program is")?;
    own.parent().map(Path::to_owned).context("this program lies in no folder")
}

/// The build's folder, for everything that is written here.
pub(crate) fn target() -> Result<PathBuf> {
    programs()?.parent().map(Path::to_owned).context("the programs lie in no folder")
}

/// A cargo command in the workspace's folder.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs a command to its end; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", words(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", words(command));
    }
    Ok(())
}

/// A command as a person would type it.
pub(crate) fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
