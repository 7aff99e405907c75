//! One attempt at a run, as its command is told of it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::claim::Claim;
use super::program::{Ended, Program};
use crate::cli::Stop;
use crate::cli::signals::Signals;
use crate::record::kind::Run;
use crate::source::TaskId;

/// One attempt at a run.
pub(super) struct Order {
    /// The task.
    pub(super) task: TaskId,
    /// The run, as it was begun.
    pub(super) run: Run,
    /// How many attempts there may be in all, if failures are transient.
    pub(super) of: u32,
    /// The context that it is done from.
    pub(super) session: Option<String>,
    /// Whether what it left running in the background ends with it.
    pub(super) leaves_nobody: bool,
    /// How long it may take.
    pub(super) timeout: Option<Duration>,
    /// Where its output is kept, on this machine.
    pub(super) log: PathBuf,
    /// What its agent is told.
    pub(super) prompt: Prompt,
}

/// What an agent is told of a run.
pub(super) enum Prompt {
    /// This, which is written beside the log.
    Text(String),
    /// What stands in this file.
    File(PathBuf),
}

impl Order {
    /// Runs the command to its end.
    pub(super) fn carry_out(
        &self,
        words: &[OsString],
        claim: &mut Claim,
        signals: &Signals,
    ) -> Result<Ended, Stop> {
        let program = Program {
            words,
            directory: None,
            variables: self.variables()?,
            title: format!("stage {}, attempt {} of {}", self.run.stage, self.run.attempt, self.of),
            timeout: self.timeout,
            leaves_nobody: self.leaves_nobody,
            log: &self.log,
        };
        program.carry_out(claim, signals)
    }

    /// Gives the file with what the agent is told, written if it is not there.
    fn told(&self) -> Result<PathBuf, Stop> {
        let text = match &self.prompt {
            Prompt::File(file) => return Ok(file.clone()),
            Prompt::Text(text) => text,
        };
        let file = self.log.with_extension("md");
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).and_then(|()| fs::write(&file, text)).map_err(|error| {
            let message = format!("{} can't be written: {error}", file.display());
            Stop::fault(message, "make room, or make the folder writable")
        })?;
        Ok(file)
    }

    fn variables(&self) -> Result<Vec<(&'static str, Option<OsString>)>, Stop> {
        let run = &self.run;
        let (task, stage, id) = (&self.task, &run.stage, &run.run_id);
        let checkpoint = run.checkpoint.as_ref().map(|reached| reached.name.clone());
        let texts = [
            ("ORCH_TASK", Some(task.to_string())),
            ("ORCH_STAGE", Some(stage.to_string())),
            ("ORCH_RUN_ID", Some(id.to_string())),
            ("ORCH_ATTEMPT", Some(run.attempt.to_string())),
            ("ORCH_LANE", Some(run.lane.to_string())),
            ("ORCH_BRANCH", run.branch.clone()),
            ("ORCH_CHECKPOINT", checkpoint),
            // The same for every attempt, so that who gets an order twice sees that it is one.
            ("ORCH_IDEMPOTENCY_KEY", Some(format!("{task}/{stage}/{id}"))),
            ("ORCH_AGENT", Some(run.agent.to_string())),
            ("ORCH_SESSION", self.session.clone()),
        ];
        let texts = texts.into_iter().map(|(name, text)| (name, text.map(OsString::from)));
        Ok(texts.chain([("ORCH_PROMPT_FILE", Some(self.told()?.into()))]).collect())
    }
}
