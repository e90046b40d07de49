//! The commands of the README: `cargo xtask setup`, `cargo xtask demo`, `cargo xtask test`, `cargo xtask llm`.
//!
//! Kept small: it is compiled before anything else can be done.

mod arguments;
mod demo;
mod leftovers;
mod llm;
mod program;
mod test;
mod workspace;

use std::process::ExitCode;

use arguments::{Command, USAGE};

fn main() -> ExitCode {
    let command = match arguments::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(wrong) => {
            eprintln!("xtask: {wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Help => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Command::Setup => program::ensure(&program::FOR_TESTS).map(|()| ExitCode::SUCCESS),
        Command::Demo { subject, extra } => demo::run(&subject, &extra),
        Command::Test { extra } => test::run(&extra),
        Command::Llm { verb, extra } => llm::run(verb, &extra),
    };
    done.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
