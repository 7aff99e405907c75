//! `orch handoff export`: a sealed handoff in another tool's form.

use super::Stop;
use super::context::{Context, View};
use super::import::form;
use super::output::{id, json, show};
use crate::exchange::{self, Form};
use crate::ledger::State;
use crate::record::kind::{Artifact, Bundle, Handoff};
use crate::record::{Payload, Record};
use crate::source::{ArtifactName, TaskId};
use crate::world::LedgerView;

/// Print a task's live handoff in the form of another tool.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prints what `orch handoff import` reads; nothing is lost on the way, but for \
                        a bundle, which\nhas keys of its own.\nExample: orch handoff export \
                        strat-001 --format markdown"
)]
pub(super) struct Export {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// yaml, message, markdown, bundle or json
    #[arg(long, default_value = "yaml", value_parser = form)]
    format: Form,
    /// The number of the entry, for another handoff than the live one
    #[arg(long, value_name = "N")]
    sequence: Option<u32>,
    /// The artifact that a bundle names; by default the first
    #[arg(long, value_name = "NAME", value_parser = id::<ArtifactName>)]
    artifact: Option<ArtifactName>,
}

impl Export {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of(context, &[&self.id])?;
        let (ledger, state) = view.task(&self.id)?;
        let (record, handoff) = self.handoff(ledger, state)?;
        match self.format {
            Form::Yaml => show(exchange::yaml(handoff)),
            Form::Message => show(exchange::message(handoff, record.entry.recorded_at)),
            Form::Markdown => show(exchange::markdown(handoff)),
            Form::Json => json(&exchange::json(handoff)),
            Form::Bundle => show(exchange::bundle(&self.bundle(&view, record, handoff)?)),
        }
        Ok(())
    }

    fn handoff<'w>(
        &self,
        ledger: &'w LedgerView,
        state: &State,
    ) -> Result<(&'w Record, &'w Handoff), Stop> {
        let live = state.live_deliveries().last().map(|delivery| delivery.sequence);
        let Some(sequence) = self.sequence.or(live) else {
            let help =
                format!("name an earlier one with `--sequence N`: `orch status {}`", self.id);
            return Err(Stop::fault(format!("`{}` has no live handoff", self.id), help));
        };
        entry_of(ledger, sequence).ok_or_else(|| {
            let message = format!("entry {sequence} of `{}` is no handoff", self.id);
            Stop::fault(message, format!("see which there are: `orch handoff list {}`", self.id))
        })
    }

    /// Gives the bundle that a handoff carries, else the one that follows from it (R001-36).
    fn bundle(&self, view: &View, record: &Record, handoff: &Handoff) -> Result<Bundle, Stop> {
        if let (Some(bundle), None) = (&handoff.bundle, &self.artifact) {
            return Ok(bundle.clone());
        }
        let policy = view.policy();
        let wanted = |one: &&Artifact| self.artifact.as_ref().is_none_or(|name| *name == one.name);
        let first = handoff.artifacts.iter().find(wanted).ok_or_else(|| {
            let message = format!("this handoff of `{}` seals no such file", handoff.task_id);
            Stop::fault(
                message,
                format!("see what it seals: `orch handoff show {}`", handoff.task_id),
            )
        })?;
        let head = record.entry.branch.clone().ok_or_else(|| {
            let message = format!("this handoff of `{}` was made on no branch", handoff.task_id);
            Stop::fault(message, "a bundle names one: export it as yaml instead")
        })?;
        let branches = view.repository.branches()?.into_iter().filter(|branch| !branch.remote);
        let base = branches.map(|branch| branch.name).find(|name| policy.is_protected(name));
        Ok(Bundle {
            repository: repository_name(view),
            base: base.unwrap_or_else(|| "main".to_owned()),
            head,
            candidate_id: handoff.task_id.clone(),
            stage: handoff.stage.clone(),
            artifact_path: first.path.clone(),
        })
    }
}

/// Gives the handoff that stands at a place of a ledger.
pub(super) fn entry_of(ledger: &LedgerView, sequence: u32) -> Option<(&Record, &Handoff)> {
    let record = ledger.records.iter().find(|record| record.sequence() == sequence)?;
    match &record.payload {
        Payload::Handoff(handoff) => Some((record, handoff)),
        _ => None,
    }
}

/// Gives what this repository is called at its remote; without one, the project's name.
pub(super) fn repository_name(view: &View) -> String {
    let remote = view.repository.config_value("remote.origin.url");
    remote.as_deref().and_then(repository).unwrap_or_else(|| view.policy().project.clone())
}

/// Gives `OWNER/NAME` out of a remote's address; never the part with the host, which may hold a
/// password.
fn repository(url: &str) -> Option<String> {
    let path = match (url.split_once("://"), url.split_once(':')) {
        (Some((_, rest)), _) => rest.split_once('/')?.1,
        (None, Some((_, path))) => path,
        (None, None) => url,
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let mut parts = path.rsplit('/').filter(|part| !matches!(*part, "" | "." | ".."));
    let (name, owner) = (parts.next()?, parts.next());
    Some(owner.map_or(name.to_owned(), |owner| format!("{owner}/{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_without_its_secrets() {
        for (url, name) in [
            ("https://u:secret@github.com/acme/lab.git", Some("acme/lab")),
            ("git@github.com:acme/lab.git", Some("acme/lab")),
            ("file:///srv/git/acme/lab/", Some("acme/lab")),
            ("https://u:secret@lab", None),
            ("ssh://git@host:22/lab.git", Some("lab")),
            ("../lab", Some("lab")),
        ] {
            assert_eq!(repository(url).as_deref(), name, "{url}");
        }
    }
}
