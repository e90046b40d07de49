//! What changed in the subject's free-form details: scalars that stood still while nothing was wrong and do not now.

use std::collections::BTreeMap;

use operator_protocols::{History, Locus, Observation, Value};

use super::Draft;
use super::window::Window;
use crate::EvidenceKind;
use crate::parameters::{DETAIL_DEPTH, DETAIL_LEAVES, DETAIL_SAMPLES, ITEMS_PER_MINOR_KIND};
use crate::text::{bounded, clean};

/// The leaves that were constant over the healthy past and are different now.
pub(crate) fn items(history: &History, window: &Window) -> Vec<Draft> {
    let Some(last) = history.last() else { return Vec::new() };
    let healthy: Vec<&Observation> =
        history.iter().map(AsRef::as_ref).take_while(|observation| observation.at < window.healthy_until).collect();
    let Some(newest) = healthy.last() else { return Vec::new() };
    if newest.details.is_empty() || last.details.is_empty() {
        return Vec::new();
    }
    let before = leaves(&newest.details);
    let now = leaves(&last.details);
    let step = healthy.len().div_ceil(DETAIL_SAMPLES).max(1);
    let earlier: Vec<_> = healthy.iter().rev().skip(step).step_by(step).map(|past| leaves(&past.details)).collect();
    let mut drafts = Vec::new();
    for (path, was) in &before {
        let Some(is) = now.get(path) else { continue };
        // What moves all the time is noise, and so is what was not there all the time.
        let still = earlier.iter().all(|past| past.get(path) == Some(was));
        if is == was || !still {
            continue;
        }
        drafts.push(Draft {
            at: last.at,
            on: Locus::Nothing,
            statement: format!("{path} was {} and is {}", bounded(&was.to_string(), 80), bounded(&is.to_string(), 80)),
            kind: EvidenceKind::DetailChange { path: path.clone(), before: tame(was), now: tame(is) },
        });
        if drafts.len() == ITEMS_PER_MINOR_KIND {
            break;
        }
    }
    drafts
}

/// The scalar leaves by path, at most [`DETAIL_LEAVES`], at most [`DETAIL_DEPTH`] deep.
fn leaves(details: &BTreeMap<String, Value>) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    for (key, value) in details {
        descend(&bounded(key, 80), value, 1, &mut found);
    }
    found
}

fn descend<'a>(path: &str, value: &'a Value, depth: usize, found: &mut BTreeMap<String, &'a Value>) {
    if found.len() >= DETAIL_LEAVES || depth > DETAIL_DEPTH {
        return;
    }
    match value {
        Value::Map(map) => {
            for (key, value) in map {
                descend(&format!("{path}.{}", bounded(key, 80)), value, depth + 1, found);
            }
        }
        // The order of a list means nothing that could be relied on: its members are not compared one by one.
        Value::List(_) => {}
        scalar => {
            found.insert(path.to_owned(), scalar);
        }
    }
}

fn tame(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(clean(text)),
        Value::Float(number) if !number.is_finite() => Value::Null,
        other => other.clone(),
    }
}
