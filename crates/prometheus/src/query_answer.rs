//! What a Prometheus server answers to a query, as it stands on the wire and as it is handed on.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use operator_protocols::Timestamp;

use crate::line::number;
use crate::{Labels, QueryError, QueryLimits};

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// The value; it may be NaN or infinite.
    pub value: f64,
}

/// One series of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its labels, the metric's name as `__name__` among them.
    pub labels: Labels,
    /// Its points, oldest first; one for an instant query.
    pub points: Vec<Point>,
}

#[derive(Debug, Deserialize)]
struct Envelope<D> {
    status: String,
    data: Option<D>,
    #[serde(rename = "errorType")]
    error_type: Option<String>,
    error: Option<String>,
}

impl<D: DeserializeOwned> Envelope<D> {
    /// The data of an answer that is a success.
    fn open(body: &[u8]) -> Result<D, QueryError> {
        let envelope: Self = serde_json::from_slice(body).map_err(QueryError::NotUnderstood)?;
        if envelope.status != "success" {
            return Err(QueryError::Refused {
                kind: envelope.error_type.unwrap_or_else(|| envelope.status.clone()),
                message: envelope.error.unwrap_or_default(),
            });
        }
        envelope.data.ok_or_else(|| QueryError::Contradictory("success without data".into()))
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<RawSeries>),
    Matrix(Vec<RawSeries>),
    Scalar(RawPoint),
    String(serde::de::IgnoredAny),
}

#[derive(Debug, Deserialize)]
struct RawSeries {
    #[serde(default)]
    metric: Labels,
    value: Option<RawPoint>,
    #[serde(default)]
    values: Vec<RawPoint>,
}

#[derive(Debug, Deserialize)]
struct RawPoint(f64, String);

/// Reads an answer, whatever it says.
pub(crate) fn parse(body: &[u8], limits: &QueryLimits) -> Result<Vec<Series>, QueryError> {
    let raw = match Envelope::open(body)? {
        Data::Vector(series) | Data::Matrix(series) => series,
        Data::Scalar(point) => vec![RawSeries { metric: Labels::new(), value: Some(point), values: Vec::new() }],
        Data::String(_) => return Err(QueryError::Contradictory("a text where numbers were asked for".into())),
    };
    if raw.len() > limits.series {
        return Err(QueryError::TooMuch { what: "series", limit: limits.series });
    }
    raw.into_iter()
        .map(|series| {
            let points = series.value.into_iter().chain(series.values);
            let points = points.map(point).collect::<Result<Vec<_>, _>>()?;
            if points.len() > limits.points {
                return Err(QueryError::TooMuch { what: "points in one series", limit: limits.points });
            }
            if points.windows(2).any(|pair| pair[0].at >= pair[1].at) {
                return Err(QueryError::Contradictory("the points of a series are not in order of time".into()));
            }
            Ok(Series { labels: series.metric, points })
        })
        .collect()
}

/// Reads the values of a label.
pub(crate) fn parse_names(body: &[u8], limits: &QueryLimits) -> Result<BTreeSet<String>, QueryError> {
    let names: Vec<String> = Envelope::open(body)?;
    if names.len() > limits.series {
        return Err(QueryError::TooMuch { what: "names", limit: limits.series });
    }
    Ok(names.into_iter().collect())
}

fn point(raw: RawPoint) -> Result<Point, QueryError> {
    let RawPoint(seconds, value) = raw;
    let millis = seconds * 1000.0;
    // Beyond this a double no longer tells milliseconds apart.
    if !millis.is_finite() || millis.abs() > 9e15 {
        return Err(QueryError::Contradictory(format!("{seconds} is not a time")));
    }
    let value = number(&value).ok_or_else(|| QueryError::Contradictory(format!("{value:?} is not a number")))?;
    Ok(Point { at: Timestamp::from_millis(millis.round() as i64), value })
}
