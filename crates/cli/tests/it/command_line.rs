//! Help, usage and configuration errors.

use clap::CommandFactory as _;
use operator_cli::args::Cli;

use crate::operator::Place;

/// Every verb that does something, with its path.
fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
    let subcommands: Vec<_> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
    if subcommands.is_empty() {
        found.push((path.to_owned(), command.clone()));
    }
    for sub in subcommands {
        leaves(sub, format!("{path} {}", sub.get_name()).trim(), found);
    }
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_verb_has_an_example_that_names_it() {
    let mut found = Vec::new();
    leaves(&Cli::command(), "", &mut found);
    assert!(found.len() > 35, "{}", found.len());
    for (path, command) in found {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.contains(&format!("operator {path}")), "{path}: {help:?}");
    }
}

#[test]
fn the_first_page_lists_the_verbs_and_the_exit_codes() {
    let place = Place::new();
    let help = place.run(&["--help"]);
    assert_eq!(help.code(), 0);
    insta::assert_snapshot!(help.out());
}

#[test]
fn help_of_a_verb_says_what_may_be_given() {
    let place = Place::new();
    let help = ["run", "check", "demo", "replay"].map(|verb| place.run(&[verb, "--help"]).out());
    insta::assert_snapshot!(help.join("\n==========\n"));
}

#[test]
fn wrong_usage_exits_2_and_says_what_would_be_right() {
    let place = Place::new();
    let mut said = Vec::new();
    for args in [
        &["tickts"][..],
        &["tickets", "show"],
        &["run"],
        &["run", "--subject", "ratelimitr"],
        &["run", "--subject", "ratelimiter"],
        &["run", "--autonomy", "full"],
        &["check", "--every", "5", "--subject", "ratelimiter"],
        &["check", "--subject", "ratelimiter", "--set", "subject.ratelimiter.redis_ulr=x"],
        &["demo", "nothing", "--headless"],
        &["demo", "ratelimiter", "--headless", "--chapter", "9"],
        &["demo", "ratelimiter"],
        &["deploy", "up", "nothing"],
        &["deploy", "up", "shop"],
        &["actions", "plan"],
        &["chaos", "inject", "kill_node", "node-2"],
        &["check-config", "--set", "policy.low_rsk=auto"],
        &["check-config", "--config", "missing.toml"],
    ] {
        let ran = place.run(args);
        assert_eq!(ran.code(), 2, "{args:?}: {}{}", ran.out(), ran.err());
        assert_eq!(ran.out(), "", "{args:?}: what is wrong belongs on standard error");
        said.push(format!("$ operator {}\n{}", args.join(" "), ran.err()));
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn what_cannot_be_done_exits_1_and_says_what_to_do_next() {
    let place = Place::new();
    let mut said = Vec::new();
    for args in [
        &["tickets", "list"][..],
        &["tickets", "ack", "T1"],
        &["mode", "set", "auto", "--reason", "x"],
        &["audit", "verify"],
        &["deploy", "status", "--dir", "lab"],
        &["chaos", "clear", "--dir", "lab"],
        &["replay", "missing.jsonl"],
        &["eval", "compare", "a", "b"],
    ] {
        let ran = place.run(args);
        assert_eq!(ran.code(), 1, "{args:?}: {}{}", ran.out(), ran.err());
        assert_eq!(ran.out(), "", "{args:?}");
        let err = ran.err().replace(&place.path().display().to_string(), "DIR");
        said.push(format!("$ operator {}\n{err}", args.join(" ")));
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_configuration_is_checked_without_starting_anything() {
    let place = Place::new();
    let config = r#"
        [operator]
        state_dir = "state"
        [policy]
        low_risk = "auto"
        [[subject]]
        name = "prod"
        kind = "ratelimiter"
        [subject.settings]
        redis_url = "redis://127.0.0.1:1"
        nodes = ["127.0.0.1:2"]
    "#;
    place.write("operator.toml", config);
    let ran = place.run(&["check-config"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    insta::assert_snapshot!(ran.out().replace(&place.path().display().to_string(), "DIR"));
    assert!(!place.path().join("state").exists(), "checking makes nothing");

    place.write("operator.toml", &config.replace("redis_url", "redis_uri"));
    let ran = place.run(&["check-config"]);
    assert_eq!(ran.code(), 2);
    assert!(
        ran.err().contains("subject prod: redis_uri") && ran.err().contains("did you mean redis_url"),
        "{}",
        ran.err()
    );
}

#[test]
fn completions_and_the_manual_are_printed() {
    let place = Place::new();
    assert!(place.run(&["completions", "bash"]).out().contains("kill-switch"));
    assert!(place.run(&["man"]).out().contains(".TH operator"));
    assert_eq!(place.run(&["man", "--dir", "pages"]).code(), 0);
    assert!(place.path().join("pages/operator-tickets-list.1").is_file());
}
