//! The rate limiter in containers: the compose file of this repository, filled in for one folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use operator_protocols::{SubjectConfig, Value};

use super::config::RateLimiterConfig;
use super::node_api::{self, NodeApi, StoredLimit};
use super::places::loopback;
use super::workload::{LOADGEN, check, load_arguments, sample};
use super::{KIND, REDIS};
use crate::binaries::find;
use crate::compose::image::ImageRecipe;
use crate::compose::{ComposeEnvironment, ComposePlan, Engine, LinkOverNetwork, LoadProgram, Service};
use crate::environment::{Cleared, WorkloadSample, WorkloadSpec};
use crate::error::LabError;
use crate::process::ReservedPort;

/// How many nodes the compose file has.
const NODES: u8 = 3;
/// The network between the nodes and Redis, and the one over which nodes are reached.
const STORE: &str = "store";
const CLIENTS: &str = "clients";
const PROMETHEUS: &str = "prometheus";
/// The nodes' management token, in the environment's folder.
const TOKEN: &str = "management-token";
/// Its length in bytes, written as twice as many hexadecimal digits.
const TOKEN_BYTES: usize = 24;
const START: Duration = Duration::from_secs(30);
/// What the nodes may take to find Redis once their containers run.
const CONNECTED: Duration = Duration::from_secs(30);

const FILES: [(&str, &str); 3] = [
    ("compose.yml", include_str!("../../../../deploy/compose/ratelimiter/compose.yml")),
    ("prometheus.yml", include_str!("../../../../deploy/compose/ratelimiter/prometheus.yml")),
    ("Dockerfile", include_str!("../../../../deploy/compose/ratelimiter/Dockerfile")),
];

/// The programs of the image; Prometheus is one more where it is installed.
const PROGRAMS: [&str; 4] = ["ratelimiter", "loadgen", "operator-health-probe", "redis-server"];

/// Starts it in containers, with a Prometheus if one is installed on this machine, and waits until every node uses Redis. What an earlier run in the same folder left is ended
/// and mended first; the answer says what.
///
/// # Errors
/// When there is no container engine, a program is missing, a setting is wrong, or a container does not start; whatever
/// was started is gone then.
pub async fn start_in_containers(config: RateLimiterConfig) -> Result<(ComposeEnvironment, Cleared), LabError> {
    config.check()?;
    if config.nodes != NODES {
        let message = format!("in containers there are always {NODES}, not {}", config.nodes);
        return Err(LabError::invalid("nodes", message));
    }
    let mut programs = PROGRAMS.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
    let with_prometheus = find(PROMETHEUS).map(|program| programs.push(program)).is_ok();
    let engine = Engine::detect().await?;
    let mut addresses = BTreeMap::new();
    let mut token = String::new();
    let (environment, cleared) = ComposeEnvironment::start(engine, &config.folder, |folder, project| {
        let ports = Ports::find()?;
        addresses = ports.nodes();
        token = new_token(&folder.join(TOKEN))?;
        Ok(plan(&config, folder, project, &programs, with_prometheus, &token, ports))
    })
    .await?;
    let http = node_api::client_with_token(&token)?;
    let api = NodeApi { client: &http, nodes: addresses.into_values().collect() };
    api.await_coordinated(CONNECTED).await?;
    for (key, &limit) in &config.limits {
        api.put_limit(key, &StoredLimit { limit, window_ms: None }).await?;
    }
    Ok((environment, cleared))
}

/// Where everything is published.
struct Ports {
    redis: ReservedPort,
    nodes: Vec<(String, ReservedPort)>,
    prometheus: ReservedPort,
}

impl Ports {
    fn find() -> Result<Self, LabError> {
        let node = |number| Ok((format!("node-{number}"), ReservedPort::find()?));
        Ok(Self {
            redis: ReservedPort::find()?,
            nodes: (1..=NODES).map(node).collect::<Result<_, LabError>>()?,
            prometheus: ReservedPort::find()?,
        })
    }

    fn nodes(&self) -> BTreeMap<String, SocketAddr> {
        self.nodes.iter().map(|(name, port)| (name.clone(), loopback(port.port()))).collect()
    }
}

