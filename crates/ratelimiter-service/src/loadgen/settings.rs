//! Flags of the load generator.

use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::keys::MAX_QUANTITY;

/// How the load changes over time and over keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pattern {
    /// The same rate all the time.
    Steady,
    /// Every --burst-every, for --burst-for, --burst-factor times the rate.
    Burst,
    /// A share of all requests goes to one key.
    Hotkey,
}

/// Sends checks to rate limiter nodes on a fixed schedule and prints one JSON summary.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "loadgen",
    version,
    after_help = "Example:\n  loadgen --targets http://127.0.0.1:8000,http://127.0.0.1:8001 --rate 500 --duration 30s\n\n\
                  Targets whose /readyz does not say 200 get no traffic. SIGTERM and SIGINT end the run; the summary \
                  is printed all the same."
)]
pub struct Settings {
    /// Nodes, as URLs or host:port, separated by commas.
    #[arg(long, required = true, value_delimiter = ',', value_parser = target)]
    pub targets: Vec<String>,
    /// How the load changes.
    #[arg(long, value_enum, default_value = "steady")]
    pub pattern: Pattern,
    /// Number of different keys.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub keys: u32,
    /// Exponent of the keys' Zipf distribution; 0 = all alike.
    #[arg(long, default_value_t = 1.0, value_parser = exponent)]
    pub zipf: f64,
    /// What the keys start with; a number follows.
    #[arg(long, default_value = "key-")]
    pub key_prefix: String,
    /// Requests a second.
    #[arg(long, default_value_t = 100.0, value_parser = rate)]
    pub rate: f64,
    /// How long (ms, s, m, h); 0s = until stopped.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub duration: Duration,
    /// Limit the requests ask for.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MAX_QUANTITY))]
    pub limit: Option<u64>,
    /// Window (ms) the requests ask for.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MAX_QUANTITY))]
    pub window_ms: Option<u64>,
    /// Cost of each request.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_QUANTITY))]
    pub cost: u64,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How long (ms) to wait for an answer, and for a connection.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub timeout_ms: u64,
    /// Requests under way at once; more wait, and their waiting counts.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_in_flight: u32,
    /// Print a JSON line with the numbers of each interval (whole seconds).
    #[arg(long, value_parser = duration)]
    pub stats_interval: Option<Duration>,
    /// Burst: how many times the rate.
    #[arg(long, default_value_t = 5.0, value_parser = rate)]
    pub burst_factor: f64,
    /// Burst: time from one to the next.
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub burst_every: Duration,
    /// Burst: how long one lasts.
    #[arg(long, default_value = "1s", value_parser = duration)]
    pub burst_for: Duration,
    /// Hotkey: share of the requests that go to it.
    #[arg(long, default_value_t = 0.8, value_parser = share)]
    pub hot_share: f64,
}

impl Settings {
    /// Checks what a single flag cannot.
    ///
    /// # Errors
    /// The rule that is broken, naming the flags.
    pub fn validate(&self) -> Result<(), String> {
        if self.pattern == Pattern::Burst && (self.burst_every.is_zero() || self.burst_for > self.burst_every) {
            return Err("--burst-every must be longer than 0 and at least --burst-for".to_owned());
        }
        if self.stats_interval.is_some_and(|every| every.is_zero()) {
            return Err("--stats-interval must be longer than 0".to_owned());
        }
        if self.key_prefix.len() > 500 || self.key_prefix.chars().any(char::is_control) {
            return Err("--key-prefix must be at most 500 bytes without control characters".to_owned());
        }
        Ok(())
    }
}

fn target(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let parsed = reqwest::Url::parse(&url).map_err(|error| format!("{error}; write http://host:port"))?;
    if parsed.scheme() == "http" && parsed.has_host() { Ok(url) } else { Err("write http://host:port".to_owned()) }
}

fn number(text: &str, low: f64, high: f64) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|v| (low..=high).contains(v));
    value.ok_or_else(|| format!("must be a number from {low} to {high}"))
}

fn rate(text: &str) -> Result<f64, String> {
    number(text, 0.001, 1_000_000.0)
}

fn exponent(text: &str) -> Result<f64, String> {
    number(text, 0.0, 10.0)
}

fn share(text: &str) -> Result<f64, String> {
    number(text, 0.0, 1.0)
}

fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (amount, unit) = text.split_at(split);
    let seconds = units.iter().find(|(name, _)| *name == unit).map(|(_, seconds)| *seconds);
    let parsed = amount.parse::<f64>().ok().zip(seconds).and_then(|(a, s)| Duration::try_from_secs_f64(a * s).ok());
    parsed.ok_or_else(|| "write a number and a unit: 500ms, 30s, 5m or 1h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Settings, String> {
        let all = ["loadgen", "--targets", "127.0.0.1:1, http://h:2/"].iter().chain(flags);
        Settings::try_parse_from(all).map_err(|error| error.to_string())
    }

    #[test]
    fn targets_and_durations_are_read() {
        let settings = parse(&["--duration", "500ms"]).unwrap();
        assert_eq!(settings.targets, ["http://127.0.0.1:1", "http://h:2"]);
        assert_eq!(settings.duration, Duration::from_millis(500));
        assert!(parse(&["--duration", "5"]).unwrap_err().contains("500ms, 30s"));
    }

    #[test]
    fn a_pattern_that_does_not_exist_is_refused_with_those_that_do() {
        let error = parse(&["--pattern", "ramp"]).unwrap_err();
        assert!(error.contains("'ramp'") && error.contains("steady, burst, hotkey"), "{error}");
    }
}
