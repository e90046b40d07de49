//! Public root-cause data: cases that somebody else recorded, whose answer is known, put to the reasoner as if they were
//! incidents.
//!
//! The reasoner sees what it sees of any system: components, dependencies, signals, one violated invariant. Which column
//! stands for what is all that these readers add.
//!
//! - [`read`]: a folder with a `manifest.json`, of either layout (PetShop, Nezha).
//! - [`case`]: one case as observations, and what the reasoner answers to it.
//! - [`Half`]: which cases were tuned on, and which only measured.
//! - [`Measured`]: the scores of each part and half, and without each method of the reasoner.
//! - [`score`]: how often the answer was right, with intervals, ties counted against it.

mod calibration;
pub mod case;
mod error;
mod measured;
mod nezha;
mod petshop;
mod rows;
pub mod score;
mod split;

use std::path::Path;

pub use calibration::Calibration;
pub use case::{Answer, Answers, Case, Ranked};
pub use error::RcaError;
pub use measured::{Halves, Measured};
pub use score::Score;
pub use split::Half;

use serde::Deserialize;

/// The largest manifest that is read, in bytes.
const MANIFEST_BYTES: u64 = 16 << 20;

#[derive(Deserialize)]
struct Head {
    dataset: String,
}

/// Reads every case of a folder.
///
/// # Errors
/// When the manifest is missing, of no known layout, or names files that cannot be read.
pub fn read(folder: &Path) -> Result<Vec<Case>, RcaError> {
    let path = folder.join("manifest.json");
    let text = rows::text(&path, MANIFEST_BYTES)?;
    let head: Head = serde_json::from_str(&text).map_err(|error| RcaError::wrong(&path, error))?;
    let mut cases = match head.dataset.as_str() {
        "petshop" => petshop::read(folder, &text)?,
        "nezha" => nezha::read(folder, &text)?,
        other => return Err(RcaError::wrong(&path, format!("dataset: petshop or nezha, not {other:?}"))),
    };
    split::in_turn(&mut cases);
    Ok(cases)
}

/// Slices of a folder's healthy past in which nothing is wrong, where it has such a past.
///
/// # Errors
/// As [`read`].
pub fn read_without_fault(folder: &Path) -> Result<Vec<Case>, RcaError> {
    let path = folder.join("manifest.json");
    let text = rows::text(&path, MANIFEST_BYTES)?;
    let head: Head = serde_json::from_str(&text).map_err(|error| RcaError::wrong(&path, error))?;
    let mut cases = if head.dataset == "petshop" { petshop::read_without_fault(folder, &text)? } else { Vec::new() };
    split::in_time(&mut cases);
    Ok(cases)
}
