//! Asks a running operator through its control socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::control::limits::RESPONSE_BYTES;
use crate::control::line::{LineError, read_line};
use crate::control::socket::socket_path;
use crate::control::{
    CONTROL_VERSION, ControlReply, ControlRequest, Envelope, Fault, LINE_BYTES, Outcome, Response, Token,
};

/// How long to wait for a response: a little longer than the operator takes to say that it is late.
const RESPONSE_LIMIT: Duration = Duration::from_secs(75);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A connection to a running operator.
#[derive(Debug)]
pub struct ControlClient {
    input: BufReader<OwnedReadHalf>,
    output: OwnedWriteHalf,
    token: Option<Token>,
    last_id: u64,
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no operator runs with the state directory {}: start one with `operator run`", dir.display())]
    NoOperator {
        /// The state directory.
        dir: PathBuf,
    },
    /// The socket is another user's.
    #[error("the operator with the state directory {} runs as another user: ask as that user or as root", dir.display())]
    NotAllowed {
        /// The state directory.
        dir: PathBuf,
    },
    /// Whoever listens is not who owns the state directory.
    #[error("whoever listens in {} is user {uid}, who neither owns it nor is root: do not trust it", dir.display())]
    Impostor {
        /// The state directory.
        dir: PathBuf,
        /// The user that listens.
        uid: u32,
    },
    /// The request is longer than it may be.
    #[error("the request has {bytes} bytes, {LINE_BYTES} is the most: shorten its texts")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// The operator refused or failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The connection failed; what was asked for may have been done.
    #[error("the connection to the operator failed; look before asking again")]
    Io(#[source] io::Error),
    /// What came back is not a response.
    #[error("the operator's response cannot be understood ({0}): is it of another version?")]
    Response(String),
}

impl ControlClient {
    /// Connects to the operator that runs with `state_dir`.
    ///
    /// # Errors
    /// When none runs, it may not be asked, or the connection fails.
    pub async fn connect(state_dir: &Path) -> Result<Self, ClientError> {
        let dir = || state_dir.to_owned();
        let connecting = timeout(CONNECT_LIMIT, UnixStream::connect(socket_path(state_dir))).await;
        let stream = connecting.map_err(|_| ClientError::Io(io::ErrorKind::TimedOut.into()))?.map_err(|error| {
            match error.kind() {
                // A path that is too long for a socket cannot have one.
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidInput => {
                    ClientError::NoOperator { dir: dir() }
                }
                io::ErrorKind::PermissionDenied => ClientError::NotAllowed { dir: dir() },
                _ => ClientError::Io(error),
            }
        })?;
        check_listener(&stream, state_dir)?;
        let (input, output) = stream.into_split();
        Ok(Self { input: BufReader::new(input), output, token: None, last_id: 0 })
    }

    /// Asks as whoever `token` names, not as the present user.
    #[must_use]
    pub fn with_token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// Asks and waits for the reply. `subject` may be left out where the operator watches only one.
    ///
    /// # Errors
    /// When the operator refuses or fails, or the connection does.
    pub async fn request(
        &mut self,
        subject: Option<&str>,
        request: ControlRequest,
    ) -> Result<ControlReply, ClientError> {
        self.last_id += 1;
        let id = self.last_id;
        let (token, subject) = (self.token.clone(), subject.map(str::to_owned));
        let envelope = Envelope { v: CONTROL_VERSION, id, token, subject, request };
        let mut line = serde_json::to_vec(&envelope).map_err(|error| ClientError::Io(error.into()))?;
        if line.len() > LINE_BYTES {
            return Err(ClientError::TooLong { bytes: line.len() });
        }
        line.push(b'\n');
        // Whoever was turned away cannot write any more, and can still read why.
        let written = self.output.write_all(&line).await;
        let response = loop {
            let line = match read_line(&mut self.input, RESPONSE_BYTES, RESPONSE_LIMIT).await {
                Ok(Some(line)) => line,
                Ok(None) => return Err(ClientError::Io(written.err().unwrap_or(io::ErrorKind::UnexpectedEof.into()))),
                Err(LineError::Io(error)) => return Err(ClientError::Io(error)),
                Err(LineError::TimedOut) => return Err(ClientError::Io(io::ErrorKind::TimedOut.into())),
                Err(LineError::TooLong) => return Err(ClientError::Response("it is too long".to_owned())),
            };
            let response: Response =
                serde_json::from_slice(&line).map_err(|error| ClientError::Response(error.to_string()))?;
            // An answer to a request that was not waited for is passed over.
            if response.id.is_none_or(|of| of >= id) {
                break response;
            }
        };
        match response.outcome {
            Outcome::Ok(reply) => Ok(reply),
            Outcome::Error(fault) => Err(fault.into()),
        }
    }
}

/// A token must not go to somebody who put their own socket there.
fn check_listener(stream: &UnixStream, state_dir: &Path) -> Result<(), ClientError> {
    use std::os::unix::fs::MetadataExt;
    let uid = stream.peer_cred().map_err(ClientError::Io)?.uid();
    let owner = state_dir.metadata().map_err(ClientError::Io)?.uid();
    let own = rustix::process::geteuid().as_raw();
    if uid == 0 || uid == owner || uid == own {
        return Ok(());
    }
    Err(ClientError::Impostor { dir: state_dir.to_owned(), uid })
}
