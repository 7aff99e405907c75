//! `orch task assign`: give a task's current stage to an agent, or to the backup of one that is late.

use super::Stop;
use super::context::{Context, unknown_agent};
use super::desk::Desk;
use super::ledger::{Writer, Writing};
use super::output::{id, say};
use super::task::word;
use crate::draft;
use crate::ledger::RunState;
use crate::policy::{Stage, TIMED_OUT};
use crate::record::kind::{Assignment, AssignmentReason, Failure, FailureClass};
use crate::snapshot::Side;
use crate::source::{AgentName, Moment, TaskId};
use crate::world;

/// Give a task's current stage to an agent.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "`--backup` takes the stage from an agent that did not finish in its time, and \
                        gives it to whom the policy names\nas the backup; the run that is late is \
                        recorded as failed.\nExample: orch task assign strat-001 --to \
                        ml_engineer"
)]
pub(super) struct Assign {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// Who shall do it
    #[arg(long, value_name = "AGENT", value_parser = id::<AgentName>, required_unless_present = "backup")]
    to: Option<AgentName>,
    /// Give it to the policy's backup, because its agent is late
    #[arg(long, conflicts_with_all = ["to", "reason"])]
    backup: bool,
    /// Why it changes hands: person, timeout or selection
    #[arg(long, default_value = "person", value_parser = word::<AssignmentReason>)]
    reason: AssignmentReason,
    /// The same in words
    #[arg(long)]
    message: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

impl Assign {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let desk = Desk::of(context, &self.id)?;
        let (policy, state) = (desk.policy(), desk.state());
        let stage = desk.stage(None)?;
        let due = state
            .active_run()
            .map_or_else(|| draft::agent(policy, state, stage).clone(), |run| run.agent.clone());
        let author = desk.author(context)?;
        let (to, reason) = match &self.to {
            Some(to) => (to.clone(), self.reason),
            None => (self.backup_of(&desk, stage, &due)?, AssignmentReason::Timeout),
        };
        if !policy.agents.contains_key(&to) {
            return Err(unknown_agent(policy, to.as_str(), ""));
        }
        if state.assigned.as_ref() == Some(&to) {
            say(format!("`{}` is assigned to {to} already", self.id));
            return Ok(());
        }
        if !policy.agents[&to].lanes.contains(&stage.lane) {
            let message = format!("{to} does not work in lane {}", stage.lane);
            let able = policy.agents_who(|agent| agent.lanes.contains(&stage.lane));
            let able = able.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Stop::denied(message, format!("give it to one who does: {able}")));
        }
        let late = state.active_run().filter(|_| self.backup);
        if self.backup && late.is_none() {
            let message = format!("no run of `{}` goes on, so nobody is late", self.id);
            let help = format!("name somebody: `orch task assign {} --to {to}`", self.id);
            return Err(Stop::denied(message, help));
        }
        let mut writer = Writer::new(context, &desk.view, author);
        if let Some(run) = late {
            must_be_late(stage, run, policy.escalation.stalled_after, context.at())?;
            let repository = &desk.view.repository;
            let lane = world::lane_state(repository, Side::Index, policy, &run.lane)?;
            let (class, reason) = (FailureClass::Transient, TIMED_OUT.to_owned());
            let failure = Failure { class, reason, message: self.message.clone() };
            let (failed, pause) = draft::failure(policy, state, run, failure, context.at(), lane);
            writer.add(&desk.home(), failed)?;
            if let Some(pause) = pause {
                writer.add(&desk.home(), pause)?;
            }
        }
        let previous_agent = Some(due);
        let message = self.message;
        writer
            .add(&desk.home(), Assignment { agent: to.clone(), previous_agent, reason, message })?;
        if writer.commit(self.writing)?.is_foreseen() {
            return Ok(());
        }
        let verb = if late.is_some() { "retry" } else { "start" };
        say(format!("next: git commit, then orch run {verb} {} --agent {to}", self.id));
        Ok(())
    }

    fn backup_of(&self, desk: &Desk, stage: &Stage, due: &AgentName) -> Result<AgentName, Stop> {
        let backup = desk.policy().backup_for(&desk.state().task, stage, due);
        backup.cloned().ok_or_else(|| {
            let message = format!("the policy names no backup of {due} in lane {}", stage.lane);
            let help = format!("name somebody: `orch task assign {} --to AGENT`", self.id);
            Stop::denied(message, help)
        })
    }
}

/// Refuses to take a run away from an agent that is still in its time.
fn must_be_late(
    stage: &Stage,
    run: &RunState,
    stalled_after: chrono::TimeDelta,
    at: Moment,
) -> Result<(), Stop> {
    let until = run.started.plus(stage.timeout.unwrap_or(stalled_after));
    if until < at {
        return Ok(());
    }
    let message = format!("{} has until {until} for stage `{}`", run.agent, stage.name);
    let help =
        "wait for it; or end its run first: `orch run fail TASK --class transient --reason R`";
    Err(Stop::denied(message, help))
}
