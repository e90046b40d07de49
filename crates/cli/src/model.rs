//! Opens the language model that is configured: its wire format, its address and its key. Nothing is asked of it here.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use operator_core::SystemClock;
use operator_llm::{
    ANTHROPIC_URL, Anthropic, ApiKey, Budget, DEFAULT_ANTHROPIC_MODEL, DiagnoserSettings, LlmDiagnoser,
    OpenAiCompatible, Patience, Price, ProcessPace, Provider, ProviderSettings,
};
use operator_protocols::Value;
use operator_reasoner::Diagnoser;
use secrecy::SecretString;

use crate::config::{Config, KeySource, LlmConfig, Prices, ProviderKind};
use crate::exit::with_causes;
use crate::host::now;

/// How long a host may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// A secret that is longer than this is no password.
const SECRET_BYTES: u64 = 4096;
/// A secret that is shorter than this would be found in every text.
const SECRET_CHARS: usize = 6;

/// A language model that can be asked.
#[derive(Clone)]
pub struct Model {
    /// Asks it, and checks its answers.
    pub diagnoser: Arc<dyn Diagnoser>,
    /// Whom it talks to: `HOST:PORT`.
    pub destination: String,
    /// How long one incident may take.
    pub time_limit: Duration,
    /// What is odd about how it is configured.
    pub warnings: Vec<String>,
}

impl Model {
    /// Its name, as recorded with every diagnosis.
    pub fn name(&self) -> &str {
        self.diagnoser.name()
    }

    /// Whether its host takes connections. Nothing is sent.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn reachable(&self) -> Result<(), String> {
        let connecting = tokio::net::TcpStream::connect(self.destination.as_str());
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("{}: {error}", self.destination)),
            Err(_) => Err(format!("{}: no connection within {} s", self.destination, CONNECT.as_secs())),
        }
    }
}

/// Opens it.
///
/// # Errors
/// What is missing, and what would help.
pub fn open(config: &Config) -> Result<Model, String> {
    let llm = &config.llm;
    let mut warnings = Vec::new();
    let mut settings = provider_settings(llm)?;
    settings.key = key(llm, &mut warnings)?;
    settings.secrets = secrets(config);
    settings.uses_tools = llm.tools;
    settings.price = price(&llm.prices, &settings.model)?;
    let local = settings.is_local().map_err(|error| format!("llm.{error}"))?;
    let provider = provider(llm.provider, &settings)?;
    let bounds = bounds(llm, local);
    let time_limit = bounds.time_limit;
    let budget = Budget {
        turns: llm.max_turns,
        tokens: llm.max_tokens.into(),
        seconds: time_limit.as_secs().max(1),
        // Dollars up to a thousand: the product is far below what the type holds.
        micro_usd: (llm.max_cost * 1e6).round() as u64,
    };
    // Chance only spreads the attempts of many callers over time.
    let pace = Arc::new(ProcessPace::new(|| f64::from(now().as_millis().rem_euclid(1_000) as u16) / 1_000.0));
    let diagnoser =
        LlmDiagnoser::new(provider, bounds, Arc::new(SystemClock)).within(budget, Patience::default(), pace);
    Ok(Model { diagnoser: Arc::new(diagnoser), destination: destination(&settings.base_url), time_limit, warnings })
}

fn provider_settings(llm: &LlmConfig) -> Result<ProviderSettings, String> {
    match llm.provider {
        ProviderKind::Anthropic => Ok(ProviderSettings::at(
            llm.base_url.as_deref().unwrap_or(ANTHROPIC_URL),
            llm.model.as_deref().unwrap_or(DEFAULT_ANTHROPIC_MODEL),
        )),
        ProviderKind::OpenAiCompatible => match (&llm.base_url, &llm.model) {
            (Some(url), Some(model)) => Ok(ProviderSettings::at(url, model)),
            (None, _) => {
                Err("llm.base_url is not set: where does the model answer? http://127.0.0.1:8080/v1, say".to_owned())
            }
            (_, None) => Err("llm.model is not set: which of the server's models is to be asked?".to_owned()),
        },
    }
}

fn provider(kind: ProviderKind, settings: &ProviderSettings) -> Result<Arc<dyn Provider>, String> {
    let wrong = |error: operator_llm::SettingsError| format!("llm.{error}");
    Ok(match kind {
        ProviderKind::Anthropic => Arc::new(Anthropic::new(settings).map_err(wrong)?),
        ProviderKind::OpenAiCompatible => Arc::new(OpenAiCompatible::new(settings).map_err(wrong)?),
    })
}

fn key(llm: &LlmConfig, warnings: &mut Vec<String>) -> Result<Option<ApiKey>, String> {
    let help = "set it, or name another with llm.key_env or llm.key_file";
    match &llm.key {
        KeySource::None => Ok(None),
        KeySource::Variable(name) => match ApiKey::from_env(name) {
            Ok(key) => Ok(Some(key)),
            // Another server that speaks this wire format, on this machine mostly, may want none.
            Err(_) if llm.base_url.is_some() && !llm.key_is_said => Ok(None),
            Err(error) => Err(format!("{}; {help}", with_causes(&error))),
        },
        KeySource::File(path) => match ApiKey::from_file(path) {
            Ok((key, warning)) => {
                warnings.extend(warning);
                Ok(Some(key))
            }
            Err(error) => Err(format!("{}; {help}", with_causes(&error))),
        },
    }
}

