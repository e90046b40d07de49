//! Reads the merged configuration into what the rest of the program takes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use operator_core::control::PrincipalsConfig;
use operator_core::engine::EngineSettings;
use operator_core::policy::Autonomy;

use crate::config::document::{Document, Given};
use crate::config::schema::{self, Kind};
use crate::config::subjects::Overrides;
use crate::config::{
    AgentConfig, ConfigError, LlmConfig, SubjectEntry, overlay, parse_duration, principals, search, subjects,
};

/// Where a configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--config`.
    pub config_flag: Option<PathBuf>,
    /// `--set SECTION.KEY=VALUE`, in the order given.
    pub set_flags: Vec<String>,
    /// The environment. Variables whose text is not UTF-8 are left out.
    pub environment: BTreeMap<String, String>,
    /// Where `./operator.toml` is looked for.
    pub working_dir: PathBuf,
}

impl Sources {
    /// The process's own environment and working directory.
    pub fn of_process(config_flag: Option<PathBuf>, set_flags: Vec<String>) -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let working_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self { config_flag, set_flags, environment, working_dir }
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }
}

/// What the operator is told, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// Where the store, the socket, the kill-switch file and recordings are kept.
    pub state_dir: PathBuf,
    /// What every loop is told.
    pub engine: EngineSettings,
    /// Who explains, beside the embedded reasoner.
    pub agent: AgentConfig,
    /// The language model, where one is asked.
    pub llm: LlmConfig,
    /// Those who may ask, beside root and the user who runs the operator.
    pub principals: PrincipalsConfig,
    /// The subjects described.
    pub subjects: Vec<SubjectEntry>,
    pub(super) overrides: Overrides,
}

impl Config {
    /// Finds, merges and checks.
    ///
    /// # Errors
    /// The first thing that is wrong, where it stands, and what would be right.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut document = Document::default();
        let found = search::find(sources)?;
        if let Some((path, text)) = &found {
            let table = toml::from_str(text)
                .map_err(|source| ConfigError::Syntax { path: path.clone(), source: Box::new(source) })?;
            overlay::file(&mut document, table, &super::Origin::File(path.clone()))?;
        }
        let variables = sources.environment.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        overlay::environment(&mut document, variables)?;
        overlay::flags(&mut document, sources.set_flags.iter().map(String::as_str))?;

        let (subjects, overrides) = subjects::read(&document, &sources.working_dir)?;
        if !subjects.is_empty() {
            overrides.none_left(subjects.iter().map(|entry| entry.config.name.as_str()))?;
        }
        Ok(Self {
            file: found.map(|(path, _)| path),
            state_dir: state_dir(&document, sources)?,
            engine: engine(&document)?,
            agent: super::agent::agent(&document)?,
            llm: super::agent::llm(&document, &sources.working_dir)?,
            principals: principals::read(&document)?,
            subjects,
            overrides,
        })
    }
}

fn state_dir(document: &Document, sources: &Sources) -> Result<PathBuf, ConfigError> {
    if let Some(given) = document.get("operator", "state_dir") {
        return match given.value.as_str() {
            Some(path) if !path.is_empty() => Ok(sources.working_dir.join(path)),
            _ => Err(ConfigError::value(&given.origin, "operator.state_dir", "expected a folder in quotes")),
        };
    }
    let variable = |name: &str| sources.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")));
    Ok(state.map_or_else(|| sources.working_dir.join("operator-state"), |state| state.join("operator")))
}

