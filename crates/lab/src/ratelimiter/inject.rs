//! Breaking things: what a fault needs to know beforehand, and what it really does.

use std::fs;
use std::io;

use super::environment::Inner;
use super::fault::Fault;
use super::node_api::StoredLimit;
use super::outside_write::{self, OutsideWrite};
use super::places::loopback;
use super::programs::{DEFAULT_LIMIT, DEFAULT_WINDOW_MS};
use super::undo::Undo;
use super::{REDIS, redis_commands};
use crate::environment::Injected;
use crate::error::LabError;
use crate::process::ProcessError;
use crate::proxy::Behaviour;

/// How many times the right limit a wrong configuration has, unless it is given.
const TOO_HIGH: u32 = 10;

impl Inner {
    /// Breaks something: finds out how to take it back, writes that down, and only then acts.
    pub(super) async fn inject(&self, fault: &Fault) -> Result<Injected, LabError> {
        let _operation = self.operation.lock().await;
        let undo = self.prepare(fault).await?;
        let what = fault.to_string();
        let number = self.journal().begin(&what, undo.clone())?;
        tracing::info!(fault = %what, "injecting");
        if let Err(error) = self.act(fault, &undo).await {
            // Half a fault is taken back at once; if that fails too, it stays in the journal.
            if self.undo(&undo).await.is_ok() {
                self.journal().done(number)?;
            }
            return Err(error);
        }
        Ok(Injected { number, what })
    }

    /// How to take a fault back. Changes nothing.
    async fn prepare(&self, fault: &Fault) -> Result<Undo, LabError> {
        Ok(match fault {
            Fault::KillNode { node } => {
                self.running_node(node)?;
                Undo::Start { component: node.clone() }
            }
            Fault::PauseNode { node } => {
                Undo::Resume { component: node.clone(), incarnation: self.running_node(node)? }
            }
            Fault::PauseRedisWrites { .. } => Undo::LetRedisWrite,
            Fault::KillRedis {} | Fault::LoseRedisData {} => Undo::Start { component: REDIS.to_owned() },
            Fault::EvictKeys { .. } => Undo::LetRedisKeepAll,
            Fault::CutLink { node } | Fault::SlowLink { node, .. } => {
                self.places.node(node)?;
                Undo::Mend { node: node.clone() }
            }
            Fault::WrongConfig { node, .. } | Fault::WrongRedis { node } => {
                self.places.node(node)?;
                Undo::RestartAsDeclared { component: node.clone() }
            }
            Fault::OutsideWrites { key, .. } => Undo::Reset { key: key.clone() },
            Fault::RaiseLimit { key, factor } => {
                let before = self.api().stored_limit(key).await?;
                let right = before.map_or(self.config.default_limit, |stored| stored.limit);
                let wrong = right.saturating_mul(*factor).min(1_000_000_000);
                if wrong <= right {
                    return Err(LabError::invalid(
                        "factor",
                        format!("the limit of {key} is {right}, it cannot be raised"),
                    ));
                }
                Undo::RestoreLimit { key: key.clone(), wrong, before }
            }
            Fault::HogCpu { node, .. } => Undo::FreeCpu { group: self.cpu_group(node)? },
            Fault::TenantBurst { .. } => Undo::EndBurst,
            Fault::PlannedWork { .. } => Undo::EndWork { limits: self.limits_before_work().await? },
        })
    }

    /// Does what the fault says.
    async fn act(&self, fault: &Fault, undo: &Undo) -> Result<(), LabError> {
        match fault {
            Fault::KillNode { node } => {
                self.supervisor.kill(node).await?;
            }
            Fault::PauseNode { node } => {
                self.supervisor.pause(node).await?;
            }
            Fault::PauseRedisWrites { for_ms } => redis_commands::pause_writes(self.redis_address(), *for_ms).await?,
            Fault::KillRedis {} => {
                self.supervisor.kill(REDIS).await?;
            }
            Fault::LoseRedisData {} => self.lose_redis_data().await?,
            Fault::EvictKeys { keep_percent } => redis_commands::evict(self.redis_address(), *keep_percent).await?,
            Fault::CutLink { node } => self.places.node(node)?.link.set(Behaviour::Cut),
            Fault::SlowLink { node, round_trip_ms } => {
                self.places.node(node)?.link.set(Behaviour::round_trip(*round_trip_ms));
            }
            Fault::WrongConfig { node, default_limit, default_window_ms } => {
                self.run_with_wrong_config(node, *default_limit, *default_window_ms).await?;
            }
            Fault::WrongRedis { node } => self.run_with_other_redis(node).await?,
            Fault::OutsideWrites { key, window_ms, entries, cost } => {
                let limit = self.config.default_limit;
                let write = OutsideWrite { key, window_ms: *window_ms, entries: *entries, cost: *cost, limit };
                outside_write::write(self.redis_address(), &write).await?;
            }
            Fault::RaiseLimit { key, .. } => {
                let Undo::RestoreLimit { wrong, before, .. } = undo else { return Ok(()) };
                let window_ms = before.and_then(|stored| stored.window_ms);
                self.api().put_limit(key, &StoredLimit { limit: *wrong, window_ms }).await?;
            }
            Fault::HogCpu { node, percent } => {
                let Undo::FreeCpu { group } = undo else { return Ok(()) };
                self.hog_cpu(node, *percent, group).await?;
            }
            Fault::TenantBurst { rate, for_s } => self.begin_burst(*rate, *for_s).await?,
            Fault::PlannedWork { every_s, for_s } => {
                let Undo::EndWork { limits } = undo else { return Ok(()) };
                self.begin_work(limits, *every_s, *for_s).await;
            }
        }
        Ok(())
    }

    pub(super) fn running_node(&self, node: &str) -> Result<String, LabError> {
        self.places.node(node)?;
        let status = self.supervisor.status(node)?;
        status
            .incarnation
            .filter(|_| status.running)
            .ok_or_else(|| ProcessError::NotRunning { name: node.to_owned() }.into())
    }

    async fn run_with_wrong_config(
        &self,
        node: &str,
        limit: Option<u32>,
        window_ms: Option<u32>,
    ) -> Result<(), LabError> {
        let mut wrong = self.supervisor.spec(node)?;
        let limit = match (limit, window_ms) {
            (None, None) => Some(self.config.default_limit.saturating_mul(TOO_HIGH).min(1_000_000_000)),
            (given, _) => given,
        };
        if let Some(limit) = limit {
            wrong = wrong.env(DEFAULT_LIMIT, limit.to_string());
        }
        if let Some(window_ms) = window_ms {
            wrong = wrong.env(DEFAULT_WINDOW_MS, window_ms.to_string());
        }
        self.supervisor.start_with_override(node, &wrong).await?;
        Ok(())
    }

    async fn run_with_other_redis(&self, node: &str) -> Result<(), LabError> {
        self.supervisor.start(super::environment::OTHER_REDIS).await?;
        let other = loopback(self.places.other_redis.port());
        let wrong = self.supervisor.spec(node)?.env("RATELIMITER_REDIS_URL", format!("redis://{other}"));
        self.supervisor.start_with_override(node, &wrong).await?;
        Ok(())
    }

    async fn lose_redis_data(&self) -> Result<(), LabError> {
        self.supervisor.kill(REDIS).await?;
        let data = self.redis_folder().join("appendonlydir");
        match fs::remove_dir_all(&data) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LabError::Folder { path: data, source: error });
            }
            _ => {}
        }
        self.supervisor.start(REDIS).await?;
        Ok(())
    }
}
