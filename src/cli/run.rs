//! `orch run`: start a stage, or record that it failed.

use std::cell::Cell;

use clap::Subcommand;

use super::Stop;
use super::checkpoint::Checkpoint;
use super::claim::{Beginning, Wanted};
use super::claims::Claims;
use super::context::{Context, View};
use super::desk::Desk;
use super::elsewhere::{Ahead, ahead};
use super::exec::Exec;
use super::failing::Fail;
use super::ledger::{Writer, Writing, Written};
use super::output::{id, say};
use crate::draft::{self, Author};
use crate::ledger::{RunStanding, RunState, Standing, State};
use crate::policy::{BranchParts, Policy, ROLLBACK_STAGE, Stage, Workflow};
use crate::record::Home;
use crate::record::did_you_mean;
use crate::record::kind;
use crate::report::told;
use crate::snapshot::Fault;
use crate::source::{StageName, TaskId};

#[derive(Debug, Subcommand)]
pub(super) enum Run {
    /// Start the task's next stage, on its own branch
    #[command(after_help = "Requires the evidence that the stage consumes; writes a `run` entry, \
                            stages it,\nand checks out the stage's branch.\nExample: orch run \
                            start strat-001\nExample: orch run start strat-001 --claim   # no \
                            other clone begins it too")]
    Start(Start),
    /// Try a failed run again, from its last checkpoint
    #[command(after_help = "The same as `orch run start` for a stage whose last run failed; the \
                            entry carries the checkpoint\nthat it goes on from.\nExample: orch \
                            run retry strat-001")]
    Retry(Start),
    /// Run a command as the task's stage: classify its failure, wait, and try again
    Exec(Exec),
    /// Record a point that the active run can go on from after a failure
    Checkpoint(Checkpoint),
    /// Record that the active run failed
    #[command(after_help = "Whether it may be tried again depends on the class and the policy's \
                            `retry`.\nExample: orch run fail strat-001 --class transient --reason \
                            network")]
    Fail(Fail),
    /// List the claims on tasks at a remote
    Claims(Claims),
}

#[derive(Debug, clap::Args)]
pub(super) struct Start {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// The stage; by default the one the task is ready for
    #[arg(long, value_parser = id::<StageName>)]
    stage: Option<StageName>,
    /// The open incident that takes the task back, with `--stage rollback`
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>, conflicts_with = "claim")]
    incident: Option<TaskId>,
    #[command(flatten)]
    beginning: Beginning,
    #[command(flatten)]
    writing: Writing,
}

impl Run {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self {
            Run::Start(command) => command.run(context),
            Run::Retry(command) => command.retry(context),
            Run::Exec(command) => command.run(context),
            Run::Checkpoint(command) => command.run(context),
            Run::Fail(command) => command.run(context),
            Run::Claims(command) => command.run(context),
        }
    }
}

/// Gives the task's workflow; refuses if the policy no longer has it.
pub(super) fn workflow_of<'p>(policy: &'p Policy, state: &State) -> Result<&'p Workflow, Stop> {
    let name = &state.task.workflow;
    policy.workflows.get(name).ok_or_else(|| {
        let help = "restore the workflow in .orch/policy.yaml, or close the task";
        Stop::fault(format!("the policy has no workflow `{name}` any more"), help)
    })
}

/// Gives the name that was probably meant, else all there are.
pub(super) fn near_or_all<'n, N: Iterator<Item = &'n str>>(
    word: &str,
    names: impl Fn() -> N,
) -> String {
    match did_you_mean(word, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
    }
}

/// Gives a stage by its name, or the one the task stands before or in.
pub(super) fn stage_of<'p>(
    workflow: &'p Workflow,
    state: &State,
    named: Option<&StageName>,
) -> Result<&'p Stage, Stop> {
    let id = &state.task.task_id;
    match named {
        Some(name) => workflow.stage(name).ok_or_else(|| {
            let names = || workflow.stages.iter().map(|stage| stage.name.as_str());
            let message = format!("the workflow `{}` has no stage `{name}`", state.task.workflow);
            let help = match *name == ROLLBACK_STAGE {
                true => format!(
                    "a rollback belongs to an incident: `orch run start {id} --stage {name} \
                     --incident INCIDENT`"
                ),
                false => near_or_all(name.as_str(), names),
            };
            Stop::fault(message, help)
        }),
        None => draft::next_stage(workflow, state).ok_or_else(|| {
            let help = format!("close it: `orch task close {id} --outcome completed --reason …`");
            Stop::fault(format!("every stage of `{id}` is done"), help)
        }),
    }
}

