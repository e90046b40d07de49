//! `propose_wait`: a write waits long before it is proposed to the replicas: the raftstore threads are busy, or wait for
//! the disk.

use operator_protocols::Evaluation;

use super::case::{Case, time};
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::above;
use super::write_path;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "propose_wait";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "99 % of the writes of a store wait but shortly before they are proposed", judge)
        .limit(Limit::ProposeWait)
        .traffic()
        .grace(60);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| {
        case.busy(id)?;
        let wait = case.metric("propose_wait_p99", id)?;
        Ok(above(wait, case.limit(Limit::ProposeWait), || {
            let why = if write_path::appends_slowly(case, id) {
                "its disk takes long to append to the log"
            } else {
                "its raftstore threads are busy: it has too many regions, or one is hot"
            };
            format!("writes to {} wait {} before they are proposed; {why}", names::store(id), time(wait))
        }))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, store};
    use super::*;

    #[test]
    fn a_long_wait_is_put_down_to_the_disk_only_where_the_disk_is_slow() {
        let mut scene = Scene::healthy();
        scene.metric("propose_wait_p99", 2, 0.1);
        assert_eq!(scene.judge().violated(), [], "the limit itself is allowed");
        scene.metric("propose_wait_p99", 2, 0.4);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "store-2".to_owned())]);
        assert!(judged.finding(NAME, &store(2)).message.contains("threads are busy"));
        scene.metric("append_log_p99", 2, 0.3);
        assert!(scene.judge().finding(NAME, &store(2)).message.contains("its disk"));
    }

    #[test]
    fn an_idle_store_is_not_judged() {
        let mut scene = Scene::healthy();
        scene.metric("propose_wait_p99", 2, 4.0);
        scene.requests(2, 0.1);
        assert_eq!(scene.judge().suppressed(NAME, &store(2)), "idle");
    }
}
