//! Which settings of PD's scheduling are not as usual.

use operator_protocols::Value;

use super::answer::{Answer, plain, source};
use crate::actions::live::Live;
use crate::actions::settings::ALLOWED;
use crate::actions::verdict::{Verdict, known};

pub(super) fn explain(live: &Live) -> Verdict<Answer> {
    let settings = known(&live.settings)?;
    let mut answer = Answer::new(live.at);
    let mut differing = 0;
    if settings.get("halt-scheduling").is_some_and(|value| value == "true") {
        differing += 1;
        answer.blames(
            "halt-scheduling is true: PD schedules nothing at all",
            "true",
            source::SETTINGS,
            "find out who halted scheduling, and have them end it",
        );
    }
    for setting in ALLOWED {
        let Some(value) = settings.get(setting.key()).filter(|value| !setting.same(value, &setting.usual())) else {
            continue;
        };
        differing += 1;
        let (value, usual) = (plain(value), setting.usual());
        answer.blames(
            format!("{} is {value}; usual is {usual}", setting.key()),
            Value::map([("value", Value::from(value.as_str())), ("usual", usual.as_str().into())]),
            source::SETTINGS,
            format!("config_set {} to {usual}, if nobody wanted it so", setting.key()),
        );
    }
    Ok(match differing {
        0 => answer.say("Every setting that bears on scheduling is as usual"),
        count => answer.say(format!("{count} settings are not as usual")),
    })
}
