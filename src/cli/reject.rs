//! `orch handoff reject`: say what is wrong with a handoff's artifacts, and ask for them anew.

use std::collections::BTreeSet;

use super::Stop;
use super::context::{Context, staged};
use super::desk::Desk;
use super::handoff_verify::{Held, held, unstaged};
use super::ledger::{Writer, Writing};
use super::output::{id, say};
use super::task::word;
use crate::diagnostic::Severity;
use crate::guard::guard;
use crate::ledger::{Delivery, State};
use crate::record::Payload;
use crate::record::kind::{Rejection, RejectionReason};
use crate::snapshot::GitRepository;
use crate::source::{ArtifactName, RepoPath, StageName, TaskId};

/// Say that a handoff's artifacts can't be used, and return the task.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Finds out by itself which artifacts are missing, changed or unreadable, names \
                        them on the record,\nand asks their source to make them anew.\nExample: \
                        orch handoff reject strat-001"
)]
pub(super) struct Reject {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// The stage whose handoff it is; by default the last that handed off
    #[arg(long, value_parser = id::<StageName>)]
    stage: Option<StageName>,
    /// mismatch, missing or format; found out by itself if it is left out
    #[arg(long, value_parser = word::<RejectionReason>)]
    reason: Option<RejectionReason>,
    /// What is wrong, in words; found out by itself if it is left out
    #[arg(long)]
    message: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

impl Reject {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let desk = Desk::of(context, &self.id)?;
        let (view, state) = (&desk.view, desk.state());
        let last = desk.ledger().records.last();
        if let (Some(Payload::Rejection(known)), None) =
            (last.map(|record| &record.payload), &self.stage)
        {
            say(format!(
                "handoff {:04} is rejected already; for an earlier one: --stage STAGE",
                known.handoff
            ));
            return Ok(());
        }
        let delivery = self.delivery(state)?;
        let mut held = held(view, state);
        held.retain(|held| held.stage == delivery.stage.as_str());
        let faults: Vec<(&Held, RejectionReason)> =
            held.iter().filter_map(|held| Some((held, fault(held)?))).collect();
        let worst = [RejectionReason::Missing, RejectionReason::Mismatch, RejectionReason::Format];
        let found = worst.into_iter().find(|reason| faults.iter().any(|(_, own)| own == reason));
        let Some(reason) = self.reason.or(found) else {
            let help =
                "if they can't be used as what they should be: `--reason format --message …`";
            let unstaged = unstaged(view, &held)?;
            if let Some(path) = unstaged.first() {
                let message =
                    format!("what is staged is as it was sealed; `{path}` differs on disk");
                return Err(Stop::fault(
                    message,
                    format!("stage what is to be judged: `git add {}`", path.in_shell()),
                ));
            }
            return Err(Stop::fault("every artifact is as it was sealed", help));
        };
        let told: Vec<String> = faults.iter().map(|(held, own)| in_words(held, *own)).collect();
        let source = delivery.from.clone();
        let asked = (!told.is_empty())
            .then(|| format!("{}; {source} is asked to make it anew", told.join("; ")));
        let mut artifacts: Vec<ArtifactName> =
            faults.iter().filter_map(|(held, _)| held.name.parse().ok()).collect();
        artifacts.dedup();
        let rejection = Rejection {
            handoff: delivery.sequence,
            artifacts,
            reason,
            message: self.message.or(asked),
        };
        let author = desk.author(context)?;
        let mut writer = Writer::new(context, view, author);
        writer.add(&desk.home(), rejection)?;
        if writer.commit(self.writing)?.is_foreseen() {
            return Ok(());
        }
        for line in told {
            say(line);
        }
        tell_in_the_way(context, &view.repository, &faults)?;
        say(format!("next: git commit, then {source} makes it anew: orch run start {}", self.id));
        Ok(())
    }

    /// Gives the live handoff in question.
    fn delivery<'s>(&self, state: &'s State) -> Result<&'s Delivery, Stop> {
        let mut live = state.live_deliveries();
        let delivery = match &self.stage {
            Some(stage) => live.find(|delivery| delivery.stage == *stage),
            None => live.last(),
        };
        delivery.ok_or_else(|| {
            let help = format!("see where it stands: `orch status {}`", self.id);
            Stop::fault(format!("`{}` has no live handoff to reject", self.id), help)
        })
    }
}

/// Tells which of the artifacts are staged as well, if a commit of the rejection would be refused for them.
fn tell_in_the_way(
    context: &Context,
    repository: &GitRepository,
    faults: &[(&Held, RejectionReason)],
) -> Result<(), Stop> {
    let report = guard(repository, &staged(repository)?, context.at(), true)?;
    let errors = report.findings.into_iter().filter(|f| f.severity == Severity::Error);
    let own = |path: &RepoPath| faults.iter().any(|(held, _)| held.path == path.to_string());
    let paths: BTreeSet<RepoPath> = errors.map(|finding| finding.place.path).filter(own).collect();
    let paths: String = paths.iter().map(|path| format!(" {}", path.in_shell())).collect();
    if !paths.is_empty() {
        say(format!(
            "what is rejected is staged too, and would be refused: git restore --staged{paths}"
        ));
    }
    Ok(())
}

/// Gives what is wrong with an artifact, if something is (R000-59).
fn fault(held: &Held) -> Option<RejectionReason> {
    match (held.holds, held.found, held.readable) {
        (true, _, true) => None,
        (true, _, false) => Some(RejectionReason::Format),
        (false, Some(_), _) => Some(RejectionReason::Mismatch),
        (false, None, _) => Some(RejectionReason::Missing),
    }
}

fn in_words(held: &Held, fault: RejectionReason) -> String {
    let Held { name, path, sealed, .. } = held;
    match (fault, held.found) {
        (RejectionReason::Format, _) => {
            format!("`{path}` ({name}) can't be read as the JSON or YAML that its name says")
        }
        (_, Some(found)) => format!("`{path}` ({name}) was sealed as {sealed}, and holds {found}"),
        (_, None) => format!("`{path}` ({name}) is missing"),
    }
}
