//! One line of an exposition: a declaration, a sample, a comment or nothing.

use crate::{FamilyKind, Labels, Problem};

/// What a line says.
#[derive(Debug, PartialEq)]
pub(crate) enum Line<'a> {
    /// Nothing that matters.
    Blank,
    /// `# HELP name text`
    Help(&'a str, &'a str),
    /// `# TYPE name kind`
    Type(&'a str, FamilyKind),
    /// `# EOF`
    End,
    /// `name{label="value"} value timestamp`
    Sample { name: &'a str, labels: Labels, value: f64, timestamp: Option<f64> },
}

/// Reads one line.
pub(crate) fn parse(line: &str, max_labels: usize) -> Result<Line<'_>, Problem> {
    let line = line.trim_matches([' ', '\t', '\r']);
    if line.is_empty() {
        return Ok(Line::Blank);
    }
    match line.strip_prefix('#') {
        Some(comment) => declaration(comment),
        None => sample(line, max_labels),
    }
}

fn declaration(comment: &str) -> Result<Line<'_>, Problem> {
    let comment = comment.trim_start_matches([' ', '\t']);
    let (keyword, rest) = split_word(comment);
    match keyword {
        "EOF" if rest.is_empty() => Ok(Line::End),
        "HELP" => {
            let (name, text) = split_word(rest);
            Ok(Line::Help(metric_name_alone(name)?, text))
        }
        "TYPE" => {
            let (name, kind) = split_word(rest);
            let name = metric_name_alone(name)?;
            let kind = FamilyKind::from_word(kind).ok_or_else(|| Problem::malformed("a metric type", kind))?;
            Ok(Line::Type(name, kind))
        }
        _ => Ok(Line::Blank),
    }
}

fn split_word(text: &str) -> (&str, &str) {
    match text.find([' ', '\t']) {
        Some(end) => (&text[..end], text[end..].trim_start_matches([' ', '\t'])),
        None => (text, ""),
    }
}

fn metric_name_alone(name: &str) -> Result<&str, Problem> {
    match take_name(name, true) {
        Some((name, "")) => Ok(name),
        _ => Err(Problem::malformed("a metric name", name)),
    }
}

/// Takes `[a-zA-Z_:][a-zA-Z0-9_:]*` from the front; label names have no colon.
fn take_name(text: &str, colon: bool) -> Option<(&str, &str)> {
    let fits = |c: char, first: bool| {
        c == '_' || c.is_ascii_alphabetic() || (colon && c == ':') || (!first && c.is_ascii_digit())
    };
    if !text.chars().next().is_some_and(|c| fits(c, true)) {
        return None;
    }
    let end = text.find(|c| !fits(c, false)).unwrap_or(text.len());
    Some(text.split_at(end))
}

fn sample(line: &str, max_labels: usize) -> Result<Line<'_>, Problem> {
    let (name, rest) = take_name(line, true).ok_or_else(|| Problem::malformed("a metric name", line))?;
    let rest = skip_blanks(rest);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => take_labels(inside, max_labels)?,
        None => (Labels::new(), rest),
    };
    let (value, rest) = split_word(skip_blanks(rest));
    let value = number(value).ok_or_else(|| Problem::malformed("a number", value))?;
    // An exemplar (`# {…} value`) may follow; it says nothing that is used here.
    let rest = if rest.starts_with('#') { "" } else { rest };
    let (timestamp, rest) = split_word(rest);
    let timestamp = match timestamp {
        "" => None,
        text => Some(
            number(text)
                .filter(|number| number.is_finite())
                .ok_or_else(|| Problem::malformed("a timestamp or the end of the line", text))?,
        ),
    };
    if !rest.is_empty() && !rest.starts_with('#') {
        return Err(Problem::malformed("the end of the line", rest));
    }
    Ok(Line::Sample { name, labels, value, timestamp })
}

/// `NaN`, `+Inf`, `-Inf` and whatever else Rust reads as a number.
pub(crate) fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// Reads what stands between `{` and `}`, and gives what follows.
fn take_labels(mut rest: &str, max_labels: usize) -> Result<(Labels, &str), Problem> {
    let mut labels = Labels::new();
    loop {
        rest = skip_blanks(rest);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = take_name(rest, false).ok_or_else(|| Problem::malformed("a label name or }", rest))?;
        let after = skip_blanks(after);
        let after = after.strip_prefix('=').ok_or_else(|| Problem::malformed("=", after))?;
        let after = skip_blanks(after);
        let after = after.strip_prefix('"').ok_or_else(|| Problem::malformed("a quoted label value", after))?;
        let (value, after) = take_quoted(after)?;
        if labels.len() == max_labels {
            return Err(Problem::TooManyLabels { limit: max_labels });
        }
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(Problem::DuplicateLabel(name.to_owned()));
        }
        rest = skip_blanks(after);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return Err(Problem::malformed(", or }", rest)),
        }
    }
}

/// Reads up to the closing quote, undoing `\\`, `\"` and `\n`.
fn take_quoted(text: &str) -> Result<(String, &str), Problem> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, '\\')) => value.push('\\'),
                Some((_, '"')) => value.push('"'),
                Some((_, 'n')) => value.push('\n'),
                _ => return Err(Problem::malformed("one of \\\\, \\\" and \\n", &text[at..])),
            },
            c => value.push(c),
        }
    }
    Err(Problem::malformed("a closing quote", ""))
}
