//! `orch run claims`: who holds which task, at a remote.

use serde_json::json;

use super::Stop;
use super::claim::{find, is_spent, is_stale};
use super::context::{Context, View};
use super::output::{json as print_json, say, table};
use crate::ledger::TaskClaim;
use crate::render::Format;
use crate::source::TaskId;

/// List the claims on tasks at a remote: who holds which, since when, and whether it is stale.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A claim is stale when it is older than its stage may take; then anyone may \
                        take it over:\norch run start TASK --claim --take-over REASON\nExample: orch \
                        run claims --remote origin"
)]
pub(super) struct Claims {
    /// The remote
    #[arg(long, default_value = "origin", value_name = "REMOTE")]
    remote: String,
    /// Delete those whose runs are done, as far as that is known here
    #[arg(long)]
    prune: bool,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

impl Claims {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let found = find(&context.repository()?, &self.remote, None)?;
        let ids: Vec<TaskId> = found.iter().filter_map(|(name, _)| name.parse().ok()).collect();
        let view = View::of(context, &ids.iter().collect::<Vec<_>>())?;
        let (policy, at) = (view.policy(), context.at());
        let (mut rows, mut listed) = (Vec::new(), Vec::new());
        for (name, found) in &found {
            let Some(held) = &found.claim else {
                rows.push(
                    [name, "-", "-", "-", "no claim stands there"].map(str::to_owned).to_vec(),
                );
                listed
                    .push(json!({ "task_id": name, "oid": found.oid.to_string(), "agent": null }));
                continue;
            };
            let state = view.task(&held.task).ok().map(|(_, state)| state);
            let stale = is_stale(&policy, state, held, at);
            let session = held.session.as_ref().map(|s| format!(" ({s})")).unwrap_or_default();
            let spent = state.is_some_and(|state| is_spent(state, held));
            if spent && self.prune {
                let reference = TaskClaim::reference(&held.task);
                // Whoever claimed it anew meanwhile keeps it.
                view.repository.push_ref(&self.remote, &reference, Some(found.oid), None)?;
            }
            let words = match (spent, stale) {
                (true, _) if self.prune => "its run is done; given up",
                (true, _) => "its run is done",
                (false, true) => "stale",
                (false, false) => "held",
            };
            let who = format!("{}{session}", held.agent);
            let (stage, since) = (held.stage.as_str(), held.since.to_string());
            rows.push([name, stage, &who, &since, words].map(str::to_owned).to_vec());
            listed.push(json!({
                "task_id": name, "stage": held.stage, "run_id": held.run_id, "agent": held.agent,
                "session": held.session, "since": held.since, "stale": stale, "spent": spent,
                "oid": found.oid.to_string(),
            }));
        }
        match self.format {
            Format::Json => print_json(&listed),
            Format::Human if rows.is_empty() => say(format!("no claims at {}", self.remote)),
            Format::Human => {
                let heading = ["TASK", "STAGE", "WHO", "SINCE", "STANDS"].map(str::to_owned);
                rows.insert(0, heading.to_vec());
                table(&rows);
            }
        }
        Ok(())
    }
}
