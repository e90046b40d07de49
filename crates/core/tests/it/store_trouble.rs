//! A store in trouble: nothing is claimed, nothing is written by half, reading goes on where it can, and it resumes by
//! itself.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use operator_core::ExecutionState::{Approved, Dispatched, Done};
use operator_core::store::contract::sample::{
    NOW, SUBJECT, admin, bring_to, contents, decision, diagnosis, event, execution, gate, noticed, outcome,
    verification,
};
use operator_core::store::sqlite::SqliteStore;
use operator_core::store::{ClaimError, CycleCommit, KillScope, Store, StoreError, TicketFilter};
use operator_core::{Decision, ExecutionState};
use rusqlite::Connection;
use tempfile::TempDir;

struct InTrouble {
    dir: TempDir,
    store: SqliteStore,
    epoch: u64,
}

impl InTrouble {
    async fn soon() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(dir.path()).expect("a new store");
        let epoch = store.acquire_lease("test", NOW).await.expect("a free lease").epoch;
        store.commit_cycle(epoch, noticed(1)).await.expect("a ticket");
        bring_to(&store, epoch, &execution(1), Approved).await.expect("an execution to claim");
        bring_to(&store, epoch, &execution(2), Dispatched).await.expect("an execution to finish");
        bring_to(&store, epoch, &execution(3), ExecutionState::AwaitingApproval).await.expect("one to decide on");
        Self { dir, store, epoch }
    }

    fn other(&self) -> Connection {
        Connection::open(self.dir.path().join("operator.db")).expect("a second connection")
    }

    /// A commit with something of everything.
    fn everything(&self) -> CycleCommit {
        let mut all = noticed(2);
        all.counters.tickets = 2;
        all.diagnoses.push(("D1".to_owned(), diagnosis(1)));
        all.executions.push(execution(4));
        all.verifications.push(verification(&execution(2)));
        all
    }

    async fn works(&self) {
        self.store.commit_cycle(self.epoch, self.everything()).await.expect("it can be written to");
        self.store.claim(gate(&execution(1), self.epoch)).await.expect("it can be claimed");
        let done = outcome(&execution(2), self.epoch, Dispatched, Done);
        self.store.finish(done).await.expect("it can be finished");
    }
}

fn cause(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable { source, .. } => source.to_string(),
        other => panic!("not unavailable: {other:?}"),
    }
}

#[tokio::test]
async fn a_full_disk_stops_writing_not_reading_and_is_over_when_there_is_room() {
    let trouble = InTrouble::soon().await;
    trouble.store.limit_size(1).await.expect("what it has already is its limit then");
    let before = contents(&trouble.store).await.expect("reading");
    // Large enough not to fit into what is left of the last page.
    let mut large = trouble.everything();
    large.audit.push(operator_core::AuditEvent { body: serde_json::json!("x".repeat(100_000)), ..event("a", "b") });
    for _ in 0..3 {
        let error = trouble.store.commit_cycle(trouble.epoch, large.clone()).await.expect_err("no room");
        assert!(cause(&error).contains("full"), "{error:?}");
        assert_eq!(contents(&trouble.store).await.expect("reading goes on"), before);
    }
    let mut claim = gate(&execution(1), trouble.epoch);
    claim.audit.body = serde_json::json!("x".repeat(100_000));
    let refused = trouble.store.claim(claim).await.expect_err("no room for its audit row");
    assert!(matches!(refused, ClaimError::Store(StoreError::Unavailable { .. })), "{refused:?}");
    assert_eq!(contents(&trouble.store).await.expect("reading goes on"), before);

    trouble.store.limit_size(1_000_000).await.expect("room again");
    trouble.store.commit_cycle(trouble.epoch, large).await.expect("it resumes by itself");
    trouble.store.claim(gate(&execution(1), trouble.epoch)).await.expect("claims are granted again");
}

