//! What was said where something else is true.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::run_result::RunResult;

/// How often each fault class was named for each true one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Confusion {
    /// The cells that are not empty, in order.
    pub cells: Vec<ConfusionCell>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConfusionCell {
    /// The classes that are true, as the scenario lists them.
    pub truth: String,
    /// The class that was named; `no diagnosis` where none was given.
    pub said: String,
    /// How often.
    pub count: u32,
}

impl Confusion {
    pub(super) fn of<'a>(results: impl IntoIterator<Item = &'a RunResult>) -> Self {
        let mut counts = BTreeMap::<(String, String), u32>::new();
        for result in results.into_iter().filter(|result| result.diagnosis_due()) {
            let said = result.diagnosis.as_ref().map_or("no diagnosis", |diagnosis| diagnosis.class.as_str());
            *counts.entry((true_classes(result), said.to_owned())).or_default() += 1;
        }
        let cell = |((truth, said), count)| ConfusionCell { truth, said, count };
        Self { cells: counts.into_iter().map(cell).collect() }
    }
}

/// The classes of all right explanations, each once: `ComponentDown|ComponentSlow`.
fn true_classes(result: &RunResult) -> String {
    let mut classes = Vec::<&str>::new();
    for class in result.truth.iter().filter_map(|truth| truth.rsplit_once(' ')).flat_map(|(_, c)| c.split('|')) {
        if !classes.contains(&class) {
            classes.push(class);
        }
    }
    classes.join("|")
}
