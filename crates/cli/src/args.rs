//! The command line: what may be said before every verb, and the verbs.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    actions, agent, audit, chaos, check, check_config, completions, demo, deploy, doctor, eval, explain, incidents,
    kill_switch, man, mode, record, replay, run, subjects, tickets,
};
use crate::output::Format;

/// Watches a distributed system, explains what breaks and, as far as it is allowed to, mends it.
#[derive(Debug, Parser)]
#[command(
    name = "operator",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example:\n  operator demo ratelimiter\n\nExit codes: 0 clean, 1 the tool failed, 2 wrong usage or configuration, 3 it worked and found something."
)]
pub struct Cli {
    /// What may be said before every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What may be said with every verb.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "With every verb")]
pub struct Global {
    /// The configuration file [default: $OPERATOR_CONFIG, or the first of ./operator.toml,
    /// $XDG_CONFIG_HOME/operator/operator.toml, /etc/operator/operator.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Overrides one key of the configuration; may be given several times
    #[arg(long, global = true, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
    /// The state directory: short for --set operator.state_dir=DIR
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// One subject of the configuration by its name; without a configuration, a kind of subject
    #[arg(long, global = true, value_name = "NAME|KIND")]
    pub subject: Option<String>,
    /// The file that holds the token to ask the running operator with
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// How results are printed: text for people, json for programs
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub output: Format,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show it all on one screen: a system is broken for real, and the operator finds, explains and mends it
    Demo(demo::Args),
    /// Watch subjects until stopped; only observes unless it is configured to do more
    Run(run::Args),
    /// Look once, and say what is violated: for CI and cron
    Check(check::Args),
    /// List, show and handle tickets
    #[command(subcommand)]
    Tickets(tickets::Verb),
    /// List incidents, and show how they are explained
    #[command(subcommand)]
    Incidents(incidents::Verb),
    /// Explain incidents: as a daemon beside the operator, or one on demand
    #[command(subcommand)]
    Agent(agent::Verb),
    /// List, plan, request, approve and settle actions
    #[command(subcommand)]
    Actions(actions::Verb),
    /// Stop every action, at once
    #[command(subcommand)]
    KillSwitch(kill_switch::Verb),
    /// Show or set how much is done without asking
    #[command(subcommand)]
    Mode(mode::Verb),
    /// Read and verify the audit chain
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Start and end an environment that can be broken
    #[command(subcommand)]
    Deploy(deploy::Verb),
    /// Break an environment on purpose, and take it back
    #[command(subcommand)]
    Chaos(chaos::Verb),
    /// Record what comes in from a subject
    Record(record::Args),
    /// Run the whole loop over a recording
    Replay(replay::Args),
    /// Measure the operator on scenarios with known truth
    #[command(subcommand)]
    Eval(eval::Verb),
    /// List and show subjects and what can be done to them
    #[command(subcommand)]
    Subjects(subjects::Verb),
    /// Ask a subject a question about its own system; lists the questions when none is asked
    Explain(explain::Args),
    /// Check the configuration without starting anything
    CheckConfig(check_config::Args),
    /// Say what is reachable, configured and missing
    Doctor(doctor::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the manual page, or write all of them
    Man(man::Args),
}
