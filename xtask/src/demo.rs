//! `cargo xtask demo`: from a fresh clone to a running demonstration with one command.

use std::io::IsTerminal as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::program;
use crate::workspace::{self, cargo, programs, root};

/// The programs of the demo, each with its package.
const PROGRAMS: [(&str, &str); 4] = [
    ("operator", "operator"),
    ("ratelimiter-service", "ratelimiter"),
    ("ratelimiter-service", "loadgen"),
    ("operator-lab", "operator-child-guard"),
];

fn build() -> Result<()> {
    let mut command = cargo(&root()?);
    command.arg("build");
    for (package, program) in PROGRAMS {
        command.args(["--package", package, "--bin", program]);
    }
    workspace::run(&mut command)
}

/// Installs and builds what is missing, then becomes the demo.
pub(crate) fn run(subject: &str, extra: &[String]) -> Result<ExitCode> {
    program::ensure(&program::NEEDED)?;
    eprintln!("building the operator, the rate limiter and the lab (some minutes the first time)");
    build()?;
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
