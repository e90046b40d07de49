//! What a model is told: generic texts in files, and the evidence as data.

pub(crate) mod pack;

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// What holds in every case.
const COMMON: &str = include_str!("../../prompts/common.md");
/// How an investigation with tools goes.
const INVESTIGATE: &str = include_str!("../../prompts/investigate.md");
/// How a single answer goes.
const ANSWER: &str = include_str!("../../prompts/answer.md");
/// What is said of an answer that does not hold.
const REPAIR: &str = include_str!("../../prompts/repair.md");
/// What is said when no tool was called.
const NUDGE: &str = include_str!("../../prompts/nudge.md");

/// The version of the prompts: the first line of `common.md`, which is raised with any change of any of them.
pub(crate) fn version() -> &'static str {
    COMMON.lines().next().and_then(|line| line.strip_prefix("Version: ")).unwrap_or("unknown").trim()
}

/// The system prompt, with tools or without.
pub(crate) fn system(tools: bool) -> String {
    let common = COMMON.split_once('\n').map_or(COMMON, |(_, rest)| rest).trim();
    format!("{common}\n\n{}", if tools { INVESTIGATE } else { ANSWER }.trim())
}

/// What an answer that does not hold is sent back with.
pub(crate) fn repair<'f>(faults: impl IntoIterator<Item = &'f String>) -> String {
    let mut text = REPAIR.trim().to_owned();
    for fault in faults.into_iter().take(12) {
        let _ = write!(text, "\n- {fault}");
    }
    text
}

/// What a turn without a call is answered with.
pub(crate) fn nudge() -> &'static str {
    NUDGE.trim()
}

/// SHA-256, hexadecimal.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompts_have_a_version_that_is_not_sent() {
        assert!(version().parse::<u32>().is_ok(), "{}", version());
        for tools in [true, false] {
            assert!(!system(tools).contains("Version:"));
        }
        assert_ne!(system(true), system(false));
    }

    #[test]
    fn a_hash_is_the_known_one() {
        assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
