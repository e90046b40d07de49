//! Where the model, the program that serves it and what is known of the running server lie.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{root, target};

/// Another folder than the build's, so that several clones of the workspace share one model.
const ELSEWHERE: &str = "OPERATOR_LLM_DIR";

/// The folder of everything that `cargo xtask llm` fetches and makes.
pub(crate) struct Folder {
    path: PathBuf,
    scripts: PathBuf,
}

impl Folder {
    /// The folder that the environment names, or the one within the build's.
    pub(crate) fn of_this_workspace() -> Result<Self> {
        let path = match std::env::var_os(ELSEWHERE) {
            Some(path) if Path::new(&path).is_absolute() => PathBuf::from(path),
            Some(path) => bail!("{ELSEWHERE}: expected an absolute path, not {}", path.to_string_lossy()),
            None => target()?.join("llm"),
        };
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path, scripts: root()?.join("xtask/llm") })
    }

    /// A script of this repository.
    pub(crate) fn script(&self, name: &str) -> PathBuf {
        self.scripts.join(name)
    }

    /// The private Python environment.
    pub(crate) fn environment(&self) -> PathBuf {
        self.path.join("venv")
    }

    /// The Python of the private environment.
    pub(crate) fn python(&self) -> PathBuf {
        self.environment().join("bin/python")
    }

    /// Where the parts of the model are kept until it is whole.
    pub(crate) fn parts(&self) -> PathBuf {
        self.path.join("parts")
    }

    /// The model.
    pub(crate) fn model(&self) -> PathBuf {
        self.path.join("model.gguf")
    }

    /// Where the running server says where it listens.
    pub(crate) fn state(&self) -> PathBuf {
        self.path.join("server.env")
    }

    /// What the server writes.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }

    /// How many bytes may still be written here.
    pub(crate) fn room(&self) -> Result<u64> {
        let df = Command::new("df").arg("-Pk").arg(&self.path).output().context("cannot run df")?;
        room_of(&String::from_utf8_lossy(&df.stdout))
            .context("cannot tell how much room there is: df says it otherwise")
    }
}

/// The fourth column of the second line, in kilobytes: POSIX's form.
fn room_of(df: &str) -> Option<u64> {
    let kilobytes: u64 = df.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_read_from_the_portable_form() {
        let df =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 263174212 17000000 79000000 18% /\n";
        assert_eq!(room_of(df), Some(79_000_000 * 1024));
        assert_eq!(room_of("df: no such file\n"), None);
    }
}
