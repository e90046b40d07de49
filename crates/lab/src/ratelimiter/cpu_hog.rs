//! Others burn a node's processor time: real processes that never rest, one a processor, in one control group with the
//! node. The group gets a small part of one processor, so that the rest of the machine goes on as ever.

use std::num::NonZero;

use super::environment::Inner;
use crate::error::LabError;
use crate::process::{CpuGroup, ProcessError, ProcessSpec};

/// They never rest.
const BURN: &str = "while :; do :; done";
const SHELL: &str = "/bin/sh";

fn hogs() -> impl Iterator<Item = String> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    (1..=processors.min(64)).map(|number| format!("hog-{number}"))
}

impl Inner {
    /// The group that is to be made for a node. Changes nothing.
    pub(super) fn cpu_group(&self, node: &str) -> Result<CpuGroup, LabError> {
        self.running_node(node)?;
        let pid = self.pid(node)?;
        let name = format!("operator-lab-{}-{node}", std::process::id());
        CpuGroup::plan(&name, pid).map_err(|error| LabError::asked(format!("limit {node}'s processor time"), error))
    }

    pub(super) async fn hog_cpu(&self, node: &str, percent: u8, group: &CpuGroup) -> Result<(), LabError> {
        let failed = |error| LabError::asked(format!("limit {node}'s processor time"), error);
        group.make(percent).map_err(failed)?;
        group.take_in(self.pid(node)?).map_err(failed)?;
        for hog in hogs() {
            self.supervisor.declare(ProcessSpec::new(&*hog, SHELL).args(["-c", BURN]))?;
            self.supervisor.start(&hog).await?;
            group.take_in(self.pid(&hog)?).map_err(failed)?;
        }
        Ok(())
    }

    pub(super) async fn free_cpu(&self, group: &CpuGroup) -> Result<(), LabError> {
        let failed = |error| LabError::asked("give a node its processor time back", error);
        group.lift().map_err(failed)?;
        let known = self.supervisor.names();
        for hog in hogs().filter(|hog| known.contains(hog)) {
            self.supervisor.stop(&hog).await?;
        }
        group.remove().map_err(failed)
    }

    fn pid(&self, name: &str) -> Result<u32, LabError> {
        let pid = self.supervisor.report(name)?.pid;
        pid.ok_or_else(|| ProcessError::NotRunning { name: name.to_owned() }.into())
    }
}
