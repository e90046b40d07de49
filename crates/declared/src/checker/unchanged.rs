//! A value that must not change: violated while it is not what it was so long ago.

use std::time::Duration;

use operator_protocols::{Finding, Locus, Verdict};

use super::scene::{Scene, Verdicts};

pub(super) fn judge(scene: &Scene<'_>, time: Duration) -> Verdicts {
    let name = &scene.signal.name;
    scene.each(|on, value| {
        let mut earlier = scene.past.since(scene.now.at.minus(time)).filter_map(|past| past.signal(on, name));
        let Some(before) = earlier.find(|signal| signal.value.is_finite()) else { return Verdict::Ok };
        if before.value == value {
            return Verdict::Ok;
        }
        let (was, is) = (scene.shown(before.value), scene.shown(value));
        let numbers = format!("{name} was {was} and is {is}");
        let changed = scene
            .now
            .events
            .iter()
            .rev()
            .find(|event| &event.on == on && event.change.as_ref().is_some_and(|change| &change.field == name));
        Verdict::Violated(Finding {
            involves: changed.map(|event| Locus::Change(event.id.clone())).into_iter().collect(),
            ..Finding::new(scene.message(&numbers), value, before.value)
        })
    })
}
