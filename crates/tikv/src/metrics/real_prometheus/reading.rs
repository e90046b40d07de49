//! What the reader makes of a Prometheus.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_prometheus::{QueryClient, QueryLimits};
use operator_protocols::{Locus, Signal};

use super::exporter::Exporter;
use super::server::{Prometheus, now};
use crate::details::{MemberDetail, StoreDetail};
use crate::metrics::{Known, MetricsReader, MetricsSettings};
use crate::{past, queries};

const SUBJECT: &str = "prod";

fn store(id: u64, status_address: &str) -> (u64, StoreDetail) {
    let (address, status_address) = (format!("tikv{id}:20160"), status_address.to_owned());
    (
        id,
        StoreDetail {
            id,
            address,
            status_address,
            state_name: "Up".into(),
            slow_score: Some(1),
            ..StoreDetail::default()
        },
    )
}

fn member(name: &str, address: &str) -> (String, MemberDetail) {
    (name.to_owned(), MemberDetail { urls: vec![format!("http://{address}")], ..MemberDetail::default() })
}

fn reader(prometheus_url: Option<&str>) -> MetricsReader {
    let settings = MetricsSettings { prometheus_url: prometheus_url.map(str::to_owned), ..MetricsSettings::default() };
    MetricsReader::new(SUBJECT, settings, operator_prometheus::HttpClient::plain()).expect("right settings")
}

fn value(signals: &[Signal], on: &Locus, name: &str) -> Option<f64> {
    signals.iter().find(|signal| &signal.on == on && signal.name == name).map(|signal| signal.value)
}

#[tokio::test]
async fn every_question_is_understood() {
    let Some(prometheus) = Prometheus::start(&[]).await else { return };
    let limits = QueryLimits { timeout: Duration::from_secs(10), ..QueryLimits::default() };
    let client = QueryClient::new(&prometheus.url, limits).expect("an address");
    for (window, tikv, pd, label) in [
        ("1m", "job=\"tikv\"", "job=\"pd\"", "instance"),
        ("90s", "job=~\"tikv|tikv-.*\",cluster=\"a\\\"b\"", "job=\"pd\",cluster!=\"x\"", "pod"),
        ("10m", "namespace=\"prod\",container=\"tikv\"", "container=\"pd\"", "kubernetes_pod_name"),
    ] {
        for query in queries::ALL {
            let expression = query.render(window, tikv, pd, label);
            let answer = client.instant(&expression, now()).await;
            assert!(answer.is_ok_and(|series| series.is_empty()), "{}: {expression}", query.name);
        }
    }
}

#[tokio::test]
async fn numbers_are_joined_to_the_stores_and_members_they_are_of() {
    let exporters = [Exporter::store(1).await, Exporter::store(2).await, Exporter::store(30).await];
    let pd = [Exporter::member(3).await, Exporter::member(0).await];
    let gone = "127.0.0.1:1".to_owned();
    let mut tikv: Vec<String> = exporters.iter().map(|exporter| exporter.address.clone()).collect();
    tikv.push(gone.clone());
    let members: Vec<String> = pd.iter().map(|exporter| exporter.address.clone()).collect();
    let Some(prometheus) = Prometheus::start(&[("tikv", &tikv), ("pd", &members)]).await else { return };
    prometheus.wait_for("rate(tikv_grpc_msg_duration_seconds_count{type=\"kv_scan\"}[1m]) > 0", 3).await;
    prometheus.wait_for("up == 0", 1).await;
    prometheus.wait_for("pd_regions_status", 2).await;

    let stores: BTreeMap<_, _> = [store(1, &tikv[0]), store(4, &tikv[1]), store(5, &tikv[2]), store(9, &gone)].into();
    let members: BTreeMap<_, _> = [member("pd-0", &members[0]), member("pd-1", &members[1])].into();
    let known = Known { stores: &stores, members: &members, leader: Some("pd-0") };
    let reader = reader(Some(&prometheus.url));
    let at = now();
    let (detail, signals, unavailable) = reader.read(at, &known).await;

    assert_eq!(unavailable, [], "everything is there");
    assert!(detail.configured && detail.answers && detail.strangers.is_empty());
    assert_eq!((detail.joined_stores, detail.stores), (4, 4));
    assert_eq!([1, 4, 5].map(|id| detail.store("slow_score", id)), [Some(1.0), Some(2.0), Some(30.0)]);
    assert_eq!(detail.store("flow_discard_ratio", 4), Some(0.5));
    assert_eq!(detail.leader("pd_regions", "miss-peer-region-count"), Some(3.0), "as the leader says");
    assert_eq!(
        (detail.member("member_scraped", "pd-0"), detail.member("member_scraped", "pd-1")),
        (Some(1.0), Some(1.0))
    );

    // A store that is not scraped: that is known, and nothing else is.
    assert_eq!(detail.store("store_scraped", 9), Some(0.0));
    assert_eq!(detail.store("slow_score", 9), None);
    assert_eq!((detail.store("channel_full", 9), detail.store("channel_full", 4)), (None, Some(0.0)));

    // A type with too few requests is there for who wants it, but does not count.
    let durations = &detail.answers_by_query["request_duration_p99"];
    assert!(durations.stores_by["kv_scan"][&4] > 1.0 && durations.stores[&4] < 0.01, "{durations:?}");
    assert!(detail.answers_by_query["unreachable"].stores_by["9"][&5] > 1.0);

    let missing = detail.answers_by_query["leader_missing"].why_not.as_deref();
    assert_eq!(missing, Some("no such metric is exposed: tikv_raftstore_leader_missing"));
    assert_eq!(detail.answers_by_query["memory_quota"].why_not, None, "not every version has it");

    let on = Locus::component(SUBJECT, "store-4");
    assert!(value(&signals, &on, "request_rate").is_some_and(|rate| rate > 1.0));
    assert_eq!(value(&signals, &on, "critical_errors"), Some(0.0));
    assert_eq!(value(&signals, &on, "slow_score"), Some(1.0), "PD's");
    assert!(signals.iter().all(|signal| signal.value.is_finite() && signal.observed_at == at));

    let before = past::read(&reader, SUBJECT, &known, at.minus(Duration::from_secs(30)), at).await.expect("a past");
    let last = before.last().expect("of just now");
    assert!(last.at <= at && value(&last.signals, &on, "request_rate").is_some_and(|rate| rate > 1.0));
    assert!(value(&last.signals, &on, "request_duration_p99").is_some_and(|seconds| seconds < 0.01));
}

