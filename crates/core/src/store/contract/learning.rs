//! What is kept to learn from.

use std::sync::Arc;

use operator_protocols::FaultClass;
use operator_reasoner::{Deliberation, EvidencePack, Outcome as DeliberationOutcome, Usage};

use crate::store::CycleCommit;
use crate::store::contract::outcome::{ensure, ensure_eq};
use crate::store::contract::sample::{
    NOW, SUBJECT, admin, commit, diagnosis, incident, minutes, noticed, owned, worker,
};
use crate::store::contract::{Fixture, Outcome};
use crate::{Mark, MarkCounts, MarkVerdict, PastCase, Signature};

fn pack(n: u32) -> EvidencePack {
    EvidencePack {
        subject: SUBJECT.to_owned(),
        incident: incident(n).id,
        built_at: NOW,
        from: minutes(-15),
        observations: 3,
        onset: minutes(-1),
        tickets: incident(n).tickets,
        items: Vec::new(),
        components: Vec::new(),
        dependencies: Vec::new(),
        invariants: Vec::new(),
    }
}

fn deliberation(model: &str) -> Deliberation {
    Deliberation {
        provider: "anthropic".to_owned(),
        model: model.to_owned(),
        prompt_version: "1".to_owned(),
        prompt_hash: "0".repeat(64),
        parameters: serde_json::json!({ "temperature": 0.1 + 0.2 }),
        outcome: DeliberationOutcome::Repaired,
        faults: vec!["E99 is not in the evidence".to_owned()],
        verdicts: Vec::new(),
        dissent: None,
        exchanges: Vec::new(),
        usage: Usage::default(),
    }
}

fn past(n: u32, kind: &str) -> PastCase {
    PastCase {
        incident: incident(n).id,
        subject: SUBJECT.to_owned(),
        kind: kind.to_owned(),
        closed_at: minutes(i64::from(n)),
        tickets: incident(n).tickets,
        invariant: "errors".to_owned(),
        on: worker(n),
        signature: Signature::of(&pack(n)),
        diagnosis: format!("{SUBJECT}-D{n}"),
        diagnoser: "scripted".to_owned(),
        diagnosed: (FaultClass::ComponentDown, worker(n)),
        fixed_by: Some("mend".to_owned()),
        mark: None,
    }
}

fn mark(n: u32, verdict: MarkVerdict) -> Mark {
    Mark {
        subject: SUBJECT.to_owned(),
        incident: incident(n).id,
        ticket: format!("{SUBJECT}-T{n}"),
        diagnosis: format!("{SUBJECT}-D{n}"),
        diagnoser: "scripted".to_owned(),
        class: FaultClass::ComponentDown,
        verdict,
        cause: Some((FaultClass::LinkDown, worker(n))),
        note: "it was the cable".to_owned(),
        by: admin(),
        at: NOW,
    }
}

fn diagnosed(n: u32) -> CycleCommit {
    CycleCommit { diagnoses: vec![(format!("{SUBJECT}-D{n}"), diagnosis(n))], ..noticed(n) }
}

pub(super) async fn what_a_diagnosis_rests_on_and_how_it_was_reached_is_kept_with_it(
    fixture: Arc<dyn Fixture>,
) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    let id = format!("{SUBJECT}-D1");
    let full = CycleCommit {
        evidence: vec![(id.clone(), pack(1))],
        deliberations: vec![(id.clone(), NOW, deliberation("one")), (id.clone(), minutes(1), deliberation("two"))],
        ..diagnosed(1)
    };
    store.commit_cycle(epoch, full).await?;
    let orphan = CycleCommit { evidence: vec![("no-such".to_owned(), pack(1))], ..commit() };
    ensure!(store.commit_cycle(epoch, orphan).await.is_err(), "evidence of no diagnosis");
    drop(store);
    let (store, _) = owned(&fixture).await?;
    ensure_eq!(store.evidence(&id).await?, Some(pack(1)), "the evidence");
    ensure_eq!(store.evidence("no-such").await?, None, "the evidence of nothing");
    ensure_eq!(store.deliberations(&id).await?, vec![deliberation("one"), deliberation("two")], "the deliberations");
    Ok(())
}

pub(super) async fn what_is_over_is_found_by_its_kind_the_latest_first(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    for n in 1..=3 {
        let kind = if n == 2 { "shop" } else { "mill" };
        store.commit_cycle(epoch, CycleCommit { past: vec![past(n, kind)], ..noticed(n) }).await?;
    }
    ensure_eq!(store.past_cases("mill", 0).await?, vec![past(3, "mill"), past(1, "mill")], "those of a kind");
    ensure_eq!(store.past_cases("mill", 1).await?, vec![past(3, "mill")], "one of them");
    ensure_eq!(store.past_cases("none", 0).await?, Vec::new(), "those of another kind");
    let again = PastCase { mark: Some(mark(1, MarkVerdict::Wrong)), closed_at: minutes(9), ..past(1, "mill") };
    store.commit_cycle(epoch, CycleCommit { past: vec![again.clone()], ..commit() }).await?;
    ensure_eq!(store.past_cases("mill", 0).await?, vec![again.clone(), past(3, "mill")], "one that ended again");
    let mut foreign = CycleCommit { past: vec![again], ..commit() };
    "us-shop".clone_into(&mut foreign.subject);
    "us-shop".clone_into(&mut foreign.past[0].subject);
    ensure!(store.commit_cycle(epoch, foreign).await.is_err(), "another subject's");
    Ok(())
}

pub(super) async fn the_last_word_on_an_incident_counts(fixture: Arc<dyn Fixture>) -> Outcome {
    use MarkVerdict::{Right, Withdrawn, Wrong};
    let (store, epoch) = owned(&fixture).await?;
    for n in 1..=5 {
        let mut made = diagnosed(n);
        if n == 5 {
            made.diagnoses[0].1.primary.class = FaultClass::Unknown;
        }
        store.commit_cycle(epoch, made).await?;
    }
    for (n, verdict) in [(1, Right), (1, Wrong), (2, Right), (3, Wrong), (3, Withdrawn)] {
        store.commit_cycle(epoch, CycleCommit { marks: vec![mark(n, verdict)], ..commit() }).await?;
    }
    drop(store);
    let (store, _) = owned(&fixture).await?;
    let last = vec![mark(3, Withdrawn), mark(2, Right), mark(1, Wrong)];
    ensure_eq!(store.marks(Some(SUBJECT), 0).await?, last, "the last of each");
    ensure_eq!(store.marks(Some("us-shop"), 0).await?, Vec::new(), "those of another subject");
    ensure_eq!(store.load(SUBJECT).await?.marks.len(), 3, "what a loop that starts is told");
    let report = store.mark_report(None).await?;
    let counts = MarkCounts { right: 1, wrong: 1, abstained: 1, unmarked: 2 };
    ensure_eq!(report.by_diagnoser.get("scripted"), Some(&counts), "the counts of a diagnoser");
    let of_class = MarkCounts { abstained: 0, ..counts };
    let down = FaultClass::ComponentDown.to_string();
    ensure_eq!(report.by_class.get(&down), Some(&of_class), "the counts of a class");
    Ok(())
}
