//! The embedded store keeps the contract that every store keeps.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use operator_core::store::contract::{CHECKS, Fixture};
use operator_core::store::sqlite::SqliteStore;
use operator_core::store::{Store, StoreError};
use operator_protocols::BoxFuture;
use tempfile::TempDir;

/// A state directory that lives as long as its fixture.
struct InDirectory {
    _dir: TempDir,
    state: PathBuf,
}

fn empty() -> Arc<dyn Fixture> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    Arc::new(InDirectory { state: dir.path().join("state"), _dir: dir })
}

impl Fixture for InDirectory {
    fn open(&self) -> BoxFuture<'_, Result<Arc<dyn Store>, StoreError>> {
        Box::pin(async move { Ok(Arc::new(SqliteStore::open(&self.state)?) as Arc<dyn Store>) })
    }

    fn fresh(&self) -> Arc<dyn Fixture> {
        empty()
    }

    fn state_dir(&self) -> Option<&Path> {
        Some(&self.state)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_store_keeps_every_promise() {
    let mut broken = Vec::new();
    for check in CHECKS {
        if let Err(how) = (check.run)(empty()).await {
            broken.push(format!("{}:\n  {how}", check.name));
        }
    }
    assert!(broken.is_empty(), "{} of {} promises are broken:\n{}", broken.len(), CHECKS.len(), broken.join("\n"));
}
