//! The rules a proposal passes, each small and with a name; the gravest verdict decides.

use operator_protocols::{ActionClass, Holds, Locus, Risk, Timestamp};

use crate::policy::{Autonomy, PolicySettings};
use crate::proposal::{RuleOutcome, RuleVerdict};

/// What the rules look at. Nothing in it was written by a model or read from a log.
#[derive(Debug, Clone)]
pub struct PolicyFacts<'a> {
    /// The policy.
    pub settings: &'a PolicySettings,
    /// The action's name.
    pub action: &'a str,
    /// Its risk.
    pub risk: Risk,
    /// What its target promises about repeats.
    pub class: ActionClass,
    /// What it is aimed at.
    pub target: &'a Locus,
    /// The highest level that may apply to this remedy.
    pub ceiling: Autonomy,
    /// Whether its guard holds, read live.
    pub guard: &'a Holds,
    /// When the observation behind it was made; none, if there is none.
    pub observed_at: Option<Timestamp>,
    /// The present.
    pub now: Timestamp,
    /// How many cycles running the diagnosis named the same cause; none for an action that a person asked for.
    pub confirmations: Option<u32>,
    /// How probable the cause is; none for an action that a person asked for or for an undo.
    pub probability: Option<f64>,
    /// Whether the cause is one that an answer from outside names, and the evidence alone does not.
    pub redirected: bool,
    /// Failed, unknown or ineffective actions of the same kind or on the same target, and when the last one was.
    pub recent_failures: (u32, Option<Timestamp>),
    /// Whether the last action tried for the incident was this one on this target.
    pub same_as_last: bool,
    /// How many actions were tried for the incident.
    pub tried: u32,
    /// Whether the kill switch is engaged.
    pub killed: bool,
    /// Whether a person asked for it.
    pub requested_by_person: bool,
}

/// Passes a proposal through every rule and gives each one's verdict with the gravest of them.
pub fn judge(facts: &PolicyFacts<'_>) -> (RuleVerdict, Vec<RuleOutcome>) {
    let outcomes: Vec<_> = RULES
        .iter()
        .map(|(name, rule)| {
            let (verdict, because) = rule(facts);
            RuleOutcome { rule: (*name).to_owned(), verdict, because }
        })
        .collect();
    let gravest = outcomes.iter().map(|outcome| outcome.verdict).max().unwrap_or(RuleVerdict::Deny);
    (gravest, outcomes)
}

