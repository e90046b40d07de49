//! Chat completions, as OpenAI began them and many servers, local ones among them, speak them.

mod assembler;
mod reply;
mod request;

use std::fmt;
use std::time::Duration;

use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use operator_protocols::BoxFuture;
use serde_json::Value as Json;

use crate::call::{Assembler, Dialect, Line, Told, key_header};
use crate::{Failure, Price, Provider, ProviderSettings, Reply, Request, SettingsError};

/// A model behind chat completions.
pub struct OpenAiCompatible {
    line: Line<Chat>,
    uses_tools: bool,
}

impl fmt::Debug for OpenAiCompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiCompatible")
            .field("model", &self.line.dialect.model)
            .field("transport", &self.line.transport)
            .finish_non_exhaustive()
    }
}

impl OpenAiCompatible {
    /// A model at `{base_url}/v1/chat/completions`; a `/v1` at the end of the address is understood.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub fn new(settings: &ProviderSettings) -> Result<Self, SettingsError> {
        settings.check_model()?;
        let mut headers = Vec::new();
        if let Some(key) = &settings.key {
            headers.push((AUTHORIZATION, key_header(&format!("Bearer {}", key.expose()))?));
        }
        let transport = settings.transport()?;
        let dialect = Chat {
            model: settings.model.clone(),
            is_openai: transport.endpoint().host.ends_with("openai.com"),
            names_version: transport.endpoint().prefix.ends_with("/v1"),
            is_streamed: settings.is_streamed,
            headers,
        };
        let line = Line { dialect, transport, redactor: settings.redactor()?, price: settings.price()? };
        Ok(Self { line, uses_tools: settings.uses_tools })
    }
}

impl Provider for OpenAiCompatible {
    fn name(&self) -> &str {
        "openai-compatible"
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
struct Chat {
    model: String,
    /// OpenAI itself takes other words than the servers that speak like it used to.
    is_openai: bool,
    names_version: bool,
    is_streamed: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Dialect for Chat {
    fn path(&self) -> &'static str {
        if self.names_version { "/chat/completions" } else { "/v1/chat/completions" }
    }

    fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    fn body(&self, request: &Request) -> Json {
        request::body(self, request)
    }

    fn assembler(&self) -> Box<dyn Assembler> {
        Box::new(assembler::Chunks::default())
    }

    fn read(&self, _: &Request, message: &Json) -> Result<Told, String> {
        reply::read(message)
    }
}
