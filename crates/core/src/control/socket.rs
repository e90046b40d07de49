//! The socket file: where it is, who may reach it, and what becomes of one that a dead process left behind.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// The name of the socket within the state directory.
pub const SOCKET_NAME: &str = "control.sock";
/// The longest path of a socket: `sun_path` of unix(7) has 108 bytes with the one that ends it.
const PATH_BYTES: usize = 107;
/// How long a process that may be listening is given to accept.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Why nobody listens.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody listens there already.
    #[error("an operator is running with the state directory {}: stop it, or use another state directory", dir.display())]
    Running {
        /// The state directory.
        dir: PathBuf,
    },
    /// Others could replace the socket.
    #[error("{} {why}: use a directory of your own, `chmod 700`", dir.display())]
    UnsafeDirectory {
        /// The state directory.
        dir: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is something else where the socket should be.
    #[error("{} is not a socket: remove it, or use another state directory", path.display())]
    NotASocket {
        /// Where.
        path: PathBuf,
    },
    /// The path is longer than a socket's may be.
    #[error("{} has more than {PATH_BYTES} bytes, which a socket's path may not have: use a shorter state directory", path.display())]
    PathTooLong {
        /// The path.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// The file of a socket that is listened on. Removed with this, unless it is another's by then.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = self.path.symlink_metadata().is_ok_and(|now| (now.dev(), now.ino()) == self.inode);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the control socket could not be removed");
        }
    }
}

pub(super) fn socket_path(state_dir: &Path) -> PathBuf {
    state_dir.join(SOCKET_NAME)
}

/// Listens in `state_dir`, which is created if it is missing. Whoever owns the state directory's store calls this; of
/// two that call it at once, one could otherwise be left without its file.
pub(super) async fn listen(state_dir: &Path) -> Result<(UnixListener, SocketFile), BindError> {
    let path = socket_path(state_dir);
    if path.as_os_str().len() > PATH_BYTES {
        return Err(BindError::PathTooLong { path });
    }
    let failed = |doing| {
        let path = path.clone();
        move |source| BindError::Io { doing, path, source }
    };
    let create = DirBuilder::new().recursive(true).mode(0o700).create(state_dir);
    create.map_err(|source| BindError::Io { doing: "create", path: state_dir.to_owned(), source })?;
    check_directory(state_dir)?;
    check_nobody_answers(state_dir, &path).await?;
    // Bound under another name of the same length and moved when only its owner may connect: there is no moment at
    // which others may, and none at which there is no socket.
    let fresh = state_dir.join(format!(".ctl-{:07x}", std::process::id() & 0xfff_ffff));
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("replace")(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&fresh).map_err(failed("listen on"))?;
    fs::set_permissions(&fresh, Permissions::from_mode(0o600)).map_err(failed("protect"))?;
    fs::rename(&fresh, &path).map_err(failed("replace"))?;
    let metadata = path.symlink_metadata().map_err(failed("look at"))?;
    Ok((listener, SocketFile { inode: (metadata.dev(), metadata.ino()), path }))
}

/// A directory that others may write to lets them put their own socket there.
fn check_directory(dir: &Path) -> Result<(), BindError> {
    let metadata = dir.metadata().map_err(|source| BindError::Io { doing: "look at", path: dir.to_owned(), source })?;
    let unsafe_because = |why: String| Err(BindError::UnsafeDirectory { dir: dir.to_owned(), why });
    if metadata.mode() & 0o022 != 0 {
        return unsafe_because("may be written to by others".to_owned());
    }
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != own && metadata.uid() != 0 {
        return unsafe_because(format!("belongs to user {}, not to {own}", metadata.uid()));
    }
    Ok(())
}

async fn check_nobody_answers(state_dir: &Path, path: &Path) -> Result<(), BindError> {
    let metadata = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata.map_err(|source| BindError::Io { doing: "look at", path: path.to_owned(), source })?,
    };
    if !metadata.file_type().is_socket() {
        return Err(BindError::NotASocket { path: path.to_owned() });
    }
    match timeout(ANSWER_LIMIT, UnixStream::connect(path)).await {
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        // Accepted, or there is a listener that does not accept just now.
        Ok(Ok(_)) | Err(_) => Err(BindError::Running { dir: state_dir.to_owned() }),
        Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(BindError::Running { dir: state_dir.to_owned() })
        }
        Ok(Err(source)) => Err(BindError::Io { doing: "reach", path: path.to_owned(), source }),
    }
}
