//! `operator check-config`: whether the configuration is right, without starting anything.

use operator_core::control::Principals;
use serde_json::json;

use crate::app::App;
use crate::config::show_duration;
use crate::exit::{Exit, Failure};
use crate::host::Watched;

/// Nothing but what may be said with every verb.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  operator check-config --config /etc/operator/operator.toml")]
pub struct Args {}

/// Reads the configuration and makes every subject, connecting to nothing.
///
/// # Errors
/// When anything is wrong: the first mistake, where it stands, and what would be right.
pub fn run(app: &App, _args: &Args) -> Result<Exit, Failure> {
    let config = app.config()?;
    let own_uid = rustix::process::geteuid().as_raw();
    Principals::new(&config.principals, own_uid, &|name| std::env::var(name).ok())
        .map_err(|error| Failure::usage(format!("the principals are wrong: {error}")))?;
    let subjects =
        if config.subjects.is_empty() && app.subject.is_none() { Vec::new() } else { app.subjects(&config)? };
    for entry in &subjects {
        Watched::make(entry, &config.engine, None)?;
    }
    let names: Vec<_> = subjects.iter().map(|entry| entry.config.name.as_str()).collect();
    let file = config.file.as_ref().map(|path| path.display().to_string());
    let policy = &config.engine.policy;
    let checked = json!({
        "file": file,
        "state_dir": config.state_dir,
        "subjects": names,
        "policy_revision": policy.revision(),
    });
    app.output.print("config", &checked, || {
        format!(
            "right: {}\n  state directory  {}\n  subjects         {}\n  interval         {}\n  autonomy         low {}, medium {}, high {}",
            file.as_deref().unwrap_or("no file, the defaults hold"),
            config.state_dir.display(),
            if names.is_empty() { "none described".to_owned() } else { names.join(", ") },
            show_duration(config.engine.interval),
            policy.low_risk,
            policy.medium_risk,
            policy.high_risk,
        )
    })?;
    Ok(Exit::Clean)
}
