//! Servers that answer wrongly, too much and never: each is said, none costs more than its time.

use std::time::{Duration, Instant};

use operator_protocols::ComponentState;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::World;

/// Serves `answer` to every connection; then closes it, or keeps it open for ever.
async fn serve(answer: Vec<u8>, close: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&answer).await;
            if !close {
                open.push(stream);
            }
        }
    });
    address
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn checked(check: &str) -> World {
    World::new(&format!("[[component]]\nname = \"a\"\nkind = \"api\"\n[[component.check]]\n{check}\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_fails_says_why() {
    let silent = serve(Vec::new(), false).await;
    let elsewhere = serve(http("302 Found", "Location: http://127.0.0.1:1/\r\n", ""), true).await;
    let ill = serve(http("503 Service Unavailable", "", "no"), true).await;
    let wrong = serve(http("200 OK", "", "starting"), true).await;
    let large = serve(http("200 OK", "", &"x".repeat(1 << 20)), true).await;
    let closing = serve(b"-LOADING\r\n".to_vec(), true).await;
    let chatty = serve("x".repeat(1 << 20).into_bytes(), false).await;
    for (check, state, why) in [
        (format!("http = \"http://{ill}/h?q=1\""), ComponentState::Down, format!("{ill}/h answers 503, not 200")),
        (format!("http = \"http://{ill}/\"\nstatus = 503"), ComponentState::Up, "answers".to_owned()),
        (
            format!("http = \"http://{ill}/\"\nfailing = \"degraded\""),
            ComponentState::Degraded,
            format!("{ill}/ answers 503, not 200"),
        ),
        (format!("http = \"http://{elsewhere}/\""), ComponentState::Down, "answers 302, not 200".to_owned()),
        (
            format!("http = \"http://{wrong}/\"\nbody = \"ok\""),
            ComponentState::Down,
            "answers without \"ok\"".to_owned(),
        ),
        (
            format!("http = \"http://{large}/\"\nbody = \"ok\""),
            ComponentState::Down,
            "longer than 65536 bytes".to_owned(),
        ),
        (
            format!("http = \"http://{silent}/\"\ntimeout = \"100ms\""),
            ComponentState::Down,
            format!("no answer from {silent} within 100ms"),
        ),
        (
            "http = \"http://127.0.0.1:1/\"".to_owned(),
            ComponentState::Down,
            "could not connect to 127.0.0.1:1: Connection refused".to_owned(),
        ),
        ("tcp = \"127.0.0.1:1\"".to_owned(), ComponentState::Down, "could not connect to 127.0.0.1:1".to_owned()),
        (format!("tcp = \"{silent}\""), ComponentState::Up, "answers".to_owned()),
        (
            format!("tcp = \"{silent}\"\nsend = \"PING\\r\\n\"\nexpect = \"+PONG\"\ntimeout = \"100ms\""),
            ComponentState::Down,
            format!("no answer from {silent} within 100ms"),
        ),
        (
            format!("tcp = \"{closing}\"\nsend = \"PING\\r\\n\"\nexpect = \"+PONG\""),
            ComponentState::Down,
            "answers \"-LOADING\\r\\n\", not \"+PONG\"".to_owned(),
        ),
        (
            format!("tcp = \"{chatty}\"\nsend = \"x\"\nexpect = \"+PONG\""),
            ComponentState::Down,
            ", not \"+PONG\"".to_owned(),
        ),
    ] {
        let mut world = checked(&check);
        world.look().await;
        let component = world.component("a");
        assert_eq!(component.state, state, "{check}: {}", component.raw_state);
        assert!(component.raw_state.contains(&why), "{check}: {}", component.raw_state);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_are_silent_cost_one_time_limit() {
    let silent = serve(Vec::new(), false).await;
    let one = |number: usize| {
        let check = format!("http = \"http://{silent}/\"\ntimeout = \"300ms\"");
        format!("[[component]]\nname = \"c{number}\"\nkind = \"api\"\n[[component.check]]\n{check}\n")
    };
    let mut world = World::new(&(0..100).map(one).collect::<String>());
    let begun = Instant::now();
    world.look().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(world.seen.components.iter().all(|component| component.state == ComponentState::Down));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_that_cannot_be_trusted_are_no_readings() {
    for (body, why) in [
        ("m 1\nm 2\n".to_owned(), "line 2: the series m was given already in line 1"),
        ("<html>".to_owned(), "line 1: expected a metric name"),
        ("other 1\n".to_owned(), "the metrics hold no m"),
        ("m NaN\n".to_owned(), "the reading NaN is not a finite number"),
        (format!("#{}\n", "x".repeat(100_000)), "the line is longer than"),
        ("m 1\nzero 0\n".to_owned(), "zero is 0"),
    ] {
        let address = serve(http("200 OK", "", &body), true).await;
        let divide = if why == "zero is 0" { "divide_by = \"zero\"" } else { "" };
        let mut world = World::new(&format!(
            "[[component]]\nname = \"a\"\nkind = \"api\"\naddress = \"{address}\"\nmetrics = \"/metrics\"\n\
             [[component.check]]\ntcp = true\n[[signal]]\nname = \"s\"\non = \"component:a\"\nmetric = \"m\"\n\
             unit = \"1\"\n{divide}\n[[invariant]]\nname = \"i\"\nsignal = \"s\"\nabove = 5\n"
        ));
        world.look().await;
        assert_eq!(world.value(&crate::world::component("a"), "s"), None, "{body}");
        let told: Vec<_> = world.seen.unavailable.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains(why)), "{body}: {told:?}");
        let verdict = format!("{:?}", world.verdict("i", &crate::world::component("a")));
        assert!(verdict.starts_with("Unknown") && verdict.contains(why), "{verdict}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_with_endless_values_is_not_followed() {
    let body: String = (0..600).map(|number| format!("depth{{queue=\"q{number}\"}} 1\n")).collect();
    let address = serve(http("200 OK", "", &body), true).await;
    let mut world = World::new(&format!(
        "[[component]]\nname = \"a\"\nkind = \"api\"\naddress = \"{address}\"\nmetrics = \"/metrics\"\n\
         [[component.check]]\ntcp = true\n[[signal]]\nname = \"s\"\non = \"entity:queue\"\nmetric = \"depth\"\n\
         scrape = \"a\"\nby = \"queue\"\nunit = \"1\"\n"
    ));
    world.look().await;
    assert_eq!(world.gap("s"), "its label queue has more than 500 values");
    assert!(world.seen.signals.iter().all(|signal| signal.name != "s"));
}
