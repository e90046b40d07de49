//! How much a model may read, write and ask before its time is over.

use std::time::Duration;

/// The bounds of one investigation.
#[derive(Debug, Clone, PartialEq)]
pub struct DiagnoserSettings {
    /// About how many tokens of evidence the model is given.
    pub pack_tokens: usize,
    /// The most turns; the last but one must be an answer, the last repairs it.
    pub turns: u32,
    /// The most tokens the model may write in one turn.
    pub max_output_tokens: u32,
    /// How freely it writes, where it takes a temperature.
    pub temperature: Option<f64>,
    /// How long the whole may take.
    pub time_limit: Duration,
    /// How long one call may take.
    pub call_limit: Duration,
}

impl DiagnoserSettings {
    /// For a hosted model: much context, little time.
    pub fn hosted() -> Self {
        Self {
            pack_tokens: 30_000,
            turns: 12,
            max_output_tokens: 4_096,
            temperature: Some(0.0),
            time_limit: Duration::from_secs(60),
            call_limit: Duration::from_secs(60),
        }
    }

    /// For a small model on this machine: little context, minutes of time.
    pub fn local() -> Self {
        Self {
            pack_tokens: 3_500,
            turns: 12,
            max_output_tokens: 1_024,
            temperature: Some(0.0),
            time_limit: Duration::from_secs(600),
            call_limit: Duration::from_secs(600),
        }
    }
}
