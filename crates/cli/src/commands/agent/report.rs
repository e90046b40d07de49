//! `operator agent report`: how often explanations were right, wrong and withheld.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use operator_core::store::Store as _;
use operator_core::{MarkCounts, MarkReport};

use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::output::Table;

pub(super) async fn run(app: &App) -> Result<Exit, Failure> {
    let report = app.reader()?.mark_report(app.subject.as_deref()).await?;
    app.output.print("report", &report, || text(&report))?;
    Ok(Exit::Clean)
}

fn text(report: &MarkReport) -> String {
    if report.by_diagnoser.is_empty() {
        return "nothing was explained yet".to_owned();
    }
    let mut text = table("diagnoser", &report.by_diagnoser);
    // Writing to a String cannot fail.
    let _ = write!(text, "\n{}", table("class", &report.by_class));
    text.push_str("\nsay it with: operator tickets mark ID --right | --wrong [--cause CLASS@LOCUS]");
    text
}

fn table(of: &'static str, counts: &BTreeMap<String, MarkCounts>) -> String {
    let mut table = Table::new(&[of, "right", "wrong", "abstained", "unmarked", "right of marked"]);
    for (name, count) in counts {
        let marked = count.right + count.wrong;
        let share =
            if marked == 0 { "–".to_owned() } else { format!("{:.0} %", count.right as f64 / marked as f64 * 100.0) };
        let number = |n: u64| n.to_string();
        table.row([
            name.clone(),
            number(count.right),
            number(count.wrong),
            number(count.abstained),
            number(count.unmarked),
            share,
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use operator_core::MarkVerdict;
    use operator_protocols::FaultClass;

    use super::*;

    #[test]
    fn right_wrong_abstained_and_unsaid_are_counted_apart() {
        let mut report = MarkReport::default();
        assert_eq!(text(&report), "nothing was explained yet");
        report.count("reasoner", FaultClass::ComponentDown, Some(MarkVerdict::Right));
        report.count("reasoner", FaultClass::ComponentDown, Some(MarkVerdict::Wrong));
        report.count("reasoner", FaultClass::Unknown, None);
        report.count("llm:some-model", FaultClass::LinkSlow, None);
        insta::assert_snapshot!(text(&report));
    }
}
