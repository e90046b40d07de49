//! Who may manage: whoever presents the token; without one, whoever calls from this host and is no web page.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::node::Node;
use crate::settings::Token;

/// Lets management calls through, or says why not.
pub async fn management(
    State(node): State<Arc<Node>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let refusal = match &node.settings.management_token {
        Some(token) if presents(headers, token) => None,
        Some(_) => {
            let error = ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "management needs the bearer token");
            let mut response = error.into_response();
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            Some(response)
        }
        None => refuse_remote(headers, peer, &node.settings.node_host)
            .map(|why| ApiError::new(StatusCode::FORBIDDEN, "forbidden", why).into_response()),
    };
    match refusal {
        Some(response) => response,
        None => next.run(request).await,
    }
}

fn presents(headers: &HeaderMap, token: &Token) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
    // Hashes are compared, so that the time it takes says nothing about the token.
    given.is_some_and(|given| Sha256::digest(given.trim()) == Sha256::digest(token.reveal()))
}

fn refuse_remote(headers: &HeaderMap, peer: SocketAddr, node_host: &str) -> Option<&'static str> {
    if !peer.ip().to_canonical().is_loopback() {
        return Some("without RATELIMITER_MANAGEMENT_TOKEN management is only possible from this host");
    }
    if headers.contains_key(header::ORIGIN) {
        return Some("a web page may not manage this node");
    }
    // A name that was made to point here (DNS rebinding) gives itself away in Host.
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let local = name == "localhost" || name == node_host || name.parse::<IpAddr>().is_ok();
    (!local).then_some("the Host header does not name this host")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(peer: &str, headers: &[(header::HeaderName, &'static str)]) -> bool {
        let headers = headers.iter().map(|(n, v)| (n.clone(), HeaderValue::from_static(v))).collect();
        refuse_remote(&headers, peer.parse().unwrap(), "node-1").is_some()
    }

    #[test]
    fn only_this_host_and_no_web_page_manages_without_a_token() {
        let host = |name| [(header::HOST, name)];
        assert!(!refused("127.0.0.1:5", &host("127.0.0.1:8000")));
        assert!(!refused("[::1]:5", &host("[::1]:8000")));
        assert!(!refused("[::ffff:127.0.0.1]:5", &host("localhost")));
        assert!(!refused("127.0.0.1:5", &host("node-1:8000")));
        assert!(refused("10.0.0.1:5", &host("127.0.0.1:8000")));
        assert!(refused("127.0.0.1:5", &host("evil.example:8000")));
        assert!(refused("127.0.0.1:5", &[(header::HOST, "localhost"), (header::ORIGIN, "http://localhost")]));
    }
}
