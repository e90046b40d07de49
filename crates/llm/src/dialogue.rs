//! The talk with a model about one case: looks, an answer, at most one repair. Every turn is bounded and kept.

use std::time::Duration;

use operator_protocols::{Clock, Timestamp};
use operator_reasoner::{Exchange, Investigation, Outcome, Step, Usage, bounded};

use crate::bounds::{CALLS, FAULTS, PIECES, REQUEST_BYTES, RESPONSE_BYTES, head};
use crate::case::Case;
use crate::grounding::{Fault, Ground, Grounded};
use crate::metered::Metered;
use crate::provider::{Effort, Failure, Message, Piece, Provider, Reply, Request, Sent, Stop, ToolChoice};
use crate::settings::DiagnoserSettings;
use crate::submission::Submission;
use crate::tools::{SUBMIT, Tools};
use crate::turn::{self, Call};
use crate::{canonical, prompt};

/// How long one look may take.
const LOOK_TIME: Duration = Duration::from_secs(10);
/// How many turns without a call are borne.
const IDLE: u32 = 2;

/// One talk.
pub(crate) struct Dialogue<'a> {
    provider: &'a dyn Provider,
    /// The same provider, where it is metered: it knows what was turned away.
    metered: Option<&'a Metered<'a>>,
    settings: &'a DiagnoserSettings,
    clock: &'a dyn Clock,
    investigation: &'a dyn Investigation,
    case: &'a Case<'a>,
    tools: Tools<'a>,
    ground: Ground<'a>,
    started: Timestamp,
    messages: Vec<Message>,
    repairing: bool,
    idle: u32,
    pub exchanges: Vec<Exchange>,
    pub faults: Vec<String>,
    pub usage: Usage,
}

impl<'a> Dialogue<'a> {
    /// A talk about `case`.
    pub fn new(
        provider: &'a dyn Provider,
        metered: Option<&'a Metered<'a>>,
        settings: &'a DiagnoserSettings,
        clock: &'a dyn Clock,
        case: &'a Case<'a>,
        investigation: &'a dyn Investigation,
    ) -> Self {
        let opening = Piece::Text { text: case.text.clone(), cache: true };
        Self {
            provider,
            metered,
            settings,
            clock,
            investigation,
            case,
            tools: Tools::of(case, investigation),
            ground: Ground::of(case),
            started: clock.now(),
            messages: vec![Message::User(vec![opening])],
            repairing: false,
            idle: 0,
            exchanges: Vec::new(),
            faults: Vec::new(),
            usage: Usage::default(),
        }
    }

    /// The answer that holds, and whether it had to be repaired.
    ///
    /// # Errors
    /// Says why there is none.
    pub async fn run(&mut self) -> Result<(Grounded, Outcome), String> {
        let turns = self.settings.turns.clamp(1, 100);
        for turn in 1..=turns {
            let must_answer = self.repairing || turn + 1 >= turns;
            let request = self.request(must_answer);
            let reply = self.ask(turn, turns, &request).await?;
            let oversized = reply.pieces.len() > PIECES;
            if reply.stop == Stop::Refusal {
                return Err("the model refuses to answer".to_owned());
            }
            if oversized {
                return Err(format!("the model's reply has more than {PIECES} pieces"));
            }
            let calls = turn::calls(&reply);
            if let Some(answer) = calls.iter().find(|call| call.name == SUBMIT) {
                match Submission::read(&answer.arguments).and_then(|read| self.ground.check(read)) {
                    Ok(grounded) if self.repairing => return Ok((grounded, Outcome::Repaired)),
                    Ok(grounded) => return Ok((grounded, Outcome::Accepted)),
                    Err(faults) => self.faulty(&reply, &calls, &faults)?,
                }
                continue;
            }
            match &reply.stop {
                Stop::MaxTokens => return Err("the model wrote as much as it may, and gave no answer".to_owned()),
                Stop::Other(word) => return Err(format!("the model stopped: {}", bounded(word, 80))),
                Stop::End | Stop::ToolUse | Stop::Refusal => {}
            }
            if !self.provider.uses_tools() {
                let fault = Fault::Form { field: "answer", expected: "one JSON object of the given form" };
                self.faulty(&reply, &calls, &[fault])?;
            } else if calls.is_empty() {
                self.nudge(&reply)?;
            } else {
                self.look(turn, turns, &reply, calls).await;
            }
        }
        Err(format!("no answer within {turns} turns"))
    }

    fn request(&self, must_answer: bool) -> Request {
        let tools = self.provider.uses_tools();
        Request {
            system: prompt::system(tools, self.case.ranks > 0),
            messages: self.messages.clone(),
            tools: if tools { self.tools.definitions().to_vec() } else { Vec::new() },
            tool_choice: match (tools, must_answer) {
                (false, _) => ToolChoice::None,
                (true, true) => ToolChoice::Named(SUBMIT.to_owned()),
                (true, false) => ToolChoice::Auto,
            },
            schema: (!tools).then(|| crate::schema::answer(self.case)),
            max_output_tokens: self.settings.max_output_tokens,
            effort: Effort { temperature: self.settings.temperature },
        }
    }

