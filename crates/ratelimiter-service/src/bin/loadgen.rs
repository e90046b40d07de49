//! The load generator as a process.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser as _};
use ratelimiter_service::loadgen::run::run;
use ratelimiter_service::loadgen::settings::Settings;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let settings = Settings::parse();
    if let Err(error) = settings.validate() {
        Settings::command().error(clap::error::ErrorKind::ValueValidation, error).exit();
    }
    match generate(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn generate(settings: Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let summary = run(settings, stop, print).await?;
    print(&summary);
    Ok(())
}

fn print(line: &serde_json::Value) {
    // Whoever no longer reads does not need it.
    let _ = writeln!(std::io::stdout(), "{line}");
}
