//! One call, the same for every wire format: secrets out, body over the wire, answer in, secrets out again, and an account of
//! what was sent and what came back, whether it went well or not.

use std::sync::Mutex;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use operator_reasoner::Usage;
use serde_json::Value as Json;
use tokio::time::Instant;

use crate::heard::Heard;
use crate::price::{Price, Tokens};
use crate::redact::Redactor;
use crate::refusal::{of_status, of_stream, short};
use crate::sse::{SseEvent, SseReader};
use crate::transport::{Answer, Content, Transport};
use crate::{Failure, Piece, ProviderError, Reply, Request, Sent, SettingsError, Stop, estimate};

/// What is particular to one wire format.
pub(crate) trait Dialect: Send + Sync {
    /// The path, after the base address.
    fn path(&self) -> &'static str;
    /// The headers, the key's among them.
    fn headers(&self) -> &[(HeaderName, HeaderValue)];
    /// The body of a request.
    fn body(&self, request: &Request) -> Json;
    /// What puts a stream together.
    fn assembler(&self) -> Box<dyn Assembler>;
    /// Reads a whole message, the answer to a request.
    fn read(&self, request: &Request, message: &Json) -> Result<Told, String>;
}

/// Puts the events of a stream together into the message an undivided answer would have been.
pub(crate) trait Assembler: Send {
    /// Takes in an event and gives the words it brought.
    fn event(&mut self, event: &SseEvent) -> Result<Option<String>, StreamError>;
    /// Whether the message is whole, so that nothing more is waited for.
    fn is_whole(&self) -> bool;
    /// Whether it may end here, if the stream does.
    fn may_end(&self) -> bool;
    /// The message as far as it came.
    fn message(&self) -> Json;
}

/// Why a stream gave no message.
#[derive(Debug)]
pub(crate) enum StreamError {
    /// It is not one of this wire format.
    Garbled(String),
    /// The server broke it off with an error.
    Error(Json),
}

/// What a message says.
#[derive(Debug)]
pub(crate) struct Told {
    /// Its pieces.
    pub(crate) pieces: Vec<Piece>,
    /// Why it ends.
    pub(crate) stop: Stop,
    /// What it took; `None` if the server does not count.
    pub(crate) tokens: Option<Tokens>,
}

/// What every provider has.
pub(crate) struct Line<D> {
    /// Its wire format.
    pub(crate) dialect: D,
    /// The way to it.
    pub(crate) transport: Transport,
    /// The boundary for secrets.
    pub(crate) redactor: Redactor,
    /// What its tokens cost.
    pub(crate) price: Price,
}

/// A header that holds a key: hidden in whatever shows it.
pub(crate) fn key_header(text: &str) -> Result<HeaderValue, SettingsError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| SettingsError { field: "key", why: "it cannot stand in a header".to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}

/// What came back, as far as it came.
#[derive(Default)]
struct Came {
    status: Option<u16>,
    text: String,
    message: Option<Json>,
}

