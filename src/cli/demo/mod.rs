//! `orch demo`: a whole strategy, from idea to live, in a throwaway repository: real commits,
//! through the real hook, and between them every bypass that must fail.

mod acts;
mod play;
mod trouble;

use std::path::PathBuf;

use super::Stop;
use super::context::Context;
use super::output::say;
use play::Play;

/// Show a whole strategy, from idea to live, with every bypass refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "Everything happens in a repository of its own; nothing of yours is \
                        touched. Exit code 1 if a bypass gets through.")]
pub(super) struct Demo {
    /// Where; by default a folder that is removed afterwards
    dir: Option<PathBuf>,
}

impl Demo {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let (folder, _removed_at_the_end) = match &self.dir {
            Some(dir) => (self.fresh(context, dir)?, None),
            None => {
                let folder = tempfile::tempdir().map_err(|error| {
                    Stop::fault(
                        format!("no folder can be made: {error}"),
                        "name one: orch demo DIR",
                    )
                })?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        let mut play = Play::begin(folder)?;
        acts::all(&mut play)?;
        play.curtain()?;
        if let Some(dir) = &self.dir {
            say(format!("It is all there to look at: cd {} && git log --graph", dir.display()));
        }
        Ok(())
    }

    /// A demo never writes over anything.
    fn fresh(&self, context: &Context, dir: &std::path::Path) -> Result<PathBuf, Stop> {
        let folder = context.directory().join(dir);
        let used = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
        if used {
            let message = format!("{} is not empty", dir.display());
            return Err(Stop::fault(message, "name a folder that is not there yet"));
        }
        std::fs::create_dir_all(&folder).map_err(|error| {
            let message = format!("{} can't be made: {error}", dir.display());
            Stop::fault(message, "name a folder that can be written")
        })?;
        Ok(folder)
    }
}
