//! The binary `operator` as a library, so that its screens and its output can be tested.
//!
//! 1. What it is told: [`args`], [`config`], and the [`registry`] of subjects.
//! 2. What it does: [`commands`], one module a verb, each given an [`app::App`]; [`host`] runs the loops, [`look`] looks
//!    without one, [`demo`] tells the whole story; [`diagnoser`] says who explains, [`model`] opens the model that is
//!    asked.
//! 3. What it shows: [`output`], [`screen`] on the [`terminal`], [`narrate`], [`thinking`]; [`harmless`] stands between them and text
//!    from outside.
//! 4. How it ends: [`exit`], [`signals`].

pub mod app;
pub mod args;
pub mod commands;
pub mod config;
pub mod demo;
pub mod diagnoser;
pub mod exit;
pub mod harmless;
pub mod host;
pub mod look;
pub mod model;
pub mod narrate;
pub mod output;
pub mod registry;
pub mod screen;
pub mod signals;
pub mod terminal;
pub mod thinking;

use clap::Parser as _;
use jiff::tz::TimeZone;

use app::App;
use args::{Cli, Global};
use config::Sources;
use exit::Failure;
use output::Output;

/// Parses the command line, does what it says, and gives the exit code.
pub async fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are what was asked for; a closed pipe is nobody's fault.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let app = app_of(cli.global);
    match Box::pin(commands::dispatch(&app, cli.verb)).await {
        Ok(exit) => exit.code(),
        Err(failure) => report(&failure),
    }
}

fn report(failure: &Failure) -> u8 {
    output::say(&format!("operator: {failure}"));
    failure.code()
}

fn app_of(global: Global) -> App {
    let mut set = global.set;
    if let Some(dir) = global.state_dir {
        set.push(format!("operator.state_dir={}", dir.display()));
    }
    App {
        output: Output { format: global.output, zone: TimeZone::system(), now: host::now() },
        sources: Sources::of_process(global.config, set),
        subject: global.subject,
        token_file: global.token_file,
    }
}
