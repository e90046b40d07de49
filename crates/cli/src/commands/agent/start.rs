//! `operator agent start`: a process of its own that takes the incidents of whatever operator runs.

use std::sync::Arc;
use std::time::Duration;

use operator_core::agent::{Agent, AgentProgress};
use operator_core::control::ClientError;
use tokio::sync::watch;

use super::{office, subjects};
use crate::app::App;
use crate::config::{Config, DiagnoserKind};
use crate::diagnoser::{self, Choice};
use crate::exit::{Exit, Failure};
use crate::host::now;
use crate::output::{Format, Output, say, write_out};
use crate::screen::ages::time_of_day;
use crate::signals::Stop;
use crate::thinking::Told;

/// How long between two looks for an operator, where none runs.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long between two looks whether the operator still watches the same subjects.
const SAME_EVERY: Duration = Duration::from_secs(15);

pub(super) async fn run(app: &App, flag: Option<DiagnoserKind>) -> Result<Exit, Failure> {
    let (config, choice) = diagnoser::chosen(app, flag)?;
    announce(&config, &choice);
    let mut stop = Stop::listen()?;
    let (shutdown, stopping) = watch::channel(false);
    let working = work(app, &config, &choice, stopping);
    tokio::pin!(working);
    tokio::select! {
        ended = &mut working => return ended.map(|()| Exit::Clean),
        () = stop.asked() => {}
    }
    say("stopping: what is being asked is dropped");
    shutdown.send_replace(true);
    working.await.map(|()| Exit::Clean)
}

fn announce(config: &Config, choice: &Choice) {
    say(&format!("state directory {}", config.state_dir.display()));
    if choice.missing.is_none() {
        say(&format!("diagnoser       {}", choice.told()));
    }
    choice.warn();
    if let Some(model) = &choice.model {
        say(&format!("talks to        {}", model.destination));
    }
}

/// Works for one operator after the other.
async fn work(app: &App, config: &Config, choice: &Choice, stopping: watch::Receiver<bool>) -> Result<(), Failure> {
    let mut stop = stopping.clone();
    loop {
        let Some(names) = wait_for_operator(app, &mut stop).await? else { return Ok(()) };
        say(&format!("takes incidents of {}", names.join(", ")));
        let offices = names.iter().map(|name| office(app, config, name)).collect::<Result<Vec<_>, _>>()?;
        let agent = Agent::new(offices, diagnoser::diagnoser(choice), diagnoser::limits(config, choice));
        let mut progress = agent.progress();
        let (end, ended) = watch::channel(false);
        let work = agent.run(ended);
        tokio::pin!(work);
        let (mut told, mut others) = (Told::default(), tokio::time::interval(SAME_EVERY));
        others.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut work => break,
                Ok(()) = progress.changed() => tell(&app.output, &mut told, &progress.borrow_and_update().clone())?,
                _ = stop.wait_for(|stop| *stop) => {
                    end.send_replace(true);
                    work.await;
                    return Ok(());
                }
                _ = others.tick() => {
                    // One that does not run at the moment is waited for by the offices.
                    if subjects(app).await.is_ok_and(|now| now != names) {
                        say("the operator watches other subjects now");
                        end.send_replace(true);
                        work.await;
                        break;
                    }
                }
            }
        }
    }
}

/// The subjects of the operator that runs, as soon as one does; none, when told to stop.
async fn wait_for_operator(app: &App, stop: &mut watch::Receiver<bool>) -> Result<Option<Vec<String>>, Failure> {
    let mut said = false;
    loop {
        match subjects(app).await {
            Ok(names) if !names.is_empty() => return Ok(Some(names)),
            Ok(_) if app.subject.is_some() => {
                return Err(Failure::usage("the running operator watches no subject of that name")
                    .next("`operator doctor` says which it watches"));
            }
            Ok(_) => {}
            // Until it runs, nobody can say who may ask; whoever may not is told.
            Err(error @ (ClientError::NoOperator { .. } | ClientError::Io(_))) => {
                if !said {
                    say(&format!("waiting for an operator: {error}"));
                    said = true;
                }
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(None),
        }
    }
}

fn tell(output: &Output, told: &mut Told, progress: &Arc<AgentProgress>) -> Result<(), Failure> {
    for (incident, line) in told.news(progress) {
        match output.format {
            Format::Text => {
                let at = time_of_day(now(), &output.zone);
                output.text(&format!("{at} {incident} {line}"))?;
            }
            Format::Json => {
                let case = progress.cases.get(&incident);
                let mut value = serde_json::json!({ "at": now(), "incident": incident, "told": line, "case": case });
                crate::output::with_times_in(&mut value, &output.zone);
                write_out(&value.to_string())?;
            }
        }
    }
    Ok(())
}
