//! The node of the rate limiter as a process.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use ratelimiter_service::server::{self, StartError};
use ratelimiter_service::settings::Settings;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("RATELIMITER_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ratelimiter: {error:#}");
            let usage = matches!(error.downcast_ref(), Some(StartError::Settings(_) | StartError::RedisUrl(_)));
            ExitCode::from(if usage { 2 } else { 1 })
        }
    }
}

#[tokio::main]
async fn run() -> anyhow::Result<()> {
    let mut settings = Settings::parse();
    settings.read_token(std::env::var("RATELIMITER_MANAGEMENT_TOKEN").ok()).map_err(StartError::from)?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let running = server::start(settings).await?;
    let identity = &running.node.identity;
    let ready = serde_json::json!({
        "event": "ready",
        "node_id": identity.node_id,
        "address": running.address.to_string(),
        "pid": std::process::id(),
        "boot_id": identity.boot_id,
    });
    // Whoever no longer reads does not need it.
    let _ = writeln!(std::io::stdout(), "{ready}");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}
