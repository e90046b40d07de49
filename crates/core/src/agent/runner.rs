//! Works through the open cases: most severe first, a few at a time, each bounded in time and tries. A case that
//! poisons its diagnoser is left to the reasoner; the others go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use operator_reasoner::{Answer, Deliberation, Diagnoser, Inquiry, Outcome, Step, Usage};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::watched::Watched;
use super::{AgentProgress, CaseProgress, CaseStage, CaseSummary, Office};
use crate::CommandError;

/// How much an agent takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentLimits {
    /// How many cases at a time, of all offices together; at least one. 2.
    pub parallel: usize,
    /// How many attempts a case gets. 3.
    pub attempts: u32,
    /// How long after a failed attempt the next one begins; twice as long after each further one. 5 s.
    pub backoff: Duration,
    /// How long one attempt may take. 10 minutes.
    pub case_limit: Duration,
    /// How many cases that are over are still shown. 32.
    pub shown: usize,
}

impl Default for AgentLimits {
    fn default() -> Self {
        Self {
            parallel: 2,
            attempts: 3,
            backoff: Duration::from_secs(5),
            case_limit: Duration::from_secs(600),
            shown: 32,
        }
    }
}

/// The longest time between two attempts.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// Puts open cases to a diagnoser, and hands its answers in.
#[derive(Clone)]
pub struct Agent {
    offices: Vec<Arc<dyn Office>>,
    diagnoser: Arc<dyn Diagnoser>,
    limits: AgentLimits,
    progress: watch::Sender<Arc<AgentProgress>>,
}

/// What was tried of one question.
#[derive(Debug, Clone)]
struct Tried {
    attempts: u32,
    next: Instant,
    /// Nothing more is tried.
    over: bool,
}

/// A case being worked on.
struct Taken {
    incident: String,
    question: String,
    attempt: u32,
    outcome: Result<String, String>,
}

impl Agent {
    /// An agent for these offices.
    pub fn new(offices: Vec<Arc<dyn Office>>, diagnoser: Arc<dyn Diagnoser>, limits: AgentLimits) -> Self {
        Self { offices, diagnoser, limits, progress: watch::Sender::new(Arc::default()) }
    }

    /// What it is doing, anew with every step.
    pub fn progress(&self) -> watch::Receiver<Arc<AgentProgress>> {
        self.progress.subscribe()
    }

    /// Puts one case to the diagnoser and hands nothing in. Gives the answer with the question it answers.
    ///
    /// # Errors
    /// When no office has the incident, or there is no answer in time.
    pub async fn diagnose(&self, incident: &str) -> Result<(String, Answer), CommandError> {
        let mut missing = None;
        for office in &self.offices {
            match office.case(incident).await {
                Ok(case) => {
                    let working = attempt(self, office.as_ref(), &case, incident);
                    let answer = timeout(self.limits.case_limit, working).await;
                    let answer = answer.unwrap_or_else(|_| Err(self.too_late())).map_err(CommandError::refused)?;
                    return Ok((case.question, answer));
                }
                Err(error) => missing = Some(error),
            }
        }
        Err(missing.unwrap_or_else(|| CommandError::refused("there is no office to ask")))
    }

