//! Numbers with their units, short enough for a column.

/// `value` in `unit` with three significant digits: `1.2 ms`, `340/s`, `4.0 MiB`, `97 %`.
pub(super) fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "s" => seconds(value),
        "bytes" => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"]),
        "1/s" => format!("{}/s", number(value)),
        "ratio" => format!("{} %", number(value * 100.0)),
        "1" | "" => number(value),
        other => format!("{} {other}", number(value)),
    }
}

fn seconds(value: f64) -> String {
    match value.abs() {
        0.0 => "0 s".to_owned(),
        v if v < 1e-3 => format!("{} µs", number(value * 1e6)),
        v if v < 1.0 => format!("{} ms", number(value * 1e3)),
        v if v < 120.0 => format!("{} s", number(value)),
        v if v < 7_200.0 => format!("{} min", number(value / 60.0)),
        _ => format!("{} h", number(value / 3_600.0)),
    }
}

fn scaled(mut value: f64, by: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value.abs() >= by && unit + 1 < units.len() {
        value /= by;
        unit += 1;
    }
    format!("{} {}", number(value), units[unit])
}

/// Three significant digits, thousands as `k`, `M`, `G`.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    match size {
        s if s >= 1e15 => format!("{value:.1e}"),
        s if s >= 1e9 => format!("{}G", digits(value / 1e9)),
        s if s >= 1e6 => format!("{}M", digits(value / 1e6)),
        s if s >= 1e4 => format!("{}k", digits(value / 1e3)),
        _ => digits(value),
    }
}

fn digits(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}"),
        v if v >= 0.01 => format!("{value:.2}"),
        v if v >= 0.001 => format!("{value:.3}"),
        0.0 => "0".to_owned(),
        _ => "~0".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_short_and_says_its_unit() {
        let shown: Vec<_> = [
            (0.0012, "s"),
            (0.000_25, "s"),
            (90.0, "s"),
            (86_400.0, "s"),
            (340.4, "1/s"),
            (4_194_304.0, "bytes"),
            (0.971, "ratio"),
            (12_345_678.0, "1"),
            (0.5, "1"),
            (3.0, "jobs"),
            (0.0, "s"),
            (1e300, "1"),
            (0.0047, "1"),
            (7e-4, "1"),
        ]
        .map(|(value, unit)| quantity(value, unit))
        .into();
        assert_eq!(
            shown,
            [
                "1.2 ms", "250 µs", "90 s", "24 h", "340/s", "4 MiB", "97.1 %", "12.3M", "0.50", "3 jobs", "0 s",
                "1.0e300", "0.005", "~0"
            ]
        );
    }
}
