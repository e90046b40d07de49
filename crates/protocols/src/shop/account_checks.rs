//! Where the parties' accounts of one thing do not agree, and who is alone with theirs.

use super::accounts::ITEMS;
use super::checker::{LANE_ACCOUNTS, PAST, SALES_RECORDED, SAME_SETTINGS, missing};
use super::lanes::LANES;
use super::node::ORDERS;
use super::view::{FOREIGN, JOBS, SALES, VAT};
use crate::{
    ComponentState, Discrepancy, DiscrepancyKind, Evaluation, Finding, GroupId, History, Id, Locus, Observation, Value,
    Verdict,
};

/// So few are under way between two parties.
const UNDER_WAY: f64 = 3.0;
const REPLICAS: u32 = ORDERS.len() as u32;

pub(super) fn judge(subject: &str, past: &History, now: &Observation) -> Vec<Evaluation> {
    let mut found = lanes(subject, past, now);
    for replica in ORDERS {
        let on = Locus::component(subject, replica);
        found.push(Evaluation::new(SALES_RECORDED, on.clone(), sales(subject, replica, now)));
        found.push(Evaluation::new(SAME_SETTINGS, on, settings(subject, replica, now)));
    }
    found
}

fn number(value: Option<&Value>) -> Option<f64> {
    value.and_then(Value::as_f64).filter(|number| number.is_finite())
}

/// What is claimed less what is there.
fn gap(pair: Option<&Value>) -> Option<(f64, f64)> {
    let [claimed, there] = pair?.as_list()? else { return None };
    let claimed = number(Some(claimed))?;
    Some((claimed - number(Some(there))?, claimed))
}

fn is_down(subject: &str, name: &str, now: &Observation) -> bool {
    now.component(&Id::new(subject, name)).is_some_and(|component| component.state == ComponentState::Down)
}

/// What is wrong with one lane's accounts since `then`.
fn lane_of(subject: &str, lane: &str, then: Option<&Observation>, now: &Observation) -> Option<Vec<Discrepancy>> {
    let jobs = now.details.get(JOBS)?.get(lane)?;
    let before = then.and_then(|then| then.details.get(JOBS)?.get(lane));
    let (what, held_by) = (Locus::entity(subject, "lane", lane), Locus::component(subject, "queue"));
    let gone = |replica: &'static str| {
        let (gap_now, claimed) = gap(jobs.get(replica))?;
        let (gap_before, claimed_before) = before.and_then(|before| gap(before.get(replica))).unwrap_or_default();
        Some((replica, gap_now - gap_before, claimed - claimed_before))
    };
    let gone: Vec<_> = ORDERS.into_iter().filter_map(gone).collect();
    let sum: f64 = gone.iter().map(|(_, gone, _)| gone).sum();
    let mut found = Vec::new();
    if sum > UNDER_WAY {
        let whole = gone.iter().filter(|(_, gone, _)| *gone < 1.0).count() as u32;
        found.extend(gone.iter().filter(|(_, gone, _)| *gone >= 1.0).map(|(replica, gone, claimed)| Discrepancy {
            what: what.clone(),
            claimed_by: Some(Locus::component(subject, *replica)),
            held_by: held_by.clone(),
            kind: DiscrepancyKind::Missing,
            amount: *gone,
            of: claimed.max(*gone),
            agree: whole,
            peers: REPLICAS,
        }));
    }
    let foreign = |seen: &Observation| number(seen.details.get(FOREIGN)?.get(lane));
    let extra = foreign(now)? - then.and_then(foreign).unwrap_or(0.0);
    if extra > UNDER_WAY {
        found.push(Discrepancy {
            what,
            claimed_by: None,
            held_by,
            kind: DiscrepancyKind::Unclaimed,
            amount: extra,
            of: number(
                now.signal(&Locus::entity(subject, "lane", lane), "jobs_held").map(|held| held.value.into()).as_ref(),
            )
            .unwrap_or(extra)
            .max(extra),
            agree: 0,
            peers: REPLICAS,
        });
    }
    Some(found)
}

