//! What a provider is made from.

use std::path::PathBuf;

use secrecy::SecretString;

use crate::model::{ANTHROPIC_URL, DEFAULT_ANTHROPIC_MODEL};
use crate::redact::Redactor;
use crate::transport::Transport;
use crate::{ApiKey, Price};

/// A setting that is wrong, and why. Nothing secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct SettingsError {
    /// The setting.
    pub field: &'static str,
    /// What would be right.
    pub why: String,
}

/// Where a model is and how it is spoken to.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// The address, without what the wire format appends (`/v1/messages`, `/v1/chat/completions`).
    pub base_url: String,
    /// The model, as the provider calls it.
    pub model: String,
    /// The key; a local server needs none.
    pub key: Option<ApiKey>,
    /// Further secrets that must never leave, such as the passwords of the system that is looked after.
    pub secrets: Vec<SecretString>,
    /// Whether answers are streamed, so that progress can be shown.
    pub is_streamed: bool,
    /// Whether the model is offered tools; one that cannot use them gives single constrained answers.
    pub uses_tools: bool,
    /// How hard a model should think, where it can be told: `low`, `medium`, `high`. A diagnosis has about a minute.
    pub effort: Option<String>,
    /// What tokens cost. Without it: nothing on this machine; elsewhere what the table says of the model, and as much as
    /// the dearest model known if it does not know it.
    pub price: Option<Price>,
    /// A PEM file with the authorities that are trusted, instead of this machine's.
    pub ca: Option<PathBuf>,
    /// Whether `http://` may leave this machine.
    pub may_be_clear: bool,
    /// The most bytes of an answer.
    pub max_answer_bytes: usize,
}

impl ProviderSettings {
    /// The hosted Messages API with its default model.
    pub fn anthropic(key: ApiKey) -> Self {
        Self { key: Some(key), ..Self::at(ANTHROPIC_URL, DEFAULT_ANTHROPIC_MODEL) }
    }

    /// A model at an address, without a key.
    pub fn at(base_url: &str, model: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            model: model.to_owned(),
            key: None,
            secrets: Vec::new(),
            is_streamed: true,
            uses_tools: true,
            effort: Some("medium".to_owned()),
            price: None,
            ca: None,
            may_be_clear: false,
            max_answer_bytes: 4 << 20,
        }
    }

    /// Whether the model is on this machine.
    ///
    /// # Errors
    /// The address is wrong.
    pub fn is_local(&self) -> Result<bool, SettingsError> {
        Ok(crate::transport::Endpoint::parse(&self.base_url, true)?.is_loopback())
    }

    pub(crate) fn transport(&self) -> Result<Transport, SettingsError> {
        Transport::new(&self.base_url, self.may_be_clear, self.ca.as_deref(), self.max_answer_bytes)
    }

    pub(crate) fn redactor(&self) -> Result<Redactor, SettingsError> {
        let key = self.key.iter().map(|key| SecretString::from(key.expose().to_owned()));
        Redactor::new(key.chain(self.secrets.iter().cloned()))
    }

    pub(crate) fn price(&self) -> Result<Price, SettingsError> {
        let by_place = if self.is_local()? { Price::FREE } else { Price::of_model(&self.model) };
        Ok(self.price.unwrap_or(by_place))
    }

    pub(crate) fn check_model(&self) -> Result<(), SettingsError> {
        let is_fine = |model: &str| !model.is_empty() && model.len() <= 200 && !model.contains(char::is_control);
        if is_fine(&self.model) {
            return Ok(());
        }
        Err(SettingsError { field: "model", why: "a name of 1 to 200 characters is needed".to_owned() })
    }
}
