//! What every command is given: the configuration, the store to read and the running operator to ask.

use std::path::PathBuf;

use operator_core::control::{ClientError, ControlClient, ControlReply, ControlRequest, Token};
use operator_core::store::sqlite::SqliteStore;
use operator_core::store::{ExecutionFilter, Store as _, TicketFilter};
use operator_core::{Command, Execution, Incident, Ticket};

use crate::config::{Config, Sources, SubjectEntry};
use crate::exit::Failure;
use crate::output::Output;
use crate::registry;

/// A token file larger than this is the wrong file.
const TOKEN_BYTES: u64 = 4096;

/// What every command is given.
#[derive(Debug, Clone)]
pub struct App {
    /// Where results go.
    pub output: Output,
    /// Where the configuration comes from.
    pub sources: Sources,
    /// `--subject`.
    pub subject: Option<String>,
    /// `--token-file`.
    pub token_file: Option<PathBuf>,
}

impl App {
    /// The configuration.
    ///
    /// # Errors
    /// When it is wrong.
    pub fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.sources)?)
    }

    /// The subjects to watch.
    ///
    /// # Errors
    /// When there is none, or none of the name that was asked for.
    pub fn subjects(&self, config: &Config) -> Result<Vec<SubjectEntry>, Failure> {
        let kinds: Vec<_> = registry::KINDS.iter().map(|kind| kind.kind).collect();
        Ok(config.select(self.subject.as_deref(), &kinds)?)
    }

    /// The one subject to watch.
    ///
    /// # Errors
    /// When there is none or more than one.
    pub fn one_subject(&self, config: &Config) -> Result<SubjectEntry, Failure> {
        let mut subjects = self.subjects(config)?;
        if subjects.len() > 1 {
            let names: Vec<_> = subjects.iter().map(|entry| entry.config.name.as_str()).collect();
            return Err(Failure::usage(format!("which subject? name one of {} with --subject", names.join(", "))));
        }
        subjects.pop().ok_or_else(|| Failure::usage("no subject"))
    }

    /// The store, for reading: whether or not an operator runs.
    ///
    /// # Errors
    /// When there is none or it cannot be read.
    pub fn reader(&self) -> Result<SqliteStore, Failure> {
        let dir = self.config()?.state_dir;
        SqliteStore::open_read_only(&dir).map_err(|error| {
            let failure =
                Failure::failed(format!("read the store in {}", dir.display()), crate::exit::with_causes(&error));
            failure.next("start an operator with `operator run`, or name another folder with --state-dir")
        })
    }

    /// A connection to the running operator.
    ///
    /// # Errors
    /// When none runs or it may not be asked.
    pub async fn client(&self) -> Result<ControlClient, ClientError> {
        let dir = self.config().map_err(|error| ClientError::Io(std::io::Error::other(error.to_string())))?.state_dir;
        let client = ControlClient::connect(&dir).await?;
        Ok(match self.token()? {
            Some(token) => client.with_token(token),
            None => client,
        })
    }

    /// The token to ask with, if there is one.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn token(&self) -> Result<Option<Token>, ClientError> {
        use std::io::Read as _;
        let Some(path) = &self.token_file else { return Ok(None) };
        let mut text = String::new();
        std::fs::File::open(path).and_then(|file| file.take(TOKEN_BYTES).read_to_string(&mut text)).map_err(
            |error| ClientError::Io(std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        )?;
        Ok(Some(Token::new(text.trim_end())))
    }

    /// Has the running operator carry out `command` for the subject that `id` names, and prints what it says.
    ///
    /// # Errors
    /// When none runs, it refuses, or it fails.
    pub async fn command(&self, id: Option<&str>, command: Command) -> Result<(), Failure> {
        let said = self.ask(id, command).await?;
        self.output.print("done", &said, || said.clone())
    }

    /// Has the running operator carry out `command` for the subject that `id` names.
    ///
    /// # Errors
    /// When none runs, it refuses, or it fails.
    pub async fn ask(&self, id: Option<&str>, command: Command) -> Result<String, Failure> {
        let subject = self.subject.clone().or_else(|| id.and_then(subject_of).map(str::to_owned));
        let request = ControlRequest::Command { command };
        match self.client().await?.request(subject.as_deref(), request).await? {
            ControlReply::Done { message } => Ok(message),
            other => Err(unexpected(&other)),
        }
    }

    /// The ticket of that id, or of its end.
    ///
    /// # Errors
    /// When there is none or more than one.
    pub async fn ticket(&self, store: &SqliteStore, id: &str) -> Result<Ticket, Failure> {
        let filter = TicketFilter { id: Some(id.to_owned()), subject: self.subject.clone(), ..TicketFilter::default() };
        only_one(store.tickets(&filter).await?, "ticket", id, |ticket| &ticket.id)
    }

    /// The action of that id, or of a part of it.
    ///
    /// # Errors
    /// When there is none or more than one.
    pub async fn execution(&self, store: &SqliteStore, id: &str) -> Result<Execution, Failure> {
        let filter =
            ExecutionFilter { id: Some(id.to_owned()), subject: self.subject.clone(), ..ExecutionFilter::default() };
        only_one(store.executions(&filter).await?, "action", id, |execution| &execution.proposal.id)
    }

    /// The incident of that id, or of its end.
    ///
    /// # Errors
    /// When there is none or more than one.
    pub async fn incident(&self, store: &SqliteStore, id: &str) -> Result<Incident, Failure> {
        if let Some(incident) = store.incident(id).await? {
            return Ok(incident);
        }
        let all = store.incidents(self.subject.as_deref(), u32::MAX).await?;
        let end = format!("-{id}");
        let found = all.into_iter().filter(|incident| incident.id.ends_with(&end)).collect();
        only_one(found, "incident", id, |incident| &incident.id)
    }
}

