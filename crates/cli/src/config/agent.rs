//! Who explains beside the embedded reasoner, and the language model that is asked, as they are configured. Keys are
//! named by variable or file; none is read here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::ConfigError;
use crate::config::document::Document;
use crate::config::read::Reader;
use crate::config::schema::Kind;

/// Who explains incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiagnoserKind {
    /// The embedded reasoner alone.
    #[default]
    Reasoner,
    /// A language model, checked against the evidence, with the reasoner to fall back to.
    Llm,
}

/// How the agent works.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentConfig {
    /// Who explains.
    pub diagnoser: DiagnoserKind,
    /// How many incidents at a time.
    pub parallel: u32,
    /// How long proposals wait for an answer, if that is said.
    pub patience: Option<Duration>,
    /// How many attempts an incident gets.
    pub attempts: u32,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self { diagnoser: DiagnoserKind::Reasoner, parallel: 2, patience: None, attempts: 3 }
    }
}

/// The wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// Anthropic Messages.
    Anthropic,
    /// Chat completions, as many servers offer them.
    OpenAiCompatible,
}

impl ProviderKind {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAiCompatible => "openai-compatible",
        }
    }
}

/// Where the key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In an environment variable.
    Variable(String),
    /// In a file.
    File(PathBuf),
    /// There is none, and none is needed.
    None,
}

/// Prices in US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// For tokens read.
    pub input: Option<f64>,
    /// For tokens read from the cache.
    pub cached: Option<f64>,
    /// For tokens written.
    pub output: Option<f64>,
}

/// The language model.
#[derive(Debug, Clone, PartialEq)]
pub struct LlmConfig {
    /// The wire format.
    pub provider: ProviderKind,
    /// Where to ask; the provider's own address if none.
    pub base_url: Option<String>,
    /// Which model; the provider's default if none.
    pub model: Option<String>,
    /// Where the key is.
    pub key: KeySource,
    /// Whether that place was said, or is the provider's custom.
    pub key_is_said: bool,
    /// The most calls about one incident.
    pub max_turns: u32,
    /// Whether it may look further with tools.
    pub tools: bool,
    /// How long one incident may take, if that is said.
    pub time_limit: Option<Duration>,
    /// About how many tokens of evidence it is given, if that is said.
    pub context_tokens: Option<u32>,
    /// The most tokens it may write in one call, if that is said.
    pub max_output_tokens: Option<u32>,
    /// The most tokens one incident may cost.
    pub max_tokens: u32,
    /// The most US dollars one incident may cost.
    pub max_cost: f64,
    /// What tokens cost, where that is said.
    pub prices: Prices,
}

impl Default for LlmConfig {
    fn default() -> Self {
        Self {
            provider: ProviderKind::Anthropic,
            base_url: None,
            model: None,
            key: KeySource::Variable(ANTHROPIC_KEY.to_owned()),
            key_is_said: false,
            max_turns: 12,
            tools: true,
            time_limit: None,
            context_tokens: None,
            max_output_tokens: None,
            max_tokens: 300_000,
            max_cost: 0.5,
            prices: Prices::default(),
        }
    }
}

/// The variable that holds a key for the Anthropic API, by that provider's own custom.
const ANTHROPIC_KEY: &str = operator_llm::ANTHROPIC_KEY_VARIABLE;
/// The longest text of a key of the configuration.
const TEXT_BYTES: usize = 500;

pub(super) fn agent(document: &Document) -> Result<AgentConfig, ConfigError> {
    let read = Reader(document);
    let mut config = AgentConfig::default();
    if let Some(word) = read.choice("agent", "diagnoser")? {
        config.diagnoser = if word == "llm" { DiagnoserKind::Llm } else { DiagnoserKind::Reasoner };
    }
    read.count("agent", "parallel", &mut config.parallel)?;
    config.patience = read.duration_if_said("agent", "patience")?;
    read.count("agent", "attempts", &mut config.attempts)?;
    Ok(config)
}

pub(super) fn llm(document: &Document, working_dir: &Path) -> Result<LlmConfig, ConfigError> {
    let read = Reader(document);
    let mut config = LlmConfig::default();
    if read.choice("llm", "provider")? == Some("openai-compatible") {
        config.provider = ProviderKind::OpenAiCompatible;
        config.key = KeySource::None;
    }
    config.base_url = read.text("llm", "base_url")?;
    config.model = read.text("llm", "model")?;
    let variable = read.text("llm", "key_env")?;
    match (variable, read.text("llm", "key_file")?) {
        (Some(_), Some(_)) => {
            let origin = &document
                .get("llm", "key_file")
                .map_or(super::Origin::Flag(String::new()), |given| given.origin.clone());
            return Err(ConfigError::value(
                origin,
                "llm.key_file",
                "the key is in a variable or in a file: llm.key_env is given, too",
            ));
        }
        (Some(name), None) => config.key = KeySource::Variable(name),
        (None, Some(file)) => config.key = KeySource::File(working_dir.join(file)),
        (None, None) => {}
    }
    config.key_is_said = read.is_said("llm", "key_env") || read.is_said("llm", "key_file");
    read.count("llm", "max_turns", &mut config.max_turns)?;
    read.switch("llm", "tools", &mut config.tools)?;
    config.time_limit = read.duration_if_said("llm", "time_limit")?;
    config.context_tokens = read.count_if_said("llm", "context_tokens")?;
    config.max_output_tokens = read.count_if_said("llm", "max_output_tokens")?;
    read.count("llm", "max_tokens", &mut config.max_tokens)?;
    read.number("llm", "max_cost", &mut config.max_cost)?;
    config.prices = Prices {
        input: read.price("llm", "price_input")?,
        cached: read.price("llm", "price_cached")?,
        output: read.price("llm", "price_output")?,
    };
    Ok(config)
}

