//! What the traces say: who calls whom, and what each service begins to do for each request, as lines beside its log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use operator_protocols::LogLevel;

use super::super::rows;
use super::logs::Line;
use super::metrics::service_of_pod;

/// The most spans of one file that are read.
const SPANS: usize = 100_000;
/// The longest name of an operation that is kept, in bytes.
const NAME_BYTES: usize = 200;

/// What was traced in some minutes.
#[derive(Debug, Default)]
pub(super) struct Traced {
    /// Caller and called.
    pub(super) calls: BTreeSet<(String, String)>,
    /// The beginning of each span.
    pub(super) lines: Vec<Line>,
}

/// What was traced in one minute; nothing where there is no such file.
pub(super) fn read(file: &Path) -> Traced {
    let mut traced = Traced::default();
    let table = rows::table_or_nothing(file);
    let columns = ["TraceID", "SpanID", "ParentID", "PodName", "OperationName", "StartTimeUnixNano"];
    let [Some(trace), Some(span), Some(parent), Some(pod), Some(operation), Some(start)] =
        columns.map(|name| table.column(name))
    else {
        return traced;
    };
    let rows = &table.rows[..table.rows.len().min(SPANS)];
    let pods: BTreeMap<&str, &str> =
        rows.iter().filter_map(|row| Some((row.get(span)?.as_str(), row.get(pod)?.as_str()))).collect();
    for row in rows {
        let (Some(trace), Some(parent), Some(pod), Some(operation), Some(start)) =
            (row.get(trace), row.get(parent), row.get(pod), row.get(operation), row.get(start))
        else {
            continue;
        };
        let service = service_of_pod(pod);
        if let Some(caller) = pods.get(parent.as_str()).map(|caller| service_of_pod(caller))
            && caller != service
        {
            traced.calls.insert((caller, service.clone()));
        }
        if let Ok(nanos) = start.trim().parse() {
            let operation = &operation[..operation.floor_char_boundary(NAME_BYTES)];
            let message = format!("trace_id={trace} begins {operation}");
            traced.lines.push(Line { nanos, service, level: LogLevel::Debug, message });
        }
    }
    traced
}
