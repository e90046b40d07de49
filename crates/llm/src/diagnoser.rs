//! The diagnoser over a language model. It always has an answer where the reasoner has one: the model's, if that holds
//! against the evidence, or else the reasoner's, marked as a fallback.

use std::sync::Arc;

use operator_protocols::{BoxFuture, Clock};
use operator_reasoner::{
    Answer, Deliberation, DiagnoseError, Diagnoser, Diagnosis, Inquiry, Outcome, Reasoner, bounded,
};
use serde_json::json;

use crate::budget::Budget;
use crate::case::Case;
use crate::conclusion::conclude;
use crate::dialogue::Dialogue;
use crate::metered::{Metered, Pace};
use crate::prompt;
use crate::provider::Provider;
use crate::retry::Patience;
use crate::settings::DiagnoserSettings;

/// Asks a model, and believes it what it can show.
pub struct LlmDiagnoser {
    name: String,
    provider: Arc<dyn Provider>,
    settings: DiagnoserSettings,
    clock: Arc<dyn Clock>,
    meter: Option<Meter>,
}

/// What every investigation may use up.
struct Meter {
    budget: Budget,
    patience: Patience,
    pace: Arc<dyn Pace>,
}

impl LlmDiagnoser {
    /// A diagnoser that asks `provider`, and tells the time by `clock`.
    pub fn new(provider: Arc<dyn Provider>, settings: DiagnoserSettings, clock: Arc<dyn Clock>) -> Self {
        let name = format!("llm:{}/{}", bounded(provider.name(), 40), bounded(provider.model(), 100));
        Self { name, provider, settings, clock, meter: None }
    }

    /// Holds every investigation to a budget of its own: what a call may cost is set aside before it is made.
    #[must_use]
    pub fn within(mut self, budget: Budget, patience: Patience, pace: Arc<dyn Pace>) -> Self {
        self.meter = Some(Meter { budget, patience, pace });
        self
    }

    async fn answer(&self, inquiry: Inquiry<'_>) -> Answer {
        let own;
        let reasoned: &Diagnosis = match inquiry.reasoned {
            Some(reasoned) => reasoned,
            None => {
                own = Reasoner::new().explain(inquiry.pack, inquiry.actions);
                &own
            }
        };
        let case = Case::of(inquiry.pack, inquiry.actions, reasoned, self.settings.pack_tokens);
        let metered =
            self.meter.as_ref().map(|meter| Metered::new(&*self.provider, meter.budget, meter.patience, &*meter.pace));
        let provider: &dyn Provider = metered.as_ref().map_or(&*self.provider, |metered| metered);
        let mut dialogue =
            Dialogue::new(provider, metered.as_ref(), &self.settings, &*self.clock, &case, inquiry.investigation);
        let result = dialogue.run().await;
        let (conclusion, outcome) = match result {
            Ok((grounded, outcome)) => (Some(conclude(&case, &grounded, &self.name, prompt::version())), outcome),
            Err(why) => (None, Outcome::FallenBack { why }),
        };
        let (diagnosis, verdicts, dissent) = match conclusion {
            Some(conclusion) => (conclusion.diagnosis, conclusion.verdicts, conclusion.dissent),
            None => (reasoned.clone(), Vec::new(), None),
        };
        let deliberation = Deliberation {
            provider: self.provider.name().to_owned(),
            model: self.provider.model().to_owned(),
            prompt_version: prompt::version().to_owned(),
            prompt_hash: prompt::sha256(&prompt::system(self.provider.uses_tools(), case.ranks > 0)),
            parameters: self.parameters(),
            outcome,
            faults: std::mem::take(&mut dialogue.faults),
            verdicts,
            dissent,
            exchanges: std::mem::take(&mut dialogue.exchanges),
            usage: dialogue.usage,
        };
        Answer { diagnosis, deliberation: Some(deliberation) }
    }

    fn parameters(&self) -> serde_json::Value {
        json!({
            "tools": self.provider.uses_tools(),
            "pack_tokens": self.settings.pack_tokens,
            "turns": self.settings.turns,
            "max_output_tokens": self.settings.max_output_tokens,
            "temperature": self.settings.temperature,
            "time_limit_ms": u64::try_from(self.settings.time_limit.as_millis()).unwrap_or(u64::MAX),
            "budget": self.meter.as_ref().map(|meter| meter.budget),
            "call_limit_ms": u64::try_from(self.settings.call_limit.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

impl Diagnoser for LlmDiagnoser {
    fn name(&self) -> &str {
        &self.name
    }

    fn diagnose<'a>(&'a self, inquiry: Inquiry<'a>) -> BoxFuture<'a, Result<Answer, DiagnoseError>> {
        Box::pin(async move { Ok(self.answer(inquiry).await) })
    }
}
