use operator_prometheus::{BodyError, read_bounded};

use crate::raw_server::serve;

async fn read(answer: Vec<u8>, limit: usize) -> Result<Vec<u8>, BodyError> {
    let url = serve(answer, true).await;
    read_bounded(reqwest::get(url).await.expect("a head"), limit).await
}

#[tokio::test]
async fn a_body_within_the_limit_is_read() {
    let body = read(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_vec(), 5).await;
    assert_eq!(body.expect("read"), b"hello");
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused() {
    let error = read(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello!".to_vec(), 5).await.expect_err("too large");
    assert!(matches!(error, BodyError::TooLarge { limit: 5 }), "{error}");
}

#[tokio::test]
async fn a_body_that_only_turns_out_too_large_is_refused_while_it_streams() {
    let mut answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    answer.resize(10 << 20, b'x');
    let error = read(answer, 1 << 20).await.expect_err("too large");
    assert!(matches!(error, BodyError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn half_a_body_is_not_a_body() {
    let error = read(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello".to_vec(), 100).await.expect_err("half");
    assert!(matches!(error, BodyError::Incomplete { received: 5, .. }), "{error}");
}
