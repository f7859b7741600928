//! `select`, kept so that scripts get an answer.

use clap::Args;

/// Explain that S3 Select has been withdrawn
#[derive(Debug, Clone, Args)]
pub(crate) struct SelectArgs {
    /// Whatever s5cmd's select takes
    #[arg(value_name = "ARGUMENT", allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
}
