//! Why an exposition could not be parsed, and in which line.

/// An exposition that is not to be trusted, and the line that shows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The text up to here is longer than allowed.
    #[error("the exposition is longer than {limit} bytes")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// There are more series than allowed.
    #[error("there are more than {limit} series")]
    TooManySeries {
        /// The bound.
        limit: usize,
    },
    /// The line is longer than allowed.
    #[error("the line is longer than {limit} bytes")]
    LineTooLong {
        /// The bound, in bytes.
        limit: usize,
    },
    /// The series has more labels than allowed.
    #[error("the series has more than {limit} labels")]
    TooManyLabels {
        /// The bound.
        limit: usize,
    },
    /// The bytes are not UTF-8.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// Something else stands where `expected` should.
    #[error("expected {expected}, found {found}")]
    Malformed {
        /// What would be right.
        expected: &'static str,
        /// What stands there, shortened.
        found: String,
    },
    /// One label occurs twice in a series.
    #[error("the label {0} occurs twice")]
    DuplicateLabel(String),
    /// The series was there before.
    #[error("the series {series} was given already in line {first_line}")]
    DuplicateSeries {
        /// The series.
        series: String,
        /// Where it was first.
        first_line: usize,
    },
    /// The type of a metric is declared a second time.
    #[error("the type of {0} was declared already")]
    DuplicateType(String),
    /// The type of a metric is declared after its first sample.
    #[error("the type of {0} is declared after its first sample")]
    LateType(String),
    /// There is something after the end mark.
    #[error("there is more after `# EOF`")]
    AfterEnd,
}

impl Problem {
    pub(crate) fn malformed(expected: &'static str, found: &str) -> Self {
        const SHOWN: usize = 40;
        let found = match found.char_indices().nth(SHOWN) {
            _ if found.is_empty() => "the end of the line".to_owned(),
            Some((end, _)) => format!("{:?}…", &found[..end]),
            None => format!("{found:?}"),
        };
        Self::Malformed { expected, found }
    }
}
