//! TiKV in containers: the compose file of this repository, filled in for one folder. Its images are public and pinned;
//! they are used where they are there, and pulled where they can be.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use operator_protocols::{BoxFuture, SubjectConfig, Value};
use reqwest::Client;
use serde::Deserialize;

use super::engine::Engine;
use super::plan::{ComponentNames, ComposePlan, Service};
use super::{ComposeEnvironment, ComposeError};
use crate::environment::Cleared;
use crate::error::LabError;
use crate::process::ReservedPort;

/// The kind of subject.
pub const KIND: &str = "tikv";
/// How many PD members and stores the compose file has.
const MEMBERS: u8 = 3;
const STORES: u8 = 5;
const PROMETHEUS: &str = "prometheus";
const GRAFANA: &str = "grafana";
/// The only network.
const NETWORK: &str = "tikv";
const START: Duration = Duration::from_secs(120);
/// Bytes of Grafana's password, written as twice as many hexadecimal digits.
const PASSWORD_BYTES: usize = 16;
/// What one member of PD may take to say which stores there are, and how much it may say.
const ANSWER: Duration = Duration::from_secs(3);
const MAX_ANSWER: usize = 4 << 20;
/// How the subject calls the store with an id.
const STORE_COMPONENT: &str = "store-";

const FILES: [(&str, &str); 8] = [
    ("compose.yml", include_str!("../../../../deploy/compose/tikv/compose.yml")),
    ("pd.toml", include_str!("../../../../deploy/compose/tikv/pd.toml")),
    ("tikv.toml", include_str!("../../../../deploy/compose/tikv/tikv.toml")),
    ("prometheus.yml", include_str!("../../../../deploy/compose/tikv/prometheus.yml")),
    ("rules.yml", include_str!("../../../../deploy/compose/tikv/rules.yml")),
    (
        "grafana/provisioning/datasources/prometheus.yml",
        include_str!("../../../../deploy/compose/tikv/grafana/provisioning/datasources/prometheus.yml"),
    ),
    (
        "grafana/provisioning/dashboards/dashboards.yml",
        include_str!("../../../../deploy/compose/tikv/grafana/provisioning/dashboards/dashboards.yml"),
    ),
    ("grafana/dashboards/tikv.json", include_str!("../../../../deploy/compose/tikv/grafana/dashboards/tikv.json")),
];

/// Starts a cluster called `subject` in containers. What an earlier run in the same folder left is ended first.
///
/// # Errors
/// When there is no container engine, images are missing and cannot be pulled, or a container does not start; whatever
/// was started is gone then.
pub async fn start_in_containers(folder: &Path, subject: &str) -> Result<(ComposeEnvironment, Cleared), LabError> {
    let engine = Engine::detect().await?;
    ComposeEnvironment::start(engine, folder, |_, _| plan(subject)).await
}

/// Writes the files into `folder` as they would be run, and has compose check them.
///
/// # Errors
/// When the folder cannot be written or compose finds something wrong.
pub async fn check(engine: Engine, folder: &Path) -> Result<Vec<String>, LabError> {
    let plan = plan(KIND)?;
    let project = super::ComposeProject::new(engine, folder.to_owned());
    project.write(&plan.files, &plan.variables)?;
    project.check().await?;
    Ok(project.images().await?)
}