#[tokio::test]
async fn a_port_that_is_not_the_status_port_joins_nothing_and_is_said() {
    let exporter = Exporter::store(1).await;
    let tikv = [exporter.address.clone()];
    let Some(prometheus) = Prometheus::start(&[("tikv", &tikv)]).await else { return };
    prometheus.wait_for("tikv_raftstore_slow_score", 1).await;

    let stores: BTreeMap<_, _> = [store(1, "127.0.0.1:2"), store(4, "127.0.0.1:3")].into();
    let known = Known { stores: &stores, members: &BTreeMap::new(), leader: None };
    let (detail, signals, unavailable) = reader(Some(&prometheus.url)).read(now(), &known).await;
    assert_eq!((detail.joined_stores, detail.stores), (0, 2));
    assert_eq!(detail.strangers, tikv);
    assert_eq!(detail.store("channel_full", 1), None, "unknown is not zero");
    assert_eq!(unavailable[0].what, "metrics of all stores");
    let expected = format!(
        "2 stores in PD, 0 matched by status_address to the label instance of series with job=\"tikv\"; \
         targets that match none: {}",
        exporter.address
    );
    assert_eq!(unavailable[0].why, expected);
    assert!(signals.iter().all(|signal| queries::find(&signal.name).is_none_or(|query| !query.signal)));
}

#[tokio::test]
async fn without_an_answer_from_prometheus_pd_is_asked_itself() {
    const RECORDED: &str = include_str!("../../../tests/recordings/pd-metrics.txt");
    let pd = Exporter::start(|scrapes| {
        RECORDED
            .replace("_fsync_duration_seconds_count 78", &format!("_fsync_duration_seconds_count {}", 78 + scrapes))
            .replace(
                "_fsync_duration_seconds_bucket{le=\"+Inf\"} 78",
                &format!("_fsync_duration_seconds_bucket{{le=\"+Inf\"}} {}", 78 + scrapes),
            )
    })
    .await;
    let members: BTreeMap<_, _> = [member("pd-0", &pd.address)].into();
    let stores: BTreeMap<_, _> = [store(1, "127.0.0.1:2")].into();
    let known = Known { stores: &stores, members: &members, leader: Some("pd-0") };
    let reader = reader(Some("http://127.0.0.1:1"));
    let at = now();
    let (detail, _, unavailable) = reader.read(at, &known).await;
    assert!(detail.configured && !detail.answers && detail.silence.is_some());
    assert_eq!(detail.from_pd.as_deref(), Some("pd-0"));
    let missing: Vec<_> = unavailable.iter().map(|missing| missing.what.as_str()).collect();
    assert_eq!(missing, ["prometheus", "metrics of store 1"]);
    assert_eq!(detail.store("store_scraped", 1), None, "if no store can be reached, that may be the network");
    assert_eq!(detail.leader("pd_regions", "miss-peer-region-count"), Some(0.0));
    assert_eq!(detail.leader("pd_regions", "empty-region-count"), Some(0.0));
    assert!(detail.member("etcd_quota_used", "pd-0").is_some_and(|share| share > 0.0 && share < 0.001));

    let (detail, signals, _) = reader.read(at.plus(Duration::from_secs(5)), &known).await;
    assert_eq!(detail.member("wal_fsync_p99", "pd-0"), Some(8.192), "the one since is beyond the last bound");
    assert_eq!(detail.member("system_time_slow", "pd-0"), Some(0.0));
    assert_eq!(value(&signals, &Locus::component(SUBJECT, "pd-0"), "wal_fsync_p99"), Some(8.192));

    assert_eq!(detail.member("member_scraped", "pd-0"), Some(1.0));

    // Who does not lead says nothing of the cluster.
    let follower = Known { leader: None, ..known };
    let (detail, ..) = reader.read(at.plus(Duration::from_secs(10)), &follower).await;
    assert_eq!((detail.from_pd.as_deref(), detail.leader("pd_regions", "miss-peer-region-count")), (None, None));
    assert!(detail.member("wal_fsync_p99", "pd-0").is_some());
}

