//! What one scrape of a `/metrics` endpoint says, in the Prometheus text format or in OpenMetrics.

use std::collections::{BTreeMap, HashMap};

use crate::line::{self, Line};
use crate::{ParseError, Problem};

/// Labels of a series, in order of their names.
pub type Labels = BTreeMap<String, String>;

/// How much an exposition may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpositionLimits {
    /// Bytes in all.
    pub bytes: usize,
    /// Bytes in one line.
    pub line_bytes: usize,
    /// Series in all.
    pub series: usize,
    /// Labels of one series.
    pub labels: usize,
}

impl Default for ExpositionLimits {
    /// 8 MiB, 16 KiB a line, 50,000 series, 64 labels: several times what a large server of today exposes.
    fn default() -> Self {
        Self { bytes: 8 << 20, line_bytes: 16 << 10, series: 50_000, labels: 64 }
    }
}

/// One series and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name of the series, suffixes such as `_bucket` included.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Its value; it may be NaN or infinite.
    pub value: f64,
    /// The timestamp as written: milliseconds in the text format, seconds in OpenMetrics.
    pub timestamp: Option<f64>,
}

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FamilyKind {
    /// A count that only grows.
    Counter,
    /// A value as it is now.
    Gauge,
    /// Cumulative buckets.
    Histogram,
    /// Quantiles computed by the source.
    Summary,
    /// Any other declared kind.
    Other,
    /// None was declared.
    #[default]
    Untyped,
}

impl FamilyKind {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "counter" => Some(Self::Counter),
            "gauge" => Some(Self::Gauge),
            "histogram" => Some(Self::Histogram),
            "summary" => Some(Self::Summary),
            "untyped" | "unknown" => Some(Self::Untyped),
            "gaugehistogram" | "stateset" | "info" => Some(Self::Other),
            _ => None,
        }
    }

    fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["_total", "_created"],
            Self::Histogram => &["_bucket", "_sum", "_count", "_created"],
            Self::Summary => &["_sum", "_count", "_created"],
            Self::Other => &["_info", "_bucket", "_gsum", "_gcount"],
            Self::Gauge | Self::Untyped => &[],
        }
    }
}

/// All series of one metric.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Family {
    /// What kind of metric it is.
    pub kind: FamilyKind,
    /// What it means, if the source says.
    pub help: Option<String>,
    /// Its series, in the order given.
    pub samples: Vec<Sample>,
}

/// What one scrape says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposition {
    families: BTreeMap<String, Family>,
    ended: bool,
}

impl Exposition {
    /// Parses a scrape.
    ///
    /// # Errors
    /// The first line that is malformed, repeats a series, or goes beyond `limits`.
    pub fn parse(bytes: &[u8], limits: &ExpositionLimits) -> Result<Self, ParseError> {
        let mut exposition = Self::default();
        let mut first_lines: HashMap<(String, Labels), usize> = HashMap::new();
        let mut read = 0;
        for (index, raw) in bytes.split(|&byte| byte == b'\n').enumerate() {
            let number = index + 1;
            let error = |problem| ParseError { line: number, problem };
            read += raw.len() + 1;
            if read > limits.bytes.saturating_add(1) {
                return Err(error(Problem::TooLarge { limit: limits.bytes }));
            }
            if raw.len() > limits.line_bytes {
                return Err(error(Problem::LineTooLong { limit: limits.line_bytes }));
            }
            let text = std::str::from_utf8(raw).map_err(|_| error(Problem::NotUtf8))?;
            let line = line::parse(text, limits.labels).map_err(error)?;
            if exposition.ended && line != Line::Blank {
                return Err(error(Problem::AfterEnd));
            }
            match line {
                Line::Blank => {}
                Line::End => exposition.ended = true,
                Line::Help(name, help) => {
                    exposition.families.entry(name.to_owned()).or_default().help = Some(help.to_owned());
                }
                Line::Type(name, kind) => exposition.declare(name, kind).map_err(error)?,
                Line::Sample { name, labels, value, timestamp } => {
                    if first_lines.len() == limits.series {
                        return Err(error(Problem::TooManySeries { limit: limits.series }));
                    }
                    if let Some(first_line) = first_lines.insert((name.to_owned(), labels.clone()), number) {
                        return Err(error(Problem::DuplicateSeries { series: series_text(name, &labels), first_line }));
                    }
                    exposition.add(Sample { name: name.to_owned(), labels, value, timestamp });
                }
            }
        }
        Ok(exposition)
    }

