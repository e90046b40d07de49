//! The office of a loop in another process, over its control socket.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{
    BoxFuture, Event, Locus, LogLine, ProbeAnswer, ProbeDefinition, ProbeRequest, Timestamp, Unavailable,
};
use operator_reasoner::{Answer, Investigation, LogSearch, Point};

use super::{CaseFile, CaseSummary, Office, Query, QueryReply};
use crate::control::{ClientError, ControlClient, ControlReply, ControlRequest, FaultCode, LINE_BYTES, Token};
use crate::{Command, CommandError};

/// How long between two looks for open cases.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// What a request has beside the answer in it.
const FRAME_BYTES: usize = 4096;
/// The longest kept body of a call to a model, where an answer is too long to be sent as it is.
const BODY_CHARS: usize = 32 * 1024;

/// The office of one subject of a running operator. Every request is a connection of its own: an operator that starts
/// anew is found again.
#[derive(Clone)]
pub struct RemoteOffice {
    state_dir: PathBuf,
    subject: String,
    token: Option<Token>,
}

impl RemoteOffice {
    /// That of `subject` of the operator that runs with `state_dir`.
    pub fn new(state_dir: &Path, subject: impl Into<String>) -> Self {
        Self { state_dir: state_dir.to_owned(), subject: subject.into(), token: None }
    }

    /// Asks as whoever `token` names, not as the present user.
    #[must_use]
    pub fn with_token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    async fn request(&self, request: ControlRequest) -> Result<ControlReply, CommandError> {
        let mut client = ControlClient::connect(&self.state_dir).await.map_err(told)?;
        if let Some(token) = &self.token {
            client = client.with_token(token.clone());
        }
        client.request(Some(&self.subject), request).await.map_err(told)
    }

    async fn query(&self, query: Query) -> Result<QueryReply, CommandError> {
        match self.request(ControlRequest::Query { query }).await? {
            ControlReply::Answered { reply } => Ok(*reply),
            other => Err(out_of_turn(&other)),
        }
    }
}

fn out_of_turn(reply: &impl std::fmt::Debug) -> CommandError {
    let reply: String = format!("{reply:?}").chars().take(80).collect();
    CommandError::refused(format!("the operator answered something else ({reply}): is it of another version?"))
}

fn told(error: ClientError) -> CommandError {
    match error {
        ClientError::Fault(fault) if fault.code == FaultCode::NotFound => {
            CommandError::NotFound { what: "what was asked for".to_owned(), why: fault.message }
        }
        error => CommandError::refused(error.to_string()),
    }
}

/// Cuts what an answer keeps of its calls until the whole fits into a request.
fn fitting(mut answer: Answer) -> Answer {
    let mut longest = BODY_CHARS;
    loop {
        let length = serde_json::to_vec(&answer).map_or(0, |bytes| bytes.len());
        let Some(deliberation) = answer.deliberation.as_mut().filter(|_| length + FRAME_BYTES > LINE_BYTES) else {
            return answer;
        };
        if longest == 0 {
            return answer;
        }
        for exchange in &mut deliberation.exchanges {
            for body in [&mut exchange.request, &mut exchange.response] {
                if let Some((end, _)) = body.char_indices().nth(longest) {
                    body.truncate(end);
                }
            }
        }
        longest /= 2;
    }
}

impl Office for RemoteOffice {
    fn open_cases(&self) -> BoxFuture<'_, Result<Vec<CaseSummary>, CommandError>> {
        Box::pin(async {
            match self.query(Query::Cases {}).await? {
                QueryReply::Cases { cases } => Ok(cases),
                other => Err(out_of_turn(&other)),
            }
        })
    }

    fn case<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<CaseFile, CommandError>> {
        Box::pin(async {
            match self.query(Query::Case { incident: incident.to_owned() }).await? {
                QueryReply::Case { file } => Ok(*file),
                other => Err(out_of_turn(&other)),
            }
        })
    }

    fn look(&self, case: &CaseFile) -> Arc<dyn Investigation> {
        Arc::new(Look { office: self.clone(), probes: case.probes.clone(), as_of: case.pack.built_at })
    }

    fn submit<'a>(
        &'a self,
        incident: &'a str,
        question: &'a str,
        answer: Answer,
    ) -> BoxFuture<'a, Result<String, CommandError>> {
        let (incident, question) = (incident.to_owned(), question.to_owned());
        Box::pin(async move {
            let command = Command::Answer { incident, question, answer: Box::new(fitting(answer)) };
            match self.request(ControlRequest::Command { command }).await? {
                ControlReply::Done { message } => Ok(message),
                other => Err(out_of_turn(&other)),
            }
        })
    }

    fn wait(&self) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(LOOK_EVERY))
    }
}

struct Look {
    office: RemoteOffice,
    probes: Vec<ProbeDefinition>,
    as_of: Timestamp,
}

impl Look {
    async fn ask(&self, query: Query) -> Result<QueryReply, Unavailable> {
        self.office.query(query).await.map_err(|error| Unavailable::new("the operator", error.to_string()))
    }
}

fn unexpected() -> Unavailable {
    Unavailable::new("the operator", "it answered something else: is it of another version?")
}

impl Investigation for Look {
    fn series<'a>(&'a self, on: &'a Locus, signal: &'a str) -> BoxFuture<'a, Result<Vec<Point>, Unavailable>> {
        Box::pin(async move {
            match self.ask(Query::Series { on: on.clone(), signal: signal.to_owned() }).await? {
                QueryReply::Series { points } => points,
                _ => Err(unexpected()),
            }
        })
    }

    fn events(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, Unavailable>> {
        Box::pin(async move {
            match self.ask(Query::Events { limit }).await? {
                QueryReply::Events { events } => events,
                _ => Err(unexpected()),
            }
        })
    }

    fn logs<'a>(&'a self, search: &'a LogSearch) -> BoxFuture<'a, Result<Vec<LogLine>, Unavailable>> {
        Box::pin(async move {
            match self.ask(Query::Logs { search: search.clone() }).await? {
                QueryReply::Logs { lines } => lines,
                _ => Err(unexpected()),
            }
        })
    }

    fn probes(&self) -> &[ProbeDefinition] {
        &self.probes
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(async move {
            let answer = match self.ask(Query::Probe { request: request.clone() }).await {
                Ok(QueryReply::Probe { answer }) => return answer,
                Ok(_) => Err(unexpected()),
                Err(why) => Err(why),
            };
            ProbeAnswer { as_of: self.as_of, answer }
        })
    }
}
