use std::time::Duration;

use operator_prometheus::{HttpClient, HttpError, HttpLimits, HttpMethod, HttpRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const LIMITS: HttpLimits =
    HttpLimits { connect: Duration::from_millis(500), answer: Duration::from_millis(500), bytes: 10, cut: false };

/// A server that hands every connection, by its number, to `serve`; gives its address.
async fn server<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(u32, TcpStream) -> F + Send + 'static,
) -> reqwest::Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/x?y=1", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            number += 1;
            tokio::spawn(serve(number, stream));
        }
    });
    url.parse().expect("an address")
}

async fn answer(stream: &mut TcpStream, body: &str) -> bool {
    let mut request = [0; 4096];
    match stream.read(&mut request).await {
        Ok(0) | Err(_) => return false,
        Ok(_) => {}
    }
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).await.is_ok()
}

#[tokio::test]
async fn a_body_is_read_within_its_bound_and_cut_where_that_is_enough() {
    let url = server(|_, mut stream| async move {
        answer(&mut stream, "0123456789abc").await;
    })
    .await;
    let client = HttpClient::plain();
    let error = client.send(HttpRequest::get(&url), &LIMITS).await.expect_err("too long");
    assert!(matches!(error, HttpError::TooLarge { limit: 10, .. }) && !error.is_unsent(), "{error}");
    let cut = client.send(HttpRequest::get(&url), &HttpLimits { cut: true, ..LIMITS }).await.expect("a beginning");
    assert_eq!((cut.body.as_slice(), cut.is_cut), (&b"0123456789"[..], true));
    let whole = client.send(HttpRequest::get(&url), &HttpLimits { bytes: 13, ..LIMITS }).await.expect("all of it");
    assert_eq!((whole.body.len(), whole.is_cut, whole.content_type.as_deref()), (13, false, Some("text/plain")));
}

#[tokio::test]
async fn readings_share_a_connection_and_one_that_was_closed_meanwhile_is_replaced() {
    // The first connection answers twice, and is closed; each connection tells its number.
    let url = server(|number, mut stream| async move {
        for _ in 0..2 {
            answer(&mut stream, &number.to_string()).await;
        }
    })
    .await;
    let client = HttpClient::plain();
    let mut numbers = Vec::new();
    for _ in 0..4 {
        let answer = client.send(HttpRequest::get(&url), &LIMITS).await.expect("an answer");
        numbers.push(String::from_utf8(answer.body).expect("text"));
        // The other side has time to close the connection.
        tokio::task::yield_now().await;
    }
    assert_eq!(numbers, ["1", "1", "2", "2"]);
}

#[tokio::test]
async fn what_changes_something_goes_over_a_connection_of_its_own_once() {
    let url = server(|number, mut stream| async move {
        while answer(&mut stream, &number.to_string()).await {
            // A second request on one connection is not answered.
            if number > 1 {
                return;
            }
        }
    })
    .await;
    let client = HttpClient::plain();
    client.send(HttpRequest::get(&url), &LIMITS).await.expect("an answer");
    for (method, expected) in [(HttpMethod::Post, "2"), (HttpMethod::Delete, "3")] {
        let request = HttpRequest { method, ..HttpRequest::get(&url) };
        let answer = client.send(request, &LIMITS).await.expect("an answer");
        assert_eq!(answer.body, expected.as_bytes());
    }
    let closes = server(|_, stream| async move { drop(stream) }).await;
    let request = HttpRequest { method: HttpMethod::Post, ..HttpRequest::get(&closes) };
    let error = client.send(request, &LIMITS).await.expect_err("it was closed");
    assert!(!error.is_unsent(), "{error}: it may have been read");
}

#[tokio::test]
async fn an_error_tells_whether_the_request_can_have_left() {
    let client = HttpClient::plain();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let hangs: reqwest::Url = format!("http://{address}").parse().expect("an address");
    let late = client.send(HttpRequest::get(&hangs), &LIMITS).await.expect_err("nobody answers");
    assert!(matches!(late, HttpError::Timeout { .. }) && !late.is_unsent(), "{late}");
    drop(listener);
    let refused = client.send(HttpRequest::get(&hangs), &LIMITS).await.expect_err("nobody listens");
    assert!(matches!(refused, HttpError::Connect { refused: true, .. }) && refused.is_unsent(), "{refused}");
    let secret: reqwest::Url = "https://localhost:1".parse().expect("an address");
    let no_tls = client.send(HttpRequest::get(&secret), &LIMITS).await.expect_err("no authority");
    assert!(no_tls.is_unsent(), "{no_tls}");
    let headers = [("x-caller-id", "a\r\nx-other: b")];
    let request = HttpRequest { headers: &headers, ..HttpRequest::get(&hangs) };
    let bad = client.send(request, &LIMITS).await.expect_err("no header");
    assert!(bad.is_unsent(), "{bad}");
}
