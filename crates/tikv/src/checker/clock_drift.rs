//! `clock_drift`: the clock of a member of PD jumped back or ran slow; timestamps wait until it has caught up.

use std::time::Duration;

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::Case;
use super::invariant::Invariant;

const NAME: &str = "clock_drift";

/// Events are counted over ten minutes.
const WINDOW: Duration = Duration::from_secs(600);

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "The clock of no member of PD jumps back or is slow", judge).at("member of PD").unit("events");

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.each_member(NAME, |name, _| {
        let slow = case.member_metric("system_time_slow", name);
        let jumps = case.member_metric("time_jump_back", name);
        let (slow_events, jump_events) =
            (slow.as_ref().map_or(0.0, |slow| *slow), jumps.as_ref().map_or(0.0, |jumps| *jumps));
        if slow_events <= 0.0 && jump_events <= 0.0 {
            slow?;
            return jumps.map(|_| Verdict::Ok);
        }
        let message = format!(
            "the clock of {name} jumped back {jump_events:.0} times and was behind {slow_events:.0} times within ten minutes"
        );
        Ok(Verdict::Violated(Finding {
            persists: Some(WINDOW),
            ..Finding::new(message, slow_events.max(0.0) + jump_events.max(0.0), 0.0)
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, member};
    use super::*;

    #[test]
    fn either_event_shows_a_clock_that_is_off() {
        for metric in ["system_time_slow", "time_jump_back"] {
            let mut scene = Scene::healthy();
            assert_eq!(scene.judge().verdict(NAME, &member("pd-0")), &Verdict::Ok);
            scene.member_metric(metric, "pd-0", 2.0);
            assert_eq!(scene.judge().violated(), [(NAME, "pd-0".to_owned())]);
        }
    }
}