#[tokio::test]
async fn while_another_process_holds_the_database_it_waits_a_while_and_says_so_and_resumes() {
    let trouble = InTrouble::soon().await;
    let other = trouble.other();
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let since = Instant::now();
    let error = trouble.store.commit_cycle(trouble.epoch, noticed(2)).await.expect_err("locked");
    assert!(cause(&error).contains("locked"), "{error:?}");
    assert!(since.elapsed() >= Duration::from_secs(4), "it should have waited");
    assert!(since.elapsed() < Duration::from_secs(20), "it should not have waited for ever");
    // Reading does not wait, and the kill switch works by file.
    assert_eq!(trouble.store.tickets(&TicketFilter::default()).await.expect("reading").len(), 1);
    let killed = trouble.store.engage_kill_switch(KillScope::Global, &admin(), "stop", NOW).await.expect("by file");
    assert!(killed.file_written && !killed.row_written, "{killed:?}");
    other.execute_batch("ROLLBACK").expect("no lock");
    trouble.store.release_kill_switch(KillScope::Global, &admin(), "mended", NOW).await.expect("it can be released");
    trouble.works().await;
}

/// Every table that a command writes to, in turn, refuses: nothing of the command is kept.
async fn with_each_write_failing(tables: &[&str], act: impl AsyncFn(&InTrouble) -> Result<(), String>) {
    for table in tables {
        for moment in ["INSERT", "UPDATE"] {
            let trouble = InTrouble::soon().await;
            let before = contents(&trouble.store).await.expect("reading");
            let other = trouble.other();
            let trigger = format!(
                "CREATE TRIGGER boom AFTER {moment} ON {table} BEGIN SELECT RAISE(FAIL, 'the disk is on fire'); END"
            );
            other.execute_batch(&trigger).expect("a trigger");
            let result = act(&trouble).await;
            if let Err(error) = &result {
                assert!(error.contains("on fire"), "{table}: {error}");
                assert_eq!(contents(&trouble.store).await.expect("reading"), before, "after {moment} on {table}");
                other.execute_batch("DROP TRIGGER boom").expect("no trigger");
                act(&trouble).await.expect("it resumes by itself");
            } else {
                // This command does not do that to this table.
                assert!(contents(&trouble.store).await.expect("reading") != before, "{moment} {table}");
            }
        }
    }
}