impl Start {
    fn retry(self, context: &Context) -> Result<(), Stop> {
        let view = super::context::View::of(context, &[&self.id])?;
        let (_, state) = view.task(&self.id)?;
        let stage =
            stage_of(workflow_of(&view.policy(), state)?, state, self.stage.as_ref())?.name.clone();
        if !state.has_failed(&stage) && state.active_run().is_none() {
            let message = format!("the last run of stage `{stage}` did not fail");
            let help = format!("begin it: `orch run start {}`", self.id);
            return Err(Stop::fault(message, help));
        }
        self.run(context)
    }

    fn run(self, context: &Context) -> Result<(), Stop> {
        if let Some(incident) = &self.incident {
            let (both, stage) = ((&self.id, incident), self.stage.as_ref());
            return super::rollback::start(
                context,
                both,
                stage,
                self.beginning.no_branch,
                self.writing,
            );
        }
        let desk = Desk::of(context, &self.id)?;
        let (view, policy, state) = (&desk.view, desk.policy(), desk.state());
        if let (Standing::Delivered(stage), None) = (&state.standing, &self.stage) {
            let coordinators = policy.agents_who(|agent| agent.coordinator);
            let who = coordinators.first().map(ToString::to_string).unwrap_or_default();
            let help = format!("a coordinator evaluates it: `orch gate {} --agent {who}`", self.id);
            return Err(Stop::denied(format!("stage `{stage}` waits for its gate"), help));
        }
        let stage = desk.stage(self.stage.as_ref())?;
        let run = draft::run(&view.world, state, stage);
        if let Some(active) = state.active_run()
            && (&active.run_id, &active.agent) == (&run.run_id, &context.agent(policy)?)
        {
            self.beginning.secure(context, &desk, &run, self.writing.dry_run)?;
            say(format!("run {} of stage {} goes on already", run.run_id, run.stage));
            return Ok(());
        }
        if goes_on_elsewhere(context, &desk, &run)? {
            return Ok(());
        }
        let Some(run) = begin(context, &desk, stage, &self.beginning, self.writing)? else {
            return Ok(());
        };
        let result = result_command(policy, &self.id, &run.stage, state);
        say(format!("next: do the work, then {result}"));
        Ok(())
    }
}

/// Begins the next run of a stage, on a branch of its own unless the current one is right or
/// `no_branch` is asked for, and claimed before if that is; gives it as it is on the record, none in a dry run.
pub(super) fn begin(
    context: &Context,
    desk: &Desk,
    stage: &Stage,
    beginning: &Beginning,
    writing: Writing,
) -> Result<Option<kind::Run>, Stop> {
    let (view, policy, state) = (&desk.view, desk.policy(), desk.state());
    let mut run = draft::run(&view.world, state, stage);
    let own = draft::branch(policy, state, &run, context.at());
    let claim = beginning.wanted(context, desk, &run)?;
    run.took_over = claim.as_ref().and_then(|claim| claim.took_over.clone());
    let begun = Begun { view, home: desk.home(), author: desk.author(context)?, run, own, claim };
    let run = begun.write(context, beginning.no_branch, writing)?;
    if let Some(run) = &run {
        say(format!("run {} of stage {} began", run.run_id, run.stage));
    }
    Ok(run)
}

/// A run that begins in the ledger of a task, or of the incident that takes one back.
pub(super) struct Begun<'a> {
    pub(super) view: &'a View,
    pub(super) home: Home,
    pub(super) author: Author,
    pub(super) run: kind::Run,
    /// The name of a branch of its own, if a pattern of the policy gives it one.
    pub(super) own: Option<String>,
    /// The claim that it must have before it is written, if it was asked for.
    pub(super) claim: Option<Wanted<'a>>,
}

