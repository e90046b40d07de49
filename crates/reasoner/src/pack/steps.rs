//! The steps of requests inside a component, read off its log lines: of the requests that write one line, how many also
//! write another. A step that requests used to take and do not any more is where they fail or end early, however much or
//! little is asked, and whatever the mix of what is asked. In which order the lines come does not matter: what several
//! threads write is interleaved by chance.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{History, Id, Locus, SignalRole, Timestamp, Worse};

use super::Draft;
use super::lines::{place, request, template};
use super::window::Window;
use crate::EvidenceKind;
use crate::parameters::{
    BASELINE_SAMPLES, DEVIATES, DEVIATION_CAP, ITEMS_PER_KIND, LEAST_EFFECT, STEP_LINES, STEP_REQUESTS,
    STEPS_PER_COMPONENT, USUAL_STEP,
};
use crate::text::bounded;

/// How often a step was taken, of how often it could have been.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    hits: u32,
    of: u32,
}

/// What the steps say.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// The steps that are not taken any more.
    pub drafts: Vec<Draft>,
    /// The components whose requests take their usual steps.
    pub usual: BTreeSet<Id>,
}

/// What one request wrote in one component.
#[derive(Debug)]
struct Request {
    began: Timestamp,
    lines: BTreeSet<usize>,
}

/// The requests to one component, and the kinds of lines that they write.
#[derive(Debug, Default)]
struct Requests<'a> {
    kinds: BTreeMap<String, usize>,
    names: Vec<String>,
    by_name: BTreeMap<&'a str, Request>,
}

impl<'a> Requests<'a> {
    fn add(&mut self, request: &'a str, at: Timestamp, message: &str) {
        let key = place(message).map_or_else(|| template(message), str::to_owned);
        let kind = match self.kinds.get(&key) {
            Some(kind) => *kind,
            None if self.names.len() >= STEP_LINES => return,
            None => {
                self.names.push(template(message));
                self.kinds.insert(key, self.names.len() - 1);
                self.names.len() - 1
            }
        };
        let request = self.by_name.entry(request).or_insert_with(|| Request { began: at, lines: BTreeSet::new() });
        request.began = request.began.min(at);
        request.lines.insert(kind);
    }

    /// How many of the requests that began then wrote each two kinds of lines.
    fn count(&self, began: impl Fn(Timestamp) -> bool) -> Counts {
        let width = self.names.len();
        let mut both = vec![0_u32; width * width];
        for request in self.by_name.values().filter(|request| began(request.began)) {
            for from in &request.lines {
                for to in &request.lines {
                    both[from * width + to] += 1;
                }
            }
        }
        Counts { width, both }
    }
}

struct Counts {
    width: usize,
    both: Vec<u32>,
}

impl Counts {
    fn taken(&self, from: usize, to: usize) -> Taken {
        Taken { hits: self.both[from * self.width + to], of: self.both[from * self.width + from] }
    }
}

/// Counts the steps before and since the trouble began, and tells which are not taken any more.
pub(crate) fn steps(history: &History, window: &Window) -> Steps {
    let mut by_component: BTreeMap<&Id, Requests<'_>> = BTreeMap::new();
    for line in history.iter().flat_map(|observation| &observation.logs) {
        if let Some(request) = request(&line.message) {
            by_component.entry(&line.component).or_default().add(request, line.at, &line.message);
        }
    }
    let mut found = Steps::default();
    let mut fewer: Vec<(f64, Draft)> = Vec::new();
    for (component, requests) in &by_component {
        let before = requests.count(|began| began < window.healthy_until);
        let since = requests.count(|began| began >= window.start);
        let (measured, here) = compare(component, requests, &before, &since, window);
        if here.is_empty() && measured {
            found.usual.insert((*component).clone());
        }
        fewer.extend(here);
    }
    fewer.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.statement.cmp(&b.1.statement)));
    found.drafts = fewer.into_iter().take(ITEMS_PER_KIND).map(|(_, draft)| draft).collect();
    found
}

/// Whether a step could be compared at all, and the steps that are not taken any more, the clearest first.
fn compare(
    component: &Id,
    requests: &Requests<'_>,
    before: &Counts,
    since: &Counts,
    window: &Window,
) -> (bool, Vec<(f64, Draft)>) {
    let mut measured = false;
    let mut fewer = Vec::new();
    for (from, to) in (0..before.width).flat_map(|from| (0..before.width).map(move |to| (from, to))) {
        let (past, now) = (before.taken(from, to), since.taken(from, to));
        let enough = past.of as usize >= BASELINE_SAMPLES && now.of >= STEP_REQUESTS;
        if from == to || !enough || share(past) < USUAL_STEP {
            continue;
        }
        measured = true;
        let deviation = surprise(past, now);
        if share(past) - share(now) >= LEAST_EFFECT * share(past) && deviation >= DEVIATES {
            let names = (requests.names[from].as_str(), requests.names[to].as_str());
            fewer.push((deviation, draft(component, names, past, now, deviation, window)));
        }
    }
    fewer.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.statement.cmp(&b.1.statement)));
    fewer.truncate(STEPS_PER_COMPONENT);
    (measured, fewer)
}

fn share(taken: Taken) -> f64 {
    f64::from(taken.hits) / f64::from(taken.of.max(1))
}

/// How unlikely it is that both counts come from one share, in standard deviations of a normal distribution: the root
/// of twice the log-likelihood ratio.
fn surprise(past: Taken, now: Taken) -> f64 {
    let together = Taken { hits: past.hits + now.hits, of: past.of + now.of };
    let ratio = likelihood(past, share(past)) + likelihood(now, share(now))
        - likelihood(past, share(together))
        - likelihood(now, share(together));
    (2.0 * ratio.max(0.0)).sqrt().min(DEVIATION_CAP)
}

/// The log-likelihood of a count under a share. None of none is certain.
fn likelihood(taken: Taken, share: f64) -> f64 {
    let term = |count: u32, share: f64| if count == 0 { 0.0 } else { f64::from(count) * share.max(1e-12).ln() };
    term(taken.hits, share) + term(taken.of - taken.hits, 1.0 - share)
}

fn draft(component: &Id, (from, to): (&str, &str), past: Taken, now: Taken, deviation: f64, window: &Window) -> Draft {
    let (from, to) = (bounded(from, 120), bounded(to, 120));
    Draft {
        at: window.start,
        on: Locus::Component(component.clone()),
        statement: format!(
            "of {} requests to {component} that write \"{from}\" {} write \"{to}\", before {} of {} \
             ({deviation:+.1} robust deviations)",
            now.of, now.hits, past.hits, past.of,
        ),
        kind: EvidenceKind::Deviation {
            signal: format!("requests that write {to}"),
            role: SignalRole::Availability,
            unit: "1".to_owned(),
            worse: Worse::Lower,
            baseline: share(past),
            value: share(now),
            deviation,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surprise_grows_with_how_many_requests_show_it() {
        let usual = Taken { hits: 200, of: 200 };
        assert_eq!(surprise(usual, Taken { hits: 9, of: 9 }), 0.0);
        let few = surprise(usual, Taken { hits: 0, of: 3 });
        let many = surprise(usual, Taken { hits: 0, of: 30 });
        assert!(many > few && few > DEVIATES, "{few} {many}");
        assert!(surprise(Taken { hits: 100, of: 200 }, Taken { hits: 1, of: 3 }) < 1.0);
    }
}
