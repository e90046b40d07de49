//! Processes that outlive the tests that started them: none may.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Waits until no process belongs to the tests that ran with `temporary` as their folder for temporary files, at most so long; what
/// is left in the end is killed, and named.
pub(crate) fn await_none(temporary: &Path, grace: Duration) -> Result<Vec<String>> {
    let deadline = Instant::now() + grace;
    loop {
        let left = find(temporary)?;
        if left.is_empty() {
            return Ok(Vec::new());
        }
        if Instant::now() >= deadline {
            for (pid, _) in &left {
                let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
            }
            return Ok(left.into_iter().map(|(pid, words)| format!("{pid}: {words}")).collect());
        }
        sleep(Duration::from_millis(50));
    }
}

/// Every process that was given the folder, works in it, or was told of it.
fn find(temporary: &Path) -> Result<Vec<(u32, String)>> {
    let own = std::process::id();
    let needle = temporary.as_os_str().as_encoded_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot look at /proc")? {
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Processes come and go; one that is gone is not left.
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let words = read("cmdline");
        let works_there = fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(temporary));
        let is_ours = works_there || contains(&words, needle) || contains(&read("environ"), needle);
        // One that has ended and is not collected yet has no command line.
        if is_ours && pid != own && !words.is_empty() {
            found.push((pid, String::from_utf8_lossy(&words).replace('\0', " ").trim().to_owned()));
        }
    }
    Ok(found)
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_given_the_folder_is_found_and_ended() {
        let folder = std::env::temp_dir().join(format!("xtask-leftovers-{}", std::process::id()));
        assert!(find(&folder).expect("look").is_empty());
        let mut child = Command::new("sleep").arg("60").env("TMPDIR", &folder).spawn().expect("sleep");
        let pid = child.id();
        // Until the child has become the other program, it still has this one's environment.
        while find(&folder).expect("look").is_empty() {
            sleep(Duration::from_millis(10));
        }
        let left = await_none(&folder, Duration::ZERO).expect("look");
        assert_eq!(left, [format!("{pid}: sleep 60")]);
        child.wait().expect("ended");
        assert!(find(&folder).expect("look").is_empty());
    }
}
