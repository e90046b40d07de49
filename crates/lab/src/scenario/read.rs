//! Reading a scenario file, and saying what is wrong with it.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::pick::{choose, fill, left_over};
use super::{Scenario, ScenarioFile};
use crate::eval::Stage;

/// What is wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scenario {source_name}: {message}")]
pub struct ScenarioError {
    /// The file, or whatever else it came from.
    pub source_name: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl ScenarioFile {
    /// Reads a file's text; `source` names it in errors.
    ///
    /// # Errors
    /// When it is not TOML or its `pick` is not a table of lists. The rest is checked by [`ScenarioFile::with_seed`].
    pub fn parse(source: impl Into<String>, text: &str) -> Result<Self, ScenarioError> {
        let source = source.into();
        let error = |message: String| ScenarioError { source_name: source.clone(), message };
        let mut table: Table = toml::from_str(text).map_err(|e| error(e.to_string()))?;
        let pick: BTreeMap<String, Vec<String>> = match table.remove("pick") {
            Some(pick) => pick
                .try_into()
                .map_err(|e: toml::de::Error| error(format!("pick: a table of lists of names, {}", e.message())))?,
            None => BTreeMap::new(),
        };
        if let Some((name, _)) = pick.iter().find(|(_, choices)| choices.is_empty()) {
            return Err(error(format!("pick.{name}: at least one name to pick from")));
        }
        Ok(Self { pick, text: table, source })
    }

    /// The scenario as the run with this seed has it, checked.
    ///
    /// # Errors
    /// Says which field is missing, unknown or wrong, and what would be right.
    pub fn with_seed(&self, seed: u64) -> Result<Scenario, ScenarioError> {
        let error = |message: String| ScenarioError { source_name: self.source.clone(), message };
        let filled = fill(Value::Table(self.text.clone()), &choose(&self.pick, seed));
        if let Some(name) = left_over(&filled) {
            let known: Vec<_> = self.pick.keys().map(|name| format!("{{{name}}}")).collect();
            return Err(error(format!("{name} is not in pick, which has: {}", known.join(", "))));
        }
        let mut scenario: Scenario = filled.try_into().map_err(|e: toml::de::Error| error(e.to_string()))?;
        scenario.workload.seed = seed;
        check(&scenario).map_err(error)?;
        Ok(scenario)
    }
}

fn check(scenario: &Scenario) -> Result<(), String> {
    let stage = Stage::of(&scenario.subject).map_err(|error| error.to_string())?;
    (stage.check)(scenario)?;
    let truth = &scenario.truth;
    if truth.hypotheses.is_empty() {
        return Err("truth.hypotheses: at least one right explanation".to_owned());
    }
    if truth.ticket == truth.invariants.is_empty() {
        return Err("truth.invariants: those that break if a ticket is expected, none otherwise".to_owned());
    }
    if let Some(hypothesis) = truth.hypotheses.iter().find(|hypothesis| hypothesis.classes.is_empty()) {
        return Err(format!("truth.hypotheses: {} has no classes", hypothesis.locus));
    }
    let loci = truth.hypotheses.iter().map(|hypothesis| hypothesis.locus.as_str());
    let targets = truth.actions.iter().chain(&truth.harmful).map(|action| action.target.as_str());
    for text in loci.chain(targets.filter(|target| *target != "*")) {
        (stage.check_locus)(scenario, text)?;
    }
    let deadlines = &scenario.deadlines;
    for (field, seconds) in [
        ("warm_up_s", deadlines.warm_up_s),
        ("detect_s", deadlines.detect_s),
        ("diagnose_s", deadlines.diagnose_s),
        ("recover_s", deadlines.recover_s),
    ] {
        if !(1..=3_600).contains(&seconds) {
            return Err(format!("deadlines.{field}: 1 to 3600 seconds, not {seconds}"));
        }
    }
    Ok(())
}
