//! The one file that knows particular subjects: how each kind is made, and the laboratory in which it can be broken.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use operator_lab::environment::Environment;
use operator_lab::scenario::Scenario;
use operator_lab::{LabError, scenario::ScenarioError};
use operator_protocols::{BoxFuture, SubjectFactory};

/// One kind of subject.
pub struct SubjectKind {
    /// Its name, as a configuration and `--subject` give it.
    pub kind: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Settings that must be given, with an example each.
    pub settings: &'static [(&'static str, &'static str)],
    /// How it is made.
    pub factory: SubjectFactory,
    /// Where it can be broken on purpose.
    pub lab: Option<&'static Lab>,
}

/// An environment, wherever it runs.
pub type SharedEnvironment = Arc<dyn Environment>;

/// An environment that is being started.
pub type Starting<T> = BoxFuture<'static, Result<T, LabError>>;

/// Where a kind of subject can be broken on purpose.
pub struct Lab {
    /// Its scenarios.
    pub scenario: fn(&str, u64) -> Result<Scenario, ScenarioError>,
    /// Starts the environment of a scenario in a folder; one with a time of its own so many times as fast as real time.
    pub start: fn(&Scenario, PathBuf, f64) -> Starting<Stage>,
    /// Whether it is a simulation, which is said wherever it is shown.
    pub simulated: bool,
    /// Whether another process than the one that started it can watch it.
    pub reachable: bool,
    /// The programs it runs.
    pub programs: &'static [&'static str],
    /// The chapters of the demonstration.
    pub demo: &'static [DemoChapter],
    /// The scenario whose environment and load the whole demonstration runs in.
    pub demo_environment: &'static str,
    /// The demonstration's times, by the clock of the environment.
    pub demo_time: DemoTime,
    /// What the demonstration adds to the subject's settings, as `--set` would, and why.
    pub demo_settings: &'static [(&'static str, &'static str, &'static str)],
}

/// The times of a demonstration, by the clock of its environment: a simulated system's goes faster than the real one.
#[derive(Debug, Clone, Copy)]
pub struct DemoTime {
    /// How many of its seconds go by in a real one.
    pub speed: f64,
    /// From the beginning of one cycle to the beginning of the next.
    pub interval: Duration,
    /// How long load runs before the first fault, so that there is a baseline to hold things against.
    pub warm_up: Duration,
    /// How long a system that was just mended may take to be calm.
    pub calm: Duration,
    /// How long a cause without a candidate action is watched before a person is called.
    pub wait_before_human: Duration,
    /// How long after a send whose outcome is unknown a late request may still arrive.
    pub quiesce: Duration,
}

/// A kind of system that can be brought up in containers.
pub struct InContainers {
    /// Its kind, as `deploy up` gives it.
    pub kind: &'static str,
    /// Starts it in a folder, as a scenario has it, if there is one.
    pub start: fn(Option<&Scenario>, PathBuf) -> Starting<SharedEnvironment>,
}

/// A running environment.
#[derive(Clone)]
pub struct Stage {
    /// It.
    pub environment: Arc<dyn Environment>,
    /// Makes it impossible to start the process of a component again, where that can be done.
    pub break_repair: Option<Arc<BreakRepair>>,
}

/// Breaks the repair of the component of that name, and says how.
pub type BreakRepair = dyn Fn(&str) -> Result<String, LabError> + Send + Sync;

/// A chapter of the demonstration.
#[derive(Debug)]
pub struct DemoChapter {
    /// The scenario that says what is broken and what is true about it.
    pub scenario: &'static str,
    /// Which of the scenario's places is picked.
    pub seed: u64,
    /// Parameters of the fault that fit the demonstration's environment.
    pub fault: &'static [(&'static str, i64)],
    /// What happens, where the scenario's own story does not fit the demonstration's environment.
    pub story: Option<&'static str>,
    /// What to watch, for people.
    pub watch: &'static str,
    /// From the fault to the end of the chapter, at most, in seconds by the environment's clock.
    pub deadline_s: u64,
}

