//! Load: the load generator's container, and what it tells every second.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::AbortHandle;

use super::error::ComposeError;
use super::inner::{Inner, lock};
use crate::environment::{WorkloadSample, WorkloadSpec};
use crate::error::LabError;

/// Ten minutes of seconds.
const KEPT_SAMPLES: usize = 600;

/// What is known of the load that runs. With it ends the reading of what it says.
#[derive(Debug)]
pub(super) struct RunningLoad {
    samples: Arc<Mutex<VecDeque<WorkloadSample>>>,
    reading: AbortHandle,
}

impl Drop for RunningLoad {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Inner {
    /// Puts the system under load, in place of any load before.
    pub(super) async fn begin_workload(self: &Arc<Self>, spec: &WorkloadSpec) -> Result<(), LabError> {
        let load =
            self.load.as_ref().ok_or_else(|| LabError::asked("put it under load", "it has no load generator"))?;
        let arguments = load.arguments(spec)?;
        let _operation = self.operation.lock().await;
        let variables = {
            let mut variables = lock(&self.variables);
            variables.insert(load.variable().to_owned(), arguments);
            variables.clone()
        };
        self.project.write(&self.files, &variables)?;
        self.project.recreate(load.service()).await?;
        let container = self.project.container(load.service()).await?;
        let mut following = self.project.follow(&container);
        let mut child = following
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| ComposeError::Run { program: self.engine().docker.clone(), source })?;
        let samples = Arc::new(Mutex::new(VecDeque::new()));
        let (kept, weak) = (Arc::clone(&samples), Arc::downgrade(self));
        let reading = tokio::spawn(async move {
            let Some(output) = child.stdout.take() else { return };
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let Some(inner) = weak.upgrade() else { return };
                if let Some(sample) = inner.load.as_ref().and_then(|load| load.sample(&line)) {
                    let mut kept = lock(&kept);
                    kept.push_back(sample);
                    let surplus = kept.len().saturating_sub(KEPT_SAMPLES);
                    kept.drain(..surplus);
                }
            }
        });
        *lock(&self.running_load) = Some(RunningLoad { samples, reading: reading.abort_handle() });
        self.look().await;
        Ok(())
    }

    /// Ends the load; what it met stays to be seen.
    pub(super) async fn end_workload(&self) -> Result<(), LabError> {
        let Some(load) = &self.load else { return Ok(()) };
        let _operation = self.operation.lock().await;
        match self.project.container(load.service()).await {
            Ok(container) if container.status.running => self.project.stop(&container).await?,
            Ok(_) | Err(ComposeError::NoContainer { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.look().await;
        Ok(())
    }

    /// What the load met so far, second by second.
    pub(super) fn samples(&self) -> Vec<WorkloadSample> {
        lock(&self.running_load).as_ref().map_or_else(Vec::new, |load| lock(&load.samples).iter().copied().collect())
    }
}
