//! Many runs, one after the other, resumably.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use operator_reasoner::Diagnoser;

use super::plan::planned;
use super::run::run;
use crate::scenario::ScenarioError;
use crate::scorecard::{ResultLog, ResultLogError, RunKey, RunResult, Scorecard};

/// What to run.
#[derive(Clone)]
pub struct EvalOptions {
    /// The kind of subject.
    pub subject: String,
    /// The scenarios; all of the subject's, if none is named.
    pub scenarios: Vec<String>,
    /// How many seeds of each.
    pub seeds: u64,
    /// Requests a second, in place of what the scenarios say.
    pub rate: Option<u32>,
    /// Where results and recordings go; results that are there already are kept and not run again.
    pub out: PathBuf,
    /// What graces are multiplied by: 1 is as in production. It is part of what is reported.
    pub time_scale: f64,
    /// From cycle to cycle.
    pub interval: Duration,
    /// Who diagnoses.
    pub diagnoser: Arc<dyn Diagnoser>,
}

/// How a campaign gets on.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A run begins.
    Begins {
        /// Which.
        key: RunKey,
        /// Which of how many, from 1.
        number: usize,
        /// How many.
        of: usize,
    },
    /// A run was there already.
    Kept {
        /// Which.
        key: RunKey,
    },
    /// A run is over.
    Ends {
        /// What came of it.
        result: Box<RunResult>,
    },
}

/// Why a campaign cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A scenario is wrong or unknown.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// Results cannot be kept.
    #[error(transparent)]
    Results(#[from] ResultLogError),
    /// A folder cannot be used.
    #[error("cannot use {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Runs what is missing and adds everything up.
///
/// # Errors
/// When a scenario is unknown or results cannot be kept. A run in which the lab failed is no error: it is invalid, and is
/// run again the next time.
pub async fn run_campaign(options: &EvalOptions, mut progress: impl FnMut(Progress)) -> Result<Scorecard, EvalError> {
    let folder_error = |path: &PathBuf| {
        let path = path.clone();
        move |source| EvalError::Folder { path, source }
    };
    std::fs::create_dir_all(&options.out).map_err(folder_error(&options.out))?;
    let mut log = ResultLog::open(options.out.join("results.jsonl"))?;
    let runs = planned(&options.subject, &options.scenarios, options.seeds, options.diagnoser.name())?;
    let of = runs.len();
    for (i, (key, file)) in runs.into_iter().enumerate() {
        if log.done().contains(&key) {
            progress(Progress::Kept { key });
            continue;
        }
        progress(Progress::Begins { key: key.clone(), number: i + 1, of });
        let scenario = file.with_seed(key.seed)?;
        let folder = tempfile::Builder::new().prefix("eval-").tempdir().map_err(folder_error(&options.out))?;
        let result = run(&key, &scenario, options, folder.path()).await?;
        log.push(result.clone())?;
        progress(Progress::Ends { result: Box::new(result) });
    }
    Ok(Scorecard::of(log.results()))
}
