//! The servers through which a simulated cluster is seen: one for each member of PD that runs, and one for Prometheus.

use std::sync::{Arc, Mutex};

use super::pd_http::MemberServer;
use super::prometheus_http::PrometheusServer;
use super::sim::Simulator;
use crate::error::LabError;
use crate::process::ReservedPort;

/// The servers, and the ports that are theirs whether they run or not.
#[derive(Debug)]
pub(super) struct Servers {
    member_ports: Vec<ReservedPort>,
    members: Vec<Option<MemberServer>>,
    prometheus_port: ReservedPort,
    prometheus: Option<PrometheusServer>,
}

impl Servers {
    /// Reserves ports; nothing runs yet.
    pub(super) fn reserve(members: usize) -> Result<Self, LabError> {
        let member_ports: Vec<ReservedPort> = (0..members).map(|_| ReservedPort::find()).collect::<Result<_, _>>()?;
        let members = member_ports.iter().map(|_| None).collect();
        Ok(Self { member_ports, members, prometheus_port: ReservedPort::find()?, prometheus: None })
    }

    pub(super) fn member_url(&self, index: usize) -> String {
        self.member_ports.get(index).map_or_else(String::new, |port| format!("http://127.0.0.1:{}", port.port()))
    }

    pub(super) fn prometheus_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.prometheus_port.port())
    }

    /// Starts and ends servers, so that those run that run in the model.
    pub(super) fn follow(&mut self, simulator: &Arc<Mutex<Simulator>>, model: &Running) -> Result<(), LabError> {
        for (index, server) in self.members.iter_mut().enumerate() {
            match (model.members.get(index).copied().unwrap_or(false), server.is_some()) {
                (true, false) => {
                    let port = self.member_ports[index].port();
                    let started = MemberServer::start(simulator, index, port);
                    *server = Some(started.map_err(|error| LabError::asked("serve as a member of PD", error))?);
                }
                (false, true) => *server = None,
                _ => {}
            }
        }
        match (model.prometheus, self.prometheus.is_some()) {
            (true, false) => {
                let started = PrometheusServer::start(simulator, self.prometheus_port.port());
                self.prometheus = Some(started.map_err(|error| LabError::asked("serve as Prometheus", error))?);
            }
            (false, true) => self.prometheus = None,
            _ => {}
        }
        Ok(())
    }
}

/// Which servers run in the model.
#[derive(Debug)]
pub(super) struct Running {
    members: Vec<bool>,
    prometheus: bool,
}

impl Running {
    pub(super) fn of(simulator: &Simulator) -> Self {
        Self {
            members: simulator.members.iter().map(|member| member.process.works(simulator.now)).collect(),
            prometheus: simulator.prometheus_runs,
        }
    }
}
