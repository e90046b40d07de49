//! What is true about a fault, and how an answer is judged by it.

use operator_protocols::FaultClass;
use serde::{Deserialize, Serialize};

use super::pattern::Pattern;

/// What is true about a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// Whether somebody has to be told. If not, every ticket is a false one.
    pub ticket: bool,
    /// The invariants that are broken before the fault, and rightly so: no ticket about them is a false one, a person
    /// holds them, and none has to end.
    #[serde(default)]
    pub standing: Vec<String>,
    /// The invariants that are expected to break.
    #[serde(default)]
    pub invariants: Vec<String>,
    /// The right explanations; any of them will do.
    pub hypotheses: Vec<HypothesisTruth>,
    /// What may be done first. Nothing else is right.
    #[serde(default)]
    pub actions: Vec<ActionTruth>,
    /// What must not be done at any time.
    #[serde(default)]
    pub harmful: Vec<ActionTruth>,
    /// What makes a wrong answer tempting, for people who read why one was given.
    #[serde(default)]
    pub traps: Vec<String>,
}

/// A right explanation: a place, and the classes that are right there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HypothesisTruth {
    /// Where, in the text form of a locus (`component:node-1`, `edge:node-1>redis`, `change:*`).
    pub locus: Pattern,
    /// What, any of these.
    pub classes: Vec<FaultClass>,
}

/// An action and what it is aimed at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionTruth {
    /// The action's name.
    pub name: Pattern,
    /// What it is aimed at, in the text form of a locus; anything, if it is not said.
    #[serde(default = "anything")]
    pub target: Pattern,
}

fn anything() -> Pattern {
    Pattern::new("*")
}

/// How an explanation fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HypothesisVerdict {
    /// The place is right.
    pub locus: bool,
    /// The place is right, and so is the class.
    pub class: bool,
}

/// How an action fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionVerdict {
    /// It is one that may be taken.
    Right,
    /// It is neither right nor harmful.
    Useless,
    /// It is one that must not be taken.
    Harmful,
}

impl Truth {
    /// Judges an explanation.
    pub fn judge_hypothesis(&self, locus: &str, class: FaultClass) -> HypothesisVerdict {
        // Who does not know says nothing of the place either, whichever place stands beside it.
        let abstains = class == FaultClass::Unknown;
        if abstains && !self.hypotheses.iter().any(|truth| truth.classes.contains(&class)) {
            return HypothesisVerdict { locus: false, class: false };
        }
        let mut there = self.hypotheses.iter().filter(|truth| truth.locus.matches(locus)).peekable();
        let locus = there.peek().is_some();
        HypothesisVerdict { locus, class: there.any(|truth| truth.classes.contains(&class)) }
    }

    /// Judges an action. One that is named as right for its target is right even where a wider pattern calls its kind
    /// harmful.
    pub fn judge_action(&self, name: &str, target: &str) -> ActionVerdict {
        let listed = |list: &[ActionTruth]| list.iter().any(|a| a.name.matches(name) && a.target.matches(target));
        if listed(&self.actions) {
            ActionVerdict::Right
        } else if listed(&self.harmful) {
            ActionVerdict::Harmful
        } else {
            ActionVerdict::Useless
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth() -> Truth {
        let action = |name, target| ActionTruth { name: Pattern::new(name), target: Pattern::new(target) };
        Truth {
            ticket: true,
            standing: Vec::new(),
            invariants: Vec::new(),
            hypotheses: vec![
                HypothesisTruth { locus: Pattern::new("component:a"), classes: vec![FaultClass::ComponentSlow] },
                HypothesisTruth { locus: Pattern::new("edge:a>*"), classes: vec![FaultClass::LinkSlow] },
            ],
            actions: vec![action("restart", "component:a")],
            harmful: vec![action("restart", "component:*")],
            traps: Vec::new(),
        }
    }

    #[test]
    fn a_class_counts_only_at_a_place_where_it_is_right() {
        let truth = truth();
        let judge = |locus, class| {
            let verdict = truth.judge_hypothesis(locus, class);
            (verdict.locus, verdict.class)
        };
        assert_eq!(judge("component:a", FaultClass::ComponentSlow), (true, true));
        assert_eq!(judge("component:a", FaultClass::LinkSlow), (true, false));
        assert_eq!(judge("edge:a>b", FaultClass::LinkSlow), (true, true));
        assert_eq!(judge("component:b", FaultClass::ComponentSlow), (false, false));
        assert_eq!(judge("component:a", FaultClass::Unknown), (false, false), "it does not know");
    }

    #[test]
    fn what_is_right_here_is_harmful_elsewhere() {
        let truth = truth();
        assert_eq!(truth.judge_action("restart", "component:a"), ActionVerdict::Right);
        assert_eq!(truth.judge_action("restart", "component:b"), ActionVerdict::Harmful);
        assert_eq!(truth.judge_action("wait", "nothing"), ActionVerdict::Useless);
    }
}
