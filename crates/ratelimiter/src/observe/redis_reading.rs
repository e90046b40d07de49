//! What the expected Redis answered in one observation, before the nodes were asked what they admitted.

use std::time::{Duration, Instant};

use operator_protocols::{Observation, Unavailable};

use super::memory::Memory;
use crate::details::RedisDetail;
use crate::inspector::{Info, Inspection, InspectorError, LogId, Registry};

/// What Redis answered.
#[derive(Debug)]
pub(super) struct RedisReading {
    /// What it says of itself, or why it does not.
    pub(super) info: Result<Info, String>,
    /// When that was.
    pub(super) taken: Instant,
    /// How long it takes to answer.
    pub(super) read_duration: Option<Duration>,
    /// The registry.
    pub(super) registry: Result<Registry, String>,
    /// A part of the key space, and where the next begins.
    pub(super) scanned: Option<(Vec<LogId>, u64)>,
}

impl RedisReading {
    /// Asks it.
    pub(super) async fn take(inspection: &Inspection, scan_cursor: u64) -> Self {
        let asked = async {
            let read_duration = inspection.read_duration().await?;
            Ok::<_, InspectorError>((read_duration, inspection.info().await?))
        };
        let (read_duration, info) = match asked.await {
            Ok(asked) => asked,
            Err(error) => return Self::silent(error.chain()),
        };
        let taken = Instant::now();
        let registry = inspection.registry().await.map_err(|error| error.chain());
        let scanned = inspection.scan(scan_cursor).await.ok();
        Self { info: Ok(info), taken, read_duration: Some(read_duration), registry, scanned }
    }

    /// It did not answer.
    pub(super) fn silent(why: String) -> Self {
        Self { info: Err(why.clone()), taken: Instant::now(), read_duration: None, registry: Err(why), scanned: None }
    }

    /// Whether it answered.
    pub(super) fn answers(&self) -> bool {
        self.info.is_ok()
    }

    pub(super) fn detail(&self, memory: &Memory) -> RedisDetail {
        let info = self.info.as_ref();
        RedisDetail {
            answers: info.is_ok(),
            silence: info.err().cloned(),
            run_id: info.map(|info| info.run_id.clone()).ok().or_else(|| memory.run_id.clone()),
            trouble: None,
            eviction_policy: info.ok().and_then(|info| info.text("maxmemory_policy")).map(str::to_owned),
        }
    }

    /// Says what it did not answer.
    pub(super) fn write_unavailable(&self, observation: &mut Observation) {
        if let Err(why) = &self.info {
            observation.unavailable.push(Unavailable::new("Redis", why));
        } else if let Err(why) = &self.registry {
            observation.unavailable.push(Unavailable::new("the registry", why));
        }
    }
}
