//! The Messages API of Anthropic, and of servers that speak like it.

mod assembler;
mod reply;
mod request;

use std::fmt;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use operator_protocols::BoxFuture;
use serde_json::Value as Json;

use crate::call::{Assembler, Dialect, Line, Told, key_header};
use crate::model::Habits;
use crate::{Failure, Price, Provider, ProviderSettings, Reply, Request, SettingsError};

/// The version of the API that this is written for.
const VERSION: &str = "2023-06-01";
/// The tool that carries an answer to models that take no schema for it.
const ANSWER_TOOL: &str = "submit_diagnosis";

/// A model behind the Messages API.
pub struct Anthropic {
    line: Line<Messages>,
    uses_tools: bool,
}

impl fmt::Debug for Anthropic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anthropic")
            .field("model", &self.line.dialect.model)
            .field("transport", &self.line.transport)
            .finish_non_exhaustive()
    }
}

impl Anthropic {
    /// A model at `{base_url}/v1/messages`.
    ///
    /// # Errors
    /// Which setting is wrong; a hosted model needs a key.
    pub fn new(settings: &ProviderSettings) -> Result<Self, SettingsError> {
        settings.check_model()?;
        let transport = settings.transport()?;
        let mut headers = vec![(HeaderName::from_static("anthropic-version"), HeaderValue::from_static(VERSION))];
        match &settings.key {
            Some(key) => headers.push((HeaderName::from_static("x-api-key"), key_header(key.expose())?)),
            None if settings.is_local()? => {}
            None => return Err(SettingsError { field: "key", why: "a hosted model needs one".to_owned() }),
        }
        let habits = Habits::of(&settings.model);
        let dialect = Messages {
            model: settings.model.clone(),
            habits,
            effort: settings.effort.clone().filter(|_| habits.takes_effort),
            is_streamed: settings.is_streamed,
            headers,
        };
        let line = Line { dialect, transport, redactor: settings.redactor()?, price: settings.price()? };
        Ok(Self { line, uses_tools: settings.uses_tools })
    }
}

impl Provider for Anthropic {
    fn name(&self) -> &str {
        "anthropic"
    }

    fn model(&self) -> &str {
        &self.line.dialect.model
    }

    fn uses_tools(&self) -> bool {
        self.uses_tools
    }

    fn price(&self) -> Price {
        self.line.price
    }

    fn send<'a>(
        &'a self,
        request: &'a Request,
        time_limit: Duration,
        heard: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Result<Reply, Failure>> {
        Box::pin(self.line.call(request, time_limit, heard))
    }
}

/// The wire format.
struct Messages {
    model: String,
    habits: Habits,
    effort: Option<String>,
    is_streamed: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Messages {
    /// Whether the schema of an answer has to be that of a tool.
    fn answers_by_tool(&self, request: &Request) -> bool {
        request.schema.is_some() && request.tools.is_empty() && !self.habits.takes_schema
    }
}

impl Dialect for Messages {
    fn path(&self) -> &'static str {
        "/v1/messages"
    }

    fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    fn body(&self, request: &Request) -> Json {
        request::body(self, request)
    }

    fn assembler(&self) -> Box<dyn Assembler> {
        Box::new(assembler::Events::default())
    }

    fn read(&self, request: &Request, message: &Json) -> Result<Told, String> {
        reply::read(message, self.answers_by_tool(request))
    }
}
