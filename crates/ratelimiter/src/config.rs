//! The settings of one rate limiter, read from the operator's configuration.
//!
//! | setting | default | meaning |
//! |---|---|---|
//! | `nodes` | required | list of `"host:port"` or `{ id = "node-1", address = "host:port" }` |
//! | `redis_url` | required | the Redis the nodes should share, `redis://[user@]host[:port][/db]` |
//! | `redis_password_file`, `redis_password_env` | none | where its password is read from |
//! | `management_token_file`, `management_token_env` | none | where the nodes' management token is read from |
//! | `prometheus_url` | none | a Prometheus that scrapes the nodes, for signals of the past |
//! | `heartbeat_seconds` | a third of each node's TTL | how often a node writes to the registry |
//! | `max_keys_per_cycle` | 100 | keys whose accounts are compared in one observation, 1 to 100 |
//! | `discover_hosts` | hosts of `nodes` | hosts on which a node that only the registry knows is contacted |
//! | `time_scale` | 1.0 | multiplies every grace, 0.001 to 10: evaluations need not take as long as life does |

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use operator_protocols::{SubjectConfig, SubjectError, Value};
use redis::{ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};

use crate::api::is_node_id;
use crate::{Address, Secret};

/// The settings there are.
pub(crate) const SETTINGS: [&str; 11] = [
    "discover_hosts",
    "heartbeat_seconds",
    "management_token_env",
    "management_token_file",
    "max_keys_per_cycle",
    "nodes",
    "prometheus_url",
    "redis_password_env",
    "redis_password_file",
    "redis_url",
    "time_scale",
];

/// More nodes than this would not be observed within one interval.
const MAX_NODES: usize = 256;

/// How many keys an observation compares at most; also the largest that may be configured.
pub const MAX_KEYS_PER_CYCLE: usize = 100;

/// A node that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedNode {
    /// Its `NODE_ID`, if it is known beforehand.
    pub id: Option<String>,
    /// Where it is reached.
    pub address: Address,
}

/// Where the expected Redis is.
#[derive(Debug, Clone)]
pub struct RedisTarget {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    pub(crate) login: RedisConnectionInfo,
}

/// The settings of one rate limiter.
#[derive(Debug, Clone)]
pub struct Config {
    /// The instance's name.
    pub name: String,
    /// The nodes that must be there.
    pub nodes: Vec<ExpectedNode>,
    /// The Redis that the nodes should share.
    pub redis: RedisTarget,
    /// The token for the nodes' management API.
    pub management_token: Option<Secret>,
    /// A Prometheus that scrapes the nodes.
    pub prometheus_url: Option<String>,
    /// How often a node writes to the registry, if it is not a third of its TTL.
    pub heartbeat: Option<Duration>,
    /// How many keys an observation compares.
    pub max_keys_per_cycle: usize,
    /// Hosts on which a node that only the registry knows is contacted.
    pub discover_hosts: Vec<String>,
    /// What every grace is multiplied by.
    pub time_scale: f64,
}

impl Config {
    /// Reads the settings, and the secrets they point to.
    ///
    /// # Errors
    /// The first setting that is wrong, with what would be right.
    pub fn read(config: &SubjectConfig) -> Result<Self, SubjectError> {
        let settings = Settings(&config.settings);
        settings.refuse_unknown()?;
        if config.name.is_empty() {
            return Err(SubjectError::new("name", "a subject needs a name"));
        }
        let nodes = settings.nodes()?;
        let discover_hosts = match settings.texts("discover_hosts")? {
            Some(hosts) => hosts,
            None => {
                let mut hosts: Vec<_> = nodes.iter().map(|node| node.address.host().to_owned()).collect();
                hosts.sort();
                hosts.dedup();
                hosts
            }
        };
        Ok(Self {
            name: config.name.clone(),
            redis: settings.redis()?,
            management_token: settings.secret("management_token_file", "management_token_env")?,
            prometheus_url: settings.text("prometheus_url")?.map(str::to_owned),
            heartbeat: settings.number("heartbeat_seconds", 0.01, 3600.0)?.map(Duration::from_secs_f64),
            max_keys_per_cycle: settings.count("max_keys_per_cycle", MAX_KEYS_PER_CYCLE)?,
            discover_hosts,
            time_scale: settings.number("time_scale", 0.001, 10.0)?.unwrap_or(1.0),
            nodes,
        })
    }
}

struct Settings<'a>(&'a BTreeMap<String, Value>);