fn engine(document: &Document) -> Result<EngineSettings, ConfigError> {
    let mut settings = EngineSettings::default();
    let read = Reader(document);
    read.duration("operator", "interval", &mut settings.interval)?;
    read.duration("operator", "incident_window", &mut settings.incident_window)?;
    read.duration("operator", "reopen_within", &mut settings.reopen_within)?;
    read.duration("operator", "evidence_window", &mut settings.evidence_window)?;
    read.duration("operator", "monitoring_gap_after", &mut settings.monitoring_gap_after)?;
    read.duration("operator", "wait_before_human", &mut settings.wait_before_human)?;
    let policy = &mut settings.policy;
    read.autonomy("policy", "low_risk", &mut policy.low_risk)?;
    read.autonomy("policy", "medium_risk", &mut policy.medium_risk)?;
    read.autonomy("policy", "high_risk", &mut policy.high_risk)?;
    read.duration("policy", "proposal_expires", &mut policy.proposal_expires)?;
    read.count("policy", "confirmations", &mut policy.confirmations)?;
    read.number("policy", "minimum_probability", &mut policy.minimum_probability)?;
    read.duration("policy", "fresh_within", &mut policy.fresh_within)?;
    read.duration("policy", "send_time_limit", &mut policy.send_time_limit)?;
    read.duration("policy", "quiesce", &mut policy.quiesce)?;
    read.count("policy", "max_attempts", &mut policy.max_attempts)?;
    read.count("policy", "actions_per_incident", &mut policy.actions_per_incident)?;
    read.count("policy.budget", "per_target_per_hour", &mut policy.budget.per_target_per_hour)?;
    read.count("policy.budget", "per_subject_per_hour", &mut policy.budget.per_subject_per_hour)?;
    read.count("policy.budget", "overall_per_hour", &mut policy.budget.overall_per_hour)?;
    read.count("policy.budget", "in_flight_per_subject", &mut policy.budget.in_flight_per_subject)?;
    read.count("policy.breaker", "failures", &mut policy.breaker.failures)?;
    read.duration("policy.breaker", "open_for", &mut policy.breaker.open_for)?;
    for (action, given) in document.section("policy.actions") {
        let level = autonomy(given)
            .map_err(|why| ConfigError::value(&given.origin, format!("policy.actions.{action}"), why))?;
        policy.actions.insert(action.to_owned(), level);
    }
    for (param, given) in document.section("policy.params") {
        let key = format!("policy.params.{param:?}");
        if param.split_once('.').is_none_or(|(action, param)| action.is_empty() || param.is_empty()) {
            return Err(ConfigError::value(&given.origin, key, "expected \"ACTION.PARAM\" in quotes as the key"));
        }
        policy.params.insert(param.to_owned(), subjects::value(given, &key)?);
    }
    Ok(settings)
}

fn autonomy(given: &Given) -> Result<Autonomy, String> {
    let expected = "expected observe, propose, approve or auto, in quotes";
    given.value.as_str().ok_or_else(|| expected.to_owned())?.parse()
}

/// Reads keys of the schema within their bounds.
pub(super) struct Reader<'a>(pub(super) &'a Document);

