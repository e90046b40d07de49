use std::time::Duration;

use operator_prometheus::{QueryClient, QueryError, QueryLimits};
use operator_protocols::Timestamp;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::raw_server::serve;

const LIMITS: QueryLimits = QueryLimits { bytes: 100_000, series: 2, points: 3, timeout: Duration::from_millis(500) };

async fn answering(status: u16, body: &str) -> (MockServer, QueryClient) {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(status).set_body_raw(body.to_owned(), "application/json"))
        .mount(&server)
        .await;
    let client = QueryClient::new(&server.uri(), LIMITS).expect("an address");
    (server, client)
}

async fn instant(status: u16, body: &str) -> Result<Vec<operator_prometheus::Series>, QueryError> {
    let (_server, client) = answering(status, body).await;
    client.instant("up", Timestamp::from_millis(1500)).await
}

#[tokio::test]
async fn an_instant_query_gives_one_point_a_series() {
    let server = MockServer::start().await;
    Mock::given(path("/prom/api/v1/query"))
        .and(query_param("query", "up{job=\"x\"}"))
        .and(query_param("time", "1500.250"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(
            r#"{"status":"success","data":{"resultType":"vector","result":[
                {"metric":{"__name__":"up","job":"x"},"value":[1500.25,"1"]},{"metric":{},"value":[1500.25,"NaN"]}]}}"#,
            "application/json",
        ))
        .mount(&server)
        .await;
    let client = QueryClient::new(&format!("{}/prom", server.uri()), LIMITS).expect("an address");
    let series = client.instant("up{job=\"x\"}", Timestamp::from_millis(1_500_250)).await.expect("an answer");
    assert_eq!(series[0].labels["job"], "x");
    assert_eq!((series[0].points[0].at.as_millis(), series[0].points[0].value), (1_500_250, 1.0));
    assert!(series[1].points[0].value.is_nan());
}

#[tokio::test]
async fn a_range_query_gives_the_points_in_order() {
    let body =
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"+Inf"]]}]}}"#;
    let (server, client) = answering(200, body).await;
    let (from, to) = (Timestamp::from_millis(1000), Timestamp::from_millis(2000));
    let series = client.range("x", from, to, Duration::from_secs(1)).await.expect("an answer");
    assert_eq!(series[0].points.iter().map(|point| point.value).collect::<Vec<_>>(), [1.0, f64::INFINITY]);
    let request = &server.received_requests().await.expect("recorded")[0];
    assert_eq!(request.url.query(), Some("query=x&start=1.000&end=2.000&step=1.000"));

    let error = client.range("x", from, to, Duration::from_millis(1)).await.expect_err("too many points");
    assert!(matches!(error, QueryError::Range(_)), "{error}");
    let error = client.range("x", to, from, Duration::from_secs(1)).await.expect_err("backwards");
    assert!(matches!(error, QueryError::Range(_)), "{error}");
}

#[tokio::test]
async fn the_names_of_what_is_exposed_are_read_within_a_bound() {
    let span = (Timestamp::from_millis(1000), Timestamp::from_millis(2000));
    let (server, client) = answering(200, r#"{"status":"success","data":["up","a_total"]}"#).await;
    let names = client.metric_names("{job=\"x\"}", span.0, span.1).await.expect("names");
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a_total", "up"]);
    let request = &server.received_requests().await.expect("recorded")[0];
    assert_eq!(request.url.path(), "/api/v1/label/__name__/values");
    assert_eq!(request.url.query(), Some("match%5B%5D=%7Bjob%3D%22x%22%7D&start=1.000&end=2.000"));

    let (_server, client) = answering(200, r#"{"status":"success","data":["a","b","c"]}"#).await;
    let error = client.metric_names("{job=\"x\"}", span.0, span.1).await.expect_err("three, two are allowed");
    assert_eq!(error.to_string(), "the answer holds more than 2 names");
}

#[tokio::test]
async fn a_scalar_is_a_series_without_labels() {
    let series = instant(200, r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#).await;
    assert_eq!(series.expect("an answer")[0].points[0].value, 2.0);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words() {
    let error = instant(400, r#"{"status":"error","errorType":"bad_data","error":"parse error at char 3"}"#).await;
    assert_eq!(
        error.expect_err("refused").to_string(),
        "the Prometheus server refused the query: bad_data: parse error at char 3"
    );
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    let vector =
        |result: &str| format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#);
    let series = r#"{"metric":{},"value":[1,"1"]}"#;
    for (status, body, expected) in [
        (200, "<html>".to_owned(), "not understood"),
        (502, "bad gateway".to_owned(), "status 502"),
        (302, String::new(), "status 302"),
        (200, r#"{"status":"success"}"#.to_owned(), "without data"),
        (200, r#"{"status":"success","data":{"resultType":"string","result":[1,"x"]}}"#.to_owned(), "a text"),
        (200, vector(r#"{"metric":{},"value":[1,"one"]}"#), "\"one\" is not a number"),
        (200, vector(r#"{"metric":{},"value":[1e300,"1"]}"#), "is not a time"),
        (200, vector(&[series; 3].join(",")), "more than 2 series"),
        (200, vector(r#"{"metric":{},"values":[[1,"1"],[2,"1"],[3,"1"],[4,"1"]]}"#), "more than 3 points"),
        (200, vector(r#"{"metric":{},"values":[[2,"1"],[1,"1"]]}"#), "order of time"),
        (200, "x".repeat(200_000), "could not be read: the answer is longer than 100000 bytes"),
    ] {
        let error = instant(status, &body).await.expect_err(&body);
        let why = error.unavailable("the history").why;
        assert!(why.contains(expected), "{why}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    for half in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"status\""] {
        let client = QueryClient::new(&serve(half.to_vec(), false).await, LIMITS).expect("an address");
        let error = client.instant("up", Timestamp::from_millis(0)).await.expect_err("no answer");
        assert!(matches!(error, QueryError::NoAnswer(_) | QueryError::Body(_)), "{error}");
    }
}

#[test]
fn an_address_that_is_none_is_refused_with_what_would_be_right() {
    for url in ["localhost:9090", "https://localhost", "", "http://localhost/?x=1"] {
        let error = QueryClient::new(url, LIMITS).expect_err(url).to_string();
        assert!(error.contains("such as http://localhost:9090"), "{error}");
    }
}
