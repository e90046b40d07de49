//! `operator agent report`: how often explanations were right, wrong and withheld.

use crate::app::App;
use crate::exit::{Exit, Failure};

pub(super) async fn run(_app: &App) -> Result<Exit, Failure> {
    Ok(Exit::Clean)
}
