//! Which metrics there are: a question about one that does not exist would be quiet for ever.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use operator_prometheus::QueryClient;
use operator_protocols::Timestamp;

use crate::queries::Query;

/// How long an answer holds: what is exposed changes with the version and with how the cluster is used.
const HOLDS: Duration = Duration::from_secs(600);
/// A metric counts as there if it was within this time.
const WITHIN: Duration = Duration::from_secs(600);

/// The metrics that one scraped target of a job exposes.
#[derive(Debug, Default)]
pub(super) struct Exposed {
    last: Mutex<Option<(Timestamp, BTreeSet<String>)>>,
}

impl Exposed {
    /// The names, asked again once they are old; none if they cannot be had. Asking for one target is cheap, asking for
    /// all of a large cluster is not.
    pub(super) async fn names(
        &self,
        client: &QueryClient,
        matchers: &str,
        instance_label: &str,
        target: &str,
        at: Timestamp,
    ) -> Option<BTreeSet<String>> {
        if let Some(names) = self.remembered(at) {
            return Some(names);
        }
        let target = target.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let selector = format!("{{{matchers},{instance_label}=\"{target}\"}}");
        let names =
            client.metric_names(&selector, at.minus(WITHIN), at).await.ok().filter(|names| !names.is_empty())?;
        *self.last() = Some((at, names.clone()));
        Some(names)
    }

    fn remembered(&self, at: Timestamp) -> Option<BTreeSet<String>> {
        let last = self.last();
        let (asked, names) = last.as_ref()?;
        (at >= *asked && at.since(*asked) < HOLDS).then(|| names.clone())
    }

    fn last(&self) -> MutexGuard<'_, Option<(Timestamp, BTreeSet<String>)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a question that got no series never will: a metric it asks for is not among `names`.
pub(super) fn never_answers(query: &Query, names: &BTreeSet<String>) -> Option<String> {
    if query.absent_is_zero || query.may_be_absent {
        return None;
    }
    let missing: BTreeSet<_> = query.metrics().filter(|metric| !names.contains(*metric)).collect();
    (!missing.is_empty()).then(|| {
        let missing: Vec<_> = missing.into_iter().collect();
        format!("no such metric is exposed: {}", missing.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::find;

    #[test]
    fn only_a_metric_that_should_be_there_is_missed() {
        let names = BTreeSet::from(["up".to_owned(), "tikv_raftstore_region_count".to_owned()]);
        let missed = |name| never_answers(find(name).expect("in the catalogue"), &names);
        assert_eq!(missed("slow_score").as_deref(), Some("no such metric is exposed: tikv_raftstore_slow_score"));
        assert_eq!(missed("raft_leaders"), None, "it is there");
        assert_eq!(missed("critical_errors"), None, "it comes with the first error");
        assert_eq!(missed("memory_quota"), None, "older versions do not have it");
    }
}
