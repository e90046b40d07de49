//! Cumulative histograms: what happened between two scrapes, and quantiles of it.

use std::collections::BTreeMap;

use crate::Exposition;
use crate::line::number;

/// One bucket of a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The largest value it counts; the last bucket's is infinite.
    pub upper: f64,
    /// How many values were at most that.
    pub cumulative: f64,
}

/// A histogram: buckets in rising order, the last without bound, and the sum of the values.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    buckets: Vec<Bucket>,
    sum: f64,
}

/// Why there is no histogram.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistogramError {
    /// No series of that name.
    #[error("there is no histogram {0}")]
    Missing(String),
    /// Its series do not make a histogram.
    #[error("the histogram {name} is not one: {why}")]
    Malformed {
        /// The metric.
        name: String,
        /// The rule that it breaks.
        why: String,
    },
    /// It counts from a later start than the earlier one.
    #[error("the histogram was started again in between")]
    Reset,
    /// Its buckets are not those of the earlier one.
    #[error("the histograms do not have the same buckets")]
    OtherBuckets,
}

impl Histogram {
    /// The histogram of these buckets and this sum.
    ///
    /// # Errors
    /// [`HistogramError::Malformed`] unless bounds rise to infinity, counts are finite, not negative and do not fall.
    pub fn new(name: &str, buckets: Vec<Bucket>, sum: f64) -> Result<Self, HistogramError> {
        let malformed = |why: &str| Err(HistogramError::Malformed { name: name.to_owned(), why: why.to_owned() });
        if buckets.last().map(|bucket| bucket.upper) != Some(f64::INFINITY) {
            return malformed("it has no +Inf bucket");
        }
        if buckets.windows(2).any(|pair| pair[0].upper >= pair[1].upper || pair[0].upper.is_nan()) {
            return malformed("the bounds of its buckets do not rise");
        }
        if buckets.iter().any(|bucket| !bucket.cumulative.is_finite() || bucket.cumulative < 0.0) {
            return malformed("a bucket's count is negative or not finite");
        }
        if buckets.windows(2).any(|pair| pair[0].cumulative > pair[1].cumulative) {
            return malformed("a bucket counts less than a smaller one");
        }
        if sum.is_nan() {
            return malformed("its sum is not a number");
        }
        Ok(Self { buckets, sum })
    }

    /// The histogram `name` of a scrape: all its series that carry the labels of `matching`, added up.
    ///
    /// # Errors
    /// [`HistogramError::Missing`] if there is none, [`HistogramError::Malformed`] if its series contradict each other.
    pub fn of(exposition: &Exposition, name: &str, matching: &[(&str, &str)]) -> Result<Self, HistogramError> {
        let malformed = |why: String| HistogramError::Malformed { name: name.to_owned(), why };
        let bucket_name = format!("{name}_bucket");
        // Keyed by the bits of the bound: equal bounds written differently are one bucket.
        let mut buckets: BTreeMap<u64, Bucket> = BTreeMap::new();
        for sample in exposition.samples(&bucket_name, matching) {
            let bound = sample.labels.get("le").ok_or_else(|| malformed("a bucket has no label le".to_owned()))?;
            let upper = number(bound)
                .filter(|upper| !upper.is_nan())
                .ok_or_else(|| malformed(format!("le={bound:?} is not a number")))?;
            buckets.entry(upper.to_bits()).or_insert(Bucket { upper, cumulative: 0.0 }).cumulative += sample.value;
        }
        if buckets.is_empty() {
            return Err(HistogramError::Missing(name.to_owned()));
        }
        let mut buckets: Vec<_> = buckets.into_values().collect();
        buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
        let sum =
            exposition.sum(&format!("{name}_sum"), matching).ok_or_else(|| malformed("it has no sum".to_owned()))?;
        let histogram = Self::new(name, buckets, sum)?;
        match exposition.sum(&format!("{name}_count"), matching) {
            Some(count) if count == histogram.count() => Ok(histogram),
            Some(count) => Err(malformed(format!("its count is {count}, its +Inf bucket {}", histogram.count()))),
            None => Err(malformed("it has no count".to_owned())),
        }
    }

    /// The buckets, in rising order.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// How many values.
    pub fn count(&self) -> f64 {
        self.buckets.last().map_or(0.0, |bucket| bucket.cumulative)
    }

