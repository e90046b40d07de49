//! Containers do not end with whoever started them: what was not shut down is removed by force when its owner goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::project::ComposeProject;

/// Removes everything of a project when it is dropped, unless it was put away before.
pub(super) struct Broom {
    project: Arc<ComposeProject>,
    put_away: AtomicBool,
}

impl Broom {
    pub(super) fn of(project: &Arc<ComposeProject>) -> Self {
        Self { project: Arc::clone(project), put_away: AtomicBool::new(false) }
    }

    /// There is nothing left to remove.
    pub(super) fn put_away(&self) {
        self.put_away.store(true, Ordering::Relaxed);
    }
}

impl Drop for Broom {
    fn drop(&mut self) {
        if self.put_away.load(Ordering::Relaxed) {
            return;
        }
        let project = Arc::clone(&self.project);
        // In a thread of its own: this one may be a runtime's, which must not wait for another.
        let sweeping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime.map(|runtime| runtime.block_on(project.sweep())) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(project = project.name(), %error, "something is left"),
                Err(error) => tracing::warn!(project = project.name(), %error, "something is left"),
            }
        });
        let _ = sweeping.join();
    }
}
