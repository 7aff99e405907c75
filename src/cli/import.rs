//! `orch handoff import`: a handoff in the runbook's own form becomes a sealed entry (R000-32).

use std::path::PathBuf;

use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::handoff::already_sealed;
use super::ledger::{Writer, Writing};
use super::output::say;
use super::seal::seal;
use crate::draft;
use crate::policy::Stage;
use crate::record;
use crate::source::{AgentName, ArtifactName, Digest, Position, RepoPath, TaskId};

/// Read a handoff that was written elsewhere, and seal it as an entry.
#[derive(Debug, clap::Args)]
#[command(after_help = "Reads YAML with `handoff: {from, to, task_id, artifacts: [{path, \
                        checksum}], message, next_steps}`.\nEvery checksum must be the one of the \
                        file.\nExample: orch handoff import handoff.yaml")]
pub(super) struct Import {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Foreign {
    handoff: ForeignHandoff,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ForeignHandoff {
    from: AgentName,
    to: AgentName,
    task_id: TaskId,
    artifacts: Vec<ForeignArtifact>,
    message: String,
    #[serde(default)]
    next_steps: Vec<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ForeignArtifact {
    #[serde(default)]
    name: Option<ArtifactName>,
    path: RepoPath,
    checksum: Digest,
}

impl Import {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let foreign = self.read(context)?;
        let desk = Desk::of(context, &foreign.task_id)?;
        let (view, state) = (&desk.view, desk.state());
        let stage = desk.stage(None)?;
        let chosen = named(stage, &foreign.artifacts)?;
        let sealed = seal(view, desk.policy(), state, stage, &chosen)?;
        self.compare(&foreign, &sealed)?;
        if let Some(done) = already_sealed(state, stage)
            && sealed.iter().map(|(artifact, _)| artifact).eq(&done.artifacts)
        {
            say(format!("stage {} is handed off already, to {}", done.stage, done.to));
            return Ok(());
        }
        let author = desk.author(context)?;
        let run_id = draft::run_to_end(&view.world, state, stage);
        let artifacts = sealed.iter().map(|(artifact, _)| artifact.clone()).collect();
        let mut handoff =
            draft::handoff(desk.policy(), state, stage, run_id, foreign.from, artifacts);
        handoff.to = foreign.to;
        handoff.message = foreign.message;
        handoff.next_steps = foreign.next_steps;
        let mut writer = Writer::new(context, view, author);
        for (artifact, node) in sealed {
            writer.with_artifact(artifact.path, node);
        }
        writer.add(&desk.home(), handoff)?;
        writer.commit(self.writing)?;
        say("next: git commit");
        Ok(())
    }

    fn read(&self, context: &Context) -> Result<ForeignHandoff, Stop> {
        let name = self.file.display();
        let bytes = std::fs::read(context.directory().join(&self.file)).map_err(|error| {
            Stop::fault(format!("{name} can't be read: {error}"), "name a file with a handoff")
        })?;
        let parsed = record::document::<Foreign>(&bytes).map_err(|problems| {
            let text = String::from_utf8_lossy(&bytes);
            let at = Position::of(&text, problems[0].span.start);
            let message = format!("{name}:{}:{}: {}", at.line, at.column, problems[0].message);
            Stop::fault(message, problems[0].help.as_str())
        })?;
        Ok(parsed.0.handoff)
    }

    /// Every checksum that the file states must be the one of Git's blob.
    fn compare(
        &self,
        foreign: &ForeignHandoff,
        sealed: &[(record::kind::Artifact, crate::snapshot::Node)],
    ) -> Result<(), Stop> {
        for said in &foreign.artifacts {
            let held = sealed.iter().find(|(artifact, _)| artifact.path == said.path);
            let Some((artifact, _)) = held else { continue };
            if artifact.checksum != said.checksum {
                let message = format!(
                    "{} says {} of `{}`, which holds {}",
                    self.file.display(),
                    said.checksum,
                    said.path,
                    artifact.checksum
                );
                return Err(Stop::denied(message, "ask its source to hand off again"));
            }
        }
        Ok(())
    }
}

/// Names the artifacts by the stage's globs where the file does not.
fn named(
    stage: &Stage,
    artifacts: &[ForeignArtifact],
) -> Result<Vec<(ArtifactName, RepoPath)>, Stop> {
    let mut named = Vec::new();
    for artifact in artifacts {
        let mut matching =
            stage.produces.iter().filter(|(_, produce)| produce.glob.matches(&artifact.path));
        let name = artifact.name.clone().or_else(|| matching.next().map(|(name, _)| name.clone()));
        let Some(name) = name else {
            let message =
                format!("stage `{}` produces nothing like `{}`", stage.name, artifact.path);
            return Err(Stop::fault(message, "give the artifact a `name`, or mend the path"));
        };
        named.push((name, artifact.path.clone()));
    }
    Ok(named)
}