/// Every kind that this program was built with.
pub const KINDS: &[SubjectKind] = &[
    #[cfg(feature = "ratelimiter")]
    ratelimiter::KIND,
    #[cfg(feature = "shop")]
    shop::KIND,
    #[cfg(feature = "tikv")]
    tikv::KIND,
    #[cfg(feature = "declared")]
    SubjectKind {
        kind: operator_declared::KIND,
        about: "any system that a TOML file describes: health checks, metrics, PromQL, invariants",
        settings: &[("file", "docs/examples/prometheus.toml")],
        factory: operator_declared::factory,
        lab: None,
    },
];

/// Every system that can be brought up in containers.
pub const IN_CONTAINERS: &[InContainers] = &[
    #[cfg(feature = "ratelimiter")]
    ratelimiter::IN_CONTAINERS,
    InContainers {
        kind: operator_lab::compose::tikv::KIND,
        start: |_, folder| {
            Box::pin(async move {
                let subject = operator_lab::compose::tikv::KIND;
                let (environment, _) = operator_lab::compose::tikv::start_in_containers(&folder, subject).await?;
                Ok(Arc::new(environment) as Arc<dyn Environment>)
            })
        },
    },
];

/// The system of that kind that can be brought up in containers.
pub fn in_containers(kind: &str) -> Option<&'static InContainers> {
    IN_CONTAINERS.iter().find(|known| known.kind == kind)
}

/// The kind of that name.
pub fn find(kind: &str) -> Option<&'static SubjectKind> {
    KINDS.iter().find(|known| known.kind == kind)
}

