//! Whatever the timing, nothing is claimed after a kill was acknowledged: by file, by row, by command.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use operator_core::store::contract::sample::{NOW, SUBJECT, admin, execution, gate, proposed};
use operator_core::store::sqlite::SqliteStore;
use operator_core::store::sqlite::kill_switch::{engage_by_file, file_path, release_by_file};
use operator_core::store::{KillScope, Store};
use rusqlite::Connection;
use tempfile::TempDir;

const RACES: u32 = 2_000;

/// How many claims were granted out of [`RACES`], each against one `engage`, and how many of them only after it had
/// returned.
async fn race<E, R>(engage: E, release: R) -> (u32, u32)
where
    E: Fn(&Path, &Arc<SqliteStore>, u32) + Clone + Send + Sync + 'static,
    R: Fn(&Path, &Arc<SqliteStore>),
{
    let dir = in_memory();
    let store = Arc::new(SqliteStore::open(dir.path()).expect("a new store"));
    let epoch = store.acquire_lease("test", NOW).await.expect("a free lease").epoch;
    let all: Vec<_> = (1..=RACES).map(execution).collect();
    store.commit_cycle(epoch, proposed(&all)).await.expect("executions to claim");
    let looking = Connection::open(dir.path().join("operator.db")).expect("a second connection");
    let state = |id: &str| -> String {
        looking.query_row("SELECT state FROM intent WHERE id = ?1", [id], |row| row.get(0)).expect("a stored intent")
    };
    let (mut granted, mut too_late) = (0, 0);
    for (round, execution) in (0..).zip(&all) {
        let engaging = {
            let (engage, store, path) = (engage.clone(), Arc::clone(&store), dir.path().to_owned());
            std::thread::spawn(move || {
                stagger(round);
                engage(&path, &store, round);
            })
        };
        let claiming = {
            let (store, gate) = (Arc::clone(&store), gate(execution, epoch));
            tokio::spawn(async move {
                stagger(round / 7);
                store.claim(gate).await.is_ok()
            })
        };
        tokio::task::spawn_blocking(|| engaging.join()).await.expect("a thread").expect("engaging works");
        let acknowledged = state(&execution.proposal.id);
        let claimed = claiming.await.expect("a task");
        let at_last = state(&execution.proposal.id);
        assert_eq!(claimed, at_last == "dispatched", "round {round}: the claimer was told something else");
        granted += u32::from(claimed);
        too_late += u32::from(at_last != acknowledged);
        release(dir.path(), &store);
    }
    (granted, too_late)
}

/// A directory in memory, where there is one: the races are the same, and the disk is not what is tried here.
fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    dir.expect("a temporary directory")
}

/// Lets a few microseconds pass, another number in every round.
fn stagger(round: u32) {
    for _ in 0..(round % 13) * 40 {
        std::hint::spin_loop();
    }
}

fn assert_held((granted, too_late): (u32, u32)) {
    assert_eq!(too_late, 0, "claims that committed after the kill was acknowledged");
    assert!(0 < granted && granted < RACES, "{granted} of {RACES} claims were granted: there was no race");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_file() {
    let scope = |round: u32| if round.is_multiple_of(2) { KillScope::Global } else { subject() };
    let engage = move |dir: &Path, _: &Arc<SqliteStore>, round| {
        engage_by_file(dir, &scope(round), "ada", "stop", NOW).expect("a file can be written");
    };
    assert_held(
        race(engage, |dir, _| {
            for scope in [KillScope::Global, subject()] {
                release_by_file(dir, &scope).expect("a file can be removed");
            }
        })
        .await,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_row() {
    let set = |dir: &Path, engaged: bool| {
        let other = Connection::open(dir.join("operator.db")).expect("a second connection");
        other.busy_timeout(Duration::from_secs(10)).expect("a time limit");
        other.execute("UPDATE kill_switch SET engaged = ?1 WHERE scope = 'global'", [engaged]).expect("a row");
    };
    assert_held(race(move |dir, _, _| set(dir, true), |dir, _| set(dir, false)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_command() {
    let handle = tokio::runtime::Handle::current();
    let engage = move |_: &Path, store: &Arc<SqliteStore>, _| {
        let done = handle.block_on(store.engage_kill_switch(KillScope::Global, &admin(), "stop", NOW));
        let done = done.expect("it can be engaged");
        assert!(done.row_written && done.file_written, "{done:?}");
    };
    let release = |dir: &Path, store: &Arc<SqliteStore>| {
        let handle = tokio::runtime::Handle::current();
        let ada = admin();
        let released = store.release_kill_switch(KillScope::Global, &ada, "next", NOW);
        tokio::task::block_in_place(|| handle.block_on(released)).expect("it can be released");
        assert!(!file_path(dir, &KillScope::Global).exists());
    };
    assert_held(race(engage, release).await);
}

fn subject() -> KillScope {
    KillScope::Subject(SUBJECT.to_owned())
}

#[tokio::test]
async fn with_the_database_down_it_is_engaged_by_file_and_says_so() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(dir.path()).expect("a new store");
    let epoch = store.acquire_lease("test", NOW).await.expect("a free lease").epoch;
    store.commit_cycle(epoch, proposed(&[execution(1)])).await.expect("an execution");
    let other = Connection::open(dir.path().join("operator.db")).expect("a second connection");
    other.execute_batch("ALTER TABLE kill_switch RENAME TO elsewhere").expect("a broken schema");

    let done = store.engage_kill_switch(KillScope::Global, &admin(), "stop", NOW).await.expect("by file");
    assert!(done.file_written && !done.row_written, "{done:?}");
    let states = store.kill_switch().await.expect("what the files say");
    assert!(states.iter().any(|state| state.engaged && state.by_file), "{states:?}");

    other.execute_batch("ALTER TABLE elsewhere RENAME TO kill_switch").expect("a mended schema");
    let refused = store.claim(gate(&execution(1), epoch)).await.expect_err("the file still holds");
    assert!(refused.to_string().contains("kill switch"), "{refused}");
}

#[tokio::test]
async fn who_only_reads_the_store_can_still_engage_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let owner = SqliteStore::open(dir.path()).expect("a new store");
    let epoch = owner.acquire_lease("test", NOW).await.expect("a free lease").epoch;
    owner.commit_cycle(epoch, proposed(&[execution(1)])).await.expect("an execution");
    let reader = SqliteStore::open_read_only(dir.path()).expect("a store");
    let done = reader.engage_kill_switch(KillScope::Global, &admin(), "stop", NOW).await.expect("by file");
    assert!(done.file_written && !done.row_written, "{done:?}");
    let refused = owner.claim(gate(&execution(1), epoch)).await.expect_err("the file holds");
    assert!(refused.to_string().contains("kill switch"), "{refused}");
}
