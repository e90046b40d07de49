//! How a container is, as `docker inspect` says it.

use std::collections::BTreeMap;

use operator_protocols::ProcessStatus;
use serde::Deserialize;

/// What docker says of a container that was made and never started.
const NEVER: &str = "0001-01-01T00:00:00Z";
/// So many digits of an id are unique on one machine.
const SHORT_ID: usize = 12;
/// 128 + SIGKILL, and 128 + SIGTERM: how a shell, and docker, tell a signal.
const KILLED: i64 = 137;
const TERMINATED: i64 = 143;

/// How a container is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// The service it is of.
    pub service: String,
    /// The process id of its first process, as this machine sees it, while it runs.
    pub pid: Option<u32>,
    /// Whether it is frozen.
    pub paused: bool,
    /// What its health check says, if it has one: `starting`, `healthy` or `unhealthy`.
    pub health: Option<String>,
    /// Whether it runs, which start, and how it ended.
    pub status: ProcessStatus,
    /// The networks it is connected to, each with the names it has there.
    pub networks: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    state: State,
    config: Config,
    network_settings: NetworkSettings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    running: bool,
    paused: bool,
    pid: u32,
    exit_code: i64,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    #[serde(default)]
    error: String,
    started_at: String,
    health: Option<Health>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    networks: Option<BTreeMap<String, Network>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    aliases: Option<Vec<String>>,
}

/// Reads what `docker inspect` says of containers of a compose project; one of no service is passed over.
pub(super) fn read(inspected: &str) -> Result<BTreeMap<String, Container>, serde_json::Error> {
    let inspected: Vec<Inspected> = serde_json::from_str(inspected)?;
    Ok(inspected.into_iter().filter_map(container).map(|container| (container.service.clone(), container)).collect())
}

fn container(inspected: Inspected) -> Option<Container> {
    let Inspected { id, state, config, network_settings } = inspected;
    let service = config.labels?.remove("com.docker.compose.service")?;
    let short = id.get(..SHORT_ID).unwrap_or(&id);
    let started = state.started_at != NEVER;
    let networks = network_settings.networks.unwrap_or_default().into_iter();
    Some(Container {
        pid: state.running.then_some(state.pid),
        paused: state.paused,
        health: state.health.as_ref().filter(|_| state.running).map(|health| health.status.clone()),
        status: ProcessStatus {
            running: state.running,
            incarnation: started.then(|| format!("{short}@{}", state.started_at)),
            exit: (started && !state.running).then(|| exit_in_words(&state)),
        },
        // One of the names is the container's own id, which a connection gets by itself.
        networks: networks
            .map(|(name, network)| {
                let mut aliases = network.aliases.unwrap_or_default();
                aliases.retain(|alias| alias != short);
                (name, aliases)
            })
            .collect(),
        service,
        id,
    })
}

fn exit_in_words(state: &State) -> String {
    let how = match state.exit_code {
        _ if state.oom_killed => "killed: out of memory".to_owned(),
        0 => "ended by itself".to_owned(),
        KILLED => "killed (SIGKILL)".to_owned(),
        TERMINATED => "terminated (SIGTERM)".to_owned(),
        code => format!("exit code {code}"),
    };
    if state.error.is_empty() { how } else { format!("{how}: {}", state.error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(state: &str) -> Container {
        let text = format!(
            r#"[{{"Id":"0123456789abcdef","State":{{"Running":false,"Paused":false,"Pid":0,"ExitCode":0,
            "OOMKilled":false,"Error":"","StartedAt":"2026-01-02T03:04:05.6Z"{state}}},
            "Config":{{"Labels":{{"com.docker.compose.service":"node-1"}}}},
            "NetworkSettings":{{"Networks":{{"p_store":{{"Aliases":["node-1","0123456789ab"]}}}}}}}}]"#
        );
        read(&text).expect("it is read").remove("node-1").expect("its service")
    }

    #[test]
    fn a_container_that_ended_names_its_last_start() {
        let container = one("");
        assert!(!container.status.running);
        assert_eq!(container.status.incarnation.as_deref(), Some("0123456789ab@2026-01-02T03:04:05.6Z"));
        assert_eq!(container.status.exit.as_deref(), Some("ended by itself"));
        assert_eq!(container.networks["p_store"], ["node-1"], "without the id");
    }

    #[test]
    fn the_health_of_what_runs_is_told() {
        assert_eq!(one(r#","Health":{"Status":"healthy"}"#).health, None, "it does not run");
    }

    #[test]
    fn how_it_ended_is_said_in_words() {
        let state = |code, oom| State {
            running: false,
            paused: false,
            pid: 0,
            exit_code: code,
            oom_killed: oom,
            error: String::new(),
            started_at: String::new(),
            health: None,
        };
        for (code, oom, words) in [
            (0, false, "ended by itself"),
            (137, false, "killed (SIGKILL)"),
            (137, true, "killed: out of memory"),
            (143, false, "terminated (SIGTERM)"),
            (2, false, "exit code 2"),
        ] {
            assert_eq!(exit_in_words(&state(code, oom)), words);
        }
    }

    #[test]
    fn what_was_made_and_never_started_has_no_start() {
        let text = r#"[{"Id":"0123456789abcdef","State":{"Running":false,"Paused":false,"Pid":0,"ExitCode":0,
            "OOMKilled":false,"StartedAt":"0001-01-01T00:00:00Z"},
            "Config":{"Labels":{"com.docker.compose.service":"a"}},"NetworkSettings":{"Networks":null}}]"#;
        let container = read(text).expect("it is read").remove("a").expect("its service");
        assert_eq!((container.status.incarnation, container.status.exit), (None, None));
        assert!(read(r#"[{"Id":"x"}]"#).is_err());
    }
}
