//! A control group in which processes share a small part of one processor: what one of them burns, the others lack.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where control groups are.
const ROOT: &str = "/sys/fs/cgroup";
/// The processor time is given out anew so often, in microseconds. Whoever has used it up stands still until then.
const PERIOD_US: u32 = 120_000;

/// A control group for processor time. It exists between [`CpuGroup::make`] and [`CpuGroup::remove`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuGroup {
    /// Its folder.
    folder: PathBuf,
    /// The folder of the group to which its processes go back.
    home: PathBuf,
    /// Whether it is of the first version, in which each controller has a hierarchy of its own.
    first_version: bool,
}

impl CpuGroup {
    /// The group called `name` for the process `pid`. Nothing is made yet.
    ///
    /// # Errors
    /// When the machine has no controller for processor time, or the process is gone.
    pub fn plan(name: &str, pid: u32) -> io::Result<Self> {
        let of_process = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        plan_in(Path::new(ROOT), name, &of_process)
            .ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, "there is no control group for processor time"))
    }

    /// Makes it: everything in it together gets so many percent of one processor.
    ///
    /// # Errors
    /// When control groups may not be made, which takes root.
    pub fn make(&self, percent: u8) -> io::Result<()> {
        if !self.first_version
            && let Some(parent) = self.folder.parent()
        {
            fs::write(parent.join("cgroup.subtree_control"), "+cpu")?;
        }
        match fs::create_dir(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let quota = PERIOD_US / 100 * u32::from(percent.max(1));
        if self.first_version {
            fs::write(self.folder.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
            return fs::write(self.folder.join("cpu.cfs_quota_us"), quota.to_string());
        }
        fs::write(self.folder.join("cpu.max"), format!("{quota} {PERIOD_US}"))
    }

    /// Puts a process into it.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn take_in(&self, pid: u32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), pid.to_string())
    }

    /// Lifts its limit, so that what is in it can end. One that is gone has none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn lift(&self) -> io::Result<()> {
        let (file, none) = if self.first_version { ("cpu.cfs_quota_us", "-1") } else { ("cpu.max", "max") };
        gone_is_fine(fs::write(self.folder.join(file), none))
    }

    /// Sends what is in it home, and removes it. One that is gone stays so.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        let procs = match fs::read_to_string(self.folder.join("cgroup.procs")) {
            Err(error) => return gone_is_fine(Err(error)),
            Ok(procs) => procs,
        };
        for pid in procs.lines() {
            // One that ends in the meantime need not be moved.
            if let Err(error) = fs::write(self.home.join("cgroup.procs"), pid) {
                tracing::debug!(pid, %error, "not moved");
            }
        }
        gone_is_fine(fs::remove_dir(&self.folder))
    }
}

fn gone_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Where the group is made for a process whose groups are these lines of `/proc/PID/cgroup`.
fn plan_in(root: &Path, name: &str, of_process: &str) -> Option<CpuGroup> {
    let below = |base: &Path, path: &str| base.join(path.trim_start_matches('/'));
    let lines = of_process.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        Some((parts.next()?, parts.next()?))
    });
    let mut second = None;
    for (controllers, path) in lines {
        if controllers.split(',').any(|controller| controller == "cpu") {
            let base = [controllers, "cpu"].into_iter().map(|folder| root.join(folder)).find(|base| base.is_dir())?;
            let home = below(&base, path);
            return Some(CpuGroup { folder: home.join(name), home, first_version: true });
        }
        if controllers.is_empty() {
            second = Some(path);
        }
    }
    // In the second version a group that has processes of its own cannot hand controllers down: only the root may.
    let controllers = fs::read_to_string(root.join("cgroup.controllers")).ok()?;
    let known = controllers.split_whitespace().any(|controller| controller == "cpu");
    known.then(|| CpuGroup { folder: root.join(name), home: below(root, second.unwrap_or("/")), first_version: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_made_where_the_process_is() {
        let root = tempfile::tempdir().expect("temporary folder");
        let path = root.path();
        assert_eq!(plan_in(path, "g", "0::/user\n"), None, "nobody hands out processor time");
        fs::write(path.join("cgroup.controllers"), "cpuset cpu io\n").expect("written");
        let second = plan_in(path, "g", "0::/user/one\n").expect("planned");
        assert_eq!((second.folder, second.home), (path.join("g"), path.join("user/one")));
        fs::create_dir(path.join("cpu")).expect("made");
        let first = plan_in(path, "g", "4:memory:/x\n1:cpu:/a\n0::/\n").expect("planned");
        assert_eq!((&first.folder, &first.home), (&path.join("cpu/a/g"), &path.join("cpu/a")));
        fs::create_dir(path.join("cpu,cpuacct")).expect("made");
        let joint = plan_in(path, "g", "3:cpu,cpuacct:/\n").expect("planned");
        assert_eq!(joint.home, path.join("cpu,cpuacct/"));
        assert!(first.remove().is_ok() && first.lift().is_ok(), "one that was never made is gone already");
    }
}
