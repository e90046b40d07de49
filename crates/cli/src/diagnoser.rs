//! Who explains, as configured: the embedded reasoner alone, or a language model beside it. Without its key a model
//! cannot be asked, and the reasoner answers alone; it is said.

use std::sync::Arc;
use std::time::Duration;

use operator_core::agent::AgentLimits;
use operator_reasoner::Diagnoser;

use crate::app::App;
use crate::config::{Config, DiagnoserKind, show_duration};
use crate::exit::Failure;
use crate::host::AgentPlan;
use crate::model::{self, Model};
use crate::output::say;

/// Who explains.
#[derive(Clone)]
pub struct Choice {
    /// Who is asked for.
    pub asked: DiagnoserKind,
    /// The model that answers; none, where the reasoner answers alone.
    pub model: Option<Model>,
    /// Why the model that is asked for cannot be asked, and what would help.
    pub missing: Option<String>,
    /// What is odd about how it is configured, and works all the same.
    pub warnings: Vec<String>,
}

impl Choice {
    /// What is configured, unless `flag` says otherwise.
    pub fn of(config: &Config, flag: Option<DiagnoserKind>) -> Self {
        let asked = flag.unwrap_or(config.agent.diagnoser);
        let mut choice = Self { asked, model: None, missing: None, warnings: Vec::new() };
        if asked == DiagnoserKind::Llm {
            match model::open(config) {
                Ok(model) => {
                    choice.warnings.clone_from(&model.warnings);
                    choice.model = Some(model);
                }
                Err(why) => choice.missing = Some(why),
            }
            let (patience, limit) = (patience(config, &choice), time_limit(&choice));
            if patience < limit {
                choice.warnings.push(format!(
                    "agent.patience ({}) is shorter than llm.time_limit ({}): a slow answer comes after the reasoner's \
                     explanation was acted on",
                    show_duration(patience),
                    show_duration(limit)
                ));
            }
        }
        choice
    }

    /// Who answers, in words.
    pub fn told(&self) -> String {
        match (&self.model, &self.missing) {
            (Some(model), _) => format!("{}, checked against the evidence; else the reasoner", model.name()),
            (None, Some(why)) => format!("the reasoner alone: {why}"),
            (None, None) => "the reasoner, embedded: it needs no key and no network".to_owned(),
        }
    }

    /// What an operator's agent needs; none, where there is none.
    pub fn plan(&self, config: &Config) -> Option<AgentPlan> {
        let diagnoser = Arc::clone(&self.model.as_ref()?.diagnoser);
        Some(AgentPlan { diagnoser: Some(diagnoser), limits: limits(config, self), patience: patience(config, self) })
    }

    /// Says on standard error what is missing and what is odd, before anything starts.
    pub fn warn(&self) {
        if self.missing.is_some() {
            say(&format!("diagnoser       {}", self.told()));
        }
        for warning in &self.warnings {
            say(&format!("diagnoser       {warning}"));
        }
    }
}

/// What is configured, and who explains by it or by a flag.
///
/// # Errors
/// When the configuration is wrong.
pub fn chosen(app: &App, flag: Option<DiagnoserKind>) -> Result<(Config, Choice), Failure> {
    let config = app.config()?;
    let choice = Choice::of(&config, flag);
    Ok((config, choice))
}

/// How long one incident may take its diagnoser.
fn time_limit(choice: &Choice) -> Duration {
    choice.model.as_ref().map_or(Duration::from_secs(60), |model| model.time_limit)
}

/// How long proposals wait for an answer.
pub fn patience(config: &Config, choice: &Choice) -> Duration {
    config.agent.patience.unwrap_or_else(|| time_limit(choice) + GRACE)
}

/// How much the agent takes on.
pub fn limits(config: &Config, choice: &Choice) -> AgentLimits {
    AgentLimits {
        parallel: usize::try_from(config.agent.parallel).unwrap_or(1),
        attempts: config.agent.attempts,
        // The diagnoser ends by itself in time; this is for one that does not.
        case_limit: time_limit(choice) + GRACE / 2,
        ..AgentLimits::default()
    }
}

/// How much longer than a diagnoser may take its answer is waited for.
const GRACE: Duration = Duration::from_secs(30);

/// The diagnoser to ask: the model's, or the embedded reasoner.
pub fn diagnoser(choice: &Choice) -> Arc<dyn Diagnoser> {
    match &choice.model {
        Some(model) => Arc::clone(&model.diagnoser),
        None => Arc::new(operator_reasoner::Reasoner::new()),
    }
}
