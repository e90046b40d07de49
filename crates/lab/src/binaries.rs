//! Where the programs are that an environment runs.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Names the folder in which to look first.
pub const BIN_DIR: &str = "OPERATOR_BIN_DIR";

/// A program was not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the program {name} is in none of {}; {how}, or name its folder in {BIN_DIR}", places(searched))]
pub struct MissingProgram {
    /// The program.
    pub name: String,
    /// The folders that were looked into.
    pub searched: Vec<PathBuf>,
    /// How to get it.
    pub how: String,
}

fn places(searched: &[PathBuf]) -> String {
    searched.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Finds a program: in the folder named by `OPERATOR_BIN_DIR`, next to this program, one folder above (tests run from
/// `target/debug/deps`), and along `PATH`, in this order.
///
/// # Errors
/// When it is nowhere; the error says how to get it.
pub fn find(name: &str) -> Result<PathBuf, MissingProgram> {
    let own = env::current_exe().ok();
    find_in(name, &folders(env::var_os(BIN_DIR).as_deref(), own.as_deref(), env::var_os("PATH").as_deref()))
}

fn folders(named: Option<&OsStr>, own: Option<&Path>, path: Option<&OsStr>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    folders.extend(named.filter(|dir| !dir.is_empty()).map(PathBuf::from));
    // The program itself is the first ancestor.
    folders.extend(own.into_iter().flat_map(|exe| exe.ancestors().skip(1).take(2)).map(Path::to_owned));
    // A relative folder would depend on where the command happens to be given.
    folders.extend(path.into_iter().flat_map(env::split_paths).filter(|folder| folder.is_absolute()));
    folders
}

fn find_in(name: &str, folders: &[PathBuf]) -> Result<PathBuf, MissingProgram> {
    let program = folders.iter().map(|folder| folder.join(name)).find(|path| is_executable(path));
    // A link is not followed: one program under several names goes by the name it is called by.
    program.and_then(|path| std::path::absolute(path).ok()).ok_or_else(|| MissingProgram {
        name: name.to_owned(),
        searched: folders.to_vec(),
        how: how_to_get(name),
    })
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn how_to_get(name: &str) -> String {
    match name {
        "operator-child-guard" | "operator-health-probe" => "build it with `cargo build -p operator-lab`".to_owned(),
        "ratelimiter" | "loadgen" => "build it with `cargo build -p ratelimiter-service`".to_owned(),
        _ => format!("install it with `apt-get install {name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, name: &str, mode: u32) {
        fs::write(folder.join(name), "").expect("write");
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).expect("mode");
    }

    #[test]
    fn the_named_folder_comes_before_this_programs_and_that_before_the_path() {
        let named = OsStr::new("/named");
        let found = folders(Some(named), Some(Path::new("/t/debug/deps/it-1")), Some(OsStr::new("/bin:rel:/usr/bin")));
        let expected = ["/named", "/t/debug/deps", "/t/debug", "/bin", "/usr/bin"];
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn what_cannot_be_executed_is_passed_over_and_a_missing_one_says_how_to_get_it() {
        let (one, two) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        program(one.path(), "loadgen", 0o644);
        program(two.path(), "loadgen", 0o755);
        let folders = [one.path().to_owned(), two.path().to_owned()];
        let found = find_in("loadgen", &folders).expect("the second");
        assert_eq!(found, two.path().join("loadgen"));
        let error = find_in("ratelimiter", &folders).expect_err("missing").to_string();
        assert!(error.contains("cargo build -p ratelimiter-service") && error.contains(BIN_DIR), "{error}");
        let error = find_in("redis-server", &folders).expect_err("missing").to_string();
        assert!(error.contains("apt-get install redis-server"), "{error}");
    }
}