fn lanes(subject: &str, past: &History, now: &Observation) -> Vec<Evaluation> {
    let then = past.since(now.at.minus(PAST)).find(|seen| seen.details.contains_key(JOBS)).map(AsRef::as_ref);
    let locus = |lane: &str| Locus::entity(subject, "lane", lane);
    let queue = Locus::component(subject, "queue");
    let mut verdicts = Vec::new();
    let mut all = Vec::new();
    for lane in LANES {
        let verdict = match lane_of(subject, lane, then, now) {
            _ if is_down(subject, "queue", now) => Verdict::Suppressed("queue does not run".to_owned()),
            None => Verdict::Unknown(missing(&format!("accounts of lane {lane}"), now)),
            Some(found) if found.is_empty() => Verdict::Ok,
            Some(found) => {
                all.extend(found.clone());
                Verdict::Violated(finding(&format!("lane {lane}"), found))
            }
        };
        verdicts.push((lane, verdict));
    }
    let violated = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Violated(_))).count();
    let folded = violated == LANES.len();
    let whole = if folded {
        let mut one = finding("every lane", all);
        one.count = LANES.len() as u32;
        one.involves = LANES.iter().map(|lane| locus(lane)).collect();
        Verdict::Violated(one)
    } else if verdicts.iter().all(|(_, verdict)| matches!(verdict, Verdict::Unknown(_))) {
        Verdict::Unknown(missing("accounts of the lanes", now))
    } else if is_down(subject, "queue", now) {
        Verdict::Suppressed("queue does not run".to_owned())
    } else {
        Verdict::Ok
    };
    let mut found = vec![Evaluation::new(LANE_ACCOUNTS, queue, whole)];
    found.extend(verdicts.into_iter().map(|(lane, verdict)| {
        let verdict = if folded { Verdict::Suppressed("folded".to_owned()) } else { verdict };
        Evaluation::new(LANE_ACCOUNTS, locus(lane), verdict)
    }));
    found
}

fn finding(what: &str, discrepancies: Vec<Discrepancy>) -> Finding {
    let sum = |kind| discrepancies.iter().filter(|one| one.kind == kind).map(|one| one.amount).sum::<f64>();
    // A sum of nothing is minus zero.
    let (gone, extra) = (sum(DiscrepancyKind::Missing) + 0.0, sum(DiscrepancyKind::Unclaimed) + 0.0);
    let message = format!("{what}: {gone:.0} jobs are gone that nobody took, {extra:.0} are there that nobody put");
    let mut finding = Finding::new(message, gone + extra, UNDER_WAY);
    finding.discrepancies = discrepancies;
    // What was amiss is in the accounts for as long as they are held against each other.
    finding.persists = Some(PAST);
    finding
}

fn sales(subject: &str, replica: &str, now: &Observation) -> Verdict {
    let Some(all) = now.details.get(SALES) else {
        if is_down(subject, "catalog", now) {
            return Verdict::Suppressed("catalog does not run".to_owned());
        }
        return Verdict::Unknown(missing(&format!("sales of {replica}"), now));
    };
    let lag = |replica: &str, item: &str| gap(all.get(replica)?.get(item));
    let mut found = Vec::new();
    for item in ITEMS {
        let Some((gap, claimed)) = lag(replica, item) else {
            return Verdict::Unknown(missing(&format!("sales of {replica}"), now));
        };
        if gap > UNDER_WAY {
            let others = ORDERS.iter().filter(|other| **other != replica);
            let agree = others.filter(|other| lag(other, item).is_some_and(|(gap, _)| gap <= UNDER_WAY)).count() as u32;
            found.push(Discrepancy {
                what: Locus::entity(subject, "item", item),
                claimed_by: Some(Locus::component(subject, replica)),
                held_by: Locus::component(subject, "catalog"),
                kind: DiscrepancyKind::Missing,
                amount: gap,
                of: claimed,
                agree,
                peers: REPLICAS,
            });
        }
    }
    if found.is_empty() {
        return Verdict::Ok;
    }
    let sum = found.iter().map(|one| one.amount).sum::<f64>();
    let message = format!("{sum:.0} sales of {replica} are not in the catalog, of {} items", found.len());
    let mut finding = Finding::new(message, sum, UNDER_WAY);
    finding.discrepancies = found;
    Verdict::Violated(finding)
}

fn settings(subject: &str, replica: &str, now: &Observation) -> Verdict {
    if is_down(subject, replica, now) {
        return Verdict::Suppressed(format!("{replica} does not run"));
    }
    let vat = |replica: &str| number(now.details.get(VAT)?.get(replica));
    let Some(own) = vat(replica) else {
        return Verdict::Unknown(missing(&format!("settings of {replica}"), now));
    };
    let others: Vec<f64> = ORDERS.iter().filter(|other| **other != replica).filter_map(|other| vat(other)).collect();
    // With the majority, or without one, there is nothing to say.
    let agree = others.iter().filter(|other| **other == others[0]).count();
    if agree < others.len() || others.len() < 2 || others[0] == own {
        return Verdict::Ok;
    }
    let message = format!("{replica} charges {own} % of tax, the others {} %", others[0]);
    let mut finding = Finding::new(message, (own - others[0]).abs(), 0.0);
    finding.discrepancies.push(Discrepancy {
        what: Locus::entity(subject, "setting", VAT),
        claimed_by: Some(Locus::component(subject, replica)),
        held_by: Locus::Group(GroupId::new(subject, "orders")),
        kind: DiscrepancyKind::Differs,
        amount: (own - others[0]).abs(),
        of: others[0],
        agree: agree as u32,
        peers: REPLICAS,
    });
    Verdict::Violated(finding)
}