type Rule = fn(&PolicyFacts<'_>) -> (RuleVerdict, String);

/// The rules, in the order in which they are told.
const RULES: &[(&str, Rule)] = &[
    ("autonomy", autonomy),
    ("reversal_of_a_change", reversal_of_a_change),
    ("kill_switch", kill_switch),
    ("live_precondition", live_precondition),
    ("fresh_data", fresh_data),
    ("confirmed_cause", confirmed_cause),
    ("probable_cause", probable_cause),
    ("repeatable", repeatable),
    ("not_twice_in_a_row", not_twice_in_a_row),
    ("attempts_per_incident", attempts_per_incident),
    ("breaker", breaker),
];

fn autonomy(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    let level = facts.settings.autonomy_for(facts.action, facts.risk);
    let because = format!("{} ({} risk) is at {level}", facts.action, facts.risk);
    let verdict = match level {
        Autonomy::Observe => RuleVerdict::Deny,
        Autonomy::Propose => RuleVerdict::ProposeOnly,
        Autonomy::Approve => RuleVerdict::NeedsApproval,
        // What a person asks for is theirs to approve, as the risk demands: their asking is not a decision.
        Autonomy::Auto if facts.requested_by_person => RuleVerdict::NeedsApproval,
        Autonomy::Auto => RuleVerdict::Allow,
    };
    (verdict, because)
}

fn reversal_of_a_change(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    if facts.ceiling < Autonomy::Auto {
        (RuleVerdict::NeedsApproval, "it takes back somebody's change, which may have been meant".to_owned())
    } else {
        (RuleVerdict::Allow, "it takes back nobody's change".to_owned())
    }
}

fn kill_switch(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    if facts.killed {
        (RuleVerdict::Deny, "the kill switch is engaged".to_owned())
    } else {
        (RuleVerdict::Allow, "the kill switch is not engaged".to_owned())
    }
}

fn live_precondition(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    match facts.guard {
        Holds::Yes => (RuleVerdict::Allow, "the guard holds".to_owned()),
        other => (RuleVerdict::Deny, format!("the guard {other}")),
    }
}

fn fresh_data(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    let Some(observed_at) = facts.observed_at else {
        return (RuleVerdict::NeedsApproval, "nothing was observed yet".to_owned());
    };
    let age = facts.now.since(observed_at);
    let within = facts.settings.fresh_within;
    if age <= within {
        (RuleVerdict::Allow, format!("observed {} ms ago", age.as_millis()))
    } else {
        let because = format!("observed {} ms ago, which is more than {} ms", age.as_millis(), within.as_millis());
        (RuleVerdict::NeedsApproval, because)
    }
}

fn confirmed_cause(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    match facts.confirmations {
        None => (RuleVerdict::Allow, "it does not rest on a diagnosis".to_owned()),
        Some(n) if n >= facts.settings.confirmations => (RuleVerdict::Allow, format!("named {n} times running")),
        Some(n) => (RuleVerdict::Deny, format!("named {n} times running, {} are needed", facts.settings.confirmations)),
    }
}

fn probable_cause(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    // A model's word leads to a person, never past one.
    if facts.redirected {
        return (RuleVerdict::NeedsApproval, "the evidence alone does not point to this cause".to_owned());
    }
    match facts.probability {
        None => (RuleVerdict::Allow, "it does not rest on a diagnosis".to_owned()),
        Some(p) if p >= facts.settings.minimum_probability => {
            (RuleVerdict::Allow, format!("{:.0} % probable", p * 100.0))
        }
        Some(p) => {
            let least = facts.settings.minimum_probability * 100.0;
            (RuleVerdict::NeedsApproval, format!("{:.0} % probable, {least:.0} % are needed", p * 100.0))
        }
    }
}

fn repeatable(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    match facts.class {
        ActionClass::Keyed => (RuleVerdict::Allow, "the target knows a repeat by its key".to_owned()),
        ActionClass::Cas => (RuleVerdict::Allow, "the target refuses a repeat by its precondition".to_owned()),
        ActionClass::Query => (RuleVerdict::Allow, "the target shows whether it happened".to_owned()),
        ActionClass::Blind => (RuleVerdict::NeedsApproval, "whether it happened cannot be found out".to_owned()),
    }
}

fn not_twice_in_a_row(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    if facts.same_as_last && !facts.requested_by_person {
        (RuleVerdict::Deny, "it was the last thing tried, and did not help".to_owned())
    } else {
        (RuleVerdict::Allow, "it was not the last thing tried".to_owned())
    }
}

fn attempts_per_incident(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    let most = facts.settings.actions_per_incident;
    if facts.tried < most || facts.requested_by_person {
        (RuleVerdict::Allow, format!("{} of {most} actions tried for the incident", facts.tried))
    } else {
        (RuleVerdict::Deny, format!("{} actions were tried for the incident already", facts.tried))
    }
}

fn breaker(facts: &PolicyFacts<'_>) -> (RuleVerdict, String) {
    let breaker = &facts.settings.breaker;
    match facts.recent_failures {
        (n, Some(last)) if n >= breaker.failures && facts.now.since(last) < breaker.open_for => {
            (RuleVerdict::Deny, format!("{n} of its kind or on its target did not work lately"))
        }
        (n, _) => (RuleVerdict::Allow, format!("{n} of its kind or on its target did not work lately")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(settings: &'a PolicySettings, target: &'a Locus) -> PolicyFacts<'a> {
        PolicyFacts {
            settings,
            action: "restart",
            risk: Risk::Medium,
            class: ActionClass::Cas,
            target,
            ceiling: Autonomy::Auto,
            guard: &Holds::Yes,
            observed_at: Some(Timestamp::from_millis(1_000)),
            now: Timestamp::from_millis(2_000),
            confirmations: Some(2),
            probability: Some(0.9),
            redirected: false,
            recent_failures: (0, None),
            same_as_last: false,
            tried: 0,
            killed: false,
            requested_by_person: false,
        }
    }

    #[test]
    fn by_default_nothing_is_done() {
        let (settings, target) = (PolicySettings::default(), Locus::component("s", "n"));
        assert_eq!(judge(&facts(&settings, &target)).0, RuleVerdict::Deny);
    }

    #[test]
    fn at_auto_it_is_allowed_and_every_rule_has_said_so() {
        let (settings, target) = (PolicySettings::everything_at(Autonomy::Auto), Locus::component("s", "n"));
        let (verdict, outcomes) = judge(&facts(&settings, &target));
        assert_eq!(verdict, RuleVerdict::Allow);
        assert_eq!(outcomes.len(), RULES.len());
    }

    /// Each rule alone is enough to hold an action back.
    #[test]
    fn one_rule_is_enough_to_hold_it_back() {
        let (settings, target) = (PolicySettings::everything_at(Autonomy::Auto), Locus::component("s", "n"));
        let unsure = Holds::No("two are down".to_owned());
        let base = facts(&settings, &target);
        let cases: Vec<(&str, PolicyFacts<'_>, RuleVerdict)> = vec![
            (
                "reversal_of_a_change",
                PolicyFacts { ceiling: Autonomy::Approve, ..base.clone() },
                RuleVerdict::NeedsApproval,
            ),
            ("kill_switch", PolicyFacts { killed: true, ..base.clone() }, RuleVerdict::Deny),
            ("live_precondition", PolicyFacts { guard: &unsure, ..base.clone() }, RuleVerdict::Deny),
            ("fresh_data", PolicyFacts { observed_at: None, ..base.clone() }, RuleVerdict::NeedsApproval),
            ("confirmed_cause", PolicyFacts { confirmations: Some(1), ..base.clone() }, RuleVerdict::Deny),
            ("probable_cause", PolicyFacts { probability: Some(0.4), ..base.clone() }, RuleVerdict::NeedsApproval),
            ("probable_cause", PolicyFacts { redirected: true, ..base.clone() }, RuleVerdict::NeedsApproval),
            ("repeatable", PolicyFacts { class: ActionClass::Blind, ..base.clone() }, RuleVerdict::NeedsApproval),
            ("not_twice_in_a_row", PolicyFacts { same_as_last: true, ..base.clone() }, RuleVerdict::Deny),
            ("attempts_per_incident", PolicyFacts { tried: 4, ..base.clone() }, RuleVerdict::Deny),
            (
                "breaker",
                PolicyFacts { recent_failures: (3, Some(Timestamp::from_millis(0))), ..base.clone() },
                RuleVerdict::Deny,
            ),
        ];
        for (rule, facts, expected) in cases {
            let (verdict, outcomes) = judge(&facts);
            assert_eq!(verdict, expected, "{rule}");
            let against: Vec<_> =
                outcomes.iter().filter(|o| o.verdict > RuleVerdict::Allow).map(|o| o.rule.as_str()).collect();
            assert_eq!(against, [rule]);
        }
    }
}
