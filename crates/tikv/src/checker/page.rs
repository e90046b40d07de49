//! The page `docs/tikv-invariants.md`, written from the tables.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Invariant, invariants};
use crate::thresholds::{TABLE, Threshold};

const HEAD: &str = "\
# What must hold of a TiKV cluster

Written from the tables in `crates/tikv/src/checker` and `crates/tikv/src/thresholds.rs`; a test holds it to them
(`UPDATE_DOCS=1` rewrites it).

An invariant is *ok*, *violated*, *unknown* (what it needs was not told), *suppressed* (not judged, for a reason that is
known or told elsewhere) or *gone*. Nothing is ok for want of numbers. What most stores break at once is one finding about
all stores. `time_scale` multiplies every grace, and the thresholds that are times of waiting (`warm_up`, `settling`,
`dead_age`, `not_falling`, `removal_not_falling`).

## Invariants

";

const THRESHOLDS: &str = "
## Thresholds

Each is a setting of the subject, in the table `thresholds`:

```toml
[subject.settings.thresholds]
heartbeat_age = 30
```

";

fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| invariant | what must hold | judged at | threshold | grace | severity | read from |\n");
    page.push_str("|---|---|---|---|---|---|---|\n");
    for invariant in invariants() {
        row(&mut page, invariant);
    }
    page.push_str(THRESHOLDS);
    page.push_str("| threshold | default | bounds | what | source |\n|---|---|---|---|---|\n");
    for Threshold { name, default, unit, min, max, what, source } in TABLE {
        let (default, min, max) = (number(*default, unit), number(*min, unit), number(*max, unit));
        let _ = writeln!(page, "| `{name}` | {default} | {min} to {max} | {what} | {source} |");
    }
    page
}

fn row(page: &mut String, invariant: &Invariant) {
    let Invariant { name, holds, at, severity, limit, grace_s, minimum_traffic, needs, .. } = invariant;
    let mut threshold = limit.map_or_else(|| "none".to_owned(), |limit| format!("`{}`", limit.row().name));
    if let Some(traffic) = minimum_traffic {
        let _ = write!(threshold, ", from `{}` on", traffic.row().name);
    }
    let grace = duration(Duration::from_secs(*grace_s));
    let needs: Vec<_> = needs.iter().map(|source| source.words()).collect();
    let needs = needs.join(", ");
    let _ = writeln!(page, "| `{name}` | {holds} | {at} | {threshold} | {grace} | {severity} | {needs} |");
}

fn duration(duration: Duration) -> String {
    match duration.as_secs() {
        0 => "none".to_owned(),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 && seconds > 60 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

fn number(number: f64, unit: &str) -> String {
    const UNITS: [(f64, &str); 3] = [(1024.0 * 1024.0 * 1024.0, "GiB"), (1024.0 * 1024.0, "MiB"), (1024.0, "KiB")];
    let whole = UNITS.iter().find(|(size, _)| unit == "bytes" && number >= *size && number % size == 0.0);
    match (whole, unit) {
        (Some((size, name)), _) => format!("{} {name}", number / size),
        (None, "1") => format!("{number}"),
        (None, _) => format!("{number} {unit}"),
    }
}

#[test]
fn the_page_in_docs_is_the_one_written_from_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tikv-invariants.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page()).expect("docs can be written");
    }
    let written = std::fs::read_to_string(path).expect("docs/tikv-invariants.md exists");
    assert!(written == page(), "run the tests with UPDATE_DOCS=1 to write docs/tikv-invariants.md");
}