fn plan(
    config: &RateLimiterConfig,
    folder: &Path,
    project: &str,
    programs: &[PathBuf],
    with_prometheus: bool,
    token: &str,
    ports: Ports,
) -> ComposePlan {
    let (redis, prometheus) = (loopback(ports.redis.port()), loopback(ports.prometheus.port()));
    let image = format!("operator-lab/{KIND}:{project}");
    let mut variables = BTreeMap::from([
        ("LIMITER_IMAGE".to_owned(), image.clone()),
        ("LIMITER_MANAGEMENT_TOKEN".to_owned(), token.to_owned()),
        ("LIMITER_REDIS_PORT".to_owned(), redis.port().to_string()),
        ("LIMITER_PROMETHEUS_PORT".to_owned(), prometheus.port().to_string()),
        ("LIMITER_DEFAULT_LIMIT".to_owned(), config.default_limit.to_string()),
        ("LIMITER_DEFAULT_WINDOW_MS".to_owned(), config.default_window_ms.to_string()),
        ("LIMITER_ON_REDIS_FAILURE".to_owned(), config.on_redis_failure.word().to_owned()),
        ("LIMITER_REDIS_TIMEOUT_MS".to_owned(), config.redis_timeout_ms.to_string()),
        ("LIMITER_HEARTBEAT_SECONDS".to_owned(), config.heartbeat_s.to_string()),
        ("LIMITER_TTL_SECONDS".to_owned(), config.ttl_s.to_string()),
    ]);
    let nodes = ports.nodes();
    for (name, at) in &nodes {
        let name = name.to_uppercase().replace('-', "_");
        variables.insert(format!("LIMITER_{name}_PORT"), at.port().to_string());
    }
    let service = |name: &str, at: SocketAddr, component| Service {
        name: name.to_owned(),
        address: Some(at.to_string()),
        component,
    };
    let mut services = vec![service(REDIS, redis, true)];
    services.extend(nodes.iter().map(|(name, at)| service(name, *at, true)));
    if with_prometheus {
        services.push(service(PROMETHEUS, prometheus, false));
    }
    let link = |name: &String| LinkOverNetwork { from: name.clone(), to: REDIS.to_owned(), network: STORE };
    let node = |(name, at): (&String, &SocketAddr)| {
        Value::map([("id", name.as_str().into()), ("address", at.to_string().into())])
    };
    let mut settings = BTreeMap::from([
        ("nodes".to_owned(), Value::List(nodes.iter().map(node).collect())),
        ("redis_url".to_owned(), Value::Text(format!("redis://{redis}"))),
        ("management_token_file".to_owned(), Value::Text(folder.join(TOKEN).to_string_lossy().into_owned())),
    ]);
    if with_prometheus {
        settings.insert("prometheus_url".to_owned(), Value::Text(format!("http://{prometheus}")));
    }
    ComposePlan {
        files: FILES.to_vec(),
        variables,
        ports: ports.nodes.into_iter().map(|(_, port)| port).chain([ports.redis, ports.prometheus]).collect(),
        image: Some(ImageRecipe {
            programs: programs.to_vec(),
            writable: vec!["/data", "/prometheus", "/tmp"],
            dockerfile: "Dockerfile",
            tag: image,
        }),
        links: nodes.keys().map(link).collect(),
        services,
        networks: vec![STORE, CLIENTS],
        subject: SubjectConfig { name: config.subject.clone(), kind: KIND.to_owned(), settings },
        names: None,
        load: Some(Box::new(LoadGenerator)),
        start_timeout: START,
    }
}

/// Makes a token for one run and keeps it for the operator, readable for its owner only.
fn new_token(path: &Path) -> Result<String, LabError> {
    let failed = |source| LabError::Folder { path: path.to_owned(), source };
    let mut bytes = [0_u8; TOKEN_BYTES];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| std::io::Read::read_exact(&mut random, &mut bytes))
        .map_err(failed)?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let _ = fs::remove_file(path);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(token.as_bytes())).map_err(failed)?;
    Ok(token)
}

/// The load generator's service.
struct LoadGenerator;

impl LoadProgram for LoadGenerator {
    fn service(&self) -> &'static str {
        LOADGEN
    }

    fn variable(&self) -> &'static str {
        "LIMITER_LOAD"
    }

    fn arguments(&self, spec: &WorkloadSpec) -> Result<String, LabError> {
        check(spec)?;
        let arguments = load_arguments(spec);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        match arguments.iter().find(|argument| argument.is_empty() || !argument.chars().all(plain)) {
            Some(argument) => {
                let message = format!("letters, digits, '-', '_' and '.' in containers, not {argument:?}");
                Err(LabError::invalid("workload.params", message))
            }
            None => Ok(arguments.join(" ")),
        }
    }

    fn sample(&self, line: &str) -> Option<WorkloadSample> {
        sample(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_fills_in_every_variable_that_the_compose_file_names() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let ports = Ports::find().expect("ports");
        let plan = plan(&RateLimiterConfig::default(), folder.path(), "p", &[], true, "t", ports);
        let text = FILES[0].1;
        let named: std::collections::BTreeSet<_> =
            text.split("${").skip(1).filter_map(|rest| rest.split([':', '}']).next()).collect();
        // The project's own, and the load's, which is there when there is load.
        let elsewhere = ["OPERATOR_LAB_PROJECT", LoadGenerator.variable()];
        let lacking: Vec<_> =
            named.iter().filter(|name| !plan.variables.contains_key(**name) && !elsewhere.contains(name)).collect();
        assert!(named.len() > 8 && lacking.is_empty(), "{lacking:?}");
        for name in plan.variables.keys() {
            assert!(named.contains(name.as_str()), "{name} is not in the compose file");
        }
    }

    #[test]
    fn load_is_one_plain_line() {
        let spec = |json: &str| serde_json::from_str::<WorkloadSpec>(json).expect("a workload");
        let line = LoadGenerator.arguments(&spec(r#"{"rate":60,"params":{"window_ms":60000}}"#)).expect("right");
        assert!(line.contains("--rate 60") && line.ends_with("--window-ms 60000"), "{line}");
        for wrong in [r#"{"rate":60,"params":{"limit":"1 --rate 9"}}"#, r#"{"rate":60,"params":{"limit":"$(x)"}}"#] {
            let error = LoadGenerator.arguments(&spec(wrong)).expect_err(wrong).to_string();
            assert!(error.starts_with("workload.params: "), "{error}");
        }
    }

    #[test]
    fn a_token_is_new_for_every_run_and_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join(TOKEN);
        let (one, two) = (new_token(&path).expect("a token"), new_token(&path).expect("a token"));
        assert!(one != two && two.len() == 2 * TOKEN_BYTES);
        assert_eq!(fs::read_to_string(&path).expect("it is kept"), two);
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    }
}
