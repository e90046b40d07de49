//! A model that says what a test wants, a case to ask it about, and a spy on what it looks at.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_llm::{DiagnoserSettings, Failure, LlmDiagnoser, Message, Piece, Provider, Reply, Request, Stop};
use operator_protocols::{
    BoxFuture, Clock, Event, Locus, LogLine, ParamDefinition, ParamKind, ParamSource, ProbeAnswer, ProbeDefinition,
    ProbeRequest, Timestamp, Unavailable, Value,
};
use operator_reasoner::{
    Answer, Deliberation, Diagnoser, Diagnosis, EvidencePack, Inquiry, Investigation, LogSearch, Outcome, Point,
    Reasoner, Remembered, Step, Usage, bounded,
};
use serde_json::{Value as Json, json};

use crate::world::{Fault, World, actions};

/// What a scripted model does when it is asked for the n-th time, counted from 0.
type Script = Box<dyn Fn(usize, &Request) -> Result<Reply, Failure> + Send + Sync>;

/// A model that follows a script and keeps what it was asked.
pub struct Scripted {
    pub tools: bool,
    script: Script,
    pub asked: Mutex<Vec<Request>>,
}

impl Scripted {
    pub fn new(
        tools: bool,
        script: impl Fn(usize, &Request) -> Result<Reply, Failure> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { tools, script: Box::new(script), asked: Mutex::default() })
    }

    /// Says these things in turn, and the last one for ever.
    pub fn saying(tools: bool, replies: Vec<Reply>) -> Arc<Self> {
        Self::new(tools, move |n, _| Ok(replies[n.min(replies.len() - 1)].clone()))
    }

    pub fn requests(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl Provider for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn model(&self) -> &str {
        "m-1"
    }

    fn uses_tools(&self) -> bool {
        self.tools
    }

    fn send<'a>(
        &'a self,
        request: &'a Request,
        _time_limit: Duration,
        _heard: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Result<Reply, Failure>> {
        let n = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(request.clone());
            asked.len() - 1
        };
        Box::pin(std::future::ready((self.script)(n, request)))
    }
}

pub fn reply(pieces: Vec<Piece>, stop: Stop) -> Reply {
    Reply {
        request_body: "{\"asked\":1}".into(),
        response_body: "{\"answered\":1}".into(),
        pieces,
        stop,
        usage: Usage { input_tokens: 100, output_tokens: 10, cached_tokens: 0, cost_micro_usd: 5, calls: 1 },
        status: 200,
        took_ms: 7,
    }
}

pub fn says(text: impl Into<String>) -> Reply {
    reply(vec![Piece::Text { text: text.into(), cache: false }], Stop::End)
}

pub fn calls(name: &str, arguments: Json) -> Reply {
    reply(vec![Piece::ToolCall { id: "c1".into(), name: name.into(), arguments }], Stop::ToolUse)
}

pub fn submits(arguments: Json) -> Reply {
    calls("submit_diagnosis", arguments)
}

/// A clock that a test moves.
#[derive(Default)]
pub struct Still(pub Mutex<i64>);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(*self.0.lock().unwrap())
    }
}

/// Looks at the remembered past, counts every look, and answers one probe.
pub struct Spy {
    remembered: Remembered,
    probes: Vec<ProbeDefinition>,
    pub looks: Mutex<Vec<String>>,
    pub steps: Mutex<Vec<Step>>,
}

impl Spy {
    pub fn new(world: &World) -> Self {
        let param = ParamDefinition {
            name: "samples".into(),
            description: "how many".into(),
            kind: ParamKind::Integer { min: 1, max: 5 },
            source: ParamSource::Policy,
            default: None,
        };
        Self {
            remembered: Remembered::new(world.history.clone()),
            probes: vec![ProbeDefinition {
                name: "ping".into(),
                description: "How long an answer takes, in ms.".into(),
                params: vec![param],
            }],
            looks: Mutex::default(),
            steps: Mutex::default(),
        }
    }

    fn saw(&self, look: impl Into<String>) {
        self.looks.lock().unwrap().push(look.into());
    }

    pub fn looks(&self) -> Vec<String> {
        self.looks.lock().unwrap().clone()
    }
}

