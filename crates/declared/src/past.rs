//! Signals of the past, from the Prometheus server that the file names: so that an operator started a minute ago still
//! has a baseline. Only signals that are PromQL have one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use operator_prometheus::{QueryClient, Series};
use operator_protocols::{Locus, Observation, Signal, SignalKind, Timestamp, Unavailable};

use crate::file::{self, Place, Source, SystemFile};
use crate::limits;

/// The finest step: the usual interval of scrapes.
const SHORTEST_STEP: Duration = Duration::from_secs(15);
/// Points of one series at most.
const MAX_POINTS: u32 = 240;
/// Reading the past may take so long altogether; what has come by then is given.
const BUDGET: Duration = Duration::from_secs(10);

/// The signals from `from` to `to`, oldest first.
pub(crate) async fn read(
    prometheus: &QueryClient,
    subject: &str,
    file: &SystemFile,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Observation>, Unavailable> {
    if to <= from {
        return Ok(Vec::new());
    }
    let begun = Instant::now();
    let step = SHORTEST_STEP.max(to.since(from) / MAX_POINTS);
    let mut observations: BTreeMap<Timestamp, Observation> = BTreeMap::new();
    for signal in &file.signals {
        let Source::PromQl(expression) = &signal.source else { continue };
        if begun.elapsed() > BUDGET {
            break;
        }
        let series = prometheus.range(expression, from, to, step).await;
        let series = series.map_err(|error| error.unavailable(format!("the past of {}", signal.name)))?;
        let mut by_place: BTreeMap<Locus, Vec<Series>> = BTreeMap::new();
        for series in series.into_iter().take(limits::READINGS_OF_ONE) {
            if let Some(on) = place(subject, file, signal, &series) {
                by_place.entry(on).or_default().push(series);
            }
        }
        for (on, series) in by_place {
            // Of two series that name one place neither is it.
            let [series] = &series[..] else { continue };
            let within = |at: Timestamp| at >= from && at <= to;
            for point in series.points.iter().filter(|point| point.value.is_finite() && within(point.at)) {
                let observation = observations.entry(point.at).or_insert_with(|| Observation::new(point.at));
                observation.signals.push(Signal {
                    on: on.clone(),
                    name: signal.name.clone(),
                    role: signal.role,
                    value: point.value,
                    unit: signal.unit.clone(),
                    observed_at: point.at,
                    kind: SignalKind::Gauge,
                    worse: signal.worse,
                });
            }
        }
    }
    Ok(observations.into_values().collect())
}

/// What a series is on.
fn place(subject: &str, file: &SystemFile, signal: &file::Signal, series: &Series) -> Option<Locus> {
    match (&signal.by, &signal.place) {
        (Some(by), place) => place.named(subject, &file.components, series.labels.get(by)?),
        (None, Place::Component(_) | Place::Edge(..) | Place::Entity(..)) => {
            let known = signal.place.known(subject, &file.components, &file.dependencies);
            known.into_iter().next().map(|(on, _)| on)
        }
        (None, Place::Kind(_) | Place::Links(_) | Place::Entities(_)) => None,
    }
}
