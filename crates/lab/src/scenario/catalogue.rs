//! The scenarios that come with this crate.

use super::{ScenarioError, ScenarioFile};

/// Every scenario file, by subject and name.
const FILES: &[(&str, &str, &str)] = &[
    ("ratelimiter", "R1", include_str!("../../scenarios/ratelimiter/R1.toml")),
    ("ratelimiter", "R2", include_str!("../../scenarios/ratelimiter/R2.toml")),
    ("ratelimiter", "R3", include_str!("../../scenarios/ratelimiter/R3.toml")),
    ("ratelimiter", "R4", include_str!("../../scenarios/ratelimiter/R4.toml")),
    ("ratelimiter", "R5", include_str!("../../scenarios/ratelimiter/R5.toml")),
    ("ratelimiter", "R6", include_str!("../../scenarios/ratelimiter/R6.toml")),
    ("ratelimiter", "R7", include_str!("../../scenarios/ratelimiter/R7.toml")),
    ("ratelimiter", "R8", include_str!("../../scenarios/ratelimiter/R8.toml")),
    ("ratelimiter", "R9", include_str!("../../scenarios/ratelimiter/R9.toml")),
    ("ratelimiter", "R10", include_str!("../../scenarios/ratelimiter/R10.toml")),
    ("ratelimiter", "R11", include_str!("../../scenarios/ratelimiter/R11.toml")),
    ("ratelimiter", "R12", include_str!("../../scenarios/ratelimiter/R12.toml")),
    ("ratelimiter", "R13", include_str!("../../scenarios/ratelimiter/R13.toml")),
    ("ratelimiter", "R14", include_str!("../../scenarios/ratelimiter/R14.toml")),
    ("ratelimiter", "H1", include_str!("../../scenarios/ratelimiter/H1.toml")),
    ("shop", "S1", include_str!("../../scenarios/shop/S1.toml")),
    ("shop", "S2", include_str!("../../scenarios/shop/S2.toml")),
    ("shop", "S3", include_str!("../../scenarios/shop/S3.toml")),
    ("shop", "S4", include_str!("../../scenarios/shop/S4.toml")),
    ("shop", "S5", include_str!("../../scenarios/shop/S5.toml")),
    ("shop", "S6", include_str!("../../scenarios/shop/S6.toml")),
    ("shop", "S7", include_str!("../../scenarios/shop/S7.toml")),
    ("shop", "S8", include_str!("../../scenarios/shop/S8.toml")),
    ("shop", "S9", include_str!("../../scenarios/shop/S9.toml")),
    ("shop", "S10", include_str!("../../scenarios/shop/S10.toml")),
    ("shop", "S11", include_str!("../../scenarios/shop/S11.toml")),
    ("shop", "S12", include_str!("../../scenarios/shop/S12.toml")),
    ("shop", "S13", include_str!("../../scenarios/shop/S13.toml")),
    ("shop", "S14", include_str!("../../scenarios/shop/S14.toml")),
    ("shop", "S15", include_str!("../../scenarios/shop/S15.toml")),
    ("shop", "S16", include_str!("../../scenarios/shop/S16.toml")),
    ("shop", "S17", include_str!("../../scenarios/shop/S17.toml")),
    ("shop", "S18", include_str!("../../scenarios/shop/S18.toml")),
    ("shop", "N1", include_str!("../../scenarios/shop/N1.toml")),
    ("shop", "N2", include_str!("../../scenarios/shop/N2.toml")),
    ("shop", "N3", include_str!("../../scenarios/shop/N3.toml")),
    ("shop", "H1", include_str!("../../scenarios/shop/H1.toml")),
    ("tikv", "F1", include_str!("../../scenarios/tikv/F1.toml")),
    ("tikv", "F2", include_str!("../../scenarios/tikv/F2.toml")),
    ("tikv", "F3", include_str!("../../scenarios/tikv/F3.toml")),
    ("tikv", "F4", include_str!("../../scenarios/tikv/F4.toml")),
    ("tikv", "F5", include_str!("../../scenarios/tikv/F5.toml")),
    ("tikv", "F6", include_str!("../../scenarios/tikv/F6.toml")),
    ("tikv", "F6E", include_str!("../../scenarios/tikv/F6E.toml")),
    ("tikv", "F7", include_str!("../../scenarios/tikv/F7.toml")),
    ("tikv", "F8", include_str!("../../scenarios/tikv/F8.toml")),
    ("tikv", "F9", include_str!("../../scenarios/tikv/F9.toml")),
    ("tikv", "F10", include_str!("../../scenarios/tikv/F10.toml")),
    ("tikv", "F11", include_str!("../../scenarios/tikv/F11.toml")),
    ("tikv", "F12", include_str!("../../scenarios/tikv/F12.toml")),
    ("tikv", "F13", include_str!("../../scenarios/tikv/F13.toml")),
    ("tikv", "F14", include_str!("../../scenarios/tikv/F14.toml")),
    ("tikv", "F15", include_str!("../../scenarios/tikv/F15.toml")),
    ("tikv", "F16", include_str!("../../scenarios/tikv/F16.toml")),
    ("tikv", "F17", include_str!("../../scenarios/tikv/F17.toml")),
    ("tikv", "F20", include_str!("../../scenarios/tikv/F20.toml")),
    ("tikv", "F21", include_str!("../../scenarios/tikv/F21.toml")),
    ("tikv", "F23", include_str!("../../scenarios/tikv/F23.toml")),
    ("tikv", "F25", include_str!("../../scenarios/tikv/F25.toml")),
    ("tikv", "F26", include_str!("../../scenarios/tikv/F26.toml")),
    ("tikv", "F27", include_str!("../../scenarios/tikv/F27.toml")),
    ("tikv", "F28", include_str!("../../scenarios/tikv/F28.toml")),
    ("tikv", "P1", include_str!("../../scenarios/tikv/P1.toml")),
    ("tikv", "P2", include_str!("../../scenarios/tikv/P2.toml")),
    ("tikv", "P3", include_str!("../../scenarios/tikv/P3.toml")),
];

