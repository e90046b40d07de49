//! What is seen of the simulated system at one instant.

use operator_protocols::{
    Component, ComponentState, Dependency, DependencyState, Event, EventId, EventKind, Id, Locus, Observation, Signal,
    SignalKind, SignalRole, Timestamp, Worse,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::fault::Acting;
use super::{SUBJECT, Shape, api, hop, labels, store};

/// The state of the system between two looks: its counters, and how it is when it is well.
#[derive(Debug)]
pub struct Sampler {
    rate: f64,
    hop: f64,
    own: f64,
    lag: f64,
    store: f64,
    full: f64,
    noise: f64,
    drift: f64,
    counters: std::collections::BTreeMap<(Locus, &'static str), f64>,
}

impl Sampler {
    pub fn new(rng: &mut ChaCha8Rng, _shape: &Shape) -> Self {
        Self {
            rate: rng.random_range(20.0..300.0),
            hop: rng.random_range(0.000_4..0.004),
            own: rng.random_range(0.001..0.008),
            lag: rng.random_range(0.000_05..0.000_3),
            store: rng.random_range(0.000_1..0.000_4),
            full: rng.random_range(0.2..0.6),
            noise: rng.random_range(0.05..0.25),
            drift: rng.random_range(0.0..6.0),
            counters: std::collections::BTreeMap::new(),
        }
    }

    /// `value` with multiplicative noise and now and then a spike: most measured times look like this.
    fn noisy(&self, rng: &mut ChaCha8Rng, value: f64) -> f64 {
        let mut sum = 0.0;
        for _ in 0..6 {
            sum += rng.random_range(-1.0..1.0);
        }
        let spike = if rng.random_bool(0.01) { rng.random_range(1.0..4.0) } else { 1.0 };
        value * (self.noise * sum / 2.0_f64.sqrt()).exp() * spike
    }

    fn count(&mut self, on: &Locus, name: &'static str, more: f64) -> f64 {
        let counter = self.counters.entry((on.clone(), name)).or_insert(1_000.0);
        *counter += more.max(0.0).round();
        *counter
    }

    pub fn observe(
        &mut self,
        rng: &mut ChaCha8Rng,
        shape: &Shape,
        at: Timestamp,
        fault: Option<&Acting>,
    ) -> Observation {
        let calm = Acting::none();
        let fault = fault.unwrap_or(&calm);
        let mut seen = Observation::new(at);
        // Load drifts slowly, as it does through a day.
        self.drift += 0.02;
        let load = self.rate * (1.0 + 0.1 * self.drift.sin()) * fault.load;
        let answering: Vec<usize> = (1..=shape.callers).filter(|n| !fault.down.contains(&api(*n))).collect();
        let share = load * shape.callers as f64 / answering.len().max(1) as f64;
        let mut slowest = 0.0_f64;

        for n in 1..=shape.callers {
            let (me, link) = (api(n), hop(n));
            let down = fault.down.contains(&me);
            let store_down = fault.down.contains(&store());
            let cut = fault.cut.contains(&link) || store_down;
            let degraded = cut || fault.degraded.contains(&me);
            seen.components.push(component(
                &format!("api-{n}"),
                "api",
                if down {
                    ComponentState::Down
                } else if degraded {
                    ComponentState::Degraded
                } else {
                    ComponentState::Up
                },
                "1",
            ));
            seen.dependencies.push(Dependency {
                from: Id::new(SUBJECT, format!("api-{n}")),
                to: Id::new(SUBJECT, "store"),
                kind: "uses".into(),
                state: if down {
                    DependencyState::Unknown
                } else if cut {
                    DependencyState::Down
                } else {
                    DependencyState::Up
                },
            });
            if down {
                continue;
            }
            let requests = self.noisy(rng, share * 5.0).round();
            let own_delay = fault.delay(&me);
            let hop_time =
                self.noisy(rng, self.hop * fault.slower) + fault.delay(&link) + fault.delay(&store()) + own_delay * 0.7;
            let errors = if cut { requests } else { requests * fault.failing(&link) + rng.random_range(0.0..1.2) };
            if shape.hop_latency && !cut {
                let pinged = if fault.unseen { self.noisy(rng, self.hop) } else { hop_time };
                seen.signals.push(gauge(&link, "hop_seconds", SignalRole::Latency, pinged, "s", at));
            }
            let failed = self.count(&link, "hop_errors_total", errors);
            seen.signals.push(counter(&link, "hop_errors_total", SignalRole::Errors, failed, at));
            if shape.hop_traffic {
                let calls = self.count(&link, "hop_calls_total", requests);
                seen.signals.push(counter(&link, "hop_calls_total", SignalRole::Traffic, calls, at));
            }
            if shape.traffic {
                let asked = self.count(&me, "requests_total", requests);
                seen.signals.push(counter(&me, "requests_total", SignalRole::Traffic, asked, at));
            }
            let waits = if cut { 0.25 } else { hop_time };
            let took = self.noisy(rng, self.own * fault.slower) + waits + own_delay;
            slowest = slowest.max(took);
            seen.signals.push(gauge(&me, "request_seconds_p99", SignalRole::Latency, took * 1.2, "s", at));
            if shape.loop_lag {
                let lag = self.noisy(rng, self.lag) + own_delay;
                seen.signals.push(gauge(&me, "loop_lag_seconds", SignalRole::Latency, lag, "s", at));
            }
            if shape.liveness {
                let live = self.noisy(rng, self.own / 3.0) + own_delay;
                seen.signals.push(gauge(&me, "liveness_seconds", SignalRole::Latency, live, "s", at));
            }
        }

        self.observe_store(rng, shape, at, fault, &mut seen);
        if shape.gateway {
            seen.components.push(component("gateway", "gateway", ComponentState::Up, "1"));
            for n in 1..=shape.callers {
                seen.dependencies.push(Dependency {
                    from: Id::new(SUBJECT, "gateway"),
                    to: Id::new(SUBJECT, format!("api-{n}")),
                    kind: "routes".into(),
                    state: if fault.down.contains(&api(n)) { DependencyState::Down } else { DependencyState::Up },
                });
            }
            let on = Locus::component(SUBJECT, "gateway");
            let took = self.noisy(rng, self.own) + slowest;
            seen.signals.push(gauge(&on, "page_seconds", SignalRole::Latency, took, "s", at));
        }
        seen.events.extend(fault.events.iter().cloned());
        seen
    }

    fn observe_store(
        &mut self,
        rng: &mut ChaCha8Rng,
        shape: &Shape,
        at: Timestamp,
        fault: &Acting,
        seen: &mut Observation,
    ) {
        let on = store();
        let down = fault.down.contains(&on);
        let incarnation = if fault.restarted { "2" } else { "1" };
        if fault.restarted {
            seen.events.push(Event {
                id: EventId::new(SUBJECT, "restart-store"),
                at,
                on: on.clone(),
                kind: EventKind::Restart,
                change: None,
                message: "store started".into(),
            });
        }
        let state = if down { ComponentState::Down } else { ComponentState::Up };
        seen.components.push(component("store", "store", state, incarnation));
        if down {
            return;
        }
        if shape.store_latency {
            let shown = if fault.hidden { 0.0 } else { fault.delay(&on) };
            let took = self.noisy(rng, self.store * fault.slower) + shown;
            seen.signals.push(gauge(&on, "operation_seconds", SignalRole::Latency, took, "s", at));
        }
        let full = fault.full.unwrap_or_else(|| (self.noisy(rng, self.full)).min(0.8));
        seen.signals.push(gauge(&on, "memory_used_ratio", SignalRole::Saturation, full, "1", at));
    }
}

fn component(name: &str, kind: &str, state: ComponentState, incarnation: &str) -> Component {
    Component {
        id: Id::new(SUBJECT, name),
        kind: kind.into(),
        address: None,
        state,
        raw_state: format!("{state:?}").to_lowercase(),
        version: None,
        labels: labels(incarnation),
    }
}

pub fn gauge(on: &Locus, name: &str, role: SignalRole, value: f64, unit: &str, at: Timestamp) -> Signal {
    Signal {
        on: on.clone(),
        name: name.into(),
        role,
        value,
        unit: unit.into(),
        observed_at: at,
        kind: SignalKind::Gauge,
        worse: if role == SignalRole::Traffic { Worse::Neither } else { Worse::Higher },
    }
}

fn counter(on: &Locus, name: &str, role: SignalRole, value: f64, at: Timestamp) -> Signal {
    Signal { kind: SignalKind::Counter { since: Timestamp::from_millis(1) }, ..gauge(on, name, role, value, "1", at) }
}
