//! The settings of one cluster, read from the operator's configuration.
//!
//! | setting | default | meaning |
//! |---|---|---|
//! | `pd` | required | URLs of members of PD, `["http://10.0.1.10:2379"]`; one is enough, the others are learnt of |
//! | `seed_only` | `false` | ask only the members in `pd`: where the addresses that PD tells are not reachable from here |
//! | `ca_file` | none | the authorities that sign the certificates of PD (and of stores and Prometheus, where they have any), PEM |
//! | `cert_file`, `key_file` | none | the certificate and key by which the operator shows who it is, PEM |
//! | `thresholds` | none | a table of numbers by which invariants are judged |
//! | `time_scale` | 1.0 | multiplies every grace, 0.001 to 10: evaluations need not take as long as life does |
//!
//! Those about Prometheus and about log files are listed with their readers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use operator_prometheus::{HttpClient, TlsFiles};
use operator_protocols::{SubjectConfig, SubjectError, Value};
use reqwest::Url;

use crate::logs::LogSettings;
use crate::metrics::MetricsSettings;
use crate::pd::PdClient;
use crate::thresholds::Thresholds;
use crate::{logs, metrics};

/// The settings there are, but for those of metrics and logs.
const OWN: [&str; 7] = ["ca_file", "cert_file", "key_file", "pd", "seed_only", "thresholds", "time_scale"];
/// More members than anybody has.
const MAX_SEEDS: usize = 16;

/// The settings of one cluster.
#[derive(Debug, Clone)]
pub struct Config {
    /// The instance's name.
    pub name: String,
    /// Where members of PD are asked.
    pub(crate) pd: Vec<Url>,
    /// Whether only those are.
    pub(crate) seed_only: bool,
    /// The certificates.
    pub(crate) tls: Option<TlsFiles>,
    /// How Prometheus is asked.
    pub(crate) metrics: MetricsSettings,
    /// Which log files are read.
    pub(crate) logs: LogSettings,
    /// The numbers that invariants are judged by.
    pub(crate) thresholds: Thresholds,
    /// What every grace is multiplied by.
    pub(crate) time_scale: f64,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// The first setting that is wrong, with what would be right.
    pub fn read(config: &SubjectConfig) -> Result<Self, SubjectError> {
        let settings = Settings(&config.settings);
        settings.refuse_unknown()?;
        if config.name.is_empty() {
            return Err(SubjectError::new("name", "a subject needs a name"));
        }
        let pd = settings.urls()?;
        let tls = settings.tls()?;
        if tls.is_none() && pd.iter().any(|url| url.scheme() == "https") {
            let why = "is missing: it is needed to check the certificates of PD's https addresses by";
            return Err(SubjectError::new("ca_file", why));
        }
        Ok(Self {
            name: config.name.clone(),
            pd,
            seed_only: settings.flag("seed_only")?.unwrap_or(false),
            tls,
            metrics: MetricsSettings::read(&config.settings)?,
            logs: LogSettings::read(&config.settings)?,
            thresholds: Thresholds::read(config.settings.get("thresholds"))?,
            time_scale: settings.number("time_scale", 0.001, 10.0)?.unwrap_or(1.0),
        })
    }

    /// A client of PD with these settings. It connects to nothing.
    ///
    /// # Errors
    /// The file with certificates that is wrong, and why.
    pub(crate) fn client(&self) -> Result<PdClient, SubjectError> {
        let http = HttpClient::new(self.tls.as_ref()).map_err(|error| {
            let files = self.tls.as_ref().map(|tls| (&tls.ca, tls.identity.as_ref()));
            let field = match files {
                Some((_, Some((cert, _)))) if *cert == error.path => "cert_file",
                Some((_, Some((_, key)))) if *key == error.path => "key_file",
                _ => "ca_file",
            };
            SubjectError::new(field, error.to_string())
        })?;
        Ok(PdClient::new(http, self.pd.clone(), self.seed_only))
    }
}

struct Settings<'a>(&'a BTreeMap<String, Value>);