    fn declare(&mut self, name: &str, kind: FamilyKind) -> Result<(), Problem> {
        let family = self.families.entry(name.to_owned()).or_default();
        if !family.samples.is_empty() {
            return Err(Problem::LateType(name.to_owned()));
        }
        if family.kind != FamilyKind::Untyped {
            return Err(Problem::DuplicateType(name.to_owned()));
        }
        family.kind = kind;
        Ok(())
    }

    fn add(&mut self, sample: Sample) {
        let name = self.family_name(&sample.name).to_owned();
        self.families.entry(name).or_default().samples.push(sample);
    }

    /// The family a series belongs to: the declared one whose name with a suffix of its kind is the series' name.
    fn family_name<'a>(&self, series: &'a str) -> &'a str {
        if self.families.contains_key(series) {
            return series;
        }
        series
            .rfind('_')
            .map(|cut| series.split_at(cut))
            .filter(|(base, suffix)| {
                self.families.get(*base).is_some_and(|family| family.kind.suffixes().contains(suffix))
            })
            .map_or(series, |(base, _)| base)
    }

    /// The metrics by name; a counter of OpenMetrics is named without `_total`.
    pub fn families(&self) -> &BTreeMap<String, Family> {
        &self.families
    }

    /// Whether the end mark of OpenMetrics was there. Without it a scrape in that format was cut off.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The series called `name` that carry all labels of `matching`.
    pub fn samples<'a>(
        &'a self,
        name: &'a str,
        matching: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = &'a Sample> {
        self.families.get(self.family_name(name)).into_iter().flat_map(|family| &family.samples).filter(move |sample| {
            sample.name == name
                && matching.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|v| v == value))
        })
    }

    /// The sum of the series called `name` that carry all labels of `matching`; none if there is no such series. One
    /// that is not finite makes the sum so.
    pub fn sum(&self, name: &str, matching: &[(&str, &str)]) -> Option<f64> {
        self.samples(name, matching).map(|sample| sample.value).reduce(|a, b| a + b)
    }
}

