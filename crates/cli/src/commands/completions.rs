//! `operator completions`: a script that completes this command line in a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::{Exit, Failure};
use crate::output::write_out;

/// For which shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  operator completions bash > /etc/bash_completion.d/operator")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// When standard output cannot be written to.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "operator", &mut script);
    write_out(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Clean)
}
