//! Showing what the loop knows, anew after every cycle and command.

use std::collections::BTreeMap;
use std::sync::Arc;

use operator_protocols::{Descriptor, InvariantDefinition, Timestamp};

use super::{Engine, EngineSettings, state};
use crate::SubjectView;
use crate::policy::Autonomy;

impl Engine {
    pub(super) fn publish(&self, at: Timestamp) {
        self.lay_out();
        let mut tickets: Vec<_> = self.state.tickets.values().cloned().collect();
        tickets.sort_by(|a, b| (a.opened_at, a.id.len(), &a.id).cmp(&(b.opened_at, b.id.len(), &b.id)));
        let mut incidents: Vec<_> = self.state.incidents.values().cloned().collect();
        incidents.sort_by(|a, b| (a.opened_at, a.id.len(), &a.id).cmp(&(b.opened_at, b.id.len(), &b.id)));
        let mut executions: Vec<_> = self.state.executions.values().cloned().collect();
        executions.sort_by_key(|e| (e.proposal.created_at, state::intent_number(&e.proposal.id)));
        let mut trouble: Vec<_> = self.trouble.iter().map(|(what, why)| format!("{what}: {why}")).collect();
        if self.fenced {
            trouble.push("another operator took over: this one only looks".to_owned());
        }
        let policy = &self.settings.policy;
        self.view.send_replace(Arc::new(SubjectView {
            descriptor: self.descriptor.clone(),
            cycle: self.cycle,
            at,
            observation: self.history.last().cloned(),
            invariants: self.definitions.values().cloned().collect(),
            evaluations: self.evaluations.clone(),
            violations: self.state.violations.values().cloned().collect(),
            tickets,
            incidents,
            diagnoses: self
                .state
                .diagnoses
                .iter()
                .map(|(incident, (_, diagnosis))| (incident.clone(), diagnosis.clone()))
                .collect(),
            deliberations: self.state.deliberations.clone(),
            executions,
            verifications: self.state.verifications.clone(),
            autonomy: [policy.low_risk, policy.medium_risk, policy.high_risk],
            killed: self.killed,
            trouble,
        }));
    }
}

pub(super) fn first_view(
    descriptor: &Descriptor,
    definitions: &BTreeMap<String, InvariantDefinition>,
    settings: &EngineSettings,
) -> SubjectView {
    let autonomy: [Autonomy; 3] = [settings.policy.low_risk, settings.policy.medium_risk, settings.policy.high_risk];
    SubjectView {
        descriptor: descriptor.clone(),
        cycle: 0,
        at: Timestamp::default(),
        observation: None,
        invariants: definitions.values().cloned().collect(),
        evaluations: Vec::new(),
        violations: Vec::new(),
        tickets: Vec::new(),
        incidents: Vec::new(),
        diagnoses: BTreeMap::new(),
        deliberations: BTreeMap::new(),
        executions: Vec::new(),
        verifications: BTreeMap::new(),
        autonomy,
        killed: false,
        trouble: Vec::new(),
    }
}