impl Reader<'_> {
    pub(super) fn given(&self, section: &str, name: &str) -> Option<(&Given, Kind)> {
        let given = self.0.get(section, name)?;
        // Keys that are not in the schema never reach the document.
        let key = schema::find(section, name)?;
        Some((given, key.kind))
    }

    pub(super) fn wrong(section: &str, name: &str, given: &Given, expected: &str) -> ConfigError {
        let why = format!("expected {expected}, found {}", subjects::shown(&given.value));
        ConfigError::value(&given.origin, format!("{section}.{name}"), why)
    }

    pub(super) fn duration(&self, section: &str, name: &str, into: &mut Duration) -> Result<(), ConfigError> {
        let Some((given, Kind::Duration { min_ms, max_ms })) = self.given(section, name) else { return Ok(()) };
        let (min, max) = (Duration::from_millis(min_ms), Duration::from_millis(max_ms));
        let read = given.value.as_str().and_then(|text| parse_duration(text).ok());
        *into = read.filter(|read| (min..=max).contains(read)).ok_or_else(|| {
            let (min, max) = (super::show_duration(min), super::show_duration(max));
            Self::wrong(section, name, given, &format!("a duration from {min} to {max}, like \"5s\" or \"2m\""))
        })?;
        Ok(())
    }

    pub(super) fn count(&self, section: &str, name: &str, into: &mut u32) -> Result<(), ConfigError> {
        let Some((given, Kind::Integer { min, max })) = self.given(section, name) else { return Ok(()) };
        let read = given.value.as_integer().and_then(|n| u32::try_from(n).ok());
        *into = read
            .filter(|n| (min..=max).contains(n))
            .ok_or_else(|| Self::wrong(section, name, given, &format!("a whole number from {min} to {max}")))?;
        Ok(())
    }

    pub(super) fn number(&self, section: &str, name: &str, into: &mut f64) -> Result<(), ConfigError> {
        let Some((given, Kind::Number { min, max })) = self.given(section, name) else { return Ok(()) };
        let whole = given.value.as_integer().and_then(|n| i32::try_from(n).ok()).map(f64::from);
        let read = given.value.as_float().or(whole);
        *into = read
            .filter(|n| (min..=max).contains(n))
            .ok_or_else(|| Self::wrong(section, name, given, &format!("a number from {min} to {max}")))?;
        Ok(())
    }

    fn autonomy(&self, section: &str, name: &str, into: &mut Autonomy) -> Result<(), ConfigError> {
        if let Some((given, _)) = self.given(section, name) {
            *into =
                autonomy(given).map_err(|why| ConfigError::value(&given.origin, format!("{section}.{name}"), why))?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The configuration that these flags make.
    pub(in crate::config) fn config(flags: &[&str]) -> Result<Config, ConfigError> {
        let set_flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        Config::load(&Sources { set_flags, working_dir: "/nowhere".into(), ..Sources::default() })
    }

    fn with_file(text: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Config, String> {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("operator.toml"), text).expect("written");
        let environment = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let set_flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let sources = Sources { config_flag: None, set_flags, environment, working_dir: dir.path().to_owned() };
        Config::load(&sources).map_err(|error| error.to_string().replace(&dir.path().display().to_string(), "DIR"))
    }

    #[test]
    fn without_a_file_it_only_observes() {
        let config = config(&[]).expect("defaults are fine");
        assert_eq!(config.engine, EngineSettings::default());
        assert_eq!(config.engine.policy.low_risk, Autonomy::Observe);
        assert_eq!(config.state_dir, PathBuf::from("/nowhere/operator-state"));
    }

    #[test]
    fn flags_go_before_the_environment_and_that_before_the_file() {
        let file = "[operator]\ninterval = \"7s\"\nincident_window = \"7s\"\nreopen_within = \"7s\"";
        let variables = [("OPERATOR_OPERATOR__INCIDENT_WINDOW", "8s"), ("OPERATOR_OPERATOR__REOPEN_WITHIN", "8s")];
        let engine = with_file(file, &variables, &["operator.reopen_within=9s"]).expect("fine").engine;
        let seconds = [engine.interval, engine.incident_window, engine.reopen_within].map(|d| d.as_secs());
        assert_eq!(seconds, [7, 8, 9]);
    }

    #[test]
    fn a_whole_file_is_read() {
        let file = r#"
            [policy]
            low_risk = "auto"
            minimum_probability = 1
            [policy.actions]
            drain = "propose"
            [policy.params]
            "drain.ttl_s" = 600
            [policy.budget]
            overall_per_hour = 5
            [[principal]]
            name = "ana"
            uid = 1000
            role = "approver"
            [[subject]]
            name = "prod-eu"
            kind = "shop"
            interval = "2s"
            [subject.settings]
            workers = 3
            names = ["a", "b"]
        "#;
        let variables = [("OPERATOR_SUBJECT__PROD_EU__WORKERS", "4")];
        let config = with_file(file, &variables, &["subject.prod-eu.url=redis://x:1"]).expect("fine");
        let policy = &config.engine.policy;
        assert_eq!(policy.autonomy_for("drain", operator_protocols::Risk::Low), Autonomy::Propose);
        assert_eq!(policy.params["drain.ttl_s"], 600_i64.into());
        assert_eq!((policy.budget.overall_per_hour, policy.minimum_probability), (5, 1.0));
        let ana = &config.principals.peers[0];
        assert_eq!((ana.name.as_str(), ana.role, ana.uid), ("ana", operator_core::Role::Approver, 1000));
        let subject = &config.subjects[0];
        assert_eq!(subject.interval, Some(Duration::from_secs(2)));
        assert_eq!(subject.config.settings["workers"], 4_i64.into());
        assert_eq!(subject.config.settings["url"], "redis://x:1".into());
    }

    #[test]
    fn every_mistake_says_where_it_stands_and_what_would_be_right() {
        let mistakes = [
            ("[polcy]\n", &[][..], &[][..]),
            ("[policy]\nlow_rsik = \"auto\"", &[], &[]),
            ("[policy]\nlow_risk = \"full\"", &[], &[]),
            ("[policy]\nbudgets = {}", &[], &[]),
            ("[policy.budget]\noverall = 3", &[], &[]),
            ("[operator]\ninterval = 5", &[], &[]),
            ("[operator]\ninterval = \"5\"", &[], &[]),
            ("[operator]\ninterval = \"1ms\"", &[], &[]),
            ("operator = 3", &[], &[]),
            ("[subject]\nkind = \"shop\"", &[], &[]),
            ("[[subject]]\nname = \"a\"", &[], &[]),
            ("[[subject]]\nkind = \"a\"\nsetings = {}", &[], &[]),
            ("[[subject]]\nkind = \"a\"\nname = \"A b\"", &[], &[]),
            ("[[subject]]\nkind = \"a\"\n[[subject]]\nkind = \"a\"", &[], &[]),
            ("[[subject]]\nkind = \"a\"", &[("OPERATOR_SUBJECT__B__X", "1")], &[]),
            ("[[principal]]\nname = \"a\"\nrole = \"root\"\nuid = 1", &[], &[]),
            ("[[principal]]\nname = \"a\"\nrole = \"admin\"", &[], &[]),
            ("[[principal]]\nname = \"operator\"\nrole = \"admin\"\nuid = 1", &[], &[]),
            ("[[principal]]\nname = \"a\"\nrole = \"admin\"\nuid = 1\ntoken_env = \"X\"", &[], &[]),
            ("[[principal]]\nname = \"a\"\nrole = \"admin\"\nsubjects = []\nuid = 1", &[], &[]),
            ("[policy.params]\nttl = 3", &[], &[]),
            ("not toml", &[], &[]),
            ("", &[("OPERATOR_POLICY__CONFIRMATION", "3")], &[]),
            ("", &[("OPERATOR_POLICY__CONFIRMATIONS", "many")], &[]),
            ("", &[("OPERATOR_SUBJET__A__B", "3")], &[]),
            ("", &[], &["policy.low_risk"]),
            ("", &[], &["principal.name=ana"]),
            ("", &[], &["policy.minimum_probability=2"]),
        ];
        let mut said = Vec::new();
        for (file, variables, flags) in mistakes {
            let error = with_file(file, variables, flags).expect_err(file);
            said.push(format!("{file:?} {variables:?} {flags:?}\n  {error}"));
        }
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let sources = Sources { config_flag: Some("/nowhere/x.toml".into()), ..Sources::default() };
        let error = Config::load(&sources).expect_err("it is not there").to_string();
        assert!(error.contains("/nowhere/x.toml"), "{error}");
    }

    #[test]
    fn a_kind_alone_is_built_from_the_environment_and_flags() {
        let shop = config(&["subject.shop.workers=3"]).expect("fine").select(Some("shop"), &["shop"]).expect("built");
        assert_eq!((shop[0].config.name.as_str(), shop[0].config.settings["workers"].clone()), ("shop", 3_i64.into()));
        let errors = [
            config(&[]).expect("fine").select(None, &["shop"]),
            config(&[]).expect("fine").select(Some("shopp"), &["shop"]),
            config(&["subject.shopp.workers=3"]).expect("fine").select(Some("shop"), &["shop"]),
        ];
        let said: Vec<_> = errors.into_iter().map(|error| error.expect_err("wrong").to_string()).collect();
        assert_eq!(
            said,
            [
                "no subject: name one with --subject KIND, or describe some in operator.toml; the kinds are shop",
                "there is no subject \"shopp\"; the kinds are shop",
                "--set subject.shopp.workers=3: subject.shopp: there is no subject of that name; there is shop",
            ]
        );
    }

    #[test]
    fn a_name_picks_among_those_described() {
        let file = "[[subject]]\nname = \"a\"\nkind = \"shop\"\n[[subject]]\nname = \"b\"\nkind = \"shop\"";
        let config = with_file(file, &[], &[]).expect("fine");
        assert_eq!(config.select(None, &["shop"]).expect("both").len(), 2);
        assert_eq!(config.select(Some("b"), &["shop"]).expect("one")[0].config.name, "b");
        let error = config.select(Some("shop"), &["shop"]).expect_err("a kind is no name here").to_string();
        assert_eq!(error, "there is no subject \"shop\"; the configuration describes a, b");
    }
}