#[tokio::test]
async fn the_stores_of_a_small_cluster_are_asked_themselves() {
    let exporters = [Exporter::store(1).await, Exporter::store(30).await];
    let gone = "127.0.0.1:1";
    let stores: BTreeMap<_, _> =
        [store(1, &exporters[0].address), store(4, &exporters[1].address), store(5, gone)].into();
    let known = Known { stores: &stores, members: &BTreeMap::new(), leader: None };
    let reader = reader(None);
    let mut at = now();
    // As the scrapes are counted, each look sees a hundred more requests.
    for _ in 0..2 {
        reader.read(at, &known).await;
        at = at.plus(Duration::from_secs(5));
    }
    let (detail, signals, _) = reader.read(at, &known).await;
    assert!(!detail.configured && !detail.answers);
    assert_eq!((detail.joined_stores, detail.stores), (2, 3));
    assert_eq!([1, 4, 5].map(|id| detail.store("store_scraped", id)), [Some(1.0), Some(1.0), Some(0.0)]);
    assert_eq!([1, 4, 5].map(|id| detail.store("slow_score", id)), [Some(1.0), Some(30.0), None]);
    assert_eq!([1, 4, 5].map(|id| detail.store("channel_full", id)), [Some(0.0), Some(0.0), None]);
    assert_eq!(detail.store("request_rate", 4), Some(20.0));
    assert!(detail.store("request_duration_p99", 4).is_some_and(|seconds| seconds < 0.01));
    assert_eq!(value(&signals, &Locus::component(SUBJECT, "store-4"), "request_rate"), Some(20.0));
}

#[tokio::test]
async fn a_question_that_is_not_answered_as_it_should_be_fails_for_itself() {
    // It answers the first question, and then far too much.
    let flooding = Exporter::start(|asked| match asked {
        0 => "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}".to_owned(),
        _ => " ".repeat((16 << 20) + 1),
    })
    .await;
    let known = Known { stores: &BTreeMap::new(), members: &BTreeMap::new(), leader: None };
    let reader = reader(Some(&format!("http://{}", flooding.address)));
    let (detail, signals, unavailable) = reader.read(now(), &known).await;
    assert!(detail.answers && signals.is_empty());
    assert_eq!(detail.answers_by_query["store_scraped"].why_not, None);
    let why = detail.answers_by_query["slow_score"].why_not.as_deref().expect("it failed");
    assert!(why.contains("16777216 bytes"), "{why}");
    assert_eq!(unavailable.len(), 1);
    assert!(unavailable[0].what.contains("more"), "{unavailable:?}");
}

#[tokio::test]
async fn what_is_no_prometheus_is_as_good_as_none() {
    let other = Exporter::start(|_| "<html>Welcome</html>".to_owned()).await;
    let known = Known { stores: &BTreeMap::new(), members: &BTreeMap::new(), leader: None };
    let (detail, _, unavailable) = reader(Some(&format!("http://{}", other.address))).read(now(), &known).await;
    assert!(!detail.answers && detail.answers_by_query.is_empty());
    assert!(unavailable[0].to_string().starts_with("prometheus: "), "{unavailable:?}");
    assert!(detail.silence.is_some_and(|why| why.contains("not understood")));
}

#[tokio::test]
async fn a_thousand_stores_are_read_in_time_and_few_of_them_get_signals() {
    // It gives every question the same answer.
    let series = (1..=1000).map(|id| {
        let value = if id == 500 { 90 } else { id % 5 };
        format!("{{\"metric\":{{\"instance\":\"s{id}:20180\",\"type\":\"kv_get\"}},\"value\":[1,\"{value}\"]}}")
    });
    let body = format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"vector\",\"result\":[{}]}}}}",
        series.collect::<Vec<_>>().join(",")
    );
    let prometheus = Exporter::start(move |_| body.clone()).await;
    let stores: BTreeMap<_, _> = (1..=1000).map(|id| store(id, &format!("s{id}:20180"))).collect();
    let known = Known { stores: &stores, members: &BTreeMap::new(), leader: None };
    let (detail, signals, unavailable) =
        reader(Some(&format!("http://{}", prometheus.address))).read(now(), &known).await;
    assert_eq!((detail.joined_stores, unavailable), (1000, vec![]));
    assert_eq!(detail.answers_by_query.values().filter(|answer| answer.why_not.is_some()).count(), 0);
    let with_signals: std::collections::BTreeSet<_> = signals.iter().map(|signal| &signal.on).collect();
    assert!(with_signals.contains(&Locus::component(SUBJECT, "store-500")));
    assert!(with_signals.len() <= 80, "{}", with_signals.len());
}