impl Settings<'_> {
    fn refuse_unknown(&self) -> Result<(), SubjectError> {
        let known: Vec<&str> = OWN.into_iter().chain(metrics::SETTINGS).chain(logs::SETTINGS).collect();
        let Some(unknown) = self.0.keys().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
        let nearest = known
            .iter()
            .map(|known| (strsim::normalized_damerau_levenshtein(unknown, known), known))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(likeness, _)| *likeness > 0.5);
        let message = match nearest {
            Some((_, known)) => format!("there is no such setting; did you mean {known}?"),
            None => format!("there is no such setting; there are {}", known.join(", ")),
        };
        Err(SubjectError::new(unknown, message))
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, SubjectError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(SubjectError::new(name, format!("expected true or false, given {other}"))),
        }
    }

    fn number(&self, name: &str, min: f64, max: f64) -> Result<Option<f64>, SubjectError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) if number.is_finite() && (min..=max).contains(&number) => Ok(Some(number)),
                _ => Err(SubjectError::new(name, format!("expected a number from {min} to {max}, given {value}"))),
            },
        }
    }

    fn path(&self, name: &str) -> Result<Option<PathBuf>, SubjectError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(path)) if !path.is_empty() => Ok(Some(PathBuf::from(path))),
            Some(other) => Err(SubjectError::new(name, format!("expected the path of a file, given {other}"))),
        }
    }

    fn tls(&self) -> Result<Option<TlsFiles>, SubjectError> {
        let (ca, cert, key) = (self.path("ca_file")?, self.path("cert_file")?, self.path("key_file")?);
        let identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) => return Err(SubjectError::new("key_file", "is missing: cert_file needs its key")),
            (None, Some(_)) => {
                return Err(SubjectError::new("cert_file", "is missing: key_file needs its certificate"));
            }
        };
        match (ca, identity) {
            (Some(ca), identity) => Ok(Some(TlsFiles { ca, identity })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(SubjectError::new("ca_file", "is missing: without it no other side can be trusted")),
        }
    }

    fn urls(&self) -> Result<Vec<Url>, SubjectError> {
        let error = |index: usize, message: String| SubjectError::new(format!("pd[{index}]"), message);
        let right = "http://host:2379";
        let list = match self.0.get("pd") {
            Some(Value::List(list)) if (1..=MAX_SEEDS).contains(&list.len()) => list,
            _ => {
                let message = format!("expected a list of 1 to {MAX_SEEDS} URLs of members of PD, such as {right}");
                return Err(SubjectError::new("pd", message));
            }
        };
        let mut urls: Vec<Url> = Vec::new();
        for (index, item) in list.iter().enumerate() {
            let text = item.as_str().ok_or_else(|| error(index, format!("expected {right}, given {item}")))?;
            let url = Url::parse(text).map_err(|why| error(index, format!("{text:?}: {why}; expected {right}")))?;
            if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
                return Err(error(index, format!("{text:?}: expected {right} or https")));
            }
            // It may hold a secret, which is not shown.
            if !url.username().is_empty() || url.password().is_some() {
                return Err(error(index, format!("must not hold a name or a password: expected {right}")));
            }
            if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
                return Err(error(index, format!("{text:?}: expected no path: {right}")));
            }
            if urls.iter().any(|other| other.scheme() != url.scheme()) {
                return Err(error(index, "either all members speak TLS or none does".to_owned()));
            }
            if urls.contains(&url) {
                return Err(error(index, format!("{text} is there already")));
            }
            urls.push(url);
        }
        Ok(urls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, Value)]) -> Result<Config, String> {
        let mut all = BTreeMap::from([("pd".to_owned(), Value::from(vec!["http://127.0.0.1:2379"]))]);
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        all.retain(|_, value| *value != Value::Null);
        let config = SubjectConfig { name: "prod".into(), kind: "tikv".into(), settings: all };
        Config::read(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn the_least_there_can_be_has_the_documented_defaults() {
        let config = read(&[]).expect("right");
        assert!(!config.seed_only && config.tls.is_none());
        assert_eq!(config.time_scale, 1.0);
        assert!(config.client().is_ok());
    }

    #[test]
    fn a_wrong_setting_is_named_with_what_would_be_right() {
        let list = |urls: &[&str]| Value::from(urls.to_vec());
        for (settings, expected) in [
            (vec![("seed_olny", Value::from(true))], "seed_olny: there is no such setting; did you mean seed_only?"),
            (vec![("promtheus_url", Value::from("x"))], "did you mean prometheus_url?"),
            (vec![("zzz", Value::from("x"))], "zzz: there is no such setting; there are ca_file, "),
            (vec![("pd", Value::Null)], "pd: expected a list of 1 to 16 URLs"),
            (vec![("pd", Value::List(Vec::new()))], "pd: expected a list of 1 to 16 URLs"),
            (vec![("pd", list(&["10.0.0.1:2379"]))], "pd[0]: "),
            (vec![("pd", list(&["ftp://a"]))], "pd[0]: \"ftp://a\": expected http://host:2379 or https"),
            (vec![("pd", list(&["http://me:secret@a"]))], "pd[0]: must not hold a name or a password"),
            (vec![("pd", list(&["http://a:1", "http://a:1"]))], "pd[1]: http://a:1 is there already"),
            (vec![("pd", list(&["http://a:1", "https://b:1"]))], "pd[1]: either all members speak TLS or none"),
            (vec![("pd", list(&["http://a:1/pd"]))], "pd[0]: \"http://a:1/pd\": expected no path"),
            (vec![("pd", list(&["https://a:1"]))], "ca_file: is missing"),
            (vec![("cert_file", Value::from("/c"))], "key_file: is missing"),
            (vec![("key_file", Value::from("/k"))], "cert_file: is missing"),
            (vec![("cert_file", Value::from("/c")), ("key_file", Value::from("/k"))], "ca_file: is missing"),
            (vec![("seed_only", Value::from("yes"))], "seed_only: expected true or false, given \"yes\""),
            (vec![("time_scale", Value::from(0.0))], "time_scale: expected a number from 0.001 to 10"),
            (vec![("thresholds", Value::from(1_i64))], "thresholds: expected a table of numbers"),
            (vec![("log_level", Value::from("loud"))], "log_level: expected debug"),
        ] {
            let error = read(&settings).expect_err(expected);
            assert!(error.contains(expected) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_file_that_holds_no_certificate_is_named() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().display().to_string();
        let config = read(&[("ca_file", Value::from(path))]).expect("a path is all it takes");
        let error = config.client().expect_err("no certificate").to_string();
        assert!(error.starts_with("ca_file: ") && error.contains("no certificate"), "{error}");
        let config = read(&[("ca_file", Value::from("/nowhere/ca.crt"))]).expect("a path is all it takes");
        assert!(config.client().expect_err("no file").to_string().starts_with("ca_file: /nowhere/ca.crt"));
    }
}
