//! The scorecard as a person reads it.

use std::fmt;

use super::score::{Quantiles, Score, Scorecard};

const HEAD: [&str; 10] = [
    "scenario",
    "detected",
    "in time",
    "locus",
    "class",
    "first action",
    "harmful",
    "false tickets",
    "detect p50/p90",
    "recover p50/p90",
];

fn row(name: &str, score: &Score) -> [String; 10] {
    [
        name.to_owned(),
        score.detected.to_string(),
        score.in_time.to_string(),
        score.locus.to_string(),
        score.class.to_string(),
        score.first_action.to_string(),
        score.harmful.to_string(),
        score.false_tickets.to_string(),
        seconds(score.time_to_detect),
        seconds(score.time_to_recover),
    ]
}

fn seconds(times: Quantiles) -> String {
    if times.count == 0 {
        return "–".to_owned();
    }
    format!("{:.1}/{:.1} s", times.p50_ms as f64 / 1e3, times.p90_ms as f64 / 1e3)
}

/// Writes rows in columns as wide as their widest cell.
fn columns<const N: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; N]]) -> fmt::Result {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(f, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// `R2` before `R10`.
fn by_number(name: &str) -> (String, u64) {
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    (name.trim_end_matches(digits).to_owned(), digits.parse().unwrap_or(u64::MAX))
}

/// Shares with their 95 % intervals, then the confusion table, then every miss with why.
impl fmt::Display for Scorecard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (diagnoser, total) in &self.total {
            writeln!(f, "{diagnoser}")?;
            let mut rows = vec![HEAD.map(str::to_owned)];
            let mut scenarios: Vec<_> = self.by_scenario.get(diagnoser).into_iter().flatten().collect();
            scenarios.sort_by_key(|(name, _)| by_number(name));
            rows.extend(scenarios.into_iter().map(|(name, score)| row(name, score)));
            rows.push(row("all", total));
            columns(f, &rows)?;
            if total.cost.tokens > 0 {
                writeln!(f, "  {} tokens, ${:.2}", total.cost.tokens, total.cost.usd)?;
            }
            if let Some(confusion) = self.confusion.get(diagnoser).filter(|confusion| !confusion.cells.is_empty()) {
                writeln!(f, "\n  what was said where what is true")?;
                let mut rows = vec![["true", "said", "runs"].map(str::to_owned)];
                rows.extend(confusion.cells.iter().map(|c| [c.truth.clone(), c.said.clone(), c.count.to_string()]));
                columns(f, &rows)?;
            }
            writeln!(f)?;
        }
        if !self.misses.is_empty() {
            writeln!(f, "misses")?;
            for miss in &self.misses {
                let recording = miss.recording.as_deref().map(|path| format!("  [{path}]")).unwrap_or_default();
                writeln!(f, "  {} {} seed {}{recording}", miss.key.diagnoser, miss.key.scenario, miss.key.seed)?;
                for why in &miss.why {
                    writeln!(f, "    {why}")?;
                }
            }
        }
        if !self.invalid.is_empty() {
            writeln!(f, "runs that say nothing")?;
            for (key, why) in &self.invalid {
                writeln!(f, "  {} {} seed {}: {why}", key.diagnoser, key.scenario, key.seed)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::score::tests::result;
    use super::*;

    #[test]
    fn a_person_reads_shares_confusion_and_misses() {
        let mut wrong = result("R10", 1);
        if let Some(diagnosis) = &mut wrong.diagnosis {
            diagnosis.class = "LinkDown".to_owned();
            diagnosis.class_right = false;
        }
        let text = Scorecard::of(&[wrong, result("R2", 0)]).to_string();
        let expected = "\
reasoner
  scenario  detected  in time        locus             class             first action      harmful  false tickets  detect p50/p90  recover p50/p90
  R2        1/1 100 % (21–100)";
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let expected: Vec<_> =
            expected.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines[0], expected[0]);
        assert_eq!(lines[1], expected[1]);
        assert!(lines[2].starts_with(&expected[2]), "{text}");
        assert!(lines[3].starts_with("R10 "), "{text}");
        assert!(text.contains("ComponentDown|ComponentSlow  LinkDown"), "{text}");
        assert!(text.contains("wrong class: component:node-1 LinkDown (90 %)"), "{text}");
        assert!(text.contains("[R1-0.jsonl]"), "{text}");
    }
}