/// The kinds there are, for an error.
pub fn known() -> String {
    match KINDS {
        [] => "this program was built without any subject".to_owned(),
        kinds => format!("known kinds: {}", kinds.iter().map(|kind| kind.kind).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(feature = "ratelimiter")]
mod ratelimiter {
    use operator_lab::ratelimiter::{RateLimiterConfig, RateLimiterEnvironment};
    use operator_lab::scenario;

    use super::*;

    pub(super) const KIND: SubjectKind = SubjectKind {
        kind: operator_lab::ratelimiter::KIND,
        about: "a distributed rate limiter: nodes that share one Redis",
        settings: &[("nodes", "[\"localhost:8000\"]"), ("redis_url", "redis://localhost:6379")],
        factory: operator_ratelimiter::factory,
        lab: Some(&LAB),
    };

    static LAB: Lab = Lab {
        scenario: |id, seed| scenario::find(operator_lab::ratelimiter::KIND, id)?.with_seed(seed),
        start: |scenario, folder, _| {
            let declared = scenario.settings::<RateLimiterConfig>();
            Box::pin(async move { start(RateLimiterConfig { folder, ..declared? }).await })
        },
        simulated: false,
        reachable: true,
        programs: &["operator-child-guard", "redis-server", "ratelimiter", "loadgen"],
        demo: &[
            DemoChapter {
                scenario: "R1",
                seed: 1,
                fault: &[],
                story: None,
                watch: "Nobody has told the operator. It must find the dead node, name it, and start it: nothing else.",
                deadline_s: 90,
            },
            DemoChapter {
                scenario: "R11",
                seed: 1,
                fault: &[("window_ms", 60_000)],
                story: Some(
                    "Somebody who is none of the nodes appends forty well-formed entries to one counter, so that its \
                     owner is refused what is theirs.",
                ),
                watch: "No process is down and no latency rises. What the nodes granted and what is recorded must be \
                        added up to see it.",
                deadline_s: 120,
            },
            DemoChapter {
                scenario: "R7",
                seed: 0,
                fault: &[],
                story: None,
                watch: "More is granted than allowed. The wrong cure is to raise the limit for everybody; the right \
                        one is to restart one node with its declared settings. Its symptom lasts one window longer.",
                deadline_s: 240,
            },
        ],
        demo_environment: "R1",
        demo_time: DemoTime {
            speed: 1.0,
            interval: Duration::from_secs(1),
            warm_up: Duration::from_secs(20),
            calm: Duration::from_secs(120),
            wait_before_human: Duration::from_secs(45),
            quiesce: Duration::from_secs(10),
        },
        demo_settings: &[(
            "time_scale",
            "0.1",
            "graces are a tenth of their defaults, so that a chapter takes a minute and not ten",
        )],
    };

    pub(super) const IN_CONTAINERS: InContainers = InContainers {
        kind: operator_lab::ratelimiter::KIND,
        start: |scenario, folder| {
            let declared = scenario.map(Scenario::settings::<RateLimiterConfig>);
            Box::pin(async move {
                let config = RateLimiterConfig { folder, ..declared.transpose()?.unwrap_or_default() };
                let (environment, _) = operator_lab::ratelimiter::start_in_containers(config).await?;
                Ok(Arc::new(environment) as Arc<dyn Environment>)
            })
        },
    };

    async fn start(config: RateLimiterConfig) -> Result<Stage, LabError> {
        let (environment, _) = RateLimiterEnvironment::start(config).await?;
        let supervisor = Arc::clone(environment.supervisor());
        let break_repair = move |component: &str| {
            let mut spec = supervisor.spec(component)?;
            spec.program = supervisor.folder().join("no-such-program");
            let what = format!("{component} is declared to run {}, which does not exist", spec.program.display());
            supervisor.declare(spec)?;
            Ok(what)
        };
        Ok(Stage { environment: Arc::new(environment), break_repair: Some(Arc::new(break_repair)) })
    }
}

#[cfg(feature = "shop")]
mod shop {
    use operator_lab::scenario;
    use operator_lab::shop::{Pace, ShopEnvironment};

    use super::*;

    pub(super) const KIND: SubjectKind = SubjectKind {
        kind: operator_lab::shop::KIND,
        about: "the example: a simulated web shop, three services and a queue, within this process",
        settings: &[],
        factory: operator_lab::shop::SHOP_FACTORY,
        lab: Some(&LAB),
    };

    static LAB: Lab = Lab {
        scenario: |id, seed| scenario::find(operator_lab::shop::KIND, id)?.with_seed(seed),
        start: |scenario, folder, speed| {
            let seed = scenario.workload.seed;
            Box::pin(async move {
                let (environment, _) = ShopEnvironment::start(&folder, seed, Pace::Times(speed))?;
                // A simulated process always starts.
                Ok(Stage { environment: Arc::new(environment), break_repair: None })
            })
        },
        simulated: true,
        reachable: false,
        programs: &[],
        demo: &[
            DemoChapter {
                scenario: "S3",
                seed: 1,
                fault: &[],
                story: None,
                watch: "Shoppers wait at the fronts. Two calls below, one replica of three takes twelve times as long.",
                deadline_s: 600,
            },
            DemoChapter {
                scenario: "S8",
                seed: 2,
                fault: &[],
                story: None,
                watch: "Nothing is slow and nothing fails. Two accounts of the same sales must be held side by side.",
                deadline_s: 600,
            },
        ],
        demo_environment: "S3",
        demo_time: DemoTime {
            speed: 20.0,
            interval: Duration::from_secs(5),
            warm_up: Duration::from_secs(180),
            calm: Duration::from_secs(300),
            wait_before_human: Duration::from_secs(300),
            quiesce: Duration::from_secs(30),
        },
        demo_settings: &[],
    };
}

#[cfg(feature = "tikv")]
mod tikv {
    use operator_lab::scenario;
    use operator_lab::tikv::{Pace, TikvConfig, TikvEnvironment};

    use super::*;

    pub(super) const KIND: SubjectKind = SubjectKind {
        kind: operator_lab::tikv::KIND,
        about: "a TiKV cluster: stores that hold regions, steered by PD, measured by Prometheus",
        settings: &[("pd", "[\"http://127.0.0.1:2379\"]"), ("prometheus_url", "http://127.0.0.1:9090")],
        factory: operator_tikv::factory,
        lab: Some(&LAB),
    };

    static LAB: Lab = Lab {
        scenario: |id, seed| scenario::find(operator_lab::tikv::KIND, id)?.with_seed(seed),
        start: |scenario, folder, speed| {
            let settings = scenario.settings::<TikvConfig>();
            let seed = scenario.workload.seed;
            Box::pin(async move { start(TikvConfig { folder, seed, ..settings? }, speed) })
        },
        simulated: true,
        reachable: true,
        // It runs within this process.
        programs: &[],
        demo: &[
            DemoChapter {
                scenario: "F1",
                seed: 1,
                fault: &[],
                story: None,
                watch: "Requests that wait for elections look like a slow disk, and taking the store offline would copy \
                        all it holds. It only has to run again.",
                deadline_s: 1_200,
            },
            DemoChapter {
                scenario: "F16",
                seed: 2,
                fault: &[],
                story: None,
                watch: "Every process runs, and nothing is slow. One store leads nothing, because somebody said so, once.",
                deadline_s: 1_800,
            },
            DemoChapter {
                scenario: "F6",
                seed: 3,
                fault: &[],
                story: None,
                watch: "No operator can mend a disk. It can keep leaders away from it until somebody has, and give them \
                        back then.",
                deadline_s: 2_400,
            },
        ],
        // In it PD does nothing about a slow disk by itself.
        demo_environment: "F6",
        demo_time: DemoTime {
            speed: 40.0,
            interval: Duration::from_secs(15),
            warm_up: Duration::from_secs(300),
            calm: Duration::from_secs(1_200),
            wait_before_human: Duration::from_secs(600),
            quiesce: Duration::from_secs(60),
        },
        demo_settings: &[(
            "time_scale",
            "0.5",
            "graces are half of their defaults: a forgotten eviction is said after a quarter of an hour, not after half",
        )],
    };

    fn start(config: TikvConfig, speed: f64) -> Result<Stage, LabError> {
        let (environment, _) = TikvEnvironment::start(config, Pace::Times(speed))?;
        // A simulated process always starts.
        Ok(Stage { environment: Arc::new(environment), break_repair: None })
    }
}

#[cfg(test)]
mod tests {
    use operator_core::engine::EngineSettings;
    use operator_protocols::{SubjectConfig, Value};

    use super::*;
    use crate::config::SubjectEntry;
    use crate::host::Watched;

    /// A setting as its example gives it; a file of this repository is found wherever the test runs.
    fn value(text: &str) -> Value {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let file = root.join(text);
        if file.is_file() {
            return Value::from(file.display().to_string());
        }
        serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
    }

    #[test]
    fn every_kind_is_made_from_the_settings_it_gives_as_examples() {
        for kind in KINDS {
            let demo = kind.lab.map_or(&[][..], |lab| lab.demo_settings).iter().map(|(name, text, _)| (name, text));
            let settings = kind.settings.iter().map(|(name, text)| (name, text)).chain(demo);
            let settings = settings.map(|(name, text)| ((*name).to_owned(), value(text))).collect();
            let config = SubjectConfig { name: "one".to_owned(), kind: kind.kind.to_owned(), settings };
            let made = Watched::make(&SubjectEntry::new(config), &EngineSettings::default(), None);
            assert!(made.is_ok(), "{}: {:?}", kind.kind, made.err());
        }
    }

    #[test]
    fn every_chapter_has_a_scenario_that_expects_a_ticket_and_an_action() {
        for lab in KINDS.iter().filter_map(|kind| kind.lab) {
            assert!(!lab.demo.is_empty());
            for chapter in lab.demo {
                let scenario = (lab.scenario)(chapter.scenario, chapter.seed).expect(chapter.scenario);
                assert!(scenario.truth.ticket && !scenario.truth.actions.is_empty(), "{}", chapter.scenario);
            }
        }
    }
}
