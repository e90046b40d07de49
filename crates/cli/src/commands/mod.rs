//! One module a verb: what may be said with it, and what it does.

pub mod actions;
pub mod agent;
pub mod audit;
pub mod chaos;
pub mod check;
pub mod check_config;
pub mod completions;
pub mod demo;
pub mod deploy;
pub mod doctor;
pub mod eval;
pub mod explain;
mod explanation;
pub mod incidents;
pub mod kill_switch;
pub mod lab;
mod live;
pub mod man;
pub mod mode;
pub mod params;
pub mod record;
pub mod replay;
pub mod run;
mod story;
pub mod subjects;
pub mod tickets;

use crate::app::App;
use crate::args::Verb;
use crate::exit::{Exit, Failure};

/// Does what `verb` says.
///
/// # Errors
/// When it cannot be done, or was asked for wrongly.
pub async fn dispatch(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Demo(args) => demo::run(app, args).await,
        Verb::Run(args) => run::run(app, args).await,
        Verb::Check(args) => check::run(app, &args).await,
        Verb::Tickets(verb) => tickets::run(app, verb).await,
        Verb::Incidents(verb) => incidents::run(app, verb).await,
        Verb::Agent(verb) => agent::run(app, verb).await,
        Verb::Actions(verb) => actions::run(app, verb).await,
        Verb::KillSwitch(verb) => kill_switch::run(app, verb).await,
        Verb::Mode(verb) => mode::run(app, verb).await,
        Verb::Audit(verb) => audit::run(app, verb).await,
        Verb::Deploy(verb) => deploy::run(app, verb).await,
        Verb::Chaos(verb) => chaos::run(app, verb).await,
        Verb::Record(args) => record::run(app, args).await,
        Verb::Replay(args) => replay::run(app, args).await,
        Verb::Eval(verb) => eval::run(app, verb).await,
        Verb::Subjects(verb) => subjects::run(app, verb).await,
        Verb::Explain(args) => explain::run(app, args).await,
        Verb::CheckConfig(args) => check_config::run(app, &args),
        Verb::Doctor(args) => doctor::run(app, &args).await,
        Verb::Completions(args) => completions::run(&args),
        Verb::Man(args) => man::run(&args),
    }
}
