//! Real processes: one owns the store, is killed, and another goes on.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use operator_core::audit::ChainStatus;
use operator_core::store::contract::sample::{NOW, SUBJECT, commit, event, noticed};
use operator_core::store::sqlite::SqliteStore;
use operator_core::store::{CycleCommit, Store, StoreError, TicketFilter};

const STATE_DIR: &str = "OPERATOR_TEST_STATE_DIR";

/// A process of this test's own binary that owns the store and writes to it without end. It ends with this value.
struct Owner {
    process: Child,
    said: BufReader<ChildStdout>,
}

impl Owner {
    fn start(state_dir: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "store_process::own_and_write", "--ignored", "--nocapture"])
            .env(STATE_DIR, state_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        let said = BufReader::new(process.stdout.take().expect("its output"));
        Self { process, said }
    }

    /// The next number that the process says is written.
    fn wrote(&mut self) -> u64 {
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).expect("its output"), 0, "the owner has ended");
            if let Some(number) = line.trim().strip_prefix("wrote ") {
                return number.parse().expect("a number");
            }
        }
    }

    /// Kills it; the last number that it said, where it said another.
    fn kill(mut self) -> Option<u64> {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it has ended");
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).expect("its output");
        // The last line may be cut off.
        let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().rev().find_map(|line| line.strip_prefix("wrote ")?.parse().ok())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

#[test]
#[ignore = "the process that the others start"]
fn own_and_write() {
    let Some(state_dir) = std::env::var_os(STATE_DIR).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let store = SqliteStore::open(&state_dir).expect("a store");
        let epoch = store.acquire_lease("child", NOW).await.expect("a free lease").epoch;
        for n in store.audit(1, u32::MAX).await.expect("rows").len() as u64 / 3 + 1.. {
            let audit = vec![event("a", &n.to_string()), event("b", "x"), event("c", "x")];
            let tickets = noticed(u32::try_from(n).expect("a small number"));
            store.commit_cycle(epoch, CycleCommit { audit, ..tickets }).await.expect("it can be written to");
            println!("wrote {n}");
        }
    });
}

#[tokio::test]
async fn what_a_killed_owner_said_is_written_is_there_and_the_next_owner_need_not_wait() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut epoch = 0;
    for round in 1..=6 {
        let mut owner = Owner::start(dir.path());
        let mut last = owner.wrote();
        // Killed at another moment each time, most often within a commit.
        for _ in 0..round * 3 {
            last = owner.wrote();
        }
        last = owner.kill().unwrap_or(last);

        let store = SqliteStore::open(dir.path()).expect("it opens");
        let next = store.acquire_lease("next", NOW).await.expect("the lease is free").epoch;
        assert_eq!(next, epoch + 2, "one epoch for the process, one for this");
        epoch = next;
        let ChainStatus::Intact { size, .. } = store.verify_audit().await.expect("it can be read") else {
            panic!("round {round}: the chain is broken")
        };
        assert_eq!(size % 3, 0, "round {round}: a commit was kept by half");
        assert!(size / 3 >= last, "round {round}: {last} commits were said to be written, {} are", size / 3);
        assert!(size / 3 <= last + 1, "round {round}: more than one commit was on its way");
        let filter = TicketFilter { limit: u32::MAX, ..TicketFilter::default() };
        let tickets = store.tickets(&filter).await.expect("it can be read").len() as u64;
        assert_eq!(tickets, size / 3, "round {round}: tickets and audit rows");
    }
}

#[tokio::test]
async fn beside_a_running_owner_one_reads_and_does_not_write() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut owner = Owner::start(dir.path());
    owner.wrote();

    let second = SqliteStore::open(dir.path()).expect("it opens");
    let refused = second.acquire_lease("second", NOW).await.expect_err("it is taken");
    assert!(matches!(refused, StoreError::Locked { .. }), "{refused:?}");
    let refused = second.commit_cycle(1, commit()).await.expect_err("it is not the owner");
    assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused:?}");

    let reader = SqliteStore::open_read_only(dir.path()).expect("it opens");
    let mut seen = 0;
    for _ in 0..5 {
        let wrote = owner.wrote();
        let tickets = reader.load(SUBJECT).await.expect("it can be read").tickets.len() as u64;
        assert!(tickets >= wrote && tickets >= seen, "{tickets} tickets after {wrote} commits, {seen} before");
        assert!(matches!(reader.verify_audit().await.expect("it can be read"), ChainStatus::Intact { .. }));
        seen = tickets;
    }
    let refused = reader.commit_cycle(1, commit()).await.expect_err("for reading only");
    assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused:?}");

    // Its log is left behind; what is in it can still be read, by one who does not own it.
    let last = owner.kill().unwrap_or(0);
    let fresh = SqliteStore::open_read_only(dir.path()).expect("it opens");
    for reader in [&reader, &fresh] {
        assert!(reader.load(SUBJECT).await.expect("it can be read").tickets.len() as u64 >= last.max(seen));
    }
}

#[tokio::test]
async fn after_a_proper_end_it_is_read_as_it_lies_there() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(dir.path()).expect("a new store");
    let epoch = store.acquire_lease("first", NOW).await.expect("a free lease").epoch;
    store.commit_cycle(epoch, noticed(1)).await.expect("a ticket");
    drop(store);
    assert!(!dir.path().join("operator.db-wal").exists(), "the log is folded into the database");
    let reader = SqliteStore::open_read_only(dir.path()).expect("it opens");
    assert_eq!(reader.load(SUBJECT).await.expect("it can be read").tickets.len(), 1);
    for name in ["operator.db", "operator.lock", "kill-switch-lock"] {
        assert!(dir.path().join(name).is_file(), "{name} is there from the beginning, and its owner's");
    }
}

#[tokio::test]
async fn an_owner_whose_lock_was_taken_from_under_it_is_fenced_by_its_epoch() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let old = SqliteStore::open(dir.path()).expect("a new store");
    let held = old.acquire_lease("old", NOW).await.expect("a free lease").epoch;
    std::fs::remove_file(dir.path().join("operator.lock")).expect("somebody tidies up");
    let new = SqliteStore::open(dir.path()).expect("it opens");
    let epoch = new.acquire_lease("new", NOW).await.expect("nothing is locked any more").epoch;

    for refused in [old.append_audit(event("x", "x")).await, old.commit_cycle(held, noticed(1)).await] {
        let Err(StoreError::LostLease { held: was, actual }) = refused else { panic!("{refused:?}") };
        assert_eq!((was, actual), (held, epoch));
    }
    new.commit_cycle(epoch, noticed(1)).await.expect("the new owner writes");
    assert_eq!(new.audit(1, 10).await.expect("rows").len(), 1);
}
