//! What the simulated cluster consists of.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::LabError;

/// What the simulated cluster consists of. What is not given is as in the scenarios: three members of PD, five stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TikvConfig {
    /// Where the environment writes: its undo journal.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The name of the subject instance.
    pub subject: String,
    /// Members of PD.
    pub members: u32,
    /// The member of PD that leads at first, by name; any, if none is named.
    pub pd_leader: String,
    /// Stores.
    pub stores: u32,
    /// Regions.
    pub regions: u32,
    /// Replicas of each region.
    pub replicas: u32,
    /// MiB of each region.
    pub region_mib: u32,
    /// GiB of each store's disk.
    pub capacity_gib: u32,
    /// A dead store's replicas are replaced after so many seconds.
    pub max_store_down_s: u32,
    /// PD's own schedulers that are not there, by name.
    pub without_schedulers: Vec<String>,
    /// Everything that is left to chance follows from this.
    pub seed: u64,
}

impl Default for TikvConfig {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            subject: "cluster".to_owned(),
            members: 3,
            pd_leader: String::new(),
            stores: 5,
            regions: 300,
            replicas: 3,
            region_mib: 96,
            capacity_gib: 500,
            max_store_down_s: 1_800,
            without_schedulers: Vec::new(),
            seed: 0,
        }
    }
}

impl TikvConfig {
    /// Whether every setting makes sense.
    ///
    /// # Errors
    /// Names the first that does not and what would be right.
    pub fn check(&self) -> Result<(), LabError> {
        let within = |field: &str, value: u32, low: u32, high: u32| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(LabError::invalid(field, format!("{low} to {high}, not {value}")))
            }
        };
        let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.subject.is_empty() || self.subject.len() > 64 || !self.subject.chars().all(name) {
            return Err(LabError::invalid("subject", "1 to 64 lower-case letters, digits and dashes"));
        }
        within("members", self.members, 1, 7)?;
        let members: Vec<String> = (1..=self.members).map(|number| format!("pd-{number}")).collect();
        if !self.pd_leader.is_empty() && !members.contains(&self.pd_leader) {
            let message = format!("one of {}, not {:?}", members.join(", "), self.pd_leader);
            return Err(LabError::invalid("pd_leader", message));
        }
        within("stores", self.stores, 1, 2_000)?;
        within("regions", self.regions, 1, 200_000)?;
        within("replicas", self.replicas, 1, self.stores.min(5))?;
        within("region_mib", self.region_mib, 1, 10_240)?;
        within("capacity_gib", self.capacity_gib, 20, 65_536)?;
        within("max_store_down_s", self.max_store_down_s, 60, 86_400)
    }

    /// The components: members of PD, then stores.
    pub fn components(&self) -> Vec<String> {
        let members = (1..=self.members).map(|number| format!("pd-{number}"));
        members.chain((1..=self.stores).map(|number| format!("store-{number}"))).collect()
    }
}
