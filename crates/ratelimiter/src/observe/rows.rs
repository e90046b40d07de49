//! Reading what the nodes admitted: page by page, all nodes side by side, within a budget of rows and time.
//!
//! A node with more rows than the budget is read on from where it ended the last time; which part of the key space was
//! read goes along with the rows.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_protocols::Unavailable;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::node_reading::NodeReading;
use crate::client::{Endpoint, NodeClient};
use crate::inspector::LogId;
use crate::ledger::NodeRows;

/// Pages of one node in one observation: 160,000 rows, more than 1,000 logs of one minute have.
const MAX_PAGES: usize = 40;

/// Where to read on with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowCursor {
    boot_id: String,
    cursor: String,
    after: LogId,
}

/// Where to read on, by node.
pub(super) type RowCursors = BTreeMap<String, RowCursor>;

type Read = Result<(NodeRows, Option<RowCursor>), Unavailable>;

/// Reads the rows of all nodes that answer.
pub(super) async fn read(
    client: &NodeClient,
    nodes: &[NodeReading],
    cursors: &RowCursors,
    within: Duration,
) -> (Vec<NodeRows>, RowCursors, Vec<Unavailable>) {
    let mut reading = JoinSet::new();
    for node in nodes {
        let (Some(health), Some(endpoint)) = (node.health(), node.target.endpoint.clone()) else { continue };
        let (client, id, boot_id) = (client.clone(), node.target.id.clone(), health.boot_id.clone());
        let cursor = cursors.get(&id).filter(|cursor| cursor.boot_id == boot_id).cloned();
        reading.spawn(async move {
            let what = format!("what {id} admitted");
            let read = timeout(within, read_node(&client, &endpoint, &id, &boot_id, cursor)).await;
            let read =
                read.unwrap_or_else(|_| Err(Unavailable::new(what, format!("it did not come within {within:?}"))));
            (id, read)
        });
    }
    let (mut rows, mut next, mut unavailable) = (Vec::new(), RowCursors::new(), Vec::new());
    while let Some(read) = reading.join_next().await {
        match read {
            Ok((id, Ok((node, cursor)))) => {
                rows.push(node);
                next.extend(cursor.map(|cursor| (id, cursor)));
            }
            Ok((_, Err(why))) => unavailable.push(why),
            Err(error) => unavailable.push(Unavailable::new("what a node admitted", error.to_string())),
        }
    }
    rows.sort_by(|a, b| a.node.cmp(&b.node));
    (rows, next, unavailable)
}

async fn read_node(
    client: &NodeClient,
    endpoint: &Endpoint,
    id: &str,
    boot_id: &str,
    begin: Option<RowCursor>,
) -> Read {
    let what = || format!("what {id} admitted");
    let mut all = Vec::new();
    let (mut tracked, mut untracked, mut calls_itself) = (0, 0, id.to_owned());
    let mut cursor = begin.as_ref().map(|begin| begin.cursor.clone());
    for _ in 0..MAX_PAGES {
        let page = client.admitted(endpoint, cursor.as_deref()).await.map_err(|error| error.unavailable(what()))?;
        if page.boot_id != boot_id {
            return Err(Unavailable::new(what(), "it started again meanwhile"));
        }
        (tracked, untracked, calls_itself) = (page.tracked, page.untracked, page.node_id);
        all.extend(page.rows);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let until = cursor.as_ref().and(all.last()).map(|row| LogId { key: row.key.clone(), window_ms: row.window_ms });
    let next =
        cursor.zip(until.clone()).map(|(cursor, after)| RowCursor { boot_id: boot_id.to_owned(), cursor, after });
    let mut rows = NodeRows::new(id, &calls_itself, boot_id, all);
    (rows.tracked, rows.untracked) = (tracked, untracked);
    rows.after = begin.map(|begin| begin.after);
    rows.until = until;
    Ok((rows, next))
}
