//! What `deploy` and `chaos` share: where the environment is, and how it is spoken with.

use std::path::PathBuf;

use operator_lab::control::{ControlClient, ControlError};

use crate::app::App;
use crate::exit::{Failure, with_causes};

/// Which environment.
#[derive(Debug, Clone, clap::Args)]
pub struct Where {
    /// The environment's folder [default: lab in the state directory]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl Where {
    /// The folder.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn folder(&self, app: &App) -> Result<PathBuf, Failure> {
        match &self.dir {
            Some(dir) => Ok(app.sources.working_dir.join(dir)),
            None => Ok(app.config()?.state_dir.join("lab")),
        }
    }

    /// Speaks with the environment that runs there.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn client(&self, app: &App) -> Result<ControlClient, Failure> {
        Ok(ControlClient::new(self.folder(app)?))
    }
}

/// What the environment did not do, as this program says it.
#[expect(clippy::needless_pass_by_value, reason = "this is how errors are mapped")]
pub fn failed(error: ControlError) -> Failure {
    match &error {
        ControlError::NotRunning { folder, .. } => {
            Failure::failed(format!("speak with the environment in {}", folder.display()), "none runs there")
                .next("start one with `operator deploy up`, or name its folder with --dir")
        }
        ControlError::NoAnswer { .. } | ControlError::Failed(_) => {
            Failure::failed("have the environment do it", with_causes(&error))
        }
    }
}
