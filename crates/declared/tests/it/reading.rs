//! What is read of a real Redis, of a real Prometheus, and of metrics that grow.

use std::sync::{Arc, Mutex};

use operator_protocols::{ComponentState, DependencyState, EventKind, Locus, ProbeRequest, SignalKind, Value, Verdict};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::programs::{self, tell};
use crate::world::{SUBJECT, World, component, now};

/// Metrics that a test writes.
struct Page {
    address: String,
    text: Arc<Mutex<String>>,
}

impl Page {
    async fn serve(text: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let text = Arc::new(Mutex::new(text.to_owned()));
        let served = Arc::clone(&text);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let body = served.lock().map(|text| text.clone()).unwrap_or_default();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        Self { address, text }
    }

    fn set(&self, text: &str) {
        *self.text.lock().expect("nobody panics with it") = text.to_owned();
    }
}

fn signal(name: &str, keys: &str) -> String {
    format!("[[signal]]\nname = \"{name}\"\nunit = \"1\"\n{keys}\n")
}

fn on_a(name: &str, keys: &str) -> String {
    signal(name, &format!("on = \"component:a\"\n{keys}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_become_rates_increases_ratios_and_quantiles_of_what_came_between() {
    let histogram = |low: u32, all: u32| {
        format!("d_bucket{{le=\"1\"}} {low}\nd_bucket{{le=\"+Inf\"}} {all}\nd_sum {all}\nd_count {all}\n")
    };
    let page =
        Page::serve(&format!("n{{x=\"1\"}} 10\nn{{x=\"2\"}} 5\nall 100\ng{{x=\"1\"}} 3\n{}", histogram(1, 1))).await;
    let mut world = World::new(
        &[
            format!("[[component]]\nname = \"a\"\nkind = \"api\"\naddress = \"{}\"\nmetrics = \"/m\"\n", page.address),
            "[[component.check]]\ntcp = true\n".to_owned(),
            on_a("rate", "metric = \"n\"\nvalue = \"rate\""),
            on_a("grown", "metric = \"n\"\nvalue = \"increase\"\nlabels = { x = \"2\" }"),
            on_a("share", "metric = \"n\"\nvalue = \"rate\"\ndivide_by = \"all\""),
            on_a("most", "metric = \"g\"\naggregate = \"max\""),
            on_a("mean", "metric = \"g\"\naggregate = \"avg\""),
            on_a("half", "metric = \"d\"\nvalue = \"quantile\"\nquantile = 0.5"),
        ]
        .concat(),
    );
    world.look().await;
    let a = component("a");
    assert_eq!((world.value(&a, "most"), world.value(&a, "rate"), world.value(&a, "half")), (Some(3.0), None, None));
    assert!(world.seen.unavailable.is_empty(), "a count that was read once is nothing that cannot be read");

    page.set(&format!(
        "n{{x=\"1\"}} 20\nn{{x=\"2\"}} 15\nall 140\ng{{x=\"1\"}} 3\ng{{x=\"2\"}} 7\n{}",
        histogram(5, 5)
    ));
    world.look().await;
    assert_eq!((world.value(&a, "most"), world.value(&a, "mean")), (Some(7.0), Some(5.0)));
    assert_eq!((world.value(&a, "grown"), world.value(&a, "share")), (Some(10.0), Some(0.5)));
    assert_eq!(world.value(&a, "half"), Some(0.5));
    assert!(world.value(&a, "rate").is_some_and(|rate| rate > 0.0));
    assert!(world.seen.signals.iter().all(|signal| signal.kind == SignalKind::Gauge));

    page.set(&format!("n{{x=\"1\"}} 1\nn{{x=\"2\"}} 0\nall 1\ng{{x=\"1\"}} 3\n{}", histogram(0, 0)));
    world.look().await;
    for name in ["rate", "grown", "half"] {
        assert_eq!(world.gap(&format!("{name} of a")), "it began to count anew");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_names_entities_and_a_signal_on_a_link_says_whether_it_is_up() {
    let page = Page::serve("depth{queue=\"a\"} 1\ndepth{queue=\"b\"} 200\nreaches 1\n").await;
    let mut world = World::new(
        &[
            format!("[[component]]\nname = \"a\"\nkind = \"api\"\naddress = \"{}\"\nmetrics = \"/m\"\n", page.address),
            "[[component.check]]\ntcp = true\n".to_owned(),
            "[[component]]\nname = \"db\"\nkind = \"db\"\n[[component.check]]\ntcp = \"127.0.0.1:1\"\n".to_owned(),
            "[[dependency]]\nfrom = \"a\"\nto = \"db\"\nkind = \"sql\"\nup = \"reaches\"\n".to_owned(),
            signal("reaches", "on = \"dependency:sql\"\nmetric = \"reaches\""),
            signal("depth", "on = \"entity:queue\"\nmetric = \"depth\"\nscrape = \"a\"\nby = \"queue\""),
            "[[invariant]]\nname = \"short\"\nsignal = \"depth\"\nabove = 100\n".to_owned(),
        ]
        .concat(),
    );
    world.look().await;
    assert_eq!(world.seen.dependencies[0].state, DependencyState::Up);
    assert_eq!(world.violated(), ["short at queue b: depth is 200, above 100"]);
    page.set("depth{queue=\"a\"} 1\ndepth{queue=\"b\"} 2\nreaches 0\n");
    world.look().await;
    assert_eq!(world.seen.dependencies[0].state, DependencyState::Down);
    assert_eq!(world.verdict("short", &Locus::entity(SUBJECT, "queue", "b")), &Verdict::Ok);
    assert_eq!(world.value(&Locus::edge(SUBJECT, "a", "db"), "reaches"), Some(0.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_start_and_a_changed_value_are_events_that_stay_the_same() {
    let page = Page::serve("start 1000\nlimit 5\nbuild{version=\"1.2\"} 1\n").await;
    let mut world = World::new(
        &[
            format!("[[component]]\nname = \"a\"\nkind = \"api\"\naddress = \"{}\"\nmetrics = \"/m\"\n", page.address),
            "incarnation = \"start\"\nversion = { metric = \"build\", label = \"version\" }\n".to_owned(),
            "[[component.check]]\ntcp = true\n".to_owned(),
            on_a("limit", "metric = \"limit\""),
            "[[invariant]]\nname = \"fixed\"\nsignal = \"limit\"\nunchanged_for = \"10m\"\n".to_owned(),
        ]
        .concat(),
    );
    world.look().await;
    assert_eq!(world.component("a").version.as_deref(), Some("1.2"));
    assert_eq!(world.component("a").labels["incarnation"], "1000");
    assert!(world.seen.events.is_empty());
    page.set("start 1001\nlimit 5\n");
    world.look().await;
    assert_eq!(world.component("a").labels["incarnation"], "1000", "a clock that was set is no new start");
    page.set("start 2000\nlimit 6\n");
    world.look().await;
    let events = world.seen.events.clone();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::ConfigChange], "a start so long ago is not news: {events:?}");
    assert_eq!(events[0].change.as_ref().map(|change| change.before.clone()), Some(Value::from(5.0)));
    assert_eq!(world.component("a").labels["incarnation"], "2000");
    let began = now().as_millis() / 1000;
    page.set(&format!("start {began}\nlimit 6\n"));
    world.look().await;
    assert!(world.seen.events.iter().any(|event| event.kind == EventKind::Restart && event.on == component("a")));
    assert!(world.seen.events.contains(&events[0]));
    let Verdict::Violated(finding) = world.verdict("fixed", &component("a")) else { panic!("{:?}", world.judged) };
    assert_eq!(finding.involves, [Locus::Change(events[0].id.clone())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_seen_by_what_it_says_and_its_death_is_named() {
    let mut redis = programs::redis().await;
    let example = include_str!("../../../../docs/examples/redis.toml").replace("127.0.0.1:6379", &redis.address());
    let mut world = World::new(&example);
    world.look().await;
    world.look().await;
    assert_eq!(world.violated(), Vec::<String>::new());
    assert!(world.judged.iter().all(|one| one.verdict == Verdict::Ok), "{:?}", world.judged);
    let of = component("redis");
    assert!(world.value(&of, "commands").is_some_and(|rate| rate > 0.0));
    assert!(world.component("redis").version.as_deref().is_some_and(|version| version.contains('.')));
    assert_eq!(world.component("redis").labels["incarnation"].len(), 40);

    tell(&redis, "CONFIG SET maxmemory 50mb").await;
    world.look().await;
    assert_eq!(world.violated(), ["memory_limit_unchanged at redis: memory_limit was 0 bytes and is 52428800 bytes"]);
    redis.kill();
    world.look().await;
    world.look().await;
    let violated = world.violated();
    assert!(violated.len() == 1 && violated[0].starts_with("up at redis: redis has not answered for"), "{violated:?}");
    assert_eq!(world.component("redis").state, ComponentState::Down);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_is_asked_for_the_present_and_the_past() {
    let prometheus = programs::prometheus().await;
    let address = prometheus.address();
    let example = include_str!("../../../../docs/examples/prometheus.toml").replace("127.0.0.1:9090", &address);
    let mut world = World::new(&example);
    world.look().await;
    world.look().await;
    let target = Locus::entity(SUBJECT, "target", address);
    assert_eq!(world.value(&target, "target_up"), Some(1.0));
    assert_eq!(world.verdict("target_answers", &target), &Verdict::Ok);
    assert_eq!(world.violated(), Vec::<String>::new());
    assert!(world.seen.unavailable.is_empty(), "{:?}", world.seen.unavailable);

    let minute = std::time::Duration::from_secs(60);
    let past = world.subject.history(now().minus(minute), now()).await.expect("it keeps a past");
    let told = |observation: &operator_protocols::Observation| observation.signal(&target, "target_up").is_some();
    assert!(past.iter().any(told), "{past:?}");
    assert!(past.windows(2).all(|pair| pair[0].at < pair[1].at));

    let ask = |probe: &str, params: &[(&str, &str)]| ProbeRequest {
        probe: probe.to_owned(),
        target: component("prometheus"),
        params: params.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect(),
    };
    let checks = world.subject.probe(&ask("check", &[]), now()).await.answer.expect("it answers");
    assert_eq!(checks.as_list().map(<[Value]>::len), Some(2));
    let metric = ask("metric", &[("name", "prometheus_build_info")]);
    let series = world.subject.probe(&metric, now()).await.answer.expect("it answers");
    let version = series.as_list().and_then(|list| list[0].get("labels")?.get("version").cloned());
    assert_eq!(version, world.component("prometheus").version.clone().map(Value::from));
}