impl Begun<'_> {
    /// Writes it, on a branch of its own unless the current one is right or `no_branch` is asked
    /// for; gives it as it is on the record, none in a dry run.
    pub(super) fn write(
        self,
        context: &Context,
        no_branch: bool,
        writing: Writing,
    ) -> Result<Option<kind::Run>, Stop> {
        let Begun { view, home, mut author, mut run, own, claim } = self;
        run.agent = author.actor.clone();
        let current = author.branch.as_deref();
        let stays = no_branch || stays_on(&view.world.policy, &home, &run, current);
        if !stays {
            author.branch = Some(unused(view, own)?);
        }
        let branch = author.branch.clone();
        run.branch.clone_from(&branch);
        let mut writer = Writer::new(context, view, author);
        writer.add(&home, run.clone())?;
        let claimed = Cell::new(false);
        let written = writer.commit_after(writing, || {
            if let Some(claim) = &claim {
                claim.take()?;
                claimed.set(true);
            }
            if let Some(name) = branch.as_ref().filter(|_| !stays) {
                view.repository.create_branch(name, None)?;
                say(format!("on branch {name}"));
            }
            Ok(())
        });
        match (written, &claim) {
            (Err(stop), Some(claim)) if claimed.get() => {
                claim.give_up();
                Err(stop)
            }
            (Ok(Written::Foreseen), _) => {
                if let Some(name) = branch.filter(|_| !stays) {
                    say(format!("would be on branch {name}"));
                }
                Ok(None)
            }
            (written, _) => written.map(|_| Some(run)),
        }
    }
}

/// Takes the name of a run's branch, which must not be there yet.
fn unused(view: &View, name: Option<String>) -> Result<String, Stop> {
    let name = name.ok_or_else(|| {
        let help = "add `feature/{task_id}-{slug}` to `branches`, or use `--no-branch`";
        Fault::new("no pattern of the policy gives this run a branch", help)
    })?;
    if view.repository.branches()?.iter().any(|branch| !branch.remote && branch.name == name) {
        let help = format!("go there first: `git switch {name}`, or use `--no-branch`");
        return Err(Stop::fault(format!("the branch `{name}` is there already"), help));
    }
    Ok(name)
}

/// What ends a run of this stage well.
pub(super) fn result_command(
    policy: &Policy,
    id: &TaskId,
    stage: &StageName,
    state: &State,
) -> String {
    match policy.stage(&state.task.workflow, stage).map(|stage| stage.kind) {
        Some(crate::policy::StageKind::Audit) => {
            format!("orch audit report {id} --verdict PASS|FAIL")
        }
        _ => format!("orch handoff create {id}"),
    }
}

/// Tells whether a run goes on, or has delivered, on another branch or in another worktree: the same
/// submission again is none (R001-18). Refuses any other, which would fork the ledger.
pub(super) fn goes_on_elsewhere(
    context: &Context,
    desk: &Desk,
    run: &kind::Run,
) -> Result<bool, Stop> {
    let id = &desk.state().task.task_id;
    let Some(ahead) = ahead(context, &desk.view, Some(id))?.remove(id) else { return Ok(false) };
    let Ahead { place, command, last, state } = &ahead;
    let actor = context.agent(desk.policy())?;
    let known = state.run(&run.run_id).filter(|known| known.agent == actor);
    let same = match known.map(|known| &known.standing) {
        Some(RunStanding::Active) => "goes on",
        Some(RunStanding::Delivered) => "has delivered",
        _ => {
            let message = format!("`{id}` is further on {place}: {}", told(last));
            let help = format!("go on there: `{command}`; or bring that here with `git merge`");
            return Err(Stop::denied(message, help));
        }
    };
    say(format!("run {} of stage {} {same} already on {place}", run.run_id, run.stage));
    say(format!("next: {command}"));
    Ok(true)
}

/// A branch is right for a run if it is not protected and some pattern says so, for whom the ledger
/// is about.
fn stays_on(policy: &Policy, home: &Home, run: &kind::Run, branch: Option<&str>) -> bool {
    let Some(branch) = branch.filter(|branch| !policy.is_protected(branch)) else { return false };
    let known = BranchParts {
        lane: Some(run.lane.as_str()),
        run_id: Some(run.run_id.as_str()),
        task_id: home.id().map(TaskId::as_str),
        ..BranchParts::default()
    };
    policy.branches.iter().any(|pattern| pattern.fits(branch, &known))
}

/// Gives the run that goes on; refuses if none does.
pub(super) fn active_run(state: &State) -> Result<&RunState, Stop> {
    state.active_run().ok_or_else(|| {
        let id = &state.task.task_id;
        let help = format!("see where it stands: `orch status {id}`");
        Stop::fault(format!("no run of `{id}` goes on"), help)
    })
}
