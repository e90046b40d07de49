//! What was asked for.

use crate::llm::Verb;

/// How to ask.
pub(crate) const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup                              install what the demo and the tests need (redis-server)
  demo [--subject NAME] [-- ARGS…]   build everything and run `operator demo NAME ARGS…`: ratelimiter, if none is
                                     named, or tikv, which is simulated
  test [-- ARGS…]                    build everything and run every test; ARGS go to the test runner
  llm [run|up|down|status]           a real model on this machine, fetched once (1.1 GB) into target/llm or into what
                                     OPERATOR_LLM_DIR names: run (if no verb is given) runs the tests that need one,
                                     up starts its server and prints where it is, down stops it, status says what is there

examples:
  cargo xtask demo
  cargo xtask demo -- --headless
  cargo xtask demo --subject tikv
  cargo xtask test -- -E 'package(operator-lab)'
  cargo xtask llm up";

/// One command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Setup,
    Demo { subject: String, extra: Vec<String> },
    Test { extra: Vec<String> },
    Llm { verb: Verb, extra: Vec<String> },
}

/// Reads the command line, without the program's name.
pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut args = args.into_iter();
    let Some(name) = args.next() else { return Err("which command?".to_owned()) };
    let mut subject = None;
    let mut verb = None;
    let mut extra = Vec::new();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--" => extra.extend(args.by_ref()),
            "--help" | "-h" => return Ok(Command::Help),
            "--subject" if name == "demo" => {
                subject = Some(args.next().ok_or("--subject: which subject?")?);
            }
            word if name == "llm" && verb.is_none() => {
                verb = Some(Verb::named(word).ok_or_else(|| format!("llm: there is no {word}"))?);
            }
            other => return Err(format!("{name} takes no {other}; what follows `--` is handed on")),
        }
    }
    match name.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help),
        "setup" if extra.is_empty() => Ok(Command::Setup),
        "demo" => Ok(Command::Demo { subject: subject.unwrap_or_else(|| "ratelimiter".to_owned()), extra }),
        "llm" => match verb.unwrap_or(Verb::Run) {
            verb if verb != Verb::Run && !extra.is_empty() => Err("only `llm run` hands anything on".to_owned()),
            verb => Ok(Command::Llm { verb, extra }),
        },
        "test" => Ok(Command::Test { extra }),
        other => Err(format!("there is no command {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_follows_two_dashes_is_handed_on() {
        let extra = vec!["--headless".to_owned(), "--help".to_owned()];
        assert_eq!(parsed("demo -- --headless --help"), Ok(Command::Demo { subject: "ratelimiter".to_owned(), extra }));
        assert_eq!(parsed("demo --subject x"), Ok(Command::Demo { subject: "x".to_owned(), extra: Vec::new() }));
    }

    #[test]
    fn the_model_is_run_unless_something_else_is_asked_of_it() {
        assert_eq!(parsed("llm"), Ok(Command::Llm { verb: Verb::Run, extra: Vec::new() }));
        assert_eq!(parsed("llm down"), Ok(Command::Llm { verb: Verb::Down, extra: Vec::new() }));
        assert_eq!(parsed("llm -- both"), Ok(Command::Llm { verb: Verb::Run, extra: vec!["both".to_owned()] }));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for line in [
            "",
            "dance",
            "demo --loud",
            "test --subject x",
            "demo --subject",
            "llm dance",
            "llm up down",
            "llm up -- x",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        assert_eq!(parsed("test --help"), Ok(Command::Help));
    }
}
