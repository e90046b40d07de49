//! The steps of requests inside a component, read off its log lines: of the requests that came to one line, how many
//! went on to the next. A step that requests used to take and do not any more is where they fail or end early, however
//! much or little is asked, and whatever the mix of what is asked.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{History, Id, Locus, SignalRole, Timestamp, Worse};

use super::Draft;
use super::lines::{place, request, template};
use super::window::Window;
use crate::EvidenceKind;
use crate::parameters::{
    BASELINE_SAMPLES, DEVIATES, DEVIATION_CAP, ITEMS_PER_KIND, LEAST_EFFECT, LOG_TEMPLATES, STEPS_PER_COMPONENT,
    STEP_REQUESTS,
};
use crate::text::bounded;

/// The number of a kind of line; the first two stand for the beginning and the end of a request.
type Line = u32;
const BEGIN: Line = 0;
const END: Line = 1;

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

/// The steps of each request, by component and request: when it began, and its lines.
type Requests<'a> = BTreeMap<(&'a Id, &'a str), Vec<(Timestamp, Line)>>;

/// Counts the steps before and since the trouble began, and tells which are not taken any more.
pub(crate) fn steps(history: &History, window: &Window) -> Steps {
    let mut names: Vec<String> = vec!["(its beginning)".to_owned(), "(its end)".to_owned()];
    let mut known: BTreeMap<String, Line> = BTreeMap::new();
    let mut requests: Requests<'_> = BTreeMap::new();
    for line in history.iter().flat_map(|observation| &observation.logs) {
        let Some(request) = request(&line.message) else { continue };
        let key = place(&line.message).map_or_else(|| template(&line.message), str::to_owned);
        let number = match known.get(&key) {
            Some(number) => *number,
            None if known.len() >= LOG_TEMPLATES => continue,
            None => {
                let number = Line::try_from(names.len()).unwrap_or(Line::MAX);
                names.push(template(&line.message));
                known.insert(key, number);
                number
            }
        };
        requests.entry((&line.component, request)).or_default().push((line.at, number));
    }
    let mut before: BTreeMap<&Id, Counts> = BTreeMap::new();
    let mut since: BTreeMap<&Id, Counts> = BTreeMap::new();
    for ((component, _), mut lines) in requests {
        lines.sort_by_key(|(at, _)| *at);
        let Some((began, _)) = lines.first() else { continue };
        let counts = if *began < window.healthy_until {
            &mut before
        } else if *began >= window.start {
            &mut since
        } else {
            continue;
        };
        counts.entry(component).or_default().count(&lines);
    }
    compare(&before, &since, &names, window)
}

/// The steps of one component's requests.
#[derive(Debug, Default)]
struct Counts {
    from: BTreeMap<Line, u32>,
    steps: BTreeMap<(Line, Line), u32>,
}

impl Counts {
    fn count(&mut self, lines: &[(Timestamp, Line)]) {
        let numbers = lines.iter().map(|(_, line)| *line);
        let path = std::iter::once(BEGIN).chain(numbers).chain(std::iter::once(END));
        for step in path.clone().zip(path.skip(1)) {
            *self.from.entry(step.0).or_default() += 1;
            *self.steps.entry(step).or_default() += 1;
        }
    }

    fn taken(&self, step: (Line, Line)) -> Taken {
        Taken {
            hits: self.steps.get(&step).copied().unwrap_or(0),
            of: self.from.get(&step.0).copied().unwrap_or(0),
        }
    }
}

fn compare(
    before: &BTreeMap<&Id, Counts>,
    since: &BTreeMap<&Id, Counts>,
    names: &[String],
    window: &Window,
) -> Steps {
    let mut found = Steps::default();
    let mut fewer: Vec<(f64, Draft)> = Vec::new();
    for (component, was) in before {
        let Some(is) = since.get(component) else { continue };
        let mut measured = false;
        let mut here: Vec<(f64, Draft)> = Vec::new();
        for step in was.steps.keys() {
            let (past, now) = (was.taken(*step), is.taken(*step));
            let enough = past.of as usize >= BASELINE_SAMPLES && now.of >= STEP_REQUESTS;
            if !enough {
                continue;
            }
            measured = true;
            let (share_then, share_now) = (share(past), share(now));
            let deviation = surprise(past, now);
            if share_then - share_now >= LEAST_EFFECT * share_then && deviation >= DEVIATES {
                let draft = draft(component, *step, names, past, now, deviation, window);
                here.push((deviation, draft));
            }
        }
        if here.is_empty() && measured {
            found.usual.insert((*component).clone());
        }
        here.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.statement.cmp(&b.1.statement)));
        here.truncate(STEPS_PER_COMPONENT);
        fewer.extend(here);
    }
    fewer.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.statement.cmp(&b.1.statement)));
    found.drafts = fewer.into_iter().take(ITEMS_PER_KIND).map(|(_, draft)| draft).collect();
    found
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

fn draft(
    component: &Id,
    step: (Line, Line),
    names: &[String],
    past: Taken,
    now: Taken,
    deviation: f64,
    window: &Window,
) -> Draft {
    let name = |line: Line| names.get(line as usize).map_or("", String::as_str);
    let (from, to) = (bounded(name(step.0), 80), bounded(name(step.1), 80));
    Draft {
        at: window.start,
        on: Locus::Component(component.clone()),
        statement: format!(
            "{} of {} requests to {component} now go on from \"{from}\" to \"{to}\", before {} of {} \
             ({:+.1} robust deviations)",
            now.hits, now.of, past.hits, past.of, deviation
        ),
        kind: EvidenceKind::Deviation {
            signal: format!("requests that go on to {to}"),
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
