//! What becomes of finished and interrupted files: names, and how many are kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Gives recordings that a stopped process left behind their names, and returns those. They are readable up to their
/// last whole line. To be called once for a directory, before anything records there.
///
/// # Errors
/// When the directory exists and cannot be read, or a file cannot be renamed.
pub fn recover_interrupted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut recovered = Vec::new();
    for entry in entries {
        let part = entry?.path();
        let Some(name) = part.file_name().and_then(|name| name.to_str()?.strip_suffix(".jsonl.part")) else { continue };
        let free = (1..=1000).map(|number| directory.join(numbered(name, number)));
        let Some(path) = free.into_iter().find(|path| path.symlink_metadata().is_err()) else { continue };
        fs::rename(&part, &path)?;
        recovered.push(path);
    }
    recovered.sort();
    Ok(recovered)
}

/// Removes the oldest recordings of `directory` until at most `keep_bytes` are left, `newest` included, which stays.
pub(super) fn prune(directory: &Path, newest: &Path, keep_bytes: u64) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut files: Vec<(SystemTime, PathBuf, u64)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let metadata = path.symlink_metadata().ok()?;
            let ours = metadata.is_file() && path.extension().is_some_and(|extension| extension == "jsonl");
            ours.then(|| Some((metadata.modified().ok()?, path, metadata.len())))?
        })
        .collect();
    files.sort();
    let mut kept: u64 = files.iter().map(|(_, _, bytes)| bytes).sum();
    for (_, path, bytes) in files.iter().filter(|(_, path, _)| path != newest) {
        if kept <= keep_bytes {
            break;
        }
        match fs::remove_file(path) {
            Ok(()) => tracing::info!(path = %path.display(), "an old recording was removed to make room"),
            Err(error) => tracing::warn!(path = %path.display(), %error, "an old recording could not be removed"),
        }
        kept -= bytes;
    }
}

/// The name of the file about something called `id`: of letters, digits, `-` and `_` only, whatever is in the id.
pub(super) fn file_stem(id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    let stem: String = id.chars().take(100).map(safe).collect();
    if stem.is_empty() { "_".to_owned() } else { stem }
}

/// The name of the file with this number about one thing: the first goes without.
pub(super) fn numbered(stem: &str, number: u32) -> String {
    if number <= 1 { format!("{stem}.jsonl") } else { format!("{stem}.{number}.jsonl") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_leads_out_of_the_directory() {
        for id in ["../../etc/passwd", "a/b", "", ".", "..", "a\0b", "ü"] {
            let name = numbered(&file_stem(id), 1);
            assert_eq!(Path::new(&name).components().count(), 1, "{name}");
            assert!(!name.starts_with('.') && name.is_ascii(), "{name}");
        }
        assert_eq!(numbered(&file_stem("prod-eu-I1"), 1), "prod-eu-I1.jsonl");
        assert_eq!(numbered(&file_stem("prod-eu-I1"), 2), "prod-eu-I1.2.jsonl");
    }

    #[test]
    fn the_oldest_recordings_make_room_for_the_newest() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        for (age, name) in [(30, "a.jsonl"), (20, "b.jsonl"), (10, "c.jsonl"), (40, "other.txt")] {
            fs::write(path(name), [b' '; 100]).expect("a file");
            let then = SystemTime::now() - std::time::Duration::from_secs(age);
            fs::File::options().write(true).open(path(name)).and_then(|f| f.set_modified(then)).expect("a time");
        }
        prune(directory.path(), &path("c.jsonl"), 200);
        assert!(!path("a.jsonl").exists() && path("b.jsonl").exists() && path("c.jsonl").exists());
        prune(directory.path(), &path("c.jsonl"), 10);
        assert!(!path("b.jsonl").exists() && path("c.jsonl").exists() && path("other.txt").exists());
    }
}
