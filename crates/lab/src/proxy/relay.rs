//! One proxied connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::behaviour::{Behaviour, Towards};

/// How long the server may take to accept.
const CONNECT: Duration = Duration::from_secs(5);
/// How much is read at once.
const PIECE: usize = 16 << 10;
/// How much may be under way in one direction before reading waits.
const UNDER_WAY: usize = 1 << 20;

/// Why a connection is to be reset rather than closed.
struct Reset;

/// Carries one connection until either side ends it or the link breaks it.
pub(super) async fn relay(mut client: TcpStream, server: SocketAddr, mut behaviour: watch::Receiver<Behaviour>) {
    let now = *behaviour.borrow_and_update();
    let outcome = match now {
        Behaviour::Cut => Err(Reset),
        Behaviour::Drop => swallow(&mut client, &mut behaviour).await,
        Behaviour::Pass | Behaviour::Delay { .. } => match timeout(CONNECT, TcpStream::connect(server)).await {
            Ok(Ok(mut upstream)) => {
                let outcome = both_ways(&mut client, &mut upstream, &behaviour).await;
                if outcome.is_err() {
                    let _ = upstream.set_zero_linger();
                }
                outcome
            }
            Ok(Err(_)) | Err(_) => Err(Reset),
        },
    };
    if outcome.is_err() {
        // Closing without lingering sends a reset.
        let _ = client.set_zero_linger();
    }
}

/// A connection that began in silence: it never reaches the server.
async fn swallow(client: &mut TcpStream, behaviour: &mut watch::Receiver<Behaviour>) -> Result<(), Reset> {
    let mut piece = vec![0; PIECE];
    loop {
        tokio::select! {
            read = client.read(&mut piece) => match read {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(_) => return Err(Reset),
            },
            changed = behaviour.changed() => {
                if changed.is_err() || *behaviour.borrow_and_update() != Behaviour::Drop {
                    return Err(Reset);
                }
            }
        }
    }
}

async fn both_ways(
    client: &mut TcpStream,
    server: &mut TcpStream,
    behaviour: &watch::Receiver<Behaviour>,
) -> Result<(), Reset> {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let mut there = Direction::new(Towards::Server, behaviour.clone());
    let mut back = Direction::new(Towards::Client, behaviour.clone());
    let carried = tokio::try_join!(there.carry(from_client, to_server), back.carry(from_server, to_client));
    carried.map(|_| ())
}

/// One direction of one connection.
struct Direction {
    towards: Towards,
    behaviour: watch::Receiver<Behaviour>,
    /// What is under way, each piece with the time at which it arrives. In order.
    under_way: VecDeque<(Instant, Vec<u8>)>,
    bytes_under_way: usize,
    lost_bytes: bool,
}

impl Direction {
    fn new(towards: Towards, behaviour: watch::Receiver<Behaviour>) -> Self {
        Self { towards, behaviour, under_way: VecDeque::new(), bytes_under_way: 0, lost_bytes: false }
    }

    async fn carry(&mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Reset> {
        let mut piece = vec![0; PIECE];
        let mut ended = false;
        loop {
            if ended && self.under_way.is_empty() {
                let _ = to.shutdown().await;
                return Ok(());
            }
            let arrives = self.under_way.front().map(|(at, _)| *at);
            tokio::select! {
                changed = self.behaviour.changed() => self.noticed(changed.is_ok())?,
                () = at(arrives) => {
                    if let Some((_, bytes)) = self.under_way.pop_front() {
                        self.bytes_under_way -= bytes.len();
                        self.deliver(&mut to, &bytes).await?;
                    }
                }
                read = from.read(&mut piece), if !ended && self.bytes_under_way < UNDER_WAY => match read {
                    Ok(0) => ended = true,
                    Ok(length) => self.take(piece.get(..length).unwrap_or_default()),
                    Err(_) => return Err(Reset),
                },
            }
        }
    }

    /// Takes bytes in, as the link behaves now.
    fn take(&mut self, bytes: &[u8]) {
        let behaviour = *self.behaviour.borrow();
        if behaviour == Behaviour::Drop {
            self.lost_bytes = true;
            return;
        }
        let due = Instant::now() + behaviour.delay(self.towards);
        // A delay that was shortened does not let later bytes overtake earlier ones.
        let due = self.under_way.back().map_or(due, |(last, _)| due.max(*last));
        self.bytes_under_way += bytes.len();
        self.under_way.push_back((due, bytes.to_vec()));
    }

    /// Writes bytes out, unless the link is cut meanwhile: a receiver that does not read must not keep it open.
    async fn deliver(&mut self, to: &mut WriteHalf<'_>, bytes: &[u8]) -> Result<(), Reset> {
        if *self.behaviour.borrow() == Behaviour::Drop {
            self.lost_bytes = true;
            return Ok(());
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            tokio::select! {
                changed = self.behaviour.changed() => self.noticed(changed.is_ok())?,
                written = to.write(rest) => match written {
                    Ok(0) | Err(_) => return Err(Reset),
                    Ok(length) => rest = rest.get(length..).unwrap_or_default(),
                },
            }
        }
        Ok(())
    }

    /// The link behaves in another way from now on.
    fn noticed(&mut self, proxy_lives: bool) -> Result<(), Reset> {
        let behaviour = *self.behaviour.borrow_and_update();
        if !proxy_lives || behaviour == Behaviour::Cut || (self.lost_bytes && behaviour != Behaviour::Drop) {
            return Err(Reset);
        }
        Ok(())
    }
}

/// Waits until then; for ever, if there is no such time.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
