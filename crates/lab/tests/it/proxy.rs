use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use operator_lab::proxy::{Behaviour, Proxy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::fixture::eventually;

/// A server that gives back what it is given.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn say(stream: &mut TcpStream, word: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(word).await?;
    let mut answer = vec![0; word.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn it_passes_everything_and_the_end_as_well() {
    let proxy = Proxy::start(echo().await).await.expect("proxy");
    let stream = TcpStream::connect(proxy.address()).await.expect("connect");
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut from, mut to) = stream.into_split();
    let writing = {
        let sent = sent.clone();
        tokio::spawn(async move {
            to.write_all(&sent).await.expect("write");
            to.shutdown().await.expect("end");
        })
    };
    let mut received = Vec::new();
    from.read_to_end(&mut received).await.expect("read to the end");
    writing.await.expect("written");
    assert!(received == sent, "{} of {} bytes came back", received.len(), sent.len());
    eventually("the connection is closed", || async { (proxy.open_connections() == 0).then_some(()) }).await;
}

#[tokio::test]
async fn a_delay_takes_as_long_as_said_and_ends_when_told() {
    let proxy = Proxy::start(echo().await).await.expect("proxy");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connect");
    say(&mut stream, b"warm").await.expect("answer");
    proxy.set(Behaviour::round_trip(150));
    for _ in 0..3 {
        let begun = Instant::now();
        assert_eq!(say(&mut stream, b"slow").await.expect("answer"), b"slow");
        let took = begun.elapsed();
        assert!((150..400).contains(&took.as_millis()), "{took:?}");
    }
    proxy.set(Behaviour::Pass);
    let begun = Instant::now();
    say(&mut stream, b"fast").await.expect("answer");
    assert!(begun.elapsed() < Duration::from_millis(100));
}

#[tokio::test]
async fn a_delay_is_a_delay_and_not_a_limit_of_throughput() {
    let proxy = Proxy::start(echo().await).await.expect("proxy");
    proxy.set(Behaviour::round_trip(200));
    let (mut from, mut to) = TcpStream::connect(proxy.address()).await.expect("connect").into_split();
    let begun = Instant::now();
    for n in 0..50_u8 {
        to.write_all(&[n]).await.expect("write");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut received = vec![0; 50];
    from.read_exact(&mut received).await.expect("read");
    assert!(received.iter().copied().eq(0..50), "in order");
    assert!(
        begun.elapsed() < Duration::from_millis(1_000),
        "{:?}: they are under way at the same time",
        begun.elapsed()
    );
}

#[tokio::test]
async fn cut_resets_what_is_open_and_what_comes_and_heals() {
    let proxy = Proxy::start(echo().await).await.expect("proxy");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connect");
    say(&mut stream, b"hello").await.expect("answer");
    proxy.set(Behaviour::Cut);
    let error = stream.read_u8().await.expect_err("reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let refused = match TcpStream::connect(proxy.address()).await {
        Ok(mut stream) => say(&mut stream, b"hello").await.is_err(),
        Err(_) => true,
    };
    assert!(refused);
    proxy.set(Behaviour::Pass);
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connect");
    assert_eq!(say(&mut stream, b"again").await.expect("answer"), b"again");
}

#[tokio::test]
async fn drop_swallows_without_closing_and_resets_when_it_ends() {
    let proxy = Proxy::start(echo().await).await.expect("proxy");
    let mut old = TcpStream::connect(proxy.address()).await.expect("connect");
    let mut idle = TcpStream::connect(proxy.address()).await.expect("connect");
    say(&mut old, b"hello").await.expect("answer");
    say(&mut idle, b"hello").await.expect("answer");
    proxy.set(Behaviour::Drop);
    let mut new = TcpStream::connect(proxy.address()).await.expect("new ones are accepted");
    for stream in [&mut old, &mut new] {
        assert!(timeout(Duration::from_millis(200), say(stream, b"anyone?")).await.is_err(), "silence, not an end");
    }
    proxy.set(Behaviour::Pass);
    for mut stream in [old, new] {
        assert_eq!(stream.read_u8().await.expect_err("reset").kind(), ErrorKind::ConnectionReset);
    }
    assert_eq!(say(&mut idle, b"fine").await.expect("it lost nothing"), b"fine");
}

#[tokio::test]
async fn a_cut_is_not_held_up_by_a_receiver_that_does_not_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let proxy = Proxy::start(listener.local_addr().expect("address")).await.expect("proxy");
    let mut client = TcpStream::connect(proxy.address()).await.expect("connect");
    let (_never_read, _) = listener.accept().await.expect("accept");
    let full = timeout(Duration::from_millis(300), async {
        loop {
            client.write_all(&[0; 65_536]).await.expect("write");
        }
    });
    assert!(full.await.is_err(), "every buffer is full");
    proxy.set(Behaviour::Cut);
    eventually("the connection is closed", || async { (proxy.open_connections() == 0).then_some(()) }).await;
}

#[tokio::test]
async fn without_a_server_connections_are_reset() {
    let proxy = Proxy::start("127.0.0.1:1".parse().expect("address")).await.expect("proxy");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connect");
    assert!(say(&mut stream, b"hello").await.is_err());
}
