//! The folder of an environment: only its owner may enter it, and only one environment runs in it.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::error::LabError;

/// Makes a folder that only its owner may enter; the answer is its absolute path.
pub(crate) fn private(folder: &Path) -> Result<PathBuf, LabError> {
    let failed = |source| LabError::Folder { path: folder.to_owned(), source };
    if folder.as_os_str().is_empty() {
        return Err(LabError::invalid("folder", "a folder for what the environment writes"));
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    fs::canonicalize(folder).map_err(failed)
}

/// Holds the folder as long as the file is open.
pub(crate) fn lock(folder: &Path) -> Result<File, LabError> {
    let path = folder.join("lock");
    let failed = |source| LabError::Folder { path: path.clone(), source };
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LabError::InUse { path: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