impl<D: Dialect> Line<D> {
    /// Sends a request and reads its answer.
    pub(crate) async fn call(
        &self,
        request: &Request,
        time_limit: Duration,
        heard: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Reply, Failure> {
        let mut body = self.dialect.body(request);
        self.redactor.json(&mut body);
        let request_body = body.to_string();
        let started = Instant::now();
        let came = Mutex::new(Came::default());
        let told = self.exchange(request, &request_body, started + time_limit, heard, &came).await;
        let came = came.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let response_body = match &came.message {
            Some(message) => self.redactor.body(&message.to_string()),
            None => self.redactor.body(&came.text),
        };
        match told {
            Ok(told) => {
                let usage = self.usage(told.tokens.unwrap_or_else(|| estimated(&request_body, &response_body)));
                let pieces = told.pieces.into_iter().map(|piece| self.without_secrets(piece)).collect();
                let status = came.status.unwrap_or_default();
                Ok(Reply { pieces, stop: told.stop, usage, request_body, response_body, status, took_ms })
            }
            Err(error) => {
                let partial =
                    came.message.as_ref().and_then(|message| self.dialect.read(request, message).ok()?.tokens);
                let usage = partial.map_or(Usage { calls: 1, ..Usage::default() }, |tokens| self.usage(tokens));
                let error = self.clean(error);
                let sent = Sent { request_body, response_body, status: came.status, took_ms, usage };
                Err(Failure { error, sent: Some(Box::new(sent)) })
            }
        }
    }

    async fn exchange(
        &self,
        request: &Request,
        body: &str,
        until: Instant,
        heard: &(dyn Fn(&str) + Send + Sync),
        came: &Mutex<Came>,
    ) -> Result<Told, ProviderError> {
        let note =
            |change: &dyn Fn(&mut Came)| change(&mut came.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let mut answer = self.transport.post(self.dialect.path(), self.dialect.headers(), body, until).await?;
        note(&|came| came.status = Some(answer.status));
        if !(200..300).contains(&answer.status) {
            // What it says is worth little more than its status: half of it will do.
            let text = whole(&mut answer).await.unwrap_or_else(|(text, _)| text);
            note(&|came| text.clone_into(&mut came.text));
            return Err(of_status(answer.status, answer.retry_after_ms, &text));
        }
        match answer.content.clone() {
            Content::Json => {
                let text = whole(&mut answer).await;
                let (Ok(so_far) | Err((so_far, _))) = &text;
                note(&|came| so_far.clone_into(&mut came.text));
                let text = text.map_err(|(_, error)| error)?;
                let message: Json =
                    serde_json::from_str(&text).map_err(|error| garbled(format!("not JSON: {error}")))?;
                let told = self.understood(request, answer.status, &message)?;
                let mut heard = Heard::new(&self.redactor, heard);
                for piece in &told.pieces {
                    if let Piece::Text { text, .. } = piece {
                        heard.more(text);
                    }
                }
                Ok(told)
            }
            Content::Events => {
                let mut assembler = self.dialect.assembler();
                let read = self.listen(&mut answer, &mut *assembler, heard).await;
                let message = assembler.message();
                note(&|came| came.message = Some(message.clone()));
                read?;
                self.understood(request, answer.status, &message)
            }
            Content::Other(name) => {
                let text = whole(&mut answer).await.unwrap_or_else(|(text, _)| text);
                note(&|came| text.clone_into(&mut came.text));
                Err(garbled(format!("its content type is {name:?}, neither JSON nor a stream of events")))
            }
        }
    }

    fn understood(&self, request: &Request, status: u16, message: &Json) -> Result<Told, ProviderError> {
        match message.get("error") {
            Some(error) if !error.is_null() => Err(of_stream(status, message)),
            _ => self.dialect.read(request, message).map_err(garbled),
        }
    }

    async fn listen(
        &self,
        answer: &mut Answer,
        assembler: &mut dyn Assembler,
        heard: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<(), ProviderError> {
        let mut heard = Heard::new(&self.redactor, heard);
        let mut reader = SseReader::default();
        let status = answer.status;
        let mut take = |assembler: &mut dyn Assembler, event: &SseEvent| match assembler.event(event) {
            Ok(words) => {
                heard.more(&words.unwrap_or_default());
                Ok(())
            }
            Err(StreamError::Garbled(why)) => Err(garbled(why)),
            Err(StreamError::Error(error)) => Err(of_stream(status, &error)),
        };
        // The body of an answer that is whole is not waited for: some servers keep the connection open.
        while !assembler.is_whole() {
            let Some(chunk) = answer.chunk().await? else {
                if let Some(event) = reader.finish() {
                    take(assembler, &event)?;
                }
                break;
            };
            for event in reader.push(&chunk).map_err(garbled)? {
                take(assembler, &event)?;
            }
        }
        if assembler.may_end() {
            return Ok(());
        }
        Err(ProviderError::Lost { why: "the stream ended before the message did".to_owned() })
    }

    fn usage(&self, tokens: Tokens) -> Usage {
        let input = tokens.fresh.saturating_add(tokens.cached).saturating_add(tokens.stored);
        Usage {
            input_tokens: input,
            cached_tokens: tokens.cached,
            output_tokens: tokens.output,
            cost_micro_usd: self.price.of(&tokens),
            calls: 1,
        }
    }

    fn without_secrets(&self, piece: Piece) -> Piece {
        match piece {
            Piece::Text { text, cache } => Piece::Text { text: self.redactor.text(&text).into_owned(), cache },
            Piece::ToolCall { id, name, mut arguments } => {
                self.redactor.json(&mut arguments);
                Piece::ToolCall { id, name, arguments }
            }
            other => other,
        }
    }

    /// An error may quote what the server said, and a server may quote the key.
    fn clean(&self, mut error: ProviderError) -> ProviderError {
        let (ProviderError::Busy { why, .. }
        | ProviderError::Refused { why, .. }
        | ProviderError::Failed { why, .. }
        | ProviderError::Lost { why }
        | ProviderError::Garbled { why }
        | ProviderError::Budget { why }) = &mut error;
        // First the secrets, then the cut: half a secret would not be found.
        *why = short(&self.redactor.text(why));
        error
    }
}

/// The body as text. What came of it comes with the error.
async fn whole(answer: &mut Answer) -> Result<String, (String, ProviderError)> {
    let mut bytes = Vec::new();
    let ended = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match ended {
        Ok(()) => Ok(text),
        Err(error) => Err((text, error)),
    }
}

fn garbled(why: String) -> ProviderError {
    ProviderError::Garbled { why }
}

/// A number as it is written by hand: 0, not 0.0.
pub(crate) fn number(value: f64) -> Json {
    if value == 0.0 { Json::from(0) } else { Json::from(value) }
}

/// What a server that does not count may have used.
fn estimated(request: &str, response: &str) -> Tokens {
    Tokens { fresh: estimate::tokens(request), output: estimate::tokens(response), ..Tokens::default() }
}