impl Reader<'_> {
    fn choice(&self, section: &str, name: &str) -> Result<Option<&'static str>, ConfigError> {
        let Some((given, Kind::Choice(words))) = self.given(section, name) else { return Ok(None) };
        let found = words.iter().find(|word| given.value.as_str() == Some(**word)).copied();
        found.map(Some).ok_or_else(|| Self::wrong(section, name, given, &format!("one of {}", words.join(", "))))
    }

    fn switch(&self, section: &str, name: &str, into: &mut bool) -> Result<(), ConfigError> {
        let Some((given, Kind::Switch)) = self.given(section, name) else { return Ok(()) };
        *into = given.value.as_bool().ok_or_else(|| Self::wrong(section, name, given, "true or false"))?;
        Ok(())
    }

    fn text(&self, section: &str, name: &str) -> Result<Option<String>, ConfigError> {
        let Some((given, kind)) = self.given(section, name) else { return Ok(None) };
        let fits = |text: &&str| text.len() <= TEXT_BYTES && !text.chars().any(char::is_control);
        let wrong = |expected: &str| Self::wrong(section, name, given, expected);
        let text = given.value.as_str().filter(fits).ok_or_else(|| wrong("a short text in quotes"))?;
        if kind == Kind::Url && !text.is_empty() {
            // What stands there may be a password: it is not repeated.
            let wrong = |why: &str| ConfigError::value(&given.origin, format!("{section}.{name}"), why);
            if text.contains('@') {
                return Err(wrong(
                    "expected an address without a user or a password; keys go to llm.key_env or llm.key_file",
                ));
            }
            if !(text.starts_with("http://") || text.starts_with("https://")) {
                return Err(wrong("expected an address that begins with http:// or https://"));
            }
        }
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    fn is_said(&self, section: &str, name: &str) -> bool {
        self.given(section, name).is_some_and(|(given, _)| given.value.as_str() != Some(""))
    }

    fn duration_if_said(&self, section: &str, name: &str) -> Result<Option<Duration>, ConfigError> {
        let mut read = Duration::ZERO;
        Ok(if self.is_said(section, name) {
            self.duration(section, name, &mut read)?;
            Some(read)
        } else {
            None
        })
    }

    fn count_if_said(&self, section: &str, name: &str) -> Result<Option<u32>, ConfigError> {
        let mut read = 0;
        Ok(if self.is_said(section, name) {
            self.count(section, name, &mut read)?;
            Some(read)
        } else {
            None
        })
    }

    fn price(&self, section: &str, name: &str) -> Result<Option<f64>, ConfigError> {
        let Some((given, Kind::Price)) = self.given(section, name) else { return Ok(None) };
        if given.value.as_str() == Some("") {
            return Ok(None);
        }
        let whole = given.value.as_integer().and_then(|n| i32::try_from(n).ok()).map(f64::from);
        let read = given.value.as_float().or(whole).filter(|price| (0.0..=100_000.0).contains(price));
        read.map(Some).ok_or_else(|| Self::wrong(section, name, given, "US dollars for a million tokens, at least 0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read::tests::config;

    #[test]
    fn a_model_on_this_machine_is_described_in_three_keys() {
        let flags = ["agent.diagnoser=llm", "llm.provider=openai-compatible", "llm.base_url=http://127.0.0.1:8080/v1"];
        let config = config(&flags).expect("right");
        assert_eq!(config.agent.diagnoser, DiagnoserKind::Llm);
        assert_eq!(config.llm.key, KeySource::None, "a local server needs no key");
        assert_eq!(config.llm.base_url.as_deref(), Some("http://127.0.0.1:8080/v1"));
    }

    #[test]
    fn a_key_itself_has_no_place_and_two_places_are_too_many() {
        for (flags, expected) in [
            (&["llm.key=sk-secret"][..], "unknown key llm.key; did you mean llm.key_env?"),
            (&["llm.key_env=A", "llm.key_file=b"], "llm.key_file: the key is in a variable or in a file"),
            (&["llm.base_url=https://user:secret@host"], "without a user or a password"),
            (&["llm.base_url=ftp://host"], "llm.base_url: expected an address"),
            (&["agent.diagnoser=gpt"], "agent.diagnoser: expected one of reasoner, llm"),
            (&["llm.price_input=-1"], "llm.price_input: expected US dollars"),
            (&["llm.tools=maybe"], "llm.tools: expected true or false"),
        ] {
            let error = config(flags).expect_err("wrong").to_string();
            assert!(error.contains(expected), "{flags:?}: {error}");
        }
    }
}
