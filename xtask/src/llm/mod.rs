//! `cargo xtask llm`: a real model on this machine, without a key and without the network once it is fetched. What the
//! operator's diagnoser says to a model is so tried on a server that nobody here wrote.

mod folder;
mod server;
mod setup;
mod suite;

use std::process::ExitCode;

use anyhow::Result;

use folder::Folder;
use server::Server;

/// What to do with the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Fetch what is missing, start the server, run the suite against it, stop it.
    Run,
    /// Fetch what is missing and start the server; it stays.
    Up,
    /// Stop the server that stays.
    Down,
    /// Say what is there.
    Status,
}

impl Verb {
    /// The verb of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "run" => Some(Self::Run),
            "up" => Some(Self::Up),
            "down" => Some(Self::Down),
            "status" => Some(Self::Status),
            _ => None,
        }
    }
}

/// Does what `verb` says.
pub(crate) fn run(verb: Verb, extra: &[String]) -> Result<ExitCode> {
    let folder = Folder::of_this_workspace()?;
    match verb {
        Verb::Run => {
            setup::ensure(&folder)?;
            // One that stays is used, and stays.
            let server = match Server::running(&folder)? {
                Some(server) => server,
                None => Server::start(&folder, server::Lives::WithThis)?,
            };
            let done = suite::run(&server, extra);
            server.end()?;
            done
        }
        Verb::Up => {
            setup::ensure(&folder)?;
            let server = match Server::running(&folder)? {
                Some(server) => server,
                None => Server::start(&folder, server::Lives::On)?,
            };
            println!("{}", server.url);
            eprintln!("the model answers at {}; `cargo xtask llm down` stops it", server.url);
            Ok(ExitCode::SUCCESS)
        }
        Verb::Down => {
            match Server::running(&folder)? {
                Some(server) => server.stop()?,
                None => eprintln!("no server is running"),
            }
            Ok(ExitCode::SUCCESS)
        }
        Verb::Status => status(&folder),
    }
}

fn status(folder: &Folder) -> Result<ExitCode> {
    let is = |there: bool| if there { "there" } else { "missing: `cargo xtask llm up` fetches it" };
    println!("server program  {}", is(setup::has_server(folder)));
    println!("model           {}", is(setup::has_model(folder)));
    let running = Server::running(folder)?;
    println!("server          {}", running.as_ref().map_or("not running", |server| server.url.as_str()));
    Ok(if running.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
