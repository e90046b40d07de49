//! A Unix socket's path may be 107 bytes long at most (`sun_path` in unix(7), less the final zero), and folders under a
//! build tree are often longer. Seen through an open handle of its folder, a socket has a short path.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

/// The longest path that a socket's address holds.
const LONGEST: usize = 107;

/// A path for a socket that is short enough, valid as long as this lives.
pub(super) struct SocketPath {
    path: PathBuf,
    _folder: Option<File>,
}

impl SocketPath {
    pub(super) fn new(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join(name);
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self { path, _folder: None });
        }
        let handle = File::open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd())).join(name);
        Ok(Self { path, _folder: Some(handle) })
    }

    pub(super) fn as_path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_socket_in_a_deep_folder_can_be_bound_and_reached() {
        let temporary = tempfile::tempdir().expect("temporary folder");
        let folder = temporary.path().join("x".repeat(120));
        std::fs::create_dir(&folder).expect("folder");
        assert!(UnixListener::bind(folder.join("s")).is_err(), "too long as it is");
        let path = SocketPath::new(&folder, "s").expect("path");
        let _listener = UnixListener::bind(path.as_path()).expect("bind");
        assert!(folder.join("s").exists());
        drop(path);
        UnixStream::connect(SocketPath::new(&folder, "s").expect("path").as_path()).expect("connect");
    }
}
