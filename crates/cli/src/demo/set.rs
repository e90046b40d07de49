//! What the demonstration sets up: an environment under load, and an operator that watches it. All of it is in one
//! temporary folder and is gone at the end, whatever way it ends.

use std::time::Duration;

use operator_core::control::PrincipalsConfig;
use operator_core::engine::EngineSettings;
use operator_core::policy::{Autonomy, PolicySettings};
use operator_lab::scenario::Scenario;
use operator_protocols::Value;
use tempfile::TempDir;

use crate::config::{SubjectEntry, show_duration};
use crate::exit::Failure;
use crate::host::{AgentPlan, Host, Pace, Plan, Watched};
use crate::registry::{DemoTime, Lab, Stage};

/// What was set up.
pub(super) struct Set {
    pub(super) kind: String,
    pub(super) stage: Stage,
    pub(super) host: Host,
    pace: Pace,
    pub(super) settings: EngineSettings,
    lab: &'static Lab,
    folder: TempDir,
}

impl Set {
    /// Starts the environment of `scenario`, its load, and an operator with the demonstration's policy.
    pub(super) async fn build(
        kind: &str,
        lab: &'static Lab,
        scenario: &Scenario,
        agent: Option<AgentPlan>,
    ) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("operator-demo-")
            .tempdir()
            .map_err(|error| Failure::failed("make a temporary folder", error))?;
        let failed =
            |error| Failure::failed("start the environment", error).next("`operator doctor` says what is missing");
        let stage = (lab.start)(scenario, folder.path().join("lab"), lab.demo_time.speed).await.map_err(failed)?;
        stage.environment.start_workload(&scenario.workload).await.map_err(failed)?;

        let mut config = stage.environment.subject_config();
        for (name, value, _) in lab.demo_settings {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(*value));
            config.settings.insert((*name).to_owned(), value);
        }
        let settings = settings(&lab.demo_time);
        let entry = SubjectEntry::new(config);
        let watched = Watched::make(&entry, &settings, Some(stage.environment.driver()))?;
        let pace = Pace::of(stage.environment.as_ref());
        let host = Host::start(Plan {
            state_dir: folder.path().join("state"),
            subjects: vec![watched],
            pace: pace.clone(),
            principals: PrincipalsConfig::default(),
            record_to: None,
            deaf_if_need_be: true,
            agent,
        })
        .await?;
        Ok(Self { kind: kind.to_owned(), stage, host, pace, settings, lab, folder })
    }

    /// The demonstration's times.
    pub(super) fn time(&self) -> &DemoTime {
        &self.lab.demo_time
    }

    /// How long `of` the environment's time lasts in real time.
    pub(super) fn real(&self, of: Duration) -> Duration {
        self.pace.real(of)
    }

    /// How many seconds of the environment's time are one column of its load.
    pub(super) fn seconds_a_column(&self) -> u64 {
        // Rounded: a column of half a second more or less is none the worse.
        self.pace.speed.round().clamp(1.0, 1_000.0) as u64
    }

    /// That it is a simulation and how fast its time goes, if it is one.
    pub(super) fn honesty(&self) -> Option<String> {
        let speed = self.pace.speed;
        self.lab.simulated.then(|| format!("simulated, {speed:.0}× real time"))
    }

    /// What is different from an operator's defaults, in words.
    pub(super) fn policy(&self) -> Vec<String> {
        let policy = &self.settings.policy;
        let budget = &policy.budget;
        let mut lines = vec![
            format!(
                "policy: low risk {}, medium risk {}, high risk {}; undoing somebody's change always asks",
                policy.low_risk, policy.medium_risk, policy.high_risk
            ),
            format!(
                "policy: {} looks must agree, a cause must be {:.0} % probable, at most {} actions an hour on one target",
                policy.confirmations,
                policy.minimum_probability * 100.0,
                budget.per_target_per_hour
            ),
            format!("it looks every {}", show_duration(self.settings.interval)),
        ];
        lines.extend(self.lab.demo_settings.iter().map(|(name, value, why)| format!("{name} = {value}: {why}")));
        lines.push(format!(
            "from another terminal: operator tickets list --state-dir {}",
            self.folder.path().join("state").display()
        ));
        lines
    }

    /// Ends everything and removes the folder.
    pub(super) async fn strike(self) -> Result<(), Failure> {
        self.host.stop().await;
        // What a broken repair left cannot be taken back; it goes with the folder.
        let cleared = self.stage.environment.clear().await;
        let ended = self.stage.environment.shut_down().await;
        if let Err(error) = cleared {
            tracing::info!(%error, "not everything was taken back");
        }
        ended.map_err(|error| Failure::failed("end the environment", error))?;
        drop(self.stage);
        let path = self.folder.path().display().to_string();
        self.folder.close().map_err(|error| Failure::failed(format!("remove {path}"), error))
    }
}

/// The demonstration's own settings: as an operator that may act on what users do not or hardly notice, in the time of
/// somebody who watches.
fn settings(time: &DemoTime) -> EngineSettings {
    EngineSettings {
        interval: time.interval,
        wait_before_human: time.wait_before_human,
        policy: PolicySettings {
            low_risk: Autonomy::Auto,
            medium_risk: Autonomy::Auto,
            quiesce: time.quiesce,
            ..PolicySettings::default()
        },
        ..EngineSettings::default()
    }
}
