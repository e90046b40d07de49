//! The key of a provider: from the environment or from a file, and never seen again.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

/// Longer than any key: a longer one is something else.
const MAX_KEY: usize = 1024;
/// Shorter than any key.
const MIN_KEY: usize = 8;

/// A provider's key. It shows itself to nobody but the header it travels in and the redactor that looks for it.
#[derive(Debug, Clone)]
pub struct ApiKey(SecretString);

/// Why there is no key. The key itself is never in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The environment variable or the file is not there.
    #[error("no key: {place} {why}")]
    Missing {
        /// Where it was looked for.
        place: String,
        /// What is wrong there.
        why: String,
    },
    /// What is there cannot be a key.
    #[error("what {place} holds is no key: {why}")]
    Malformed {
        /// Where it was found.
        place: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ApiKey {
    /// The key in an environment variable.
    ///
    /// # Errors
    /// It is not set, or holds no key.
    pub fn from_env(variable: &str) -> Result<Self, KeyError> {
        let place = format!("the environment variable {variable}");
        match std::env::var(variable) {
            Ok(value) => Self::parse(&value, place),
            Err(std::env::VarError::NotPresent) => Err(KeyError::Missing { place, why: "is not set".to_owned() }),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(KeyError::Malformed { place, why: "it is not text".to_owned() })
            }
        }
    }

    /// The key in a file, and a warning if others than its owner may read it.
    ///
    /// # Errors
    /// It cannot be read, or holds no key.
    pub fn from_file(path: &Path) -> Result<(Self, Option<String>), KeyError> {
        let place = format!("the file {}", path.display());
        let missing = |error: std::io::Error| KeyError::Missing { place: place.clone(), why: error.to_string() };
        // Before it is opened: opening a pipe would wait for a writer.
        let metadata = std::fs::metadata(path).map_err(missing)?;
        if !metadata.is_file() {
            return Err(KeyError::Missing { place, why: "is not a regular file".to_owned() });
        }
        let mut text = String::new();
        File::open(path).map_err(missing)?.take(MAX_KEY as u64 * 2).read_to_string(&mut text).map_err(missing)?;
        let warning = open_to_others(&metadata).map(|mode| {
            format!("{place} may be read by others than its owner (mode {mode:03o}); 600 is right for a key")
        });
        Ok((Self::parse(&text, place)?, warning))
    }

    fn parse(text: &str, place: String) -> Result<Self, KeyError> {
        let text = text.trim();
        let why = match text.len() {
            0 => "it is empty".to_owned(),
            length if length < MIN_KEY => format!("it is shorter than {MIN_KEY} characters"),
            length if length > MAX_KEY => format!("it is longer than {MAX_KEY} characters"),
            _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                "it must be printable ASCII without spaces".to_owned()
            }
            _ => return Ok(Self(SecretString::from(text.to_owned()))),
        };
        Err(KeyError::Malformed { place, why })
    }

    /// The key itself, for the header and the redactor.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(unix)]
fn open_to_others(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &std::fs::Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("it can be written");
        file
    }

    #[test]
    fn a_key_is_trimmed_and_shows_itself_to_nobody() {
        let file = written(b"  key-0123456789 \n");
        let (key, _) = ApiKey::from_file(file.path()).expect("a key");
        assert_eq!(key.expose(), "key-0123456789");
        assert!(!format!("{key:?}").contains("0123456789"));
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_without_being_shown() {
        for bad in
            [&b""[..], b"tiny42", b"two words of it", b"caf\xc3\xa9-0123456789", &[b'x'; 5000], b"line\nfeed-123456"]
        {
            let file = written(bad);
            let refused = ApiKey::from_file(file.path()).expect_err("no key").to_string();
            let shown = String::from_utf8_lossy(bad);
            assert!(shown.is_empty() || !refused.contains(&*shown), "{refused}");
        }
        let nowhere = ApiKey::from_file(Path::new("/nowhere/at/all")).expect_err("no file");
        assert!(matches!(nowhere, KeyError::Missing { .. }), "{nowhere}");
        let unset = ApiKey::from_env("OPERATOR_LLM_TEST_OF_A_VARIABLE_NOBODY_SETS").expect_err("no variable");
        assert!(unset.to_string().contains("is not set"), "{unset}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_warned_of() {
        use std::os::unix::fs::PermissionsExt;
        let file = written(b"key-0123456789");
        let set = |mode| std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode)).expect("a mode");
        set(0o644);
        let (_, warning) = ApiKey::from_file(file.path()).expect("a key");
        let warning = warning.expect("a warning");
        assert!(warning.contains("644") && !warning.contains("0123456789"), "{warning}");
        set(0o600);
        assert_eq!(ApiKey::from_file(file.path()).expect("a key").1, None);
    }
}
