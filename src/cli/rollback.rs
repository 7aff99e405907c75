//! Rollbacks: a task's work is taken back in the ledger of an open incident.

use super::Stop;
use super::context::{Context, View};
use super::incident::incident_in;
use super::ledger::{Writer, Writing};
use super::lock::Lock;
use super::output::{say, say_lines};
use super::run::Begun;
use super::seal::{changed_files, digest_of, node_of};
use crate::draft::{self, Author};
use crate::ledger::{IncidentState, RunState, State};
use crate::policy::{Policy, ROLLBACK_STAGE, Rollback};
use crate::record::Home;
use crate::record::kind::{Artifact, Failure, Run, RunStatus};
use crate::snapshot::Node;
use crate::source::{RepoPath, StageName, TaskId};
use crate::world::Focus;

/// A task and the incident that takes it back, looked at under the lock.
struct Emergency<'a> {
    task: &'a TaskId,
    incident: &'a TaskId,
    view: View,
    _lock: Lock,
}

impl<'a> Emergency<'a> {
    /// Takes the lock and looks; refuses if there is no such task or no such incident.
    fn of(context: &Context, task: &'a TaskId, incident: &'a TaskId) -> Result<Self, Stop> {
        let repository = context.repository()?;
        let lock = Lock::take(&repository)?;
        let homes = vec![Home::Task(task.clone()), Home::Incident(incident.clone())];
        let view = View::beside(context, repository, Focus::Ledgers(homes))?;
        view.task(task)?;
        incident_in(&view, incident)?;
        Ok(Emergency { task, incident, view, _lock: lock })
    }

    fn state(&self) -> &IncidentState {
        incident_in(&self.view, self.incident).expect("asked for when this was made")
    }

    fn task_state(&self) -> &State {
        self.view.task(self.task).expect("asked for when this was made").1
    }

    fn home(&self) -> Home {
        Home::Incident(self.incident.clone())
    }

    fn author(&self, context: &Context) -> Result<Author, Stop> {
        context.author(&self.view.policy(), self.view.proposal.branch.clone())
    }

    /// Gives the rollback of the task that goes on; refuses if none does.
    fn active(&self) -> Result<&RunState, Stop> {
        let active = self.state().active_run();
        active.filter(|run| run.task.as_ref() == Some(self.task)).ok_or_else(|| {
            let (task, incident) = (self.task, self.incident);
            let help = format!(
                "begin one: `orch run start {task} --stage {ROLLBACK_STAGE} --incident {incident}`"
            );
            Stop::fault(format!("no rollback of `{task}` goes on in `{incident}`"), help)
        })
    }
}

/// Begins a rollback on a branch of its own, unless `stay` says to use this one or it is right.
pub(super) fn start(
    context: &Context,
    (task, incident): (&TaskId, &TaskId),
    stage: Option<&StageName>,
    stay: bool,
    writing: Writing,
) -> Result<(), Stop> {
    if let Some(stage) = stage.filter(|stage| **stage != ROLLBACK_STAGE) {
        let message = format!("an incident takes back, and runs no stage `{stage}`");
        return Err(Stop::denied(message, format!("`--stage {ROLLBACK_STAGE}`")));
    }
    let emergency = Emergency::of(context, task, incident)?;
    let (policy, state) = (emergency.view.policy(), emergency.state());
    let author = emergency.author(context)?;
    if let Some(active) = state.active_run().filter(|run| run.task.as_ref() == Some(task)) {
        say(format!("rollback {} of {task} goes on already", active.run_id));
        return Ok(());
    }
    let by = rollback_of(&policy, emergency.task_state())?;
    let run = draft::rollback(incident, state, task, by);
    let own = draft::rollback_branch(&policy, incident, state, &run, context.at());
    let (view, home) = (&emergency.view, emergency.home());
    let begun = Begun { view, home, author, run, own, claim: None };
    let Some(Run { run_id, lane, .. }) = begun.write(context, stay, writing)? else {
        return Ok(());
    };
    say(format!("rollback {run_id} of {task} began"));
    say(format!(
        "next: take back files of lane {lane} (`git rm PATH`, or `git restore --source=REV --staged \
         --worktree PATH`), then orch handoff create {task} --incident {incident}"
    ));
    Ok(())
}

