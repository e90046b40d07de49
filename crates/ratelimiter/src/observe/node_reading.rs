//! What one expected node answered in one observation.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use operator_protocols::{Observation, Unavailable};

use super::memory::{Memory, Target};
use super::scrape::Scrape;
use crate::api::Health;
use crate::client::NodeClient;
use crate::client_error::ClientError;
use crate::details::NodeDetail;

/// What one node answered.
#[derive(Debug)]
pub(super) struct NodeReading {
    /// Which node, and where.
    pub(super) target: Target,
    /// How long it took to say that it lives.
    pub(super) livez: Result<Duration, Silence>,
    /// What it says of itself; not asked, if it does not live.
    pub(super) health: Option<Result<Health, ClientError>>,
    /// Its metrics; not asked, if it does not live.
    pub(super) scrape: Option<Result<Scrape, ClientError>>,
}

/// Why a node did not say that it lives.
#[derive(Debug)]
pub(super) struct Silence {
    /// Why.
    pub(super) why: String,
    /// Whether nobody listens there.
    pub(super) refused: bool,
}

/// Gives nodes that the configuration does not name the names they call themselves by.
pub(super) fn name_by_their_word(nodes: &mut [NodeReading]) {
    let mut taken: BTreeSet<String> = nodes.iter().map(|node| node.target.id.clone()).collect();
    for node in nodes.iter_mut().filter(|node| !node.target.named) {
        let Some(own) = node.health().map(|health| health.node_id.clone()) else { continue };
        if taken.insert(own.clone()) {
            node.target.id = own;
        }
    }
}

impl NodeReading {
    /// Asks it.
    pub(super) async fn take(client: &NodeClient, target: Target) -> Self {
        let Some(endpoint) = target.endpoint.clone() else {
            let why = "only the registry knows it, and its host is not among discover_hosts".to_owned();
            return Self { target, livez: Err(Silence { why, refused: false }), health: None, scrape: None };
        };
        let livez = client.livez(&endpoint).await;
        let livez = livez.map_err(|error| Silence { why: error.chain(), refused: error.is_refused() });
        if livez.is_err() {
            return Self { target, livez, health: None, scrape: None };
        }
        let (health, metrics) = tokio::join!(client.health(&endpoint), client.metrics(&endpoint));
        let taken = Instant::now();
        let scrape = metrics.map(|exposition| Scrape::read(&exposition, &target.id, taken));
        Self { target, livez, health: Some(health), scrape: Some(scrape) }
    }

    /// What it says of itself, if it did.
    pub(super) fn health(&self) -> Option<&Health> {
        self.health.as_ref()?.as_ref().ok()
    }

    /// Its metrics, if it gave them.
    pub(super) fn scrape(&self) -> Option<&Scrape> {
        self.scrape.as_ref()?.as_ref().ok()
    }

    /// Whether it can be asked at all.
    pub(super) fn can_be_asked(&self) -> bool {
        self.target.endpoint.is_some()
    }

    pub(super) fn detail(&self, memory: &Memory) -> NodeDetail {
        let address = self.target.endpoint.as_ref().map(|endpoint| endpoint.address.clone());
        let leaving = memory.is_leaving(&self.target.id);
        match (&self.livez, self.health()) {
            (Err(silence), _) => NodeDetail {
                refused: silence.refused,
                leaving,
                boot_id: memory.boot_of(&self.target.id).map(str::to_owned),
                ..NodeDetail::silent(address, &silence.why)
            },
            (Ok(_), None) => NodeDetail { answers: true, silence: None, ..NodeDetail::silent(address, "") },
            (Ok(_), Some(health)) => NodeDetail {
                address,
                answers: true,
                silence: None,
                refused: false,
                boot_id: Some(health.boot_id.clone()),
                mode: Some(health.mode),
                redis_connected: Some(health.redis_connected),
                redis_run_id: health.redis_run_id.clone(),
                draining: health.draining,
                leaving: health.leaving,
                settings: Some(health.settings.clone()),
            },
        }
    }

    /// Says what it did not answer.
    pub(super) fn write_unavailable(&self, observation: &mut Observation) {
        let id = &self.target.id;
        if let Err(silence) = &self.livez {
            observation.unavailable.push(Unavailable::new(format!("node {id}"), &silence.why));
        }
        if let Some(Err(error)) = &self.health {
            observation.unavailable.push(error.unavailable(format!("the health of {id}")));
        }
        match &self.scrape {
            Some(Err(error)) => observation.unavailable.push(error.unavailable(format!("the metrics of {id}"))),
            Some(Ok(scrape)) => observation.unavailable.extend(scrape.unavailable.iter().cloned()),
            None => {}
        }
        if let Some(health) = self.health().filter(|health| health.node_id != *id && self.target.named) {
            let why = format!("it calls itself {}", health.node_id);
            observation.unavailable.push(Unavailable::new(format!("the identity of {id}"), why));
        }
    }
}
