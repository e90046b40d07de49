//! `docs/tikv-actions.md` is what the definitions say. `UPDATE_DOCS=1` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use operator_protocols::{ActionDefinition, Does, TargetKind};

use super::scene::{holding, sent};
use crate::actions::definitions;

const INTRODUCTION: &str = "\
# What can be done to a TiKV cluster

Written by a test from the definitions: `UPDATE_DOCS=1 cargo test -p operator-tikv documented`.

Every request below is the only one that its action can send, and there is no code for any other: no removal by force, no
removal of all drains or operators at once, no adding or removing of single replicas, nothing below `/admin`, no removal of a
member of PD, no halting of scheduling, no weight of zero.

No action is sent unless PD has a leader that answers, has heard of all regions and of some store within 30 s; no two stores
that do not answer may hold replicas of one region; and nobody else may be evicting leaders from a store where the action
concerns whole stores or replicas. What cannot be read counts as forbidden. All of it is read again right before the request,
which is sent once and only if it is word for word what was approved. PD keeps no key of a request, so what becomes of one is
read from PD afterwards, and one whose outcome is unknown is never repeated by itself.

A drain has no owner and no end in PD. Ours is meant to last for its `minutes`. While the operator runs, or when it is started
again over its journal, it takes a drain of its own back once the store is well. A drain that lasts longer than it was meant
to, or that nobody remembers, is told as a leftover after half an hour and proposed to be taken back. Pauses of schedulers and
checkers end by themselves in PD.

| action | aimed at | risk | good against | request |
|---|---|---|---|---|
";

fn rendered() -> String {
    let mut text = INTRODUCTION.to_owned();
    for action in definitions(true) {
        let request = holding().iter().find(|(_, request)| request.action == action.name).map_or_else(
            || "none to PD: the process driver".to_owned(),
            |(live, request)| format!("`{}`", sent(live, request).expect(&action.name)),
        );
        let (name, aims, risk) = (&action.name, aims(&action), action.risk);
        writeln!(text, "| `{name}` | {aims} | {risk} | {} | {request} |", remedies(&action)).expect("text takes all");
    }
    text.push_str("\n## Parameters\n\n| action | parameter | what | default |\n|---|---|---|---|\n");
    for action in definitions(true) {
        for param in &action.params {
            let default = param.default.as_ref().map_or_else(|| "required".to_owned(), |value| format!("`{value}`"));
            let (name, what) = (&param.name, &param.description);
            let expected = param.kind.expectation();
            writeln!(text, "| `{}` | `{name}` | {what}: {expected} | {default} |", action.name)
                .expect("text takes all");
        }
    }
    text
}

fn aims(action: &ActionDefinition) -> String {
    let aims = action.targets.iter().map(|target| match target {
        TargetKind::Component { kinds } => kinds.join(", "),
        TargetKind::Entity { kind } => kind.clone(),
        TargetKind::Whole => "the whole".to_owned(),
    });
    aims.collect::<Vec<_>>().join(", ")
}

fn remedies(action: &ActionDefinition) -> String {
    let remedies = action.remedies.iter().map(|remedy| match remedy.does {
        Does::Cures => remedy.class.to_string(),
        Does::Contains => format!("{} (contains)", remedy.class),
    });
    remedies.collect::<Vec<_>>().join(", ")
}

#[test]
fn the_documentation_says_what_the_definitions_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tikv-actions.md");
    let rendered = rendered();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &rendered).expect("the documentation can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == rendered, "docs/tikv-actions.md is not what the definitions say: write it with UPDATE_DOCS=1");
}
