//! Making recorded cases: of the lab's runs, and of public data.

use std::path::Path;

use operator_lab::cases::{Kept, RecordedCase, of_public_data as case_of};
use operator_lab::rca::{self, Case};
use operator_lab::scenario;
use operator_lab::scorecard::RunResult;

use crate::exit::{Failure, with_causes};

/// Keeps what the judged diagnosis of a run was given; a run without a diagnosis makes no case.
pub(in super::super) fn keep(
    folder: &Path,
    subject: &str,
    result: &RunResult,
    mut kept: Vec<Kept>,
) -> Result<(), String> {
    let Some(judged) = &result.diagnosis else { return Ok(()) };
    let is_judged = |kept: &Kept| {
        let primary = &kept.diagnosis.primary;
        primary.locus.to_text() == judged.locus && primary.class.name() == judged.class
    };
    let Some(index) = kept.iter().position(is_judged) else {
        return Err(format!("the diagnosis of {} was given nothing", result.key.scenario));
    };
    let Kept { pack, actions, looks, .. } = kept.swap_remove(index);
    let key = &result.key;
    let scenario = scenario::find(subject, &key.scenario)
        .and_then(|file| file.with_seed(key.seed))
        .map_err(|error| with_causes(&error))?;
    let id = format!("{}-{}-{}", subject, key.scenario, key.seed);
    let origin = format!("{} {}, seed {}: {}", subject, key.scenario, key.seed, scenario.title);
    let case = RecordedCase::new(&id, subject, origin, scenario.truth, actions, pack, looks);
    case.write(folder).map(drop).map_err(|error| with_causes(&error))
}

/// Writes cases of public data, and says how many.
pub(super) fn of_public_data(input: &Path, out: &Path, limit: usize, without_fault: usize) -> Result<usize, Failure> {
    let read = |error| Failure::failed(format!("read {}", input.display()), with_causes(&error));
    std::fs::create_dir_all(out).map_err(|error| Failure::failed(format!("make {}", out.display()), error))?;
    let data = input.file_name().map_or_else(|| "public".to_owned(), |name| name.to_string_lossy().into_owned());
    let mut cases = evenly(rca::read(input).map_err(read)?, limit);
    if without_fault > 0 {
        cases.extend(evenly(rca::read_without_fault(input).map_err(read)?, without_fault));
    }
    let mut written = 0;
    for case in cases.iter().filter_map(|case| case_of(&data, case)) {
        case.write(out).map_err(|error| Failure::failed("write a case", with_causes(&error)))?;
        written += 1;
    }
    Ok(written)
}

/// At most so many, from everywhere.
fn evenly(cases: Vec<Case>, most: usize) -> Vec<Case> {
    let of = cases.len();
    if of <= most {
        return cases;
    }
    // Each of `most` steps ends at one that is taken.
    let taken = |index: usize| (index + 1) * most / of > index * most / of;
    cases.into_iter().enumerate().filter(|(index, _)| taken(*index)).map(|(_, case)| case).collect()
}
