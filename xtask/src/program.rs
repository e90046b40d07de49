//! Programs that are not built here, and how they get onto the machine without anything starting by itself.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace::run;

/// A program and the package that has it.
pub(crate) struct Program {
    name: &'static str,
    package: &'static str,
    version: &'static str,
}

const REDIS: Program = Program { name: "redis-server", package: "redis-server", version: "7.0 or later" };
const PROMETHEUS: Program = Program { name: "prometheus", package: "prometheus", version: "2.42 or later" };
const PYTHON: Program = Program { name: "python3", package: "python3", version: "3.10 or later" };

/// What the demo needs.
pub(crate) const NEEDED: [Program; 1] = [REDIS];
/// What the tests need: a subject that a file describes is tested on a Prometheus.
pub(crate) const FOR_TESTS: [Program; 2] = [REDIS, PROMETHEUS];
/// What serves a model.
pub(crate) const FOR_MODEL: [Program; 1] = [PYTHON];

/// Makes sure that all of them are there: installs what is missing, where that can be done without asking anybody.
pub(crate) fn ensure(programs: &[Program]) -> Result<()> {
    let missing: Vec<_> = programs.iter().filter(|program| find(program.name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|program| program.package).collect();
    let wanted: Vec<_> = missing.iter().map(|program| format!("{} ({})", program.name, program.version)).collect();
    install_or_say(&packages, &wanted.join(", "))?;
    match missing.iter().find(|program| find(program.name).is_none()) {
        Some(program) => bail!("{} is still missing after installing {}", program.name, program.package),
        None => Ok(()),
    }
}

/// Makes sure of something that is no program: `wanted` is what a person would call it.
pub(crate) fn ensure_package(package: &str, wanted: &str, is_there: impl Fn() -> bool) -> Result<()> {
    if is_there() {
        return Ok(());
    }
    install_or_say(&[package], wanted)?;
    if !is_there() {
        bail!("{wanted} is still missing after installing {package}");
    }
    Ok(())
}

/// Installs packages where that can be done without asking anybody; else the error says what to do.
fn install_or_say(packages: &[&str], wanted: &str) -> Result<()> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if find("apt-get").is_none() {
        bail!("please install {wanted} and try again");
    }
    if !is_root {
        bail!("please run this and try again:\n  sudo apt-get install {}", packages.join(" "));
    }
    eprintln!("installing {}", packages.join(", "));
    install(packages)
}

fn find(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn install(packages: &[&str]) -> Result<()> {
    let _quiet = NoServices::new()?;
    let apt_get = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(["--quiet=2", "-o", "Dpkg::Use-Pty=0"]).args(args).env("DEBIAN_FRONTEND", "noninteractive");
        // Results are for standard output; this is none.
        command.stdin(Stdio::null()).stdout(std::io::stderr());
        run(&mut command)
    };
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    // A list of packages that is there may do; fetching one takes longer than the package.
    if apt_get(&install).is_err() {
        apt_get(&["update"])?;
        apt_get(&install)?;
    }
    Ok(())
}

/// While this lives, packages that are installed start no service: Debian asks this file first.
struct NoServices {
    ours: bool,
}

/// What Debian asks before it starts a service for a package (invoke-rc.d(8)).
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// "Action forbidden by policy".
const FORBID: &str = "#!/bin/sh\n# Made by `cargo xtask` for the time of an installation; may be removed.\nexit 101\n";

impl NoServices {
    fn new() -> Result<Self> {
        // A machine that has a policy of its own is left to it.
        if Path::new(POLICY).exists() {
            return Ok(Self { ours: false });
        }
        fs::write(POLICY, FORBID).with_context(|| format!("cannot write {POLICY}"))?;
        let this = Self { ours: true };
        fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("cannot write {POLICY}"))?;
        Ok(this)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}