fn series_text(name: &str, labels: &Labels) -> String {
    let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}={value:?}")).collect();
    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Exposition, ParseError> {
        Exposition::parse(text.as_bytes(), &ExpositionLimits::default())
    }

    #[test]
    fn both_formats_are_read() {
        let text = "# HELP requests_total All of them.\n# TYPE requests_total counter\n\
                    requests_total{code=\"200\", path=\"a\\\\b\\\"c\\nd\",} 1027 1395066363000\n\
                    \n# a remark\nplain   -3.5e2\r\nnan NaN\ninf{a=\"\"} +Inf\n";
        let exposition = parse(text).expect("text format");
        let sample = &exposition.families()["requests_total"].samples[0];
        assert_eq!(sample.labels["path"], "a\\b\"c\nd");
        assert_eq!((sample.value, sample.timestamp), (1027.0, Some(1_395_066_363_000.0)));
        assert_eq!(exposition.families()["requests_total"].help.as_deref(), Some("All of them."));
        assert_eq!(exposition.sum("plain", &[]), Some(-350.0));
        assert!(exposition.sum("nan", &[]).expect("there").is_nan());
        assert_eq!(exposition.sum("inf", &[("a", "")]), Some(f64::INFINITY));
        assert_eq!(exposition.sum("absent", &[]), None);
        assert!(!exposition.ended());

        let text = "# TYPE requests counter\n# UNIT requests 1\n\
                    requests_total{r=\"a\"} 3 # {trace=\"x\"} 0.67\nrequests_total{r=\"b\"} 4 1.5\n# EOF\n";
        let exposition = parse(text).expect("OpenMetrics");
        assert_eq!(exposition.families()["requests"].kind, FamilyKind::Counter);
        assert_eq!(exposition.sum("requests_total", &[]), Some(7.0));
        assert!(exposition.ended());
    }

    #[test]
    fn a_wrong_line_is_named_with_what_would_be_right() {
        for (text, error) in [
            ("a 1\na{b=\"1\"} 1\na 2\n", "line 3: the series a was given already in line 1"),
            (
                "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1",
                "line 2: the series a{x=\"1\",y=\"2\"} was given already in line 1",
            ),
            ("a{x=\"1\",x=\"2\"} 1", "line 1: the label x occurs twice"),
            ("a 1\n9b 1", "line 2: expected a metric name, found \"9b 1\""),
            ("a", "line 1: expected a number, found the end of the line"),
            ("a one", "line 1: expected a number, found \"one\""),
            ("a 1 2 3", "line 1: expected the end of the line, found \"3\""),
            ("a 1 x", "line 1: expected a timestamp or the end of the line, found \"x\""),
            ("a{b=\"c\" 1", "line 1: expected , or }, found \"1\""),
            ("a{b=\"c", "line 1: expected a closing quote, found the end of the line"),
            ("a{b=\"\\t\"} 1", "line 1: expected one of \\\\, \\\" and \\n, found \"\\\\t\\\"} 1\""),
            ("a{b} 1", "line 1: expected =, found \"} 1\""),
            ("# TYPE a thing", "line 1: expected a metric type, found \"thing\""),
            ("# TYPE a gauge\n# TYPE a gauge", "line 2: the type of a was declared already"),
            ("a 1\n# TYPE a gauge", "line 2: the type of a is declared after its first sample"),
            ("# EOF\na 1", "line 2: there is more after `# EOF`"),
        ] {
            assert_eq!(parse(text).map_err(|e| e.to_string()), Err(error.to_owned()), "{text}");
        }
        let error = Exposition::parse(b"a 1\n\xff 1", &ExpositionLimits::default()).expect_err("not UTF-8");
        assert_eq!(error, ParseError { line: 2, problem: Problem::NotUtf8 });
    }

    #[test]
    fn what_goes_beyond_a_limit_is_refused() {
        let limits = ExpositionLimits { bytes: 30, line_bytes: 20, series: 3, labels: 1 };
        let problem = |text: &str| Exposition::parse(text.as_bytes(), &limits).map_err(|error| error.problem);
        assert!(problem("a 1\nb 1\nc 1\n").is_ok());
        assert_eq!(problem("a 1\nb 1\nc 1\nd 1\n"), Err(Problem::TooManySeries { limit: 3 }));
        assert_eq!(problem("a 1\n#234567890123456789012"), Err(Problem::LineTooLong { limit: 20 }));
        assert_eq!(problem("a{b=\"\",c=\"\"} 1"), Err(Problem::TooManyLabels { limit: 1 }));
        assert_eq!(problem("#2345678901234567\n#2345678901234567\n"), Err(Problem::TooLarge { limit: 30 }));
    }

    proptest! {
        #[test]
        fn whatever_comes_in_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Exposition::parse(&bytes, &ExpositionLimits::default());
        }

        #[test]
        fn almost_right_lines_are_read_or_refused(text in "[a{}=\",\\\\ #\n0-9.NaIfTYPE_]{0,80}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_written_by_the_rules_is_read_back(
            name in "[a-z_:][a-z0-9_:]{0,9}",
            label in "[a-z_][a-z0-9_]{0,9}",
            value in "\\PC{0,20}",
            number in any::<f64>(),
        ) {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let exposition = parse(&format!("{name}{{{label}=\"{escaped}\"}} {number}")).expect("well formed");
            let read = exposition.sum(&name, &[(&label, &value)]).expect("the series");
            prop_assert!(read == number || (read.is_nan() && number.is_nan()));
        }
    }
}