    /// Works until `shutdown` becomes true; what is under way then is dropped.
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) {
        let mut tried: BTreeMap<(String, String), Tried> = BTreeMap::new();
        let mut working: JoinSet<Taken> = JoinSet::new();
        let mut tasks: BTreeMap<tokio::task::Id, (String, String, u32, usize)> = BTreeMap::new();
        loop {
            if *shutdown.borrow_and_update() {
                break;
            }
            let (open, all_read) = self.open_cases().await;
            let asked: BTreeSet<_> =
                open.iter().map(|(_, case)| (case.incident.clone(), case.question.clone())).collect();
            let busy: BTreeSet<_> = tasks.values().map(|(incident, ..)| incident.clone()).collect();
            // An office that cannot be read for a moment gets no second set of attempts.
            tried.retain(|key, _| !all_read || asked.contains(key) || busy.contains(&key.0));
            let now = Instant::now();
            for (office, case) in open {
                let key = (case.incident.clone(), case.question.clone());
                let attempts = match tried.get(&key) {
                    Some(one) if one.over || one.next > now => continue,
                    Some(one) => one.attempts,
                    None => 0,
                };
                let taken = tasks.values().any(|(incident, ..)| *incident == case.incident);
                if taken || working.len() >= self.limits.parallel.max(1) {
                    continue;
                }
                let task = working.spawn(work(self.clone(), Arc::clone(&self.offices[office]), case, attempts + 1));
                tasks.insert(task.id(), (key.0.clone(), key.1.clone(), attempts + 1, office));
                tried.insert(key, Tried { attempts: attempts + 1, next: now, over: false });
            }
            let next_try = tried.values().filter(|one| !one.over && one.next > now).map(|one| one.next).min();
            tokio::select! {
                biased;
                changed = shutdown.changed() => if changed.is_err() { break },
                Some(ended) = working.join_next_with_id() => {
                    let taken = match ended {
                        Ok((id, taken)) => {
                            let office = tasks.remove(&id).map(|(.., office)| office);
                            office.map(|office| (office, taken))
                        }
                        Err(error) => tasks.remove(&error.id()).map(|(incident, question, attempt, office)| {
                            let why = if error.is_panic() { "the diagnoser panicked" } else { "it was called off" };
                            (office, Taken { incident, question, attempt, outcome: Err(why.to_owned()) })
                        }),
                    };
                    if let Some((office, taken)) = taken {
                        self.ended(office, taken, &mut tried).await;
                    }
                }
                () = self.something_new() => {}
                () = until(next_try) => {}
            }
        }
        working.shutdown().await;
    }

    /// The open cases of every office, most severe first, and of those the oldest; and whether every office was read.
    async fn open_cases(&self) -> (Vec<(usize, CaseSummary)>, bool) {
        let mut open = Vec::new();
        let mut all_read = true;
        for (n, office) in self.offices.iter().enumerate() {
            match office.open_cases().await {
                Ok(cases) => open.extend(cases.into_iter().map(|case| (n, case))),
                Err(error) => {
                    all_read = false;
                    tracing::warn!(%error, "the open cases could not be read");
                }
            }
        }
        open.sort_by(|(_, a), (_, b)| {
            (b.severity, a.opened_at, &a.incident).cmp(&(a.severity, b.opened_at, &b.incident))
        });
        (open, all_read)
    }

    async fn something_new(&self) {
        let mut waiting: JoinSet<()> = JoinSet::new();
        for office in &self.offices {
            let office = Arc::clone(office);
            waiting.spawn(async move { office.wait().await });
        }
        if waiting.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    async fn ended(&self, office: usize, taken: Taken, tried: &mut BTreeMap<(String, String), Tried>) {
        let Taken { incident, question, attempt, outcome } = taken;
        let key = (incident.clone(), question.clone());
        let why = match outcome {
            Ok(told) => {
                if let Some(one) = tried.get_mut(&key) {
                    one.over = true;
                }
                self.tell(&incident, attempt, CaseStage::Answered, told);
                return;
            }
            Err(why) => why,
        };
        tracing::warn!(incident, attempt, why, "an attempt to diagnose failed");
        if attempt < self.limits.attempts {
            let wait = self.limits.backoff.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_BACKOFF);
            if let Some(one) = tried.get_mut(&key) {
                one.next = Instant::now() + wait;
            }
            self.tell(&incident, attempt, CaseStage::Waiting, why);
            return;
        }
        if let Some(one) = tried.get_mut(&key) {
            one.over = true;
        }
        let why = format!("no answer in {attempt} attempts: {why}");
        self.give_up(self.offices[office].as_ref(), &incident, &question, &why).await;
        self.tell(&incident, attempt, CaseStage::GivenUp, why);
    }

    /// Says that the reasoner's explanation stands, so that nobody waits longer.
    async fn give_up(&self, office: &dyn Office, incident: &str, question: &str, why: &str) {
        let Ok(case) = office.case(incident).await else { return };
        if case.question != question {
            return;
        }
        let deliberation = Deliberation {
            provider: String::new(),
            model: self.diagnoser.name().to_owned(),
            prompt_version: String::new(),
            prompt_hash: String::new(),
            parameters: serde_json::Value::Null,
            outcome: Outcome::FallenBack { why: why.to_owned() },
            faults: Vec::new(),
            verdicts: Vec::new(),
            dissent: None,
            exchanges: Vec::new(),
            usage: Usage::default(),
        };
        let answer = Answer { diagnosis: case.reasoned, deliberation: Some(deliberation) };
        if let Err(error) = office.submit(incident, question, answer).await {
            tracing::warn!(incident, %error, "that there is no answer could not be handed in");
        }
    }

    fn too_late(&self) -> String {
        format!("no answer within {} s", self.limits.case_limit.as_secs())
    }

    fn tell(&self, incident: &str, attempt: u32, stage: CaseStage, told: String) {
        let shown = self.limits.shown;
        self.progress.send_modify(|progress| {
            let progress = Arc::make_mut(progress);
            match stage {
                CaseStage::Answered => progress.answered += 1,
                CaseStage::GivenUp => progress.given_up += 1,
                CaseStage::Thinking | CaseStage::Waiting => {}
            }
            let step = progress.cases.get(incident).and_then(|case| case.step.clone());
            progress.cases.insert(incident.to_owned(), CaseProgress { stage, attempt, step, told });
            while progress.cases.len() > shown.max(1) {
                let over = |case: &CaseProgress| matches!(case.stage, CaseStage::Answered | CaseStage::GivenUp);
                let Some(first) = progress.cases.iter().find(|(_, case)| over(case)).map(|(id, _)| id.clone()) else {
                    break;
                };
                progress.cases.remove(&first);
            }
        });
    }

    fn tell_step(&self, incident: &str, step: &Step) {
        self.progress.send_modify(|progress| {
            if let Some(case) = Arc::make_mut(progress).cases.get_mut(incident) {
                case.step = Some(step.clone());
            }
        });
    }
}

/// One attempt at one case, from taking it to handing the answer in.
async fn work(agent: Agent, office: Arc<dyn Office>, case: CaseSummary, attempt_number: u32) -> Taken {
    let CaseSummary { incident, question, .. } = case;
    agent.tell(&incident, attempt_number, CaseStage::Thinking, String::new());
    let working = async {
        let file = office.case(&incident).await.map_err(|error| error.to_string())?;
        if file.question != question {
            return Ok("the evidence has moved: it is asked about anew".to_owned());
        }
        let answer = attempt(&agent, office.as_ref(), &file, &incident).await?;
        office.submit(&incident, &question, answer).await.map_err(|error| format!("the answer was refused: {error}"))
    };
    let outcome = timeout(agent.limits.case_limit, working).await.unwrap_or_else(|_| Err(agent.too_late()));
    Taken { incident, question, attempt: attempt_number, outcome }
}

async fn attempt(agent: &Agent, office: &dyn Office, file: &super::CaseFile, incident: &str) -> Result<Answer, String> {
    let look = Watched { inner: office.look(file), tell: |step: &Step| agent.tell_step(incident, step) };
    let inquiry =
        Inquiry { pack: &file.pack, actions: &file.actions, investigation: &look, reasoned: Some(&file.reasoned) };
    agent.diagnoser.diagnose(inquiry).await.map_err(|error| error.to_string())
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}
