//! `cargo xtask test`: every test of the workspace, and nothing left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{self, cargo, programs, root, target};
use crate::{leftovers, program};

/// Killed children need a moment to be gone.
const GRACE: Duration = Duration::from_secs(5);

/// Builds everything once, runs every test, and fails if a process that a test started is still there. What the runner
/// says last is the last that is said.
pub(crate) fn run(extra: &[String]) -> Result<ExitCode> {
    program::ensure(&program::FOR_TESTS)?;
    let root = root()?;
    // Tests run programs of other packages, which cargo does not build for them.
    let mut build = cargo(&root);
    workspace::run(build.args(["build", "--workspace", "--bins", "--tests"]))?;

    let temporary = temporary_folder(&target()?)?;
    let mut runner = runner(&root, has_nextest(&root));
    runner.args(extra).env("TMPDIR", &temporary).env("OPERATOR_BIN_DIR", programs()?);
    let status = runner.status().with_context(|| format!("cannot run {}", workspace::words(&runner)))?;

    let left = leftovers::await_none(&temporary, GRACE)?;
    if !left.is_empty() {
        bail!("tests left processes running:\n  {}", left.join("\n  "));
    }
    if !status.success() {
        eprintln!("what the tests wrote is in {}", temporary.display());
        return Ok(ExitCode::FAILURE);
    }
    fs::remove_dir_all(&temporary).with_context(|| format!("cannot remove {}", temporary.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// A folder for the temporary files of this run; those of runs that have ended are removed.
fn temporary_folder(target: &Path) -> Result<PathBuf> {
    for entry in fs::read_dir(target).with_context(|| format!("cannot look at {}", target.display()))?.flatten() {
        let name = entry.file_name();
        let run = name.to_str().and_then(|name| name.strip_prefix('t')?.parse::<u32>().ok());
        if run.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    // A short name: sockets live in it, and their paths have little room.
    let folder = target.join(format!("t{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

fn has_nextest(root: &Path) -> bool {
    let mut version = cargo(root);
    version.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

fn runner(root: &Path, nextest: bool) -> Command {
    let mut runner = cargo(root);
    if nextest {
        runner.args(["nextest", "run", "--workspace", "--no-fail-fast", "--config-file", "xtask/nextest.toml"]);
    } else {
        // Doc tests are run by this alone; there are none that say more than the tests do.
        runner.args(["test", "--workspace", "--bins", "--lib", "--tests", "--no-fail-fast", "--"]);
    }
    runner
}