    /// The sum of the values.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The mean of the values; none if there is no value.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0.0).then(|| self.sum / self.count())
    }

    /// What came since `earlier`.
    ///
    /// # Errors
    /// [`HistogramError::Reset`] if some count fell, [`HistogramError::OtherBuckets`] if the bounds differ.
    pub fn since(&self, earlier: &Self) -> Result<Self, HistogramError> {
        if self.buckets.len() != earlier.buckets.len()
            || self.buckets.iter().zip(&earlier.buckets).any(|(now, then)| now.upper != then.upper)
        {
            return Err(HistogramError::OtherBuckets);
        }
        let buckets: Vec<_> = self
            .buckets
            .iter()
            .zip(&earlier.buckets)
            .map(|(now, then)| Bucket { upper: now.upper, cumulative: now.cumulative - then.cumulative })
            .collect();
        Self::new("the difference", buckets, self.sum - earlier.sum).map_err(|_| HistogramError::Reset)
    }

    /// The value that a share `q` of the values does not exceed, interpolated within its bucket as Prometheus's
    /// `histogram_quantile` does: the first bucket begins at zero, and what lies in the last one is at its lower bound.
    /// None if there is no value, or `q` is not between 0 and 1.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = self.count();
        if count <= 0.0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = q * count;
        let at = self.buckets.iter().position(|bucket| bucket.cumulative >= rank)?;
        let bucket = self.buckets[at];
        let (lower, below) = match at.checked_sub(1).map(|before| self.buckets[before]) {
            Some(before) => (before.upper, before.cumulative),
            None if bucket.upper > 0.0 => (0.0, 0.0),
            None => return Some(bucket.upper),
        };
        if bucket.upper.is_infinite() {
            return Some(lower);
        }
        let within = bucket.cumulative - below;
        let share = if within > 0.0 { (rank - below) / within } else { 1.0 };
        Some(lower + (bucket.upper - lower) * share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ExpositionLimits;

    fn histogram(counts: &[(f64, f64)], sum: f64) -> Histogram {
        let buckets = counts.iter().map(|&(upper, cumulative)| Bucket { upper, cumulative }).collect();
        Histogram::new("h", buckets, sum).expect("a histogram")
    }

    #[test]
    fn a_quantile_lies_where_prometheus_puts_it() {
        let inf = f64::INFINITY;
        let h = histogram(&[(0.1, 50.0), (0.2, 90.0), (0.4, 100.0), (inf, 100.0)], 12.0);
        assert_eq!(h.quantile(0.5), Some(0.1));
        assert_eq!(h.quantile(0.25), Some(0.05));
        assert!((h.quantile(0.95).expect("values") - 0.3).abs() < 1e-12);
        assert_eq!(h.quantile(1.0), Some(0.4));
        assert_eq!(h.mean(), Some(0.12));
        let overflowing = histogram(&[(0.1, 0.0), (inf, 5.0)], 12.0);
        assert_eq!(overflowing.quantile(0.99), Some(0.1), "beyond the last bound nothing is known");
    }

    #[test]
    fn no_value_has_no_quantile_and_no_mean() {
        let h = histogram(&[(0.1, 0.0), (f64::INFINITY, 0.0)], 0.0);
        assert_eq!((h.quantile(0.99), h.mean()), (None, None));
        let h = histogram(&[(f64::INFINITY, 3.0)], 1.0);
        assert_eq!((h.quantile(-0.1), h.quantile(1.1), h.quantile(f64::NAN)), (None, None, None));
    }

    #[test]
    fn the_difference_of_two_scrapes_is_what_came_between() {
        let earlier = histogram(&[(1.0, 2.0), (f64::INFINITY, 3.0)], 4.0);
        let later = histogram(&[(1.0, 2.0), (f64::INFINITY, 7.0)], 20.0);
        let between = later.since(&earlier).expect("no reset");
        assert_eq!((between.count(), between.sum()), (4.0, 16.0));
        assert_eq!(earlier.since(&later), Err(HistogramError::Reset));
        let other = histogram(&[(2.0, 2.0), (f64::INFINITY, 3.0)], 4.0);
        assert_eq!(later.since(&other), Err(HistogramError::OtherBuckets));
    }

    fn read(text: &str) -> Result<Histogram, HistogramError> {
        let exposition = Exposition::parse(text.as_bytes(), &ExpositionLimits::default()).expect("well formed");
        Histogram::of(&exposition, "d", &[("node", "a")])
    }

    #[test]
    fn a_histogram_is_read_out_of_a_scrape_and_its_series_are_added_up() {
        let h = read(
            "# TYPE d histogram\n\
             d_bucket{node=\"a\",le=\"0.5\"} 1\nd_bucket{node=\"a\",le=\"+Inf\"} 2\nd_sum{node=\"a\"} 3\nd_count{node=\"a\"} 2\n\
             d_bucket{node=\"a\",m=\"x\",le=\"5e-1\"} 4\nd_bucket{node=\"a\",m=\"x\",le=\"+Inf\"} 4\n\
             d_sum{node=\"a\",m=\"x\"} 1\nd_count{node=\"a\",m=\"x\"} 4\n\
             d_bucket{node=\"b\",le=\"0.5\"} 9\nd_bucket{node=\"b\",le=\"+Inf\"} 9\nd_sum{node=\"b\"} 9\nd_count{node=\"b\"} 9\n",
        )
        .expect("a histogram");
        assert_eq!((h.count(), h.sum(), h.buckets().len()), (6.0, 4.0, 2));
    }

    #[test]
    fn series_that_make_no_histogram_are_refused_with_the_rule_they_break() {
        for (text, why) in [
            ("d_bucket{node=\"a\",le=\"1\"} 1\nd_sum{node=\"a\"} 1\nd_count{node=\"a\"} 1", "no +Inf bucket"),
            ("d_bucket{node=\"a\"} 1", "no label le"),
            ("d_bucket{node=\"a\",le=\"x\"} 1", "le=\"x\" is not a number"),
            ("d_bucket{node=\"a\",le=\"+Inf\"} 1\nd_sum{node=\"a\"} 1\nd_count{node=\"a\"} 2", "its count is 2"),
            ("d_bucket{node=\"a\",le=\"+Inf\"} NaN\nd_sum{node=\"a\"} 1", "not finite"),
            ("d_bucket{node=\"a\",le=\"1\"} 5\nd_bucket{node=\"a\",le=\"+Inf\"} 4\nd_sum{node=\"a\"} 1", "counts less"),
            ("d_bucket{node=\"a\",le=\"+Inf\"} 1\nd_count{node=\"a\"} 1", "no sum"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(read("x 1"), Err(HistogramError::Missing("d".to_owned())));
    }
}
