//! `disk_almost_full`: a store is about to refuse writes for want of space, however large its disk is.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, bytes};
use super::disk;
use super::fold::folded;
use super::invariant::{Invariant, Source};
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "disk_almost_full";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "A store has twice the space left at which it begins to refuse writes", judge)
        .critical()
        .limit(Limit::BytesLeft)
        .needs(&[Source::Metrics, Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let limit = case.limit(Limit::BytesLeft);
    let evaluations = case.each_living_store(NAME, |id, _| {
        let disk = disk::of(case, id)?;
        if disk.available > limit {
            return Ok(Verdict::Ok);
        }
        let foreign = disk.foreign().map_or_else(String::new, |foreign| format!("; {foreign}"));
        // TiKV, storage.reserve-space: writes are turned away at the reserve, all of them at half of it.
        let state = if disk.available <= limit / 4.0 {
            "it refuses all writes"
        } else if disk.available <= limit / 2.0 {
            "it refuses writes"
        } else {
            "it will soon refuse writes"
        };
        let message = format!("{} has {} left on its disk: {state}{foreign}", names::store(id), bytes(disk.available));
        Ok(Verdict::Violated(Finding::new(message, disk.available, limit)))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, store};
    use super::*;

    #[test]
    fn the_finding_says_whether_writes_are_refused_yet() {
        const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
        for (left, expected) in
            [(9.0, "it will soon refuse writes"), (5.0, "it refuses writes"), (2.0, "it refuses all writes")]
        {
            let mut scene = Scene::healthy();
            scene.metric("disk_available", 2, left * GIB);
            let judged = scene.judge();
            assert!(judged.finding(NAME, &store(2)).message.contains(expected), "{left}");
        }
        let mut scene = Scene::healthy();
        scene.metric("disk_available", 2, 10.5 * GIB);
        assert_eq!(scene.judge().verdict(NAME, &store(2)), &Verdict::Ok);
    }
}
