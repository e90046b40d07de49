//! `cargo xtask demo`: from a fresh clone to a running demonstration with one command.

use std::io::IsTerminal as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::program;
use crate::workspace::{self, cargo, programs, root};

/// The operator, and the package that has it.
const OPERATOR: (&str, &str) = ("operator", "operator");
/// The programs of a system that really runs, each with its package.
const SYSTEM: [(&str, &str); 3] = [
    ("ratelimiter-service", "ratelimiter"),
    ("ratelimiter-service", "loadgen"),
    ("operator-lab", "operator-child-guard"),
];
/// The system that is simulated within the operator: it needs no other program.
const SIMULATED: &str = "tikv";

fn build(system: &[(&str, &str)]) -> Result<()> {
    let mut command = cargo(&root()?);
    command.arg("build");
    for (package, program) in std::iter::once(&OPERATOR).chain(system) {
        command.args(["--package", package, "--bin", program]);
    }
    workspace::run(&mut command)
}

/// Installs and builds what is missing, then becomes the demo.
pub(crate) fn run(subject: &str, extra: &[String]) -> Result<ExitCode> {
    if subject == SIMULATED {
        eprintln!("building the operator (some minutes the first time)");
        build(&[])?;
    } else {
        program::ensure(&program::NEEDED)?;
        eprintln!("building the operator, the rate limiter and the lab (some minutes the first time)");
        build(&SYSTEM)?;
    }
    let programs = programs()?;
    let mut demo = Command::new(programs.join("operator"));
    demo.args(["demo", subject]);
    if !std::io::stdout().is_terminal() && !extra.iter().any(|arg| arg == "--headless") {
        demo.arg("--headless");
    }
    demo.args(extra).env("OPERATOR_BIN_DIR", &programs);
    // Signals and the exit code are the demo's from here on.
    Err(demo.exec()).context("cannot run the operator")
}
