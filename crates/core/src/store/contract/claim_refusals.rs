//! Claims that are refused: one condition at a time, with everything else in order.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::BoxFuture;

use crate::ExecutionState::{Approved, AwaitingApproval, Dispatched, Running, Unknown, Unsettled};
use crate::store::contract::outcome::{ensure, ensure_eq, ensure_err};
use crate::store::contract::sample::{
    NOW, admin, approver, bound, bring_to, contents, decision, event, execution, gate, granted, minutes, owned, stored,
    worker,
};
use crate::store::contract::{Broken, Fixture, Outcome};
use crate::store::{BudgetCharge, ClaimError, ClaimGate, KillScope, Refusal, Store};
use crate::{Approval, Decision, Execution, ExecutionState, Principal, Role};

/// A store in which one high-risk intent may be claimed: two people approved it.
struct World {
    /// Keeps the data.
    _fixture: Arc<dyn Fixture>,
    store: Arc<dyn Store>,
    epoch: u64,
    ready: Execution,
}

impl World {
    async fn ready(fixture: Arc<dyn Fixture>) -> Result<Self, Broken> {
        let (store, epoch) = owned(&fixture).await?;
        let two = Execution { quorum: 2, ..execution(1) };
        bring_to(&*store, epoch, &two, AwaitingApproval).await?;
        for by in [approver("ada"), approver("bo")] {
            let made = decision(&two, &by, Decision::Approve);
            store.decide(epoch, made, event("action.approved", &two.proposal.id)).await?;
        }
        let approved = stored(&*store, &two.proposal.id).await?;
        let approved = Execution { state: Approved, version: approved.version + 1, ..approved };
        store.commit_cycle(epoch, crate::store::contract::sample::proposed(&[approved])).await?;
        let ready = stored(&*store, &two.proposal.id).await?;
        Ok(Self { _fixture: fixture, store, epoch, ready })
    }

    fn gate(&self) -> ClaimGate {
        let charge =
            |scope: &str, cap| BudgetCharge { scope: scope.to_owned(), window: Duration::from_secs(3600), cap };
        ClaimGate {
            charges: vec![charge("target:eu-shop/w1", 1), charge("overall", 1)],
            max_in_flight: 1,
            max_attempts: 1,
            ..gate(&self.ready, self.epoch)
        }
    }
}

type Arrange = for<'a> fn(&'a World) -> BoxFuture<'a, Result<ClaimGate, Broken>>;
type Expect = fn(&Refusal) -> bool;

macro_rules! condition {
    ($what:literal, |$world:ident, $gate:ident| $arrange:expr, $refusal:pat $(if $guard:expr)?) => {
        (
            $what,
            (|$world: &World| Box::pin(async move {
                #[allow(unused_mut, reason = "some conditions are in the store, not in the gate")]
                let mut $gate = $world.gate();
                $arrange;
                Ok($gate)
            })) as Arrange,
            (|refusal: &Refusal| matches!(refusal, $refusal $(if $guard)?)) as Expect,
        )
    };
}

