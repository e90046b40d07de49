//! One member's server. It has a runtime of its own, so that the death of the member takes its connections along and
//! closes its port, as the death of a process does.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::{Router, extract};
use tokio::runtime::Runtime;

use super::super::sim::Simulator;
use super::answer::{Answer, Request};

/// A body longer than this is refused.
const BODY_LIMIT: usize = 1 << 20;

/// A running server.
#[derive(Debug)]
pub(crate) struct MemberServer(Option<Runtime>);

impl MemberServer {
    /// Serves member `index` of `simulator` on a port of the loopback interface.
    pub(crate) fn start(simulator: &Arc<Mutex<Simulator>>, index: usize, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(format!("simulated-pd-{}", index + 1))
            .enable_all()
            .build()?;
        let simulator = Arc::clone(simulator);
        let router = Router::new().fallback(move |request: extract::Request| {
            let simulator = Arc::clone(&simulator);
            async move { respond(&simulator, index, request).await }
        });
        runtime.spawn(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    if let Err(error) = axum::serve(listener, router).await {
                        tracing::warn!(%error, "a simulated member of PD stopped serving");
                    }
                }
                Err(error) => tracing::warn!(%error, "a simulated member of PD cannot serve"),
            }
        });
        Ok(Self(Some(runtime)))
    }
}

impl Drop for MemberServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

async fn respond(simulator: &Mutex<Simulator>, index: usize, request: extract::Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let answer = match to_bytes(body, BODY_LIMIT).await {
        Ok(body) => {
            let request = Request {
                method: parts.method.to_string(),
                path: parts.uri.path().to_owned(),
                query: query(parts.uri.query().unwrap_or_default()),
                body: serde_json::from_slice(&body).unwrap_or_default(),
                caller: caller(&parts.headers),
            };
            let answer = simulator.lock().unwrap_or_else(PoisonError::into_inner).asked(index, &request);
            match answer {
                Some(answer) => answer,
                // Accepted, and never answered.
                None => std::future::pending().await,
            }
        }
        Err(_) => Answer::text(413, ""),
    };
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(answer.content_type));
    response
}

fn caller(headers: &HeaderMap) -> Option<String> {
    headers.get("x-caller-id").and_then(|value| value.to_str().ok()).map(ToOwned::to_owned)
}

/// The parameters of a query, in order.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(key), decoded(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(first),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_taken_apart_and_decoded() {
        let expected = [("query", "up{job=\"tikv\"}"), ("object", ""), ("a", "1 2%")];
        let expected: Vec<_> = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(query("query=up%7Bjob%3D%22tikv%22%7D&object&a=1+2%"), expected);
    }
}