fn said(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

#[tokio::test]
async fn whichever_write_of_a_commit_fails_nothing_of_it_is_kept() {
    let tables =
        ["counter", "violation", "incident", "ticket", "diagnosis", "intent", "verification", "audit", "audit_head"];
    with_each_write_failing(&tables, async |trouble| {
        trouble.store.commit_cycle(trouble.epoch, trouble.everything()).await.map_err(|error| said(&error))
    })
    .await;
}

#[tokio::test]
async fn whichever_write_of_a_claim_fails_nothing_of_it_is_kept() {
    with_each_write_failing(&["budget", "intent", "attempt", "audit", "audit_head"], async |trouble| {
        let claimed = trouble.store.claim(gate(&execution(1), trouble.epoch)).await;
        claimed.map(|_| ()).map_err(|error| said(&error))
    })
    .await;
}

#[tokio::test]
async fn whichever_write_of_an_outcome_or_a_decision_fails_nothing_of_it_is_kept() {
    with_each_write_failing(&["intent", "attempt", "audit", "audit_head"], async |trouble| {
        let done = outcome(&execution(2), trouble.epoch, Dispatched, Done);
        trouble.store.finish(done).await.map(|_| ()).map_err(|error| said(&error))
    })
    .await;
    with_each_write_failing(&["intent", "approval", "audit", "audit_head"], async |trouble| {
        let approval = decision(&execution(3), &admin(), Decision::Approve);
        let decided = trouble.store.decide(trouble.epoch, approval, event("action.approved", "x")).await;
        decided.map_err(|error| said(&error))
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let trouble = InTrouble::soon().await;
    let other = trouble.other();
    other.execute_batch("DROP TRIGGER intent_bound").expect("no trigger");
    let id = execution(1).proposal.id;
    for (edit, names) in [
        ("UPDATE ticket SET body = '{' WHERE id = 'eu-shop-T1'", "ticket"),
        ("UPDATE violation SET body = '[]'", "violation"),
        ("UPDATE incident SET body = '{}'", "incident"),
        ("UPDATE intent SET body = '{}' WHERE id LIKE 'eu-shop-A1-%'", id.as_str()),
        ("UPDATE intent SET version = -1 WHERE id LIKE 'eu-shop-A1-%'", id.as_str()),
        ("UPDATE counter SET tickets = -5", "tickets"),
    ] {
        other.execute_batch(edit).expect(edit);
        let error = trouble.store.load(SUBJECT).await.expect_err(edit);
        assert!(matches!(error, StoreError::Corrupt { .. }), "{edit}: {error:?}");
        assert!(error.to_string().contains(names), "{edit}: {error}");
        restore(&other);
    }
    trouble.store.load(SUBJECT).await.expect("mended");

    // An action that somebody edited in the database is not what was approved.
    let edit = "UPDATE intent SET body = replace(body, 'mend', 'rend') WHERE id LIKE 'eu-shop-A1-%'";
    other.execute_batch(edit).expect(edit);
    let refused = trouble.store.claim(gate(&execution(1), trouble.epoch)).await.expect_err("edited");
    assert!(refused.to_string().contains("its hash is"), "{refused}");
}

/// Puts every row back to what the samples say.
fn restore(other: &Connection) {
    use operator_core::canonical_json;
    use operator_core::store::contract::sample::{incident, ticket, violation};
    other.execute("UPDATE ticket SET body = ?1", [canonical_json(&ticket(1))]).expect("a ticket");
    other.execute("UPDATE violation SET body = ?1", [canonical_json(&violation(1))]).expect("a violation");
    other.execute("UPDATE incident SET body = ?1", [canonical_json(&incident(1))]).expect("an incident");
    let proposal = canonical_json(&execution(1).proposal);
    other
        .execute("UPDATE intent SET body = ?1, version = 1 WHERE id = ?2", [&proposal, &execution(1).proposal.id])
        .expect("an intent");
    other.execute("UPDATE counter SET tickets = 0", []).expect("a count");
}

#[tokio::test]
async fn what_is_no_database_is_refused_without_panic_and_left_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("operator.db");
    let whole = {
        let other = tempfile::tempdir().expect("a temporary directory");
        drop(SqliteStore::open(other.path()).expect("a new store"));
        fs::read(other.path().join("operator.db")).expect("its file")
    };
    let cut = &whole[..whole.len() / 2];
    let mut spoiled = whole.clone();
    spoiled[100..2000].fill(0xff);
    for (what, content) in [
        ("text", b"not a database, but longer than its header is".repeat(200)),
        ("cut", cut.to_vec()),
        ("spoiled", spoiled),
    ] {
        fs::write(&path, &content).expect("a file");
        let opened = SqliteStore::open(dir.path());
        let error = match opened {
            Err(error) => error,
            // What is cut off may show only when it is used.
            Ok(store) => store.acquire_lease("test", NOW).await.expect_err(what),
        };
        assert!(!cause(&error).is_empty(), "{what}");
        let reader = SqliteStore::open_read_only(dir.path()).expect("there is a file");
        let error = reader.load(SUBJECT).await.expect_err(what);
        assert!(matches!(error, StoreError::Unavailable { .. } | StoreError::Corrupt { .. }), "{what}: {error:?}");
        drop(reader);
        for suffix in ["", "-wal", "-shm"] {
            // Some are there, some are not.
            let _gone = fs::remove_file(dir.path().join(format!("operator.db{suffix}")));
        }
    }
}

#[tokio::test]
async fn where_no_store_can_be_it_is_said() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("file"), "").expect("a file");
    let error = SqliteStore::open(&dir.path().join("file/state")).expect_err("a file is no directory");
    assert!(error.to_string().contains("file/state"), "{error}");
    fs::create_dir_all(dir.path().join("state/operator.db")).expect("a directory");
    let error = SqliteStore::open(&dir.path().join("state")).expect_err("a directory is no database");
    assert!(!cause(&error).is_empty());
    let error = SqliteStore::open_read_only(Path::new("/nowhere")).expect_err("nothing is there");
    assert!(cause(&error).contains("no operator ran here"), "{error:?}");
}
