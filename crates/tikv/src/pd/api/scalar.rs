//! Numbers that PD writes as text.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

/// Bytes of a size as Go's `units.BytesSize` writes it, `16.88GiB`, and as PD up to 3 did, `745 GiB` or `102 GB`. It has four
/// digits, no more.
pub(crate) fn size(text: &str) -> Option<f64> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..unit].trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
    let (base, unit) = match text[unit..].to_ascii_lowercase() {
        unit if unit.ends_with("ib") => (1024.0_f64, unit.trim_end_matches("ib").to_owned()),
        unit => (1000.0, unit.strip_suffix('b').unwrap_or(&unit).to_owned()),
    };
    let power = ["", "k", "m", "g", "t", "p", "e"].iter().position(|known| *known == unit)?;
    Some(number * base.powi(i32::try_from(power).ok()?))
}

/// Seconds of a duration as Go writes it: `30m0s`, `10ms`, `498740h57m10.07s`.
pub(crate) fn go_duration(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(0.0);
    }
    let sign = match rest.strip_prefix('-') {
        Some(positive) => {
            rest = positive;
            -1.0
        }
        None => 1.0,
    };
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        seconds += number
            * match &rest[..letters] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" | "μs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[letters..];
    }
    Some(sign * seconds).filter(|seconds| seconds.is_finite())
}

/// A size that is absent or text.
pub(super) fn optional_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            size(&text).map(Some).ok_or_else(|| D::Error::custom(format!("{text:?} is no size such as 16.88GiB")))
        }
        Some(Value::Number(number)) => Ok(number.as_f64()),
        Some(other) => Err(D::Error::custom(format!("{other} is no size such as 16.88GiB"))),
    }
}

/// `null` is what Go writes for an empty list or map.
pub(super) fn null_is_empty<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A map whose keys are ids, as text.
pub(super) fn by_id<'de, K, T, D>(deserializer: D) -> Result<BTreeMap<K, T>, D::Error>
where
    K: FromStr + Ord + Hash,
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let by_text = Option::<BTreeMap<String, T>>::deserialize(deserializer)?.unwrap_or_default();
    let by_id = by_text.into_iter().map(|(key, value)| {
        let id = key.parse().map_err(|_| D::Error::custom(format!("{key:?} is no id")))?;
        Ok((id, value))
    });
    by_id.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_of_all_versions_are_bytes() {
        let gib = 1024.0 * 1024.0 * 1024.0;
        for (text, bytes) in [
            ("0B", 0.0),
            ("1TiB", 1024.0 * gib),
            ("16.88GiB", 16.88 * gib),
            ("745 GiB", 745.0 * gib),
            ("102 GB", 102e9),
            ("512KiB", 512.0 * 1024.0),
            ("1.5kB", 1500.0),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in ["", "1", "GiB", "-1GiB", "1XiB", "NaNGiB", "infGiB", "1 2GiB", "1GiB2"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn durations_of_go_are_seconds() {
        for (text, seconds) in [
            ("30m0s", 1800.0),
            ("10ms", 0.01),
            ("1h0m0s", 3600.0),
            ("0s", 0.0),
            ("0", 0.0),
            ("-1.5s", -1.5),
            ("2µs", 2e-6),
        ] {
            assert_eq!(go_duration(text), Some(seconds), "{text}");
        }
        let decades = go_duration("498740h57m10.069140357s").expect("a long one");
        assert!((decades - 1_795_467_430.069).abs() < 0.01, "{decades}");
        for text in ["", "-", "s", "1", "1x", "1h1", "1..0s", "--1s"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in ".{0,40}") {
            let _ = size(&text);
            let _ = go_duration(&text);
        }
    }
}
