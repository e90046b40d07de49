//! A TCP server that answers every connection with given bytes, for answers no HTTP library would send.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Serves `answer` to every connection, then closes it, or keeps it open for ever. Gives its base address.
pub async fn serve(answer: Vec<u8>, close: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
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
    format!("http://{address}")
}