fn plan(subject: &str) -> Result<ComposePlan, LabError> {
    let mut variables = BTreeMap::from([("GRAFANA_ADMIN_PASSWORD".to_owned(), new_password()?)]);
    let (mut ports, mut services, mut members) = (Vec::new(), Vec::new(), Vec::new());
    let mut publish = |name: &str, component| {
        let port = ReservedPort::find()?;
        let address = loopback(port.port());
        variables.insert(format!("{}_PORT", name.to_uppercase().replace('-', "_")), port.port().to_string());
        services.push(Service { name: name.to_owned(), address: Some(address.to_string()), component });
        ports.push(port);
        Ok::<_, LabError>(address)
    };
    for number in 1..=MEMBERS {
        members.push(publish(&format!("pd-{number}"), true)?);
    }
    let prometheus = publish(PROMETHEUS, false)?;
    publish(GRAFANA, false)?;
    let store = |number| Service { name: format!("tikv-{number}"), address: None, component: true };
    services.splice(usize::from(MEMBERS)..usize::from(MEMBERS), (1..=STORES).map(store));
    let urls = members.iter().map(|address| Value::Text(format!("http://{address}"))).collect();
    let settings = BTreeMap::from([
        ("pd".to_owned(), Value::List(urls)),
        ("prometheus_url".to_owned(), Value::Text(format!("http://{prometheus}"))),
    ]);
    Ok(ComposePlan {
        files: FILES.to_vec(),
        variables,
        ports,
        image: None,
        services,
        networks: vec![NETWORK],
        links: Vec::new(),
        subject: SubjectConfig { name: subject.to_owned(), kind: KIND.to_owned(), settings },
        names: Some(Box::new(StoreIds::of(members)?)),
        load: None,
        start_timeout: START,
    })
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A password for Grafana's administrator; it stands in the project's variables, for the folder's owner to read.
fn new_password() -> Result<String, LabError> {
    let mut bytes = [0_u8; PASSWORD_BYTES];
    let path = Path::new("/dev/urandom");
    let read = fs::File::open(path).and_then(|mut random| random.read_exact(&mut bytes));
    read.map_err(|source| LabError::Folder { path: path.to_owned(), source })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Which service a store is: PD gives a store its id when it joins, and the operator calls it by that.
struct StoreIds {
    members: Vec<SocketAddr>,
    client: Client,
}

/// What PD says of its stores, as far as it is needed here.
#[derive(Deserialize)]
struct Stores {
    stores: Vec<StoreEntry>,
}

#[derive(Deserialize)]
struct StoreEntry {
    store: Store,
}

#[derive(Deserialize)]
struct Store {
    id: u64,
    address: String,
}

impl StoreIds {
    fn of(members: Vec<SocketAddr>) -> Result<Self, LabError> {
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(ANSWER).build();
        let client = client.map_err(|error| LabError::asked("make an HTTP client", error))?;
        Ok(Self { members, client })
    }

    /// The stores that PD knows, as the first member says it that answers.
    async fn stores(&self) -> Result<Vec<Store>, ComposeError> {
        let mut why = "there is no member".to_owned();
        for member in &self.members {
            match self.ask(*member).await {
                Ok(stores) => return Ok(stores),
                Err(error) => why = format!("{member}: {error}"),
            }
        }
        Err(ComposeError::Answer { what: "PD, asked which stores there are,".to_owned(), why })
    }

    async fn ask(&self, member: SocketAddr) -> Result<Vec<Store>, String> {
        let asked = self.client.get(format!("http://{member}/pd/api/v1/stores")).send().await;
        let mut answer = asked.and_then(reqwest::Response::error_for_status).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| error.to_string())? {
            if bytes.len() + piece.len() > MAX_ANSWER {
                return Err(format!("an answer of more than {MAX_ANSWER} bytes"));
            }
            bytes.extend_from_slice(&piece);
        }
        let stores: Stores = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        Ok(stores.stores.into_iter().map(|entry| entry.store).collect())
    }
}

impl ComponentNames for StoreIds {
    fn service_of<'a>(&'a self, component: &'a str) -> BoxFuture<'a, Result<Option<String>, ComposeError>> {
        Box::pin(async move {
            let Some(id) = component.strip_prefix(STORE_COMPONENT).and_then(|id| id.parse::<u64>().ok()) else {
                // A member of PD is called as its service.
                return Ok(Some(component.to_owned()));
            };
            let stores = self.stores().await?;
            let store = stores.into_iter().find(|store| store.id == id);
            Ok(store.and_then(|store| Some(store.address.split_once(':')?.0.to_owned())))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_plan_fills_in_every_variable_that_the_compose_file_names() {
        let plan = plan("t").expect("a plan");
        let named: BTreeSet<_> =
            FILES[0].1.split("${").skip(1).filter_map(|rest| rest.split([':', '}']).next()).collect();
        let given: BTreeSet<_> = plan.variables.keys().map(String::as_str).chain(["OPERATOR_LAB_PROJECT"]).collect();
        assert_eq!(named, given);
        let services: Vec<_> = plan.services.iter().map(|service| service.name.as_str()).collect();
        let expected = ["pd-1", "pd-2", "pd-3", "tikv-1", "tikv-2", "tikv-3", "tikv-4", "tikv-5", PROMETHEUS, GRAFANA];
        assert_eq!(services, expected);
    }

    #[test]
    fn every_image_is_pinned_and_nothing_is_published_beyond_loopback() {
        let text = FILES[0].1;
        let images: Vec<_> = text.lines().filter_map(|line| line.trim().strip_prefix("image: ")).collect();
        assert_eq!(images.len(), 4);
        for image in images {
            let tag = image.rsplit_once(':').expect("a tag").1;
            assert!(tag.contains('.') && tag.bytes().any(|byte| byte.is_ascii_digit()), "{image}");
        }
        let ports: Vec<_> = text.lines().filter(|line| line.trim().starts_with("ports:")).collect();
        assert_eq!(ports.len(), 5);
        assert!(ports.iter().all(|line| line.contains("\"127.0.0.1:")), "{ports:?}");
    }

    /// Where a metric's name stands in an expression: everything that is a word and neither a function nor a label.
    fn metrics(expression: &str) -> BTreeSet<String> {
        let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let named = |word: &&str| ["tikv_", "pd_", "etcd_", "process_"].iter().any(|begin| word.starts_with(begin));
        words.filter(named).map(str::to_owned).collect()
    }

    #[test]
    fn the_dashboard_is_whole_and_asks_for_nothing_that_can_never_be_there() {
        let dashboard: serde_json::Value = serde_json::from_str(FILES[7].1).expect("the dashboard is JSON");
        let panels = dashboard["panels"].as_array().expect("panels");
        let mut ids = BTreeSet::new();
        let mut asked = BTreeSet::new();
        for panel in panels {
            let title = panel["title"].as_str().expect("a title");
            assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}: its id is not its own");
            if panel["type"] == "row" {
                continue;
            }
            assert!(panel["description"].as_str().is_some_and(|about| about.ends_with('.')), "{title}");
            assert_eq!(panel["datasource"]["uid"], "prometheus", "{title}");
            for target in panel["targets"].as_array().expect("targets") {
                asked.extend(metrics(target["expr"].as_str().expect("an expression")));
            }
        }
        for essential in [
            "pd_cluster_status",
            "tikv_raftstore_region_count",
            "tikv_store_size_bytes",
            "tikv_grpc_msg_duration_seconds_bucket",
            "tikv_raftstore_append_log_duration_seconds_bucket",
            "etcd_server_is_leader",
        ] {
            assert!(asked.contains(essential), "the dashboard does not show {essential}");
        }
        asked.extend(metrics(FILES[4].1.split("groups:").nth(1).expect("rules")));
        // What official rules name and TiKV and PD do not have.
        for dead in ["tikv_pd_heartbeat_tick_total", "tikv_coprocessor_pending_request"] {
            assert!(!asked.contains(dead), "{dead} can never be there");
        }
        let rules = FILES[4].1.split("groups:").nth(1).expect("rules");
        assert!(!rules.contains("miss_peer_region_count") && !rules.contains("name=\"apply_"));
    }

    #[tokio::test]
    async fn a_store_is_found_by_the_id_that_pd_gave_it_and_a_member_by_its_name() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let pd = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a listener");
        let address = pd.local_addr().expect("its address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = pd.accept().await {
                let _ = stream.read(&mut [0; 1024]).await;
                let body = r#"{"count":1,"stores":[{"store":{"id":4,"address":"tikv-2:20160","status_address":"x"}}]}"#;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all((head + body).as_bytes()).await;
            }
        });
        let dead = ReservedPort::find().expect("a port");
        let names = StoreIds::of(vec![loopback(dead.port()), address]).expect("names");
        assert_eq!(names.service_of("store-4").await.expect("PD answers"), Some("tikv-2".to_owned()));
        assert_eq!(names.service_of("store-5").await.expect("PD answers"), None);
        assert_eq!(names.service_of("pd-1").await.expect("nobody is asked"), Some("pd-1".to_owned()));
        let nobody = StoreIds::of(vec![loopback(dead.port())]).expect("names");
        assert!(nobody.service_of("store-4").await.is_err());
    }
}
