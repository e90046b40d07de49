//! Where the configuration file is looked for.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::config::{ConfigError, Sources};

/// The most a configuration may have: a larger file is the wrong one.
const MOST_BYTES: u64 = 1 << 20;

/// The file to read and its text. One that was named must be there; the usual places may be empty.
pub(super) fn find(sources: &Sources) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let variable = |name: &str| sources.variable(name).filter(|value| !value.is_empty());
    if let Some(path) = &sources.config_flag {
        return read(path).map(|text| Some((path.clone(), text)));
    }
    if let Some(path) = variable("OPERATOR_CONFIG") {
        let path = PathBuf::from(path);
        return read(&path).map(|text| Some((path, text)));
    }
    let home = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(home).join(".config")));
    let places = [
        Some(sources.working_dir.join("operator.toml")),
        home.map(|home| home.join("operator/operator.toml")),
        Some(PathBuf::from("/etc/operator/operator.toml")),
    ];
    for path in places.into_iter().flatten() {
        match read(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(ConfigError::Unreadable { source, .. })
                if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    fs::File::open(path).map_err(unreadable)?.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(ConfigError::TooLarge { path: path.to_owned(), most: MOST_BYTES });
    }
    Ok(text)
}
