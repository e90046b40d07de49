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

/// What begins a line of a prompt that holds only where there is a ranking.
const RANKED: &str = "[ranked] ";
/// What begins one that holds only where there is none.
const UNRANKED: &str = "[unranked] ";
/// What begins a line of a numbered list, as Markdown has it. Which number it gets depends on the lines that are left.
const NUMBERED: &str = "1. ";

/// The system prompt, with tools or without, for a case with a ranking or without one.
pub(crate) fn system(tools: bool, ranked: bool) -> String {
    let common = COMMON.split_once('\n').map_or(COMMON, |(_, rest)| rest);
    let how = if tools { INVESTIGATE } else { ANSWER };
    format!("{}\n\n{}", lines_for(common, ranked), lines_for(how, ranked))
}

/// The lines of a prompt that hold in this case, numbered.
fn lines_for(prompt: &str, ranked: bool) -> String {
    let (ours, others) = if ranked { (RANKED, UNRANKED) } else { (UNRANKED, RANKED) };
    let mut number = 0;
    let lines: Vec<String> = prompt
        .trim()
        .lines()
        .filter(|line| !line.starts_with(others))
        .map(|line| line.strip_prefix(ours).unwrap_or(line))
        .map(|line| match line.strip_prefix(NUMBERED) {
            Some(rule) => {
                number += 1;
                format!("{number}. {rule}")
            }
            None => line.to_owned(),
        })
        .collect();
    lines.join("\n")
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
        for ranked in [true, false] {
            for tools in [true, false] {
                assert!(!system(tools, ranked).contains("Version:"));
            }
            assert_ne!(system(true, ranked), system(false, ranked));
        }
    }

    #[test]
    fn a_ranking_is_spoken_of_where_there_is_one() {
        for tools in [true, false] {
            let (with, without) = (system(tools, true), system(tools, false));
            assert!(with.contains("`ranking`") && with.contains("rank 1"), "{with}");
            assert!(!without.contains("rank"), "{without}");
            for text in [&with, &without] {
                assert!(!text.contains(RANKED.trim()) && !text.contains(UNRANKED.trim()), "{text}");
            }
        }
    }

    #[test]
    fn the_rules_are_numbered_without_a_gap() {
        for (ranked, count) in [(true, 7), (false, 6)] {
            let numbers: Vec<u32> = system(false, ranked)
                .lines()
                .filter_map(|line| line.split_once(". ").and_then(|(number, _)| number.parse().ok()))
                .collect();
            assert_eq!(numbers, (1..=count).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn a_hash_is_the_known_one() {
        assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