/// Every condition: how to break it alone, and what the refusal must be.
fn conditions() -> Vec<(&'static str, Arrange, Expect)> {
    vec![
        condition!("a later epoch", |world, gate| gate.epoch = world.epoch + 1, Refusal::LostLease { .. }),
        condition!("an earlier epoch", |world, gate| gate.epoch = world.epoch - 1, Refusal::LostLease { .. }),
        condition!(
            "everything is stopped",
            |world, gate| world.store.engage_kill_switch(KillScope::Global, &admin(), "stop", NOW).await?,
            Refusal::KillSwitch { scope: KillScope::Global }
        ),
        condition!(
            "the subject is stopped",
            |world, gate| {
                let scope = KillScope::Subject("eu-shop".to_owned());
                world.store.engage_kill_switch(scope, &admin(), "stop", NOW).await?
            },
            Refusal::KillSwitch { scope: KillScope::Subject(_) }
        ),
        condition!("no such intent", |_world, gate| gate.intent.push('x'), Refusal::NoSuchIntent(_)),
        condition!(
            "it is another subject's",
            |_world, gate| "us-shop".clone_into(&mut gate.subject),
            Refusal::NoSuchIntent(_)
        ),
        condition!("no attempt is left", |_world, gate| gate.max_attempts = 0, Refusal::Attempts(0)),
        condition!("another hash", |_world, gate| gate.bind_hash.replace_range(0..1, "x"), Refusal::Hash { .. }),
        condition!("its last moment", |_world, gate| gate.now = minutes(15), Refusal::Expired(_)),
        condition!("another policy", |_world, gate| gate.policy_revision.push('x'), Refusal::Policy { .. }),
        condition!(
            "one of three rejects",
            |world, gate| {
                let no = decision(&world.ready, &approver("cy"), Decision::Reject);
                world.store.decide(world.epoch, no, event("action.rejected", "x")).await?;
            },
            Refusal::Rejected(who) if who == "cy"
        ),
        condition!(
            "one thought better of it",
            |world, gate| {
                let no = decision(&world.ready, &approver("bo"), Decision::Reject);
                world.store.decide(world.epoch, no, event("action.rejected", "x")).await?;
            },
            Refusal::Rejected(who) if who == "bo"
        ),
        condition!(
            "one may approve no more",
            |_world, gate| gate.approvers.retain(|name| name != "bo"),
            Refusal::Quorum { have: 1, need: 2 }
        ),
        condition!(
            "nobody may approve any more",
            |_world, gate| gate.approvers.clear(),
            Refusal::Quorum { have: 0, need: 2 }
        ),
        condition!(
            "enough is in flight elsewhere",
            |world, gate| {
                bring_to(&*world.store, world.epoch, &execution(2), Dispatched).await?;
            },
            Refusal::InFlight { in_flight: 1, cap: 1 }
        ),
        condition!(
            "the target is taken",
            |world, gate| {
                let mut other = execution(2);
                other.proposal.target = worker(1);
                bring_to(&*world.store, world.epoch, &bound(other), Unsettled).await?;
                gate.max_in_flight = 2;
            },
            Refusal::Slot { holder } if *holder == execution(2).proposal.id
        ),
        condition!(
            "the target's budget is used up",
            |_world, gate| gate.charges[0].cap = 0,
            Refusal::Budget { scope, cap: 0, .. } if scope == "target:eu-shop/w1"
        ),
        condition!(
            "the last budget is used up",
            |_world, gate| gate.charges[1].cap = 0,
            Refusal::Budget { scope, cap: 0, .. } if scope == "overall"
        ),
    ]
}

pub(super) async fn each_condition_alone_refuses_and_changes_nothing(fixture: Arc<dyn Fixture>) -> Outcome {
    let in_order = World::ready(fixture.fresh()).await?;
    granted(in_order.store.claim(in_order.gate()).await)?;
    for (what, arrange, expected) in conditions() {
        let world = World::ready(fixture.fresh()).await?;
        let gate = arrange(&world).await?;
        let before = contents(&*world.store).await?;
        let result = world.store.claim(gate).await;
        let refusal = ensure_err!(result, ClaimError::Refused(refusal) => refusal, "{what}");
        ensure!(expected(&refusal), "{what}: {refusal:?}");
        ensure_eq!(contents(&*world.store).await?, before, "what is stored: {what}");
    }
    Ok(())
}

pub(super) async fn what_is_in_no_state_for_it_is_not_claimed(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    for (n, &state) in (1..).zip(ExecutionState::ALL) {
        let execution = bring_to(&*store, epoch, &execution(n), state).await?;
        let result = store.claim(gate(&execution, epoch)).await;
        if matches!(state, Approved | Unknown) {
            granted(result)?;
            continue;
        }
        let refusal = ensure_err!(result, ClaimError::Refused(refusal) => refusal, "what is {state}");
        ensure_eq!(refusal, Refusal::State(state), "the refusal");
        ensure_eq!(stored(&*store, &execution.proposal.id).await?, execution, "what is {state}");
    }
    Ok(())
}

pub(super) async fn whatever_may_still_arrive_holds_its_target(fixture: Arc<dyn Fixture>) -> Outcome {
    let (store, epoch) = owned(&fixture).await?;
    for (n, &state) in (1..).zip(ExecutionState::ALL) {
        let first = bring_to(&*store, epoch, &execution(n), state).await?;
        let mut second = execution(100 + n);
        second.proposal.target = worker(n);
        let second = bring_to(&*store, epoch, &bound(second), Approved).await?;
        let result = store.claim(gate(&second, epoch)).await;
        if matches!(state, Dispatched | Running | Unknown | Unsettled) {
            let refusal = ensure_err!(result, ClaimError::Refused(refusal) => refusal, "beside what is {state}");
            ensure_eq!(refusal, Refusal::Slot { holder: first.proposal.id }, "beside what is {state}");
        } else {
            granted(result)?;
        }
    }
    Ok(())
}