/// What tokens cost, where that is said: what is not said of it costs as the list says.
fn price(said: &Prices, model: &str) -> Result<Option<Price>, String> {
    if *said == Prices::default() {
        return Ok(None);
    }
    let listed = Price::of_model(model);
    // A dollar for a million tokens is a thousand billionths for one. The numbers are bounded where they are read.
    let billionths = |dollars: f64| (dollars * 1_000.0).round() as u64;
    let input = said.input.map_or(listed.input, billionths);
    let scaled = |of: u64| input.saturating_mul(of).checked_div(listed.input).unwrap_or(input);
    Ok(Some(Price {
        input,
        cached: said.cached.map_or_else(|| scaled(listed.cached), billionths),
        stored: scaled(listed.stored),
        output: said.output.map_or(listed.output, billionths),
    }))
}

fn bounds(llm: &LlmConfig, local: bool) -> DiagnoserSettings {
    let usual = if local { DiagnoserSettings::local() } else { DiagnoserSettings::hosted() };
    let size = |tokens: u32| usize::try_from(tokens).unwrap_or(usize::MAX);
    let time_limit = llm.time_limit.unwrap_or(usual.time_limit);
    DiagnoserSettings {
        pack_tokens: llm.context_tokens.map_or(usual.pack_tokens, size),
        turns: llm.max_turns,
        max_output_tokens: llm.max_output_tokens.unwrap_or(usual.max_output_tokens),
        time_limit,
        call_limit: usual.call_limit.min(time_limit),
        ..usual
    }
}

/// `HOST:PORT` of an address that was checked to be one.
fn destination(url: &str) -> String {
    let (port, rest) = match url.split_once("://") {
        Some(("http", rest)) => (80, rest),
        Some((_, rest)) => (443, rest),
        None => (443, url),
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    // An IPv6 address has colons of its own, within brackets.
    let has_port =
        host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    if has_port { host.to_owned() } else { format!("{host}:{port}") }
}

/// The secrets of the subjects, from the variables and files that their settings name: they must not leave.
fn secrets(config: &Config) -> Vec<SecretString> {
    let named = config.subjects.iter().flat_map(|entry| &entry.config.settings);
    let mut found = BTreeSet::new();
    for (setting, value) in named {
        let Value::Text(name) = value else { continue };
        if setting.ends_with("_env") {
            found.extend(std::env::var(name));
        } else if setting.ends_with("_file") {
            found.extend(start_of(Path::new(name)));
        }
    }
    let secret = |text: String| text.trim().to_owned();
    found.into_iter().map(secret).filter(|text| text.chars().count() >= SECRET_CHARS).map(SecretString::from).collect()
}

fn start_of(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    // What is larger than a password is a description, not a secret.
    if !file.metadata().ok()?.is_file() || file.metadata().ok()?.len() > SECRET_BYTES {
        return None;
    }
    file.take(SECRET_BYTES).read_to_string(&mut text).ok()?;
    (!text.trim().contains('\n')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn config(flags: &[&str]) -> Config {
        let set_flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        Config::load(&Sources { set_flags, working_dir: "/nowhere".into(), ..Sources::default() }).expect("right")
    }

    fn why(flags: &[&str]) -> String {
        open(&config(flags)).err().unwrap_or_else(|| panic!("{flags:?} opens"))
    }

    const LOCAL: [&str; 3] =
        ["llm.provider=openai-compatible", "llm.base_url=http://127.0.0.1:8080/v1", "llm.model=tiny"];

    #[test]
    fn a_model_on_this_machine_needs_no_key_and_gets_minutes() {
        let model = open(&config(&LOCAL)).expect("it opens");
        assert_eq!(model.name(), "llm:openai-compatible/tiny");
        assert_eq!(model.destination, "127.0.0.1:8080");
        assert_eq!(model.time_limit, Duration::from_secs(600));
        let hurried = open(&config(&[&LOCAL[..], &["llm.time_limit=30s"]].concat())).expect("it opens");
        assert_eq!(hurried.time_limit, Duration::from_secs(30));
    }

    #[test]
    fn what_is_missing_is_named_with_what_would_help() {
        assert!(why(&["llm.key_env=NO_SUCH_KEY_HERE"]).contains("NO_SUCH_KEY_HERE"));
        assert!(why(&["llm.key_file=missing"]).contains("/nowhere/missing"));
        assert!(why(&LOCAL[..1]).contains("llm.base_url"));
        assert!(why(&LOCAL[..2]).contains("llm.model"));
        let clear = ["llm.provider=openai-compatible", "llm.base_url=http://model.example/v1", "llm.model=x"];
        assert!(why(&clear).starts_with("llm."), "{}", why(&clear));
    }

    #[test]
    fn a_destination_is_a_host_and_a_port() {
        for (url, expected) in [
            ("https://api.example", "api.example:443"),
            ("http://127.0.0.1:39069", "127.0.0.1:39069"),
            ("http://[::1]/v1", "[::1]:80"),
            ("https://[::1]:8443/v1?x", "[::1]:8443"),
        ] {
            assert_eq!(destination(url), expected);
        }
    }

    #[test]
    fn a_price_that_is_said_goes_before_the_list_and_moves_the_cache_with_it() {
        assert_eq!(price(&Prices::default(), "tiny"), Ok(None));
        let said = Prices { input: Some(1.0), cached: None, output: Some(2.0) };
        let price = price(&said, DEFAULT_ANTHROPIC_MODEL).expect("right").expect("said");
        assert_eq!((price.input, price.output), (1_000, 2_000));
        assert!(price.cached < price.input && price.stored >= price.input, "{price:?}");
    }
}
