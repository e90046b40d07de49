//! What is run against the model: the tests of the diagnoser that need a real one, on both wire formats.

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use super::server::Server;
use crate::workspace::{self, cargo, root};

/// The package whose tests need a model; the others ignore them.
const PACKAGE: &str = "operator-llm";

/// Runs the tests that are ignored where there is no model. `extra` goes to them.
pub(crate) fn run(server: &Server, extra: &[String]) -> Result<ExitCode> {
    let mut tests = cargo(&root()?);
    tests.args(["test", "--package", PACKAGE, "--tests", "--", "--ignored"]);
    // One model: tests that ask it at once only wait for each other.
    tests.args(["--test-threads", "1", "--nocapture"]).args(extra);
    tests.env("OPERATOR_LLM_URL", &server.url).env("OPERATOR_LLM_MODEL", &server.model);
    let status = tests.status().with_context(|| format!("cannot run {}", workspace::words(&tests)))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
