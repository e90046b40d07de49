//! What an invariant of the file is judged from: where, and what was read there.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_protocols::{ComponentState, History, Id, Locus, Observation, Timestamp, Unavailable, Verdict};

use crate::file::{Invariant, Place, Signal, Source, SystemFile};

/// An entity that has not been seen for so long, while its source tells of others or of none, is gone.
const GONE_AFTER: Duration = Duration::from_secs(300);

/// What an invariant is judged from.
pub(super) struct Scene<'a> {
    pub(super) subject: &'a str,
    pub(super) file: &'a SystemFile,
    pub(super) invariant: &'a Invariant,
    pub(super) signal: &'a Signal,
    pub(super) past: &'a History,
    pub(super) now: &'a Observation,
}

/// The verdicts of one invariant, by place.
pub(super) type Verdicts = BTreeMap<Locus, Verdict>;

impl Scene<'_> {
    /// Judges every place that has a reading, and that is not idle, by `judge`; the others are unknown, suppressed or
    /// gone.
    pub(super) fn each(&self, judge: impl Fn(&Locus, f64) -> Verdict) -> Verdicts {
        let mut verdicts = Verdicts::new();
        let readings = self.readings();
        for (on, last_seen) in self.places(&readings) {
            let verdict = match readings.get(&on) {
                Some(value) => self.idle(&on).unwrap_or_else(|| judge(&on, *value)),
                None => self.without(&on, last_seen),
            };
            verdicts.insert(on, verdict);
        }
        verdicts
    }

    /// The finite readings of now, by place.
    pub(super) fn readings(&self) -> BTreeMap<Locus, f64> {
        let readings = self.now.signals.iter().filter(|one| one.name == self.signal.name && one.value.is_finite());
        readings.map(|signal| (signal.on.clone(), signal.value)).collect()
    }

    /// All places that are judged, each with when it was last seen, if it is one that comes and goes.
    fn places(&self, readings: &BTreeMap<Locus, f64>) -> BTreeMap<Locus, Option<Timestamp>> {
        let known = self.signal.place.known(self.subject, &self.file.components, &self.file.dependencies);
        let mut places: BTreeMap<_, _> = known.into_iter().map(|(on, _)| (on, None)).collect();
        if matches!(self.signal.place, Place::Entities(_)) {
            for past in self.past.iter() {
                for signal in past.signals.iter().filter(|signal| signal.name == self.signal.name) {
                    if self.is_entity(&signal.on) {
                        places.insert(signal.on.clone(), Some(past.at));
                    }
                }
            }
            for on in readings.keys().filter(|on| self.is_entity(on)) {
                places.insert(on.clone(), Some(self.now.at));
            }
        }
        places
    }

    fn is_entity(&self, on: &Locus) -> bool {
        matches!((on, &self.signal.place), (Locus::Entity(entity), Place::Entities(kind)) if entity.kind == *kind)
    }

    /// The verdict on a place without a reading.
    pub(super) fn without(&self, on: &Locus, last_seen: Option<Timestamp>) -> Verdict {
        if let Some(silent) = self.tellers(on).into_iter().find(|name| self.is_down(name)) {
            return Verdict::Suppressed(format!("{silent} does not answer"));
        }
        let why = self.why_unread(on);
        match (last_seen, &why) {
            (Some(seen), None) if self.now.at.since(seen) >= GONE_AFTER && self.sees_something() => Verdict::Gone,
            _ => Verdict::Unknown(Unavailable::new(
                format!("{} of {on}", self.signal.name),
                why.unwrap_or_else(|| "it was not told in this observation".to_owned()),
            )),
        }
    }

    /// Who would tell of a place: the component it is on, the one whose metrics are read, the Prometheus server.
    fn tellers(&self, on: &Locus) -> Vec<String> {
        let mut tellers: Vec<String> = match on {
            Locus::Component(id) => vec![id.local.clone()],
            Locus::Edge(from, _) => vec![from.local.clone()],
            _ => Vec::new(),
        };
        match &self.signal.source {
            Source::Metric { scrape, .. } => tellers.extend(scrape.clone()),
            Source::PromQl(_) => {
                tellers.extend(self.file.prometheus_component().map(|component| component.name.clone()));
            }
        }
        tellers
    }

    fn is_down(&self, name: &str) -> bool {
        let component = self.now.component(&Id::new(self.subject, name));
        component.is_some_and(|component| component.state == ComponentState::Down)
    }

    /// Why a place has no reading, as far as the observation says.
    fn why_unread(&self, on: &Locus) -> Option<String> {
        let mut whats = vec![self.signal.name.clone(), format!("{} of {on}", self.signal.name)];
        whats.extend(self.tellers(on).into_iter().map(|teller| format!("the metrics of {teller}")));
        self.now.unavailable.iter().find(|gap| whats.contains(&gap.what)).map(|gap| gap.why.clone())
    }

    /// Whether anything at all was read: nothing is gone because nobody looks.
    fn sees_something(&self) -> bool {
        !self.now.signals.is_empty()
    }

    /// Whether there is too little traffic to judge, as a verdict.
    fn idle(&self, on: &Locus) -> Option<Verdict> {
        let minimum = self.invariant.minimum_traffic.as_ref()?;
        let traffic = self.file.signal(&minimum.signal)?;
        let places = traffic.place.known(self.subject, &self.file.components, &self.file.dependencies);
        let of = match (self.now.signal(on, &minimum.signal), &places[..]) {
            (Some(_), _) => Some(on),
            (None, [(only, _)]) => Some(only),
            _ => None,
        };
        match of.and_then(|of| self.now.signal(of, &minimum.signal)).map(|signal| signal.value) {
            Some(value) if value >= minimum.at_least => None,
            Some(value) if value.is_finite() => Some(Verdict::Suppressed("idle".to_owned())),
            _ => Some(Verdict::Unknown(Unavailable::new(
                format!("{} of {on}", minimum.signal),
                "it was not told in this observation",
            ))),
        }
    }

    /// A message: what the file says, then the numbers.
    pub(super) fn message(&self, numbers: &str) -> String {
        match &self.invariant.message {
            Some(text) => format!("{text} ({numbers})"),
            None => numbers.to_owned(),
        }
    }

    /// A number with its unit, for people.
    pub(super) fn shown(&self, value: f64) -> String {
        let number = if value != 0.0 && (value.abs() < 0.001 || value.abs() >= 1e15) {
            format!("{value:e}")
        } else {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        if self.signal.unit == "1" { number } else { format!("{number} {}", self.signal.unit) }
    }
}
