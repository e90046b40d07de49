//! One connection to Redis for one observation, bounded in bytes and in time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, Pipeline};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::{InspectorError, command, not_understood};
use crate::config::RedisTarget;

/// Connecting, logging in included.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// One command.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Everything that one observation reads; the folds of 100 full logs are about a third of it.
const MAX_BYTES: u64 = 32 << 20;

/// The expected Redis, by its address.
#[derive(Debug, Clone)]
pub(crate) struct Inspector {
    target: RedisTarget,
}

/// A connection to it.
pub(crate) struct Inspection {
    connection: MultiplexedConnection,
    driver: AbortHandle,
    address: String,
}

impl Drop for Inspection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Inspector {
    pub(crate) fn new(target: RedisTarget) -> Self {
        Self { target }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.target.host, self.target.port)
    }

    /// Connects, and logs in where there is a login.
    pub(crate) async fn connect(&self) -> Result<Inspection, InspectorError> {
        let address = self.address();
        let no_answer = || InspectorError::NoAnswer { address: address.clone(), waited: CONNECT_TIMEOUT };
        let attempt = async {
            let stream = TcpStream::connect((self.target.host.as_str(), self.target.port))
                .await
                .map_err(|source| InspectorError::Connect { address: address.clone(), source })?;
            let _ = stream.set_nodelay(true);
            let stream = Metered { inner: stream, left: MAX_BYTES };
            let config = AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE_TIMEOUT));
            MultiplexedConnection::new_with_config(&self.target.login, stream, config)
                .await
                .map_err(|source| InspectorError::Call { what: "a session", source })
        };
        let (connection, driver) = timeout(CONNECT_TIMEOUT, attempt).await.map_err(|_| no_answer())??;
        let driver = tokio::spawn(driver).abort_handle();
        Ok(Inspection { connection, driver, address })
    }
}

impl Inspection {
    /// Asks one thing.
    pub(crate) async fn ask<T: FromRedisValue>(&self, what: &'static str, command: &Cmd) -> Result<T, InspectorError> {
        let mut connection = self.connection.clone();
        let answer = timeout(RESPONSE_TIMEOUT, command.query_async(&mut connection)).await;
        self.settle(what, answer)
    }

    /// Asks several things in one round trip. None of them is a transaction.
    pub(crate) async fn ask_all<T: FromRedisValue>(
        &self,
        what: &'static str,
        pipeline: &Pipeline,
    ) -> Result<T, InspectorError> {
        let mut connection = self.connection.clone();
        let answer = timeout(RESPONSE_TIMEOUT, pipeline.query_async(&mut connection)).await;
        self.settle(what, answer)
    }

    fn settle<T>(
        &self,
        what: &'static str,
        answer: Result<redis::RedisResult<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, InspectorError> {
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source)) if source.is_timeout() => Err(self.no_answer()),
            Ok(Err(source)) => Err(InspectorError::Call { what, source }),
            Err(_) => Err(self.no_answer()),
        }
    }

    fn no_answer(&self) -> InspectorError {
        InspectorError::NoAnswer { address: self.address.clone(), waited: RESPONSE_TIMEOUT }
    }

    /// Redis's clock, in microseconds.
    pub(crate) async fn clock(&self) -> Result<u64, InspectorError> {
        let (seconds, micros): (u64, u64) = self.ask("its clock", &command("TIME")).await?;
        seconds
            .checked_mul(1_000_000)
            .and_then(|time| time.checked_add(micros))
            .filter(|&time| time < 1 << 53)
            .ok_or_else(|| not_understood("its clock", format!("{seconds} s is no time")))
    }

    /// How long it takes to answer: the median of three pings.
    pub(crate) async fn read_duration(&self) -> Result<Duration, InspectorError> {
        let mut durations = [Duration::ZERO; 3];
        for duration in &mut durations {
            let begun = Instant::now();
            let _: redis::Value = self.ask("a sign of life", &command("PING")).await?;
            *duration = begun.elapsed();
        }
        durations.sort();
        Ok(durations[1])
    }
}

/// A stream that gives up once it has read so much: the other side decides how much it sends.
struct Metered<S> {
    inner: S,
    left: u64,
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = polled {
            let read = (buf.filled().len() - before) as u64;
            match self.left.checked_sub(read) {
                Some(left) => self.left = left,
                None => {
                    return Poll::Ready(Err(std::io::Error::other(format!("more than {MAX_BYTES} bytes came"))));
                }
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
