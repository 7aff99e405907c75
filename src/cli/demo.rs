//! `orch demo`: a whole strategy, from idea to live, in a throwaway repository.

use std::path::PathBuf;

use super::Stop;
use super::context::Context;

/// Show a whole strategy, from idea to live, with every bypass refused.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Where; by default a folder that is removed afterwards
    dir: Option<PathBuf>,
}

impl Demo {
    pub(super) fn run(self, _context: &Context) -> Result<(), Stop> {
        let _ = self.dir;
        Ok(())
    }
}
