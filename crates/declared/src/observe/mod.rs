//! One observation: checks, scrapes and queries side by side, each bounded in time, put together into what the protocol
//! calls components, dependencies, signals and events. What could not be read is said.

mod components;
mod events;
mod memory;
mod queries;
mod signals;

use std::time::Duration;

use operator_protocols::{Observation, Timestamp, Unavailable};

pub(crate) use memory::Memory;

use crate::check::{self, Asker};
use crate::file::{Means, SystemFile};
use crate::{limits, scrape};

/// How long one observation may take at most, by what is to be asked.
pub(crate) fn deadline(file: &SystemFile) -> Duration {
    let checks = file.components.iter().flat_map(|component| &component.checks);
    let slowest = checks.clone().map(|check| match check.means {
        Means::PromQl(_) => limits::QUERY_TIMEOUT,
        Means::Http { .. } | Means::Tcp { .. } => check.timeout,
    });
    let waves = |number: usize, at_once: usize| u32::try_from(number.div_ceil(at_once)).unwrap_or(u32::MAX);
    let for_checks = slowest.max().unwrap_or_default() * waves(checks.count(), limits::CHECKS_AT_ONCE);
    let scrapes = file.components.iter().filter(|component| component.metrics.is_some()).count();
    let for_scrapes = scrape::TIMEOUT * waves(scrapes, limits::SCRAPES_AT_ONCE);
    // A server that is silent once is not asked again in the same observation.
    let for_queries = limits::QUERY_TIMEOUT * 2;
    for_checks.max(for_scrapes).max(for_queries) + Duration::from_secs(1)
}

/// Looks at everything, once.
pub(crate) async fn observe(
    subject: &str,
    file: &SystemFile,
    asker: &Asker,
    memory: &mut Memory,
    at: Timestamp,
) -> Observation {
    let (checked, scrapes, answers) = tokio::join!(
        check::all(asker, &file.components, at),
        scrape::all(&asker.http, &file.components, at),
        queries::all(asker.prometheus.as_ref(), &file.signals, at),
    );
    let mut observation = Observation::new(at);
    for (name, scrape) in &scrapes {
        if let Err(why) = &scrape.read {
            observation.unavailable.push(Unavailable::new(format!("the metrics of {name}"), why));
        }
    }
    components::write(subject, file, &checked, &scrapes, memory, &mut observation);
    signals::write(subject, file, &checked, &scrapes, &answers, memory, &mut observation);
    observation.discard_readings_that_are_not_finite();
    components::write_dependencies(subject, file, &mut observation);
    events::write(subject, file, memory, &mut observation);
    observation
}