/// The subject within an id like `SUBJECT-T1`; none within its end alone.
fn subject_of(id: &str) -> Option<&str> {
    let numbered = |part: &str| {
        let mut chars = part.chars();
        chars.next().is_some_and(|c| "TIDA".contains(c)) && !part[1..].is_empty() && chars.all(|c| c.is_ascii_digit())
    };
    let mut at = id.len();
    while let Some(dash) = id[..at].rfind('-') {
        let part = id[dash + 1..].split('-').next().unwrap_or_default();
        if part.is_ascii() && numbered(part) {
            return Some(&id[..dash]).filter(|subject| !subject.is_empty());
        }
        at = dash;
    }
    None
}

fn only_one<T>(mut found: Vec<T>, what: &str, id: &str, name: impl Fn(&T) -> &String) -> Result<T, Failure> {
    match found.len() {
        0 => Err(Failure::failed(format!("find {what} {id:?}"), "there is none of that id")
            .next(format!("`operator {what}s list` shows those there are"))),
        1 => found.pop().ok_or_else(|| Failure::usage("nothing was found")),
        _ => {
            let names: Vec<_> = found.iter().map(|one| name(one).as_str()).collect();
            Err(Failure::usage(format!("which {what}? {id:?} may be {}", names.join(", "))))
        }
    }
}

/// A reply to another question than was asked.
pub fn unexpected(reply: &ControlReply) -> Failure {
    Failure::failed("understand the operator's reply", format!("{reply:?}")).next("is it of another version?")
}

#[cfg(test)]
mod tests {
    use super::subject_of;

    #[test]
    fn the_subject_stands_before_the_number() {
        assert_eq!(subject_of("limiter-T1"), Some("limiter"));
        assert_eq!(subject_of("prod-eu-A12-0123456789ab"), Some("prod-eu"));
        assert_eq!(subject_of("shop-T2-I3"), Some("shop-T2"), "a subject may be called like a number");
        for none in ["T1", "A1-0123", "", "-T1", "é-é"] {
            assert_eq!(subject_of(none), None, "{none}");
        }
    }
}
