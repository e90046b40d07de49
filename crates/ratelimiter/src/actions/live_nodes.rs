//! The expected nodes as they are this moment: what a guard may rely on.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::Context;
use crate::api::{Health, Mode};
use crate::client::Endpoint;

/// The expected nodes, each with what it says of itself, if it does.
pub(super) struct LiveNodes {
    nodes: BTreeMap<String, Option<(Endpoint, Health)>>,
}

impl LiveNodes {
    /// Asks all of them, side by side.
    pub(super) async fn ask(context: &Context<'_>) -> Self {
        let mut asked = JoinSet::new();
        let mut nodes: BTreeMap<String, Option<(Endpoint, Health)>> = BTreeMap::new();
        for target in &context.targets {
            nodes.insert(target.id.clone(), None);
            let Some(endpoint) = target.endpoint.clone() else { continue };
            let (client, id) = (context.client.clone(), target.id.clone());
            asked.spawn(async move {
                let health = client.health(&endpoint).await.ok();
                (id, health.map(|health| (endpoint, health)))
            });
        }
        while let Some(answer) = asked.join_next().await {
            if let Ok((id, answer)) = answer {
                nodes.insert(id, answer);
            }
        }
        Self { nodes }
    }

    /// How many nodes are expected.
    pub(super) fn expected(&self) -> usize {
        self.nodes.len()
    }

    /// How many nodes other than `node` take traffic.
    pub(super) fn others_serving(&self, node: &str) -> usize {
        self.others(node).filter(|health| !health.draining && !health.leaving).count()
    }

    /// How many nodes other than `node` take traffic and decide together.
    pub(super) fn others_healthy(&self, node: &str) -> usize {
        self.others(node)
            .filter(|health| !health.draining && !health.leaving && health.mode == Mode::Coordinated)
            .count()
    }

    /// What a node says of itself.
    pub(super) fn of(&self, node: &str) -> Option<&Health> {
        self.nodes.get(node)?.as_ref().map(|(_, health)| health)
    }

    /// A node through which Redis `run_id` can be changed; one that takes traffic rather than one that does not.
    pub(super) fn working_on(&self, run_id: &str) -> Option<&Endpoint> {
        let works = |(_, health): &&(Endpoint, Health)| {
            health.mode == Mode::Coordinated && health.redis_run_id.as_deref() == Some(run_id)
        };
        let mut working: Vec<_> = self.nodes.values().flatten().filter(works).collect();
        working.sort_by_key(|(endpoint, health)| (!endpoint.trusted, health.draining || health.leaving));
        working.first().map(|(endpoint, _)| endpoint)
    }

    fn others(&self, node: &str) -> impl Iterator<Item = &Health> {
        self.nodes.iter().filter(move |(id, _)| *id != node).filter_map(|(_, answer)| Some(&answer.as_ref()?.1))
    }
}