impl Investigation for Spy {
    fn series<'a>(&'a self, on: &'a Locus, signal: &'a str) -> BoxFuture<'a, Result<Vec<Point>, Unavailable>> {
        self.saw(format!("series {on} {signal}"));
        Box::pin(std::future::ready(self.remembered.series(on, signal)))
    }

    fn events(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, Unavailable>> {
        self.saw(format!("events {limit}"));
        Box::pin(std::future::ready(Ok(self.remembered.events(limit))))
    }

    fn logs<'a>(&'a self, search: &'a LogSearch) -> BoxFuture<'a, Result<Vec<LogLine>, Unavailable>> {
        self.saw(format!("logs {:?}", search.containing));
        Box::pin(std::future::ready(Ok(self.remembered.logs(search))))
    }

    fn probes(&self) -> &[ProbeDefinition] {
        &self.probes
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest) -> BoxFuture<'a, ProbeAnswer> {
        self.saw(format!("probe {} {} {:?}", request.probe, request.target, request.params.get("samples")));
        let answer = ProbeAnswer { as_of: Timestamp::from_millis(0), answer: Ok(Value::from(431.5)) };
        Box::pin(std::future::ready(answer))
    }

    fn progress(&self, step: &Step) {
        self.steps.lock().unwrap().push(step.clone());
    }
}

/// One case, and what the reasoner makes of it.
pub struct Put {
    pub world: World,
    pub pack: EvidencePack,
    pub reasoned: Diagnosis,
    pub spy: Spy,
    pub clock: Arc<Still>,
    pub settings: DiagnoserSettings,
}

impl Put {
    pub fn of(fault: Fault, seed: u64) -> Self {
        Self::world(World::with(fault, seed))
    }

    pub fn world(world: World) -> Self {
        let pack = world.pack();
        let reasoned = Reasoner::new().explain(&pack, &actions());
        let spy = Spy::new(&world);
        Self { world, pack, reasoned, spy, clock: Arc::default(), settings: DiagnoserSettings::hosted() }
    }

    /// What the diagnoser makes of it with that model.
    pub fn ask(&self, provider: Arc<dyn Provider>) -> Answer {
        let diagnoser = LlmDiagnoser::new(provider, self.settings.clone(), self.clock.clone());
        let inquiry =
            Inquiry { pack: &self.pack, actions: &actions(), investigation: &self.spy, reasoned: Some(&self.reasoned) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(diagnoser.diagnose(inquiry)).unwrap()
    }

    /// An answer that agrees with the reasoner's explanation of that rank, counted from 1.
    pub fn agreeing(&self, rank: usize) -> Json {
        let ranked = self.ranked();
        let (class, locus, supporting) = &ranked[rank - 1];
        json!({
            "assessment": [{"about": rank, "evidence": [], "verdict": "keep", "why": "it fits"}],
            "cause": {"class": class, "locus": locus},
            "confidence": "high",
            "contradicting": [],
            "missing": [],
            "recommended_action": "wait",
            "statement": "this is the cause",
            "supporting": supporting.iter().take(2).map(|id| json!({"evidence": id, "why": "it says so"})).collect::<Vec<_>>(),
        })
    }

    /// Class, name of the place, and the evidence for it, by rank.
    pub fn ranked(&self) -> Vec<(String, String, Vec<String>)> {
        let first = (!self.reasoned.abstained()).then_some(&self.reasoned.primary);
        first
            .into_iter()
            .chain(self.reasoned.alternatives.iter().map(|one| &one.hypothesis))
            .map(|one| {
                let ids = one.supporting.iter().map(|one| one.id.0.clone()).collect();
                // The name as it stands in the data: bounded.
                (one.class.to_string(), bounded(&one.locus.to_string(), 80).trim().to_owned(), ids)
            })
            .collect()
    }
}

pub fn deliberation(answer: &Answer) -> &Deliberation {
    answer.deliberation.as_ref().unwrap()
}

pub fn why_fallen_back(answer: &Answer) -> &str {
    match &deliberation(answer).outcome {
        Outcome::FallenBack { why } => why,
        other => panic!("{other:?}: {:?}", deliberation(answer).faults),
    }
}

/// Every text that was said to the model, in order.
pub fn told(request: &Request) -> Vec<String> {
    let said = request.messages.iter().flat_map(|message| match message {
        Message::User(pieces) => pieces.clone(),
        Message::Assistant(_) => Vec::new(),
    });
    said.filter_map(|piece| match piece {
        Piece::Text { text, .. } => Some(text),
        Piece::ToolResult { content, .. } => Some(content),
        Piece::ToolCall { .. } | Piece::Sealed(_) => None,
    })
    .collect()
}
