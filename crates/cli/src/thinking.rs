//! What an agent is doing, in words: a line for every step, on the log of the daemon, on a terminal and on the screen.

use std::collections::BTreeMap;

use operator_core::agent::{AgentProgress, CaseProgress, CaseStage};

/// What was told of each case, so that only news is told again.
#[derive(Debug, Default)]
pub struct Told {
    lines: BTreeMap<String, String>,
    /// How many cases were over.
    over: u64,
}

impl Told {
    /// A line for each case of which there is something new, by incident.
    pub fn news(&mut self, progress: &AgentProgress) -> Vec<(String, String)> {
        self.lines.retain(|incident, _| progress.cases.contains_key(incident));
        let over = progress.answered + progress.given_up;
        let ended_again = over > std::mem::replace(&mut self.over, over);
        let mut news = Vec::new();
        for (incident, case) in &progress.cases {
            let line = in_words(case);
            if self.lines.get(incident) != Some(&line) {
                self.lines.insert(incident.clone(), line.clone());
                news.push((incident.clone(), line));
            }
        }
        if ended_again && news.is_empty() {
            // What ended between two looks, in the same words as before, is news all the same.
            let over = |case: &CaseProgress| matches!(case.stage, CaseStage::Answered | CaseStage::GivenUp);
            news.extend(
                progress.cases.iter().filter(|(_, case)| over(case)).map(|(id, case)| (id.clone(), in_words(case))),
            );
        }
        news
    }
}

/// One case in a line.
pub fn in_words(case: &CaseProgress) -> String {
    let why = if case.told.is_empty() { String::new() } else { format!(": {}", case.told) };
    match case.stage {
        CaseStage::Thinking => match &case.step {
            Some(step) => format!("turn {} of {}: {}; {}", step.turn, step.turns, step.text, step.usage),
            None if case.attempt > 1 => format!("asked, attempt {}", case.attempt),
            None => "asked".to_owned(),
        },
        CaseStage::Waiting => format!("attempt {} failed{why}; another follows", case.attempt),
        CaseStage::Answered => format!("answered{why}"),
        CaseStage::GivenUp => {
            format!("given up after attempt {}{why}; the reasoner's explanation stands", case.attempt)
        }
    }
}

#[cfg(test)]
mod tests {
    use operator_reasoner::{Step, Usage};

    use super::*;

    fn case(stage: CaseStage, step: Option<Step>, told: &str) -> CaseProgress {
        CaseProgress { stage, attempt: 1, step, told: told.to_owned() }
    }

    #[test]
    fn only_news_is_told_and_a_case_that_comes_back_is_news_again() {
        let mut told = Told::default();
        let step = Step { turn: 2, turns: 12, text: "looks at jobs of worker-1".into(), usage: Usage::default() };
        let mut progress = AgentProgress::default();
        progress.cases.insert("shop-I1".into(), case(CaseStage::Thinking, None, ""));
        assert_eq!(told.news(&progress), [("shop-I1".to_owned(), "asked".to_owned())]);
        assert!(told.news(&progress).is_empty());
        progress.cases.insert("shop-I1".into(), case(CaseStage::Thinking, Some(step), ""));
        let line = "turn 2 of 12: looks at jobs of worker-1; 0 calls, 0 tokens in, 0 out, no cost";
        assert_eq!(told.news(&progress), [("shop-I1".to_owned(), line.to_owned())]);
        progress.cases.insert("shop-I1".into(), case(CaseStage::GivenUp, None, "no answer within 60 s"));
        assert_eq!(
            told.news(&progress)[0].1,
            "given up after attempt 1: no answer within 60 s; the reasoner's explanation stands"
        );
        progress.given_up = 1;
        assert_eq!(told.news(&progress).len(), 1, "it ended a second time");
        assert!(told.news(&progress).is_empty());
        progress.cases.clear();
        assert!(told.news(&progress).is_empty());
        progress.cases.insert("shop-I1".into(), case(CaseStage::Thinking, None, ""));
        assert_eq!(told.news(&progress).len(), 1);
    }
}