/// Those that a campaign runs only when they are named: long ones.
const ONLY_WHEN_NAMED: [&str; 1] = ["H1"];

/// The scenarios that a campaign over one kind of subject consists of, unless it names others.
///
/// # Errors
/// As [`all`].
pub fn suite(subject: &str) -> Result<Vec<(&'static str, ScenarioFile)>, ScenarioError> {
    let mut files = all(subject)?;
    files.retain(|(id, _)| !ONLY_WHEN_NAMED.contains(id));
    Ok(files)
}

/// The scenarios of one kind of subject, in order.
///
/// # Errors
/// When one of them is not right, which a test of this crate rules out.
pub fn all(subject: &str) -> Result<Vec<(&'static str, ScenarioFile)>, ScenarioError> {
    let of_subject = FILES.iter().filter(|(kind, _, _)| *kind == subject);
    of_subject.map(|(kind, id, text)| Ok((*id, ScenarioFile::parse(format!("{kind}/{id}"), text)?))).collect()
}

/// The scenario of that name, in any case of its letters.
///
/// # Errors
/// When there is none; the error names those there are.
pub fn find(subject: &str, id: &str) -> Result<ScenarioFile, ScenarioError> {
    let mut scenarios = all(subject)?;
    match scenarios.iter().position(|(name, _)| name.eq_ignore_ascii_case(id)) {
        Some(index) => Ok(scenarios.swap_remove(index).1),
        None => {
            let known: Vec<_> = scenarios.iter().map(|(name, _)| *name).collect();
            Err(ScenarioError {
                source_name: format!("{subject}/{id}"),
                message: format!("there is no such scenario; of {subject} there are: {}", known.join(", ")),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ratelimiter::{Fault, KIND};

    #[test]
    fn every_scenario_is_right_for_every_seed() {
        for (id, file) in all(KIND).expect("they parse") {
            for seed in 0..12 {
                let scenario = file.with_seed(seed).expect("right");
                assert_eq!(scenario.id, id);
                let fault = Fault::parse(&scenario.fault).expect("a fault").to_string();
                assert!(fault.starts_with(&format!("{id}: ")), "{fault} in {id}");
            }
        }
    }

    #[test]
    fn every_scenario_of_the_simulated_cluster_is_right_for_every_seed() {
        for (id, file) in all(crate::tikv::KIND).expect("they parse") {
            for seed in 0..12 {
                let scenario = file.with_seed(seed).expect("right");
                assert_eq!(scenario.id, id);
                let fault = crate::tikv::Fault::parse(&scenario.fault).expect("a fault").to_string();
                // Two scenarios differ by their environment alone.
                let number = match id {
                    "F2" => "F1",
                    "F6E" => "F6",
                    other => other,
                };
                assert!(fault.starts_with(&format!("{number}: ")), "{fault} in {id}");
            }
        }
    }

    #[test]
    fn every_scenario_of_the_simulated_shop_is_right_for_every_seed() {
        for (id, file) in all(crate::shop::KIND).expect("they parse") {
            for seed in 0..12 {
                let scenario = file.with_seed(seed).expect("right");
                assert_eq!(scenario.id, id);
                let fault = crate::shop::Fault::parse(&scenario.fault).expect("a fault").to_string();
                // Two pairs of scenarios differ by what is broken alone.
                let number = match id {
                    "S2" => "S1",
                    "S4" => "S3",
                    other => other,
                };
                assert!(fault.starts_with(&format!("{number}: ")), "{fault} in {id}");
            }
        }
    }

    #[test]
    fn seeds_break_different_nodes() {
        for id in ["R1", "R2", "R5", "R6", "R7", "R8"] {
            let file = find(KIND, id).expect("known");
            let loci: BTreeSet<_> =
                (0..5).map(|seed| file.with_seed(seed).expect("right").truth.hypotheses[0].locus.clone()).collect();
            assert_eq!(loci.len(), 3, "{id}");
        }
    }

    #[test]
    fn a_wrong_file_says_what_is_wrong() {
        let (_, _, right) = FILES[0];
        let wrong = [
            ("[[", "expected"),
            (&right.replace("title", "titel"), "unknown field `titel`"),
            (&right.replace("component:{node}", "component:node-7"), "no place of this environment"),
            (&right.replace("component:{node}", "component:{nod}"), "{nod} is not in pick"),
            (&right.replace("ComponentDown", "ComponentDwn"), "unknown variant `ComponentDwn`"),
            (&right.replace("kill_node", "kill_nobody"), "unknown variant `kill_nobody`"),
            (&right.replace("detect_s = ", "detect_s = 99999"), "deadlines.detect_s: 1 to 3600"),
            (&right.replace("ticket = true", "ticket = false"), "truth.invariants"),
        ];
        for (text, expected) in wrong {
            let error = ScenarioFile::parse("test", text).and_then(|file| file.with_seed(0)).expect_err(expected);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn an_unknown_scenario_names_the_known_ones() {
        let error = find(KIND, "R99").expect_err("unknown").to_string();
        assert!(error.contains("R1, R2") && error.contains("R13"), "{error}");
        assert!(find(KIND, "r1").is_ok());
    }
}