/// Who approves and when, against who may and whether that is enough.
struct Ballot {
    what: &'static str,
    quorum: u32,
    requested_by: &'static str,
    made: &'static [(&'static str, Decision, i64)],
    verdict: Result<(), Refusal>,
}

pub(super) async fn only_decisions_that_count_are_counted(fixture: Arc<dyn Fixture>) -> Outcome {
    use Decision::{Approve, Reject};
    let short = |have, need| Err(Refusal::Quorum { have, need });
    let ballot = |what, quorum, requested_by, made, verdict| Ballot { what, quorum, requested_by, made, verdict };
    let ballots = [
        ballot("nobody decided", 1, "operator", &[], short(0, 1)),
        ballot("one of one", 1, "operator", &[("ada", Approve, 15)], Ok(())),
        ballot("one of two", 2, "operator", &[("ada", Approve, 15)], short(1, 2)),
        ballot("two of two", 2, "operator", &[("ada", Approve, 15), ("bo", Approve, 15)], Ok(())),
        ballot("the same one twice", 2, "operator", &[("ada", Approve, 15), ("ada", Approve, 15)], short(1, 2)),
        ballot("a stranger", 1, "operator", &[("mallory", Approve, 15)], short(0, 1)),
        ballot("a stranger's no", 1, "operator", &[("mallory", Reject, 15), ("ada", Approve, 15)], Ok(())),
        ballot("another's name in other letters", 1, "operator", &[("Ada", Approve, 15)], short(0, 1)),
        ballot("an approval that ends now", 1, "operator", &[("ada", Approve, 0)], short(0, 1)),
        ballot(
            "the later of two approvals ends",
            1,
            "operator",
            &[("ada", Approve, 15), ("ada", Approve, 0)],
            short(0, 1),
        ),
        ballot(
            "a no does not end",
            1,
            "operator",
            &[("bo", Reject, 0), ("ada", Approve, 15)],
            Err(Refusal::Rejected("bo".to_owned())),
        ),
        ballot("a no that was taken back", 1, "operator", &[("ada", Reject, 15), ("ada", Approve, 15)], Ok(())),
        ballot(
            "a yes that was taken back",
            1,
            "operator",
            &[("ada", Approve, 15), ("ada", Reject, 15)],
            Err(Refusal::Rejected("ada".to_owned())),
        ),
        ballot("the one who asked, of one", 1, "ada", &[("ada", Approve, 15)], Ok(())),
        ballot("the one who asked, of two", 2, "ada", &[("ada", Approve, 15), ("bo", Approve, 15)], short(1, 2)),
        ballot(
            "two beside the one who asked",
            2,
            "ada",
            &[("ada", Approve, 15), ("bo", Approve, 15), ("cy", Approve, 15)],
            Ok(()),
        ),
        ballot(
            "the one who asked says no",
            2,
            "ada",
            &[("ada", Reject, 15), ("bo", Approve, 15), ("cy", Approve, 15)],
            Err(Refusal::Rejected("ada".to_owned())),
        ),
    ];
    let (store, epoch) = owned(&fixture).await?;
    for (n, Ballot { what, quorum, requested_by, made, verdict }) in (1..).zip(ballots) {
        let mut asked = Execution { quorum, ..execution(n) };
        asked.proposal.requested_by = requested_by.to_owned();
        let asked = bring_to(&*store, epoch, &asked, Approved).await?;
        for (who, decided, until) in made {
            let by = Principal { role: Role::Approver, ..approver(who) };
            let made = Approval { expires_at: minutes(*until), ..decision(&asked, &by, *decided) };
            store.decide(epoch, made, event("action.decided", &asked.proposal.id)).await?;
        }
        match (store.claim(gate(&asked, epoch)).await, verdict) {
            (Ok(_), Ok(())) => {}
            (Err(ClaimError::Refused(refusal)), Err(expected)) => ensure_eq!(refusal, expected, "{what}"),
            (result, expected) => return Err(Broken(format!("{what}: {result:?}, not {expected:?}"))),
        }
    }
    Ok(())
}
