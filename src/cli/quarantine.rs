//! `orch task quarantine`: take evidence out of use, and what was made from it; release it again.

use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::ledger::Writing;
use super::output::{id, say};
use crate::ledger::State;
use crate::record::kind;
use crate::source::{ArtifactName, Digest, RepoPath, TaskId};

/// Take evidence out of use, with all that was made from it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "No run consumes it and no gate passes on it, nor on what was made from it, \
                        until it is released or made anew.\nExample: orch task quarantine data-001 \
                        --evidence validated_data --reason 'The vendor sent yesterday twice'"
)]
pub(super) struct Quarantine {
    /// The task that delivered it, or that consumes it
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// The evidence's name
    #[arg(long, value_name = "NAME", value_parser = id::<ArtifactName>)]
    evidence: ArtifactName,
    /// Which, if several files have that name
    #[arg(long, value_name = "PATH", value_parser = path)]
    path: Option<RepoPath>,
    /// Why it can't be used, or may be used again
    #[arg(long)]
    reason: String,
    /// What to use instead
    #[arg(long, value_name = "PATH", value_parser = path)]
    substitute: Option<RepoPath>,
    /// Let it be used again
    #[arg(long, conflicts_with = "substitute")]
    release: bool,
    #[command(flatten)]
    writing: Writing,
}

fn path(text: &str) -> Result<RepoPath, String> {
    RepoPath::canonical(text).map_err(|fault| fault.to_string())
}

impl Quarantine {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let desk = Desk::of(context, &self.id)?;
        let checksum = self.choose(desk.state())?;
        let name = &self.evidence;
        let held = desk.state().quarantined.contains(&(name.clone(), checksum));
        if held != self.release {
            let word = if held { "in quarantine already" } else { "not in quarantine" };
            say(format!("`{name}` is {word}"));
            return Ok(());
        }
        let author = desk.author(context)?;
        let payload = kind::Quarantine {
            name: self.evidence,
            checksum,
            reason: self.reason,
            substitute: self.substitute,
            released: self.release,
        };
        desk.record(context, author, payload, self.writing)
    }

    /// Gives the digest of the one file that is meant: of those in quarantine if it is to be
    /// released, else of those that the task delivered or consumes.
    fn choose(&self, state: &State) -> Result<Digest, Stop> {
        let mut known: Vec<(Option<&RepoPath>, Digest)> = match self.release {
            true => {
                let held = state.quarantined.iter().filter(|(name, _)| *name == self.evidence);
                held.map(|(_, checksum)| (None, *checksum)).collect()
            }
            false => {
                let delivered = state.deliveries.iter().filter(|delivery| delivery.live);
                let delivered = delivered.flat_map(|delivery| &delivery.artifacts);
                let consumed = state.runs.iter().flat_map(|run| &run.inputs);
                let all = delivered.chain(consumed).filter(|known| known.name == self.evidence);
                all.map(|artifact| (Some(&artifact.path), artifact.checksum)).collect()
            }
        };
        known.retain(|(at, _)| self.path.is_none() || at.is_none() || *at == self.path.as_ref());
        known.sort();
        known.dedup();
        match known.as_slice() {
            [(_, checksum)] => Ok(*checksum),
            [] => {
                let message = format!("`{}` knows no evidence `{}`", self.id, self.evidence);
                let help = format!("see what it delivered: `orch handoff list {}`", self.id);
                Err(Stop::fault(message, help))
            }
            several => {
                let paths = several.iter().filter_map(|(at, _)| Some(at.as_ref()?.to_string()));
                let paths = paths.collect::<Vec<_>>().join(", ");
                let message = format!("several files are `{}`: {paths}", self.evidence);
                Err(Stop::fault(message, "say which: `--path PATH`"))
            }
        }
    }
}
