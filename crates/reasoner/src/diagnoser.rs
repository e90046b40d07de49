//! Whoever explains: the embedded reasoner, a language model, or another.

use operator_protocols::BoxFuture;

use crate::{Answer, Inquiry};

/// Turns evidence into an explanation.
pub trait Diagnoser: Send + Sync {
    /// Its name, as recorded with every diagnosis.
    fn name(&self) -> &str;

    /// Explains.
    fn diagnose<'a>(&'a self, inquiry: Inquiry<'a>) -> BoxFuture<'a, Result<Answer, DiagnoseError>>;
}

/// Why there is no explanation at all; evidence that does not decide is no error.
#[derive(Debug, thiserror::Error)]
pub enum DiagnoseError {
    /// The diagnoser could not be reached or ran out of its budget.
    #[error("{diagnoser} gave no answer: {why}")]
    NoAnswer {
        /// Who.
        diagnoser: String,
        /// Why.
        why: String,
    },
}
