//! Times as the manifest writes them.

/// An instant to the second, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant {
    /// Seconds since 1970.
    pub(super) seconds: i64,
}

impl Instant {
    /// Of `2023-01-29 08:43:04`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let valid = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..=60).contains(&second)
            && year >= 1970;
        // Days since 1970 in the Gregorian calendar, with years that begin in March.
        let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
        valid.then_some(Self { seconds: days * 86_400 + hour * 3_600 + minute * 60 + second })
    }

    /// `08_43`: how the file of a minute, so many after this one, is called.
    pub(super) fn file_of_minute(self, later: i64) -> String {
        let minutes = (self.seconds / 60 + later).rem_euclid(1_440);
        format!("{:02}_{:02}", minutes / 60, minutes % 60)
    }

    /// Milliseconds from this instant to one in nanoseconds since 1970.
    pub(super) fn until_nanos(self, nanos: i64) -> i64 {
        nanos / 1_000_000 - self.seconds.saturating_mul(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_manifest_is_an_instant() {
        for (text, seconds) in [
            ("1970-01-01 00:00:00", Some(0)),
            ("2000-02-29 12:00:00", Some(951_825_600)),
            ("2023-01-29 08:43:04", Some(1_674_981_784)),
            ("2023-13-29 08:43:04", None),
            ("yesterday", None),
            ("2023-01-29 08:43", None),
        ] {
            assert_eq!(Instant::parse(text).map(|at| at.seconds), seconds, "{text}");
        }
    }

    #[test]
    fn the_file_of_a_minute_may_be_of_the_next_hour_or_day() {
        let at = Instant::parse("2023-01-29 23:59:04").expect("a time");
        assert_eq!([at.file_of_minute(0), at.file_of_minute(1)], ["23_59", "00_00"]);
    }
}
