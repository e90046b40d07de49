//! Reading through Redis's keys page by page, with `SCAN`: nothing that is there all along is left out.

use crate::call::CallError;
use crate::node::Node;

/// `SCAN` calls a page may take: bounds the time of one request on a Redis full of other things.
const MOST_CALLS: u32 = 200;
/// Keys one call may look at.
const MOST_KEYS: usize = 1000;

/// One page: what was found, and the cursor to go on with (`None`: that was all).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Found on this page.
    pub items: Vec<T>,
    /// Where the next page starts.
    pub next: Option<u64>,
}

impl Node {
    /// About `limit` names that match `pattern` and that `parse` understands, from `cursor` on (0 = start).
    pub(crate) async fn scan<T: Ord>(
        &self,
        pattern: &str,
        cursor: u64,
        limit: usize,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Page<T>, CallError> {
        let (mut items, mut cursor) = (Vec::new(), cursor);
        for _ in 0..MOST_CALLS {
            let wanted = limit.saturating_sub(items.len()).clamp(1, MOST_KEYS);
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(wanted);
            let (next, names): (u64, Vec<Vec<u8>>) = self.redis.query(scan).await?;
            items.extend(names.iter().filter_map(|name| parse(std::str::from_utf8(name).ok()?)));
            cursor = next;
            if cursor == 0 || items.len() >= limit {
                break;
            }
        }
        items.sort_unstable();
        items.dedup();
        Ok(Page { items, next: (cursor != 0).then_some(cursor) })
    }
}
