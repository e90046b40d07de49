//! The time of an entry: `2026/11/24 10:00:00.123 +00:00`.

use operator_protocols::Timestamp;

/// Reads it; none, if it is not one.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let mut parts = text.split(' ');
    let (date, clock, zone) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let [year, month, day] = numbers(date, '/', &[4, 2, 2])?;
    let (clock, millis) = clock.split_once('.')?;
    let [hour, minute, second] = numbers(clock, ':', &[2, 2, 2])?;
    let [millis] = numbers(millis, '.', &[3])?;
    let (sign, zone) =
        zone.strip_prefix('+').map(|zone| (1, zone)).or(zone.strip_prefix('-').map(|zone| (-1, zone)))?;
    let [zone_hour, zone_minute] = numbers(zone, ':', &[2, 2])?;
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && zone_hour < 24
        && zone_minute < 60;
    in_range.then(|| {
        let minutes =
            (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - sign * (zone_hour * 60 + zone_minute);
        Timestamp::from_millis((minutes * 60 + second) * 1000 + millis)
    })
}

/// `N` numbers with `separator` in between, each with as many digits as `widths` says.
fn numbers<const N: usize>(text: &str, separator: char, widths: &[usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part =
            parts.next().filter(|part| part.len() == *width && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// In the Gregorian calendar, for years from 0 on.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let leap_days_before = |year: i64| {
        let last = year - 1;
        last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
    };
    let whole_years = (year - 1970) * 365 + leap_days_before(year) - leap_days_before(1970);
    let whole_months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    whole_years + whole_months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_its_zone() {
        for (text, millis) in [
            ("1970/01/01 00:00:00.000 +00:00", 0),
            ("2026/11/24 10:00:00.123 +00:00", 1_795_514_400_123),
            ("2026/11/24 18:00:00.123 +08:00", 1_795_514_400_123),
            ("2026/11/24 06:30:00.123 -03:30", 1_795_514_400_123),
            ("2024/02/29 00:00:00.000 +00:00", 1_709_164_800_000),
            ("2000/03/01 00:00:00.000 +00:00", 951_868_800_000),
            ("1969/12/31 23:59:59.999 +00:00", -1),
        ] {
            assert_eq!(read(text).map(Timestamp::as_millis), Some(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2026/11/24",
            "2026/11/24 10:00:00 +00:00",
            "2026/13/24 10:00:00.123 +00:00",
            "2026/02/29 10:00:00.123 +00:00",
            "2026/11/24 24:00:00.123 +00:00",
            "2026/11/24 10:00:00.123 00:00",
            "2026/11/24 10:00:00.123 +00:00 ",
            "+026/11/24 10:00:00.123 +00:00",
            "2026/11/24 10:00:00.12 +00:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