fn rollback_of<'p>(policy: &'p Policy, state: &State) -> Result<&'p Rollback, Stop> {
    let name = &state.task.workflow;
    let known = policy.workflows.get(name).and_then(|workflow| workflow.rollback.as_ref());
    known.ok_or_else(|| {
        let help = "add `rollback: {agent: …, lane: …}` to it: `orch decide --changes \
                    .orch/policy.yaml`";
        Stop::fault(format!("the workflow `{name}` says nothing of a rollback"), help)
    })
}

/// Completes a rollback: what its branch brought back is sealed under the names it had.
pub(super) fn finish(
    context: &Context,
    (task, incident): (&TaskId, &TaskId),
    message: Option<String>,
    writing: Writing,
) -> Result<(), Stop> {
    let emergency = Emergency::of(context, task, incident)?;
    let done = emergency.state().rolled_back.contains(task);
    if done && emergency.state().active_run().is_none() {
        say(format!("{task} is rolled back already"));
        return Ok(());
    }
    let run = emergency.active()?;
    let author = emergency.author(context)?;
    let sealed = brought_back(&emergency, run)?;
    let artifacts = sealed.iter().map(|(artifact, _)| artifact.clone()).collect();
    let mut handoff = draft::rollback_handoff(task, run, artifacts);
    handoff.from = author.actor.clone();
    handoff.message = message.unwrap_or(handoff.message);
    let mut writer = Writer::new(context, &emergency.view, author);
    writer.seal(sealed, writing);
    writer.add(&emergency.home(), handoff)?;
    if writer.commit(writing)?.is_foreseen() {
        return Ok(());
    }
    say_lines(format!(
        "{task} is rolled back\nnext: git commit, then orch incident show {incident}"
    ));
    Ok(())
}

/// Gives the files of the rollback's lane that its branch changed and that are still there, as an
/// earlier handoff of the task sealed them.
fn brought_back(emergency: &Emergency<'_>, run: &RunState) -> Result<Vec<(Artifact, Node)>, Stop> {
    let (view, policy) = (&emergency.view, emergency.view.policy());
    let mut sealed = Vec::new();
    for path in changed_files(view, &policy)? {
        if !policy.lanes_of(&path).contains(&&run.lane) {
            continue;
        }
        let checksum = digest_of(&view.repository, &path)?;
        let name = sealed_as(emergency.task_state(), &path, checksum).ok_or_else(|| {
            let message = format!("no handoff of `{}` sealed this `{path}`", emergency.task);
            let help = format!(
                "delete it, or bring back what was: `git restore --source=REV {}`",
                path.in_shell()
            );
            Stop::denied(message, help)
        })?;
        let node = node_of(&view.repository, &path)?;
        sealed.push((Artifact { name, path, checksum }, node));
    }
    Ok(sealed)
}

fn sealed_as(
    state: &State,
    path: &RepoPath,
    checksum: crate::source::Digest,
) -> Option<crate::source::ArtifactName> {
    let artifacts = state.deliveries.iter().rev().flat_map(|delivery| &delivery.artifacts);
    let mut same = artifacts.filter(|known| known.path == *path && known.checksum == checksum);
    same.next().map(|known| known.name.clone())
}

/// Records that a rollback failed.
pub(super) fn fail(
    context: &Context,
    (task, incident): (&TaskId, &TaskId),
    failure: Failure,
    writing: Writing,
) -> Result<(), Stop> {
    let emergency = Emergency::of(context, task, incident)?;
    let run = emergency.active()?;
    let author = emergency.author(context)?;
    let failed = Run { failure: Some(failure), ..draft::of_run(run, RunStatus::Failed) };
    let mut writer = Writer::new(context, &emergency.view, author);
    writer.add(&emergency.home(), failed)?;
    if writer.commit(writing)?.is_foreseen() {
        return Ok(());
    }
    say(format!(
        "next: git commit, then orch run start {task} --stage {ROLLBACK_STAGE} --incident {incident}"
    ));
    Ok(())
}
