//! `operator man`: the manual pages.

use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::exit::{Exit, Failure};
use crate::output::write_out;

/// Where to.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  operator man | man -l -\n  operator man --dir /usr/local/share/man/man1")]
pub struct Args {
    /// Write a page for every verb into this folder instead
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the page, or writes all of them.
///
/// # Errors
/// When they cannot be written.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.dir {
        Some(dir) => {
            let failed = |error| Failure::failed(format!("write manual pages to {}", dir.display()), error);
            std::fs::create_dir_all(dir).map_err(failed)?;
            clap_mangen::generate_to(Cli::command(), dir).map_err(failed)?;
        }
        None => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|error| Failure::failed("render the manual page", error))?;
            write_out(String::from_utf8_lossy(&page).trim_end())?;
        }
    }
    Ok(Exit::Clean)
}