    /// Sends, and keeps what was said.
    async fn ask(&mut self, turn: u32, turns: u32, request: &Request) -> Result<Reply, String> {
        let asked_at = self.clock.now();
        let left = self.settings.time_limit.saturating_sub(asked_at.since(self.started));
        if left == Duration::ZERO {
            return Err(format!("no answer within {} s", self.settings.time_limit.as_secs()));
        }
        self.tell(turn, turns, "asks the model".to_owned());
        let limit = left.min(self.settings.call_limit);
        let answered = self.provider.send(request, limit, &|_| {}).await;
        for failure in self.metered.map(Metered::turned_away).unwrap_or_default() {
            self.failed(turn, request, asked_at, failure);
        }
        match answered {
            Ok(reply) => {
                self.usage += reply.usage;
                self.exchanges.push(Exchange {
                    turn,
                    request: head(&reply.request_body, REQUEST_BYTES).to_owned(),
                    response: head(&reply.response_body, RESPONSE_BYTES).to_owned(),
                    request_hash: prompt::sha256(&reply.request_body),
                    status: Some(reply.status),
                    error: None,
                    took_ms: reply.took_ms,
                    usage: reply.usage,
                });
                Ok(reply)
            }
            Err(failure) => Err(self.failed(turn, request, asked_at, failure)),
        }
    }

    /// Keeps a call that gave no answer, and says why.
    fn failed(&mut self, turn: u32, request: &Request, asked_at: Timestamp, failure: Failure) -> String {
        let why = bounded(&failure.error.to_string(), 300);
        // Where nothing went over the wire, what would have been sent is kept.
        let sent = failure.sent.map_or_else(
            || Sent {
                request_body: canonical::request(request).to_string(),
                took_ms: u64::try_from(self.clock.now().since(asked_at).as_millis()).unwrap_or(u64::MAX),
                ..Sent::default()
            },
            |sent| *sent,
        );
        self.usage += sent.usage;
        self.exchanges.push(Exchange {
            turn,
            request: head(&sent.request_body, REQUEST_BYTES).to_owned(),
            response: head(&sent.response_body, RESPONSE_BYTES).to_owned(),
            request_hash: prompt::sha256(&sent.request_body),
            status: sent.status,
            error: Some(why.clone()),
            took_ms: sent.took_ms,
            usage: sent.usage,
        });
        why
    }

    fn tell(&self, turn: u32, turns: u32, text: String) {
        self.investigation.progress(&Step { turn, turns, text, usage: self.usage });
    }

    /// Sends an answer back with what is wrong with it, once.
    fn faulty(&mut self, reply: &Reply, calls: &[Call], faults: &[Fault]) -> Result<(), String> {
        let mut told: Vec<String> = Vec::new();
        for fault in faults.iter().map(ToString::to_string) {
            if !told.contains(&fault) {
                told.push(fault);
            }
        }
        for fault in &told {
            self.note(fault.clone());
        }
        if self.repairing {
            return Err(format!(
                "the repaired answer does not hold either: {}",
                told.first().cloned().unwrap_or_default()
            ));
        }
        self.repairing = true;
        let text = prompt::repair(&told);
        self.messages.push(turn::echo(reply));
        let mut said: Vec<Piece> = Vec::new();
        for call in calls {
            if let Some(id) = &call.id {
                let answers = call.name == SUBMIT;
                let content = if answers { text.clone() } else { "not looked at: an answer was given".to_owned() };
                said.push(Piece::ToolResult { id: id.clone(), content, failed: true });
            }
        }
        if said.is_empty() {
            said.push(Piece::Text { text, cache: false });
        }
        self.messages.push(Message::User(said));
        Ok(())
    }

    fn nudge(&mut self, reply: &Reply) -> Result<(), String> {
        self.idle += 1;
        if self.idle > IDLE {
            return Err("the model calls no tool and gives no answer".to_owned());
        }
        self.messages.push(turn::echo(reply));
        self.messages.push(Message::User(vec![Piece::Text { text: prompt::nudge().to_owned(), cache: false }]));
        Ok(())
    }

    /// Takes the looks that were asked for, and tells what they show.
    async fn look(&mut self, turn: u32, turns: u32, reply: &Reply, calls: Vec<Call>) {
        self.messages.push(turn::echo(reply));
        let mut said: Vec<Piece> = Vec::new();
        for (n, call) in calls.into_iter().enumerate() {
            let name = bounded(&call.name, 60);
            let looked = if n >= CALLS {
                Err(format!("at most {CALLS} looks a turn"))
            } else {
                if self.tools.offers(&call.name) {
                    self.tell(turn, turns, format!("looks: {name}"));
                } else {
                    self.note(format!("asked for a tool that is not offered: {name:?}"));
                }
                let looking = self.tools.look(&call.name, &call.arguments);
                tokio::time::timeout(LOOK_TIME, looking)
                    .await
                    .unwrap_or_else(|_| Err(format!("nothing came within {} s", LOOK_TIME.as_secs())))
            };
            let (content, failed) = match looked {
                Ok(shown) => {
                    self.ground.add_look(&shown);
                    (shown.to_string(), false)
                }
                Err(why) => (why, true),
            };
            said.push(match call.id {
                Some(id) => Piece::ToolResult { id, content, failed },
                None => Piece::Text { text: format!("Result of {name}: {content}"), cache: false },
            });
        }
        self.messages.push(Message::User(said));
    }

    fn note(&mut self, fault: String) {
        if self.faults.len() < FAULTS {
            self.faults.push(fault);
        }
    }
}
