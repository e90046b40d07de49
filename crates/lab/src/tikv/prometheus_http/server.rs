//! Prometheus's server. As with a member of PD, it has a runtime of its own, so that it can die.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, body};
use operator_tikv::queries::ALL;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::super::pd_http::query;
use super::super::sim::Simulator;
use super::evaluate::{Point, evaluate};
use super::matching::{asked, milliseconds};

/// What Prometheus allows a series.
const MOST_POINTS: i64 = 11_000;
const BODY_LIMIT: usize = 1 << 20;

/// A running server.
#[derive(Debug)]
pub(crate) struct PrometheusServer(Option<Runtime>);

impl PrometheusServer {
    /// Serves what `simulator` scraped on a port of the loopback interface.
    pub(crate) fn start(simulator: &Arc<Mutex<Simulator>>, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("simulated-prometheus")
            .enable_all()
            .build()?;
        let simulator = Arc::clone(simulator);
        let router = Router::new().fallback(move |request: extract::Request| {
            let simulator = Arc::clone(&simulator);
            async move { respond(&simulator, request).await }
        });
        runtime.spawn(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    if let Err(error) = axum::serve(listener, router).await {
                        tracing::warn!(%error, "the simulated Prometheus stopped serving");
                    }
                }
                Err(error) => tracing::warn!(%error, "the simulated Prometheus cannot serve"),
            }
        });
        Ok(Self(Some(runtime)))
    }
}

impl Drop for PrometheusServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Why a question has no answer, in Prometheus's words.
struct Refused(u16, &'static str, String);

async fn respond(simulator: &Mutex<Simulator>, request: extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut parameters = query(parts.uri.query().unwrap_or_default());
    if let Ok(form) = body::to_bytes(body, BODY_LIMIT).await {
        parameters.extend(query(&String::from_utf8_lossy(&form)));
    }
    let (status, value) = match answer(simulator, parts.uri.path(), &parameters) {
        Ok(data) => (200, json!({ "status": "success", "data": data })),
        Err(Refused(status, kind, why)) => (status, json!({ "status": "error", "errorType": kind, "error": why })),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn answer(simulator: &Mutex<Simulator>, path: &str, parameters: &[(String, String)]) -> Result<Value, Refused> {
    let parameter = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let bad = |what: &str| Refused(400, "bad_data", format!("invalid parameter \"{what}\""));
    let instant = |name: &str| {
        let seconds: f64 = parameter(name)?.parse().ok()?;
        (seconds.abs() < 1e12).then_some((seconds * 1_000.0).round() as i64)
    };
    let simulator = simulator.lock().unwrap_or_else(PoisonError::into_inner);
    match path {
        "/api/v1/query" => {
            let at =
                if parameter("time").is_some() { instant("time").ok_or_else(|| bad("time"))? } else { simulator.now };
            let asked = understood(parameter("query").unwrap_or_default())?;
            let result = evaluate(&simulator, &asked, at);
            let result: Vec<Value> = result
                .into_iter()
                .map(|Point { labels, value }| json!({ "metric": labels, "value": [seconds(at), value.to_string()] }))
                .collect();
            Ok(json!({ "resultType": "vector", "result": result }))
        }
        "/api/v1/query_range" => {
            let (start, end) =
                (instant("start").ok_or_else(|| bad("start"))?, instant("end").ok_or_else(|| bad("end"))?);
            let text = parameter("step").unwrap_or_default();
            let step =
                instant("step").or_else(|| milliseconds(text)).filter(|step| *step > 0).ok_or_else(|| bad("step"))?;
            if end < start || (end - start) / step > MOST_POINTS {
                return Err(bad("end"));
            }
            let asked = understood(parameter("query").unwrap_or_default())?;
            let mut series = std::collections::BTreeMap::<_, Vec<Value>>::new();
            for number in 0..=(end - start) / step {
                let at = start + number * step;
                for Point { labels, value } in evaluate(&simulator, &asked, at) {
                    series.entry(labels).or_default().push(json!([seconds(at), value.to_string()]));
                }
            }
            let result: Vec<Value> =
                series.into_iter().map(|(labels, values)| json!({ "metric": labels, "values": values })).collect();
            Ok(json!({ "resultType": "matrix", "result": result }))
        }
        "/api/v1/label/__name__/values" => Ok(metric_names().into()),
        "/-/healthy" | "/-/ready" | "/api/v1/status/buildinfo" => Ok(json!({ "version": "simulated" })),
        _ => Err(Refused(404, "not_found", "the simulator does not have this".to_owned())),
    }
}

fn understood(expression: &str) -> Result<super::matching::Asked<'_>, Refused> {
    let unknown = || {
        Refused(422, "execution", format!("the simulator answers the catalogue of questions only, not {expression:?}"))
    };
    asked(expression).ok_or_else(unknown)
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1_000.0
}

/// The metrics that the catalogue asks for.
fn metric_names() -> Vec<String> {
    let of = |expression: &'static str| {
        expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| {
            *word == "up"
                || ["tikv_", "pd_", "etcd_", "process_", "raft_"].iter().any(|prefix| word.starts_with(prefix))
        })
    };
    let mut names: Vec<String> = ALL.iter().flat_map(|query| of(query.expression)).map(ToOwned::to_owned).collect();
    names.sort();
    names.dedup();
    names
}