impl Settings<'_> {
    fn refuse_unknown(&self) -> Result<(), SubjectError> {
        let Some(unknown) = self.0.keys().find(|name| !SETTINGS.contains(&name.as_str())) else {
            return Ok(());
        };
        let nearest = SETTINGS
            .iter()
            .map(|known| (strsim::normalized_damerau_levenshtein(unknown, known), known))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(likeness, _)| *likeness > 0.5);
        Err(SubjectError::new(
            unknown,
            match nearest {
                Some((_, known)) => format!("there is no such setting; did you mean {known}?"),
                None => format!("there is no such setting; there are {}", SETTINGS.join(", ")),
            },
        ))
    }

    fn text(&self, name: &str) -> Result<Option<&str>, SubjectError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) if !text.is_empty() => Ok(Some(text)),
            Some(other) => Err(SubjectError::new(name, format!("expected text, given {other}"))),
        }
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<String>>, SubjectError> {
        let wrong = |value: &Value| SubjectError::new(name, format!("expected a list of texts, given {value}"));
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::List(list)) => list
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong(item)))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(other) => Err(wrong(other)),
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

    fn count(&self, name: &str, max: usize) -> Result<usize, SubjectError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(max),
            Some(value) => match value.as_u64().and_then(|count| usize::try_from(count).ok()) {
                Some(count) if (1..=max).contains(&count) => Ok(count),
                _ => Err(SubjectError::new(name, format!("expected a whole number from 1 to {max}, given {value}"))),
            },
        }
    }

    fn secret(&self, file: &str, variable: &str) -> Result<Option<Secret>, SubjectError> {
        match (self.text(file)?, self.text(variable)?) {
            (Some(_), Some(_)) => Err(SubjectError::new(file, format!("give either {file} or {variable}, not both"))),
            (Some(path), None) => {
                Secret::from_file(Path::new(path)).map(Some).map_err(|why| SubjectError::new(file, why))
            }
            (None, Some(name)) => Secret::from_env(name).map(Some).map_err(|why| SubjectError::new(variable, why)),
            (None, None) => Ok(None),
        }
    }

    fn nodes(&self) -> Result<Vec<ExpectedNode>, SubjectError> {
        let error = |index: usize, message: String| SubjectError::new(format!("nodes[{index}]"), message);
        let list = match self.0.get("nodes") {
            Some(Value::List(list)) if (1..=MAX_NODES).contains(&list.len()) => list,
            _ => {
                return Err(SubjectError::new(
                    "nodes",
                    format!("expected a list of 1 to {MAX_NODES} nodes, each \"host:port\" or {{id, address}}"),
                ));
            }
        };
        let mut nodes: Vec<ExpectedNode> = Vec::new();
        for (index, item) in list.iter().enumerate() {
            let (id, address) = match item {
                Value::Text(address) => (None, address.as_str()),
                Value::Map(map) => {
                    if let Some(unknown) = map.keys().find(|name| !matches!(name.as_str(), "id" | "address")) {
                        return Err(error(
                            index,
                            format!("{unknown} is not a setting of a node; there are id and address"),
                        ));
                    }
                    let address = map.get("address").and_then(Value::as_str);
                    let address =
                        address.ok_or_else(|| error(index, "address is missing, as in 127.0.0.1:8000".into()))?;
                    match map.get("id") {
                        None => (None, address),
                        Some(Value::Text(id)) if is_node_id(id) => (Some(id.clone()), address),
                        Some(other) => {
                            let right = "1 to 40 letters, digits, '-', '_' or '.'";
                            return Err(error(index, format!("id: expected {right}, given {other}")));
                        }
                    }
                }
                other => return Err(error(index, format!("expected \"host:port\" or {{id, address}}, given {other}"))),
            };
            let address = Address::parse(address).map_err(|wrong| error(index, wrong.to_string()))?;
            if nodes.iter().any(|node| node.address == address || (id.is_some() && node.id == id)) {
                return Err(error(index, format!("{address} or its id is there already")));
            }
            nodes.push(ExpectedNode { id, address });
        }
        Ok(nodes)
    }

    fn redis(&self) -> Result<RedisTarget, SubjectError> {
        let error = |message: String| SubjectError::new("redis_url", message);
        let right = "redis://[user@]host[:port][/db]";
        let url = self.text("redis_url")?.ok_or_else(|| error(format!("is missing; give {right}")))?;
        // The cause is left out of the message: the URL may hold a password that should not be there.
        let info = url.into_connection_info().map_err(|_| error(format!("is not a Redis address; give {right}")))?;
        let ConnectionAddr::Tcp(host, port) = info.addr().clone() else {
            return Err(error(format!("only plain TCP is spoken; give {right}")));
        };
        if info.redis_settings().password().is_some() {
            return Err(error("must not hold a password; use redis_password_file or redis_password_env".to_owned()));
        }
        // Naming the client library would be one more command for the server, and tells nobody anything.
        let mut login = info.redis_settings().clone().set_skip_set_lib_name();
        if let Some(password) = self.secret("redis_password_file", "redis_password_env")? {
            login = login.set_password(password.reveal());
        }
        Ok(RedisTarget { host, port, login })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, Value)]) -> Result<Config, String> {
        let mut all = BTreeMap::from([
            ("nodes".to_owned(), Value::from(vec!["127.0.0.1:8000"])),
            ("redis_url".to_owned(), Value::from("redis://localhost:6380/2")),
        ]);
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        all.retain(|_, value| *value != Value::Null);
        let config = SubjectConfig { name: "limiter".into(), kind: "ratelimiter".into(), settings: all };
        Config::read(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn the_least_there_can_be_has_the_documented_defaults() {
        let config = read(&[]).expect("right");
        assert_eq!((config.redis.host.as_str(), config.redis.port), ("localhost", 6380));
        assert_eq!((config.max_keys_per_cycle, config.time_scale), (100, 1.0));
        assert_eq!(config.discover_hosts, ["127.0.0.1"]);
        assert!(config.management_token.is_none());
    }

    #[test]
    fn a_wrong_setting_is_named_with_what_would_be_right() {
        let node = |pairs: &[(&str, &str)]| {
            Value::List(vec![Value::map(pairs.iter().map(|(name, text)| (*name, Value::from(*text))))])
        };
        for (settings, expected) in [
            (vec![("redis_ulr", Value::from("x"))], "redis_ulr: there is no such setting; did you mean redis_url?"),
            (vec![("colour", Value::from("x"))], "colour: there is no such setting; there are discover_hosts, "),
            (vec![("nodes", Value::Null)], "nodes: expected a list of 1 to 256 nodes"),
            (vec![("nodes", Value::from(vec!["localhost"]))], "nodes[0]: \"localhost\" is not host:port"),
            (vec![("nodes", Value::from(vec!["a:1", "a:1"]))], "nodes[1]: a:1 or its id is there already"),
            (vec![("nodes", node(&[("id", "n 1"), ("address", "a:1")]))], "nodes[0]: id: expected 1 to 40 letters"),
            (vec![("nodes", node(&[("id", "n1")]))], "nodes[0]: address is missing"),
            (vec![("nodes", node(&[("address", "a:1"), ("port", "1")]))], "nodes[0]: port is not a setting of a node"),
            (vec![("redis_url", Value::Null)], "redis_url: is missing"),
            (vec![("redis_url", Value::from("localhost"))], "redis_url: is not a Redis address"),
            (vec![("redis_url", Value::from("redis://:geheim@h"))], "redis_url: must not hold a password"),
            (vec![("redis_url", Value::from("unix:///tmp/x"))], "redis_url: only plain TCP is spoken"),
            (
                vec![("max_keys_per_cycle", Value::Int(101))],
                "max_keys_per_cycle: expected a whole number from 1 to 100",
            ),
            (vec![("time_scale", Value::Int(0))], "time_scale: expected a number from 0.001 to 10, given 0"),
            (vec![("management_token_file", Value::from("/nowhere/token"))], "management_token_file: /nowhere/token: "),
            (vec![("redis_password_env", Value::from("NO_SUCH_VARIABLE_HERE"))], "redis_password_env: the environment"),
            (
                vec![("management_token_file", Value::from("x")), ("management_token_env", Value::from("y"))],
                "management_token_file: give either management_token_file or management_token_env",
            ),
        ] {
            let error = read(&settings).expect_err(expected);
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("geheim"), "{error}");
        }
    }

    #[test]
    fn a_secret_comes_from_its_file_and_does_not_show_itself() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("token");
        std::fs::write(&path, "geheim\n").expect("written");
        let path = Value::from(path.to_str().expect("text"));
        let config = read(&[("management_token_file", path.clone()), ("redis_password_file", path)]).expect("right");
        assert_eq!(config.management_token.as_ref().map(Secret::reveal), Some("geheim"));
        assert_eq!(config.redis.login.password(), Some("geheim"));
        assert!(!format!("{:?}", config.management_token).contains("geheim"));
    }
}
