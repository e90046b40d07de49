//! A process that exposes metrics, as far as Prometheus can see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) struct Exporter {
    task: JoinHandle<()>,
    /// `host:port`.
    pub(super) address: String,
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Exporter {
    /// Exposes what `text` gives; its argument counts the scrapes.
    pub(super) async fn start(text: impl Fn(u64) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (text, scrapes) = (Arc::new(text), Arc::new(AtomicU64::new(0)));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (text, scrapes) = (Arc::clone(&text), Arc::clone(&scrapes));
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    // A connection is kept for many scrapes; a request is short enough to come at once.
                    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                        let body = text(scrapes.fetch_add(1, Ordering::Relaxed));
                        let answer = format!(
                            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
                            body.len()
                        );
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { task, address }
    }

    /// A store with this slow score, whose requests of one type are many and quick, of another few and slow.
    pub(super) async fn store(slow_score: u32) -> Self {
        Self::start(move |scrapes| {
            let (many, few) = (scrapes * 100, scrapes / 10);
            let histogram = |kind: &str, quick: u64, slow: u64| {
                let all = quick + slow;
                format!(
                    "tikv_grpc_msg_duration_seconds_bucket{{type=\"{kind}\",le=\"0.002\"}} {quick}\n\
                     tikv_grpc_msg_duration_seconds_bucket{{type=\"{kind}\",le=\"8.192\"}} {all}\n\
                     tikv_grpc_msg_duration_seconds_bucket{{type=\"{kind}\",le=\"+Inf\"}} {all}\n\
                     tikv_grpc_msg_duration_seconds_sum{{type=\"{kind}\"}} 1\n\
                     tikv_grpc_msg_duration_seconds_count{{type=\"{kind}\"}} {all}\n"
                )
            };
            format!(
                "process_start_time_seconds 1000\n\
                 tikv_raftstore_slow_score {slow_score}\n\
                 tikv_raftstore_region_count{{type=\"leader\"}} 10\n\
                 tikv_scheduler_discard_ratio 5000000\n\
                 tikv_server_report_failure_msg_total{{type=\"unreachable\",store_id=\"9\"}} {}\n{}{}",
                scrapes * 10,
                histogram("kv_get", many, 0),
                histogram("kv_scan", 0, few),
            )
        })
        .await
    }

    /// A member of PD that counts so many regions that miss a peer.
    pub(super) async fn member(miss_peer: u32) -> Self {
        Self::start(move |_| format!("pd_regions_status{{type=\"miss-peer-region-count\"}} {miss_peer}\n")).await
    }
}
