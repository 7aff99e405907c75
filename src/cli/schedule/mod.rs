//! `orch schedule`: the day's jobs, what is due, and one job at a time.

mod due;
mod export;
mod list;
mod next;
mod once;
mod runs;
mod work;

use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;

use self::due::Due;
use self::export::Export;
use self::list::List;
use self::next::Next;
use self::once::RunOnce;
use super::Stop;
use super::context::{Context, View};
use crate::ops::schedule::{JobRun, Timetable};
use crate::policy::{Job, Policy};
use crate::record::did_you_mean;
use crate::source::{AgentName, JobName, Moment};
use crate::world::StandingHalt;

#[derive(Debug, Subcommand)]
pub(super) enum Schedule {
    /// Tell a day in order: what is due when, whose it is, and how it went last
    List(List),
    /// Tell what is due next
    Next(Next),
    /// Tell what came due, or run it
    Due(Due),
    /// Run one job now; it needs no daemon
    RunOnce(RunOnce),
    /// Write the schedule for another scheduler, which calls orch
    Export(Export),
}

impl Schedule {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self {
            Schedule::List(command) => command.run(context),
            Schedule::Next(command) => command.run(context),
            Schedule::Due(command) => command.run(context),
            Schedule::RunOnce(command) => command.run(context),
            Schedule::Export(command) => command.run(context),
        }
    }
}

/// The agreed schedule, with what stands over it and what became of its jobs on this machine.
struct Office {
    view: View,
    policy: Arc<Policy>,
    runs: Vec<JobRun>,
}

impl Office {
    /// Looks; refuses a policy without jobs.
    fn of(context: &Context) -> Result<Self, Stop> {
        let view = View::of(context, &[])?;
        let policy = view.policy();
        if policy.schedule.jobs.is_empty() {
            let help =
                "add `schedule` to .orch/policy.yaml; `orch init --template hedge` shows one";
            return Err(Stop::fault("the agreed policy has no jobs", help));
        }
        let runs = runs::read(&view.repository)?;
        Ok(Office { view, policy, runs })
    }

    /// Gives who acts, if that was said; refuses one whom the policy does not know.
    fn actor(&self, context: &Context) -> Result<Option<AgentName>, Stop> {
        let said = context.agent_word().filter(|word| !word.is_empty());
        said.map(|_| context.agent(&self.policy)).transpose()
    }

    /// Refuses to run anything for a moment that is still to come: its own time would find it done.
    fn must_have_come(context: &Context, at: Moment) -> Result<(), Stop> {
        match at > context.at() {
            true => {
                let help = "see what would run then: `--dry-run`; or wait for it";
                Err(Stop::fault(format!("{at} is still to come"), help))
            }
            false => Ok(()),
        }
    }

    /// Gives the schedule in moments.
    fn timetable(&self) -> Timetable<'_> {
        Timetable::of(&self.policy.schedule)
    }

    /// Gives a job; refuses if there is none of that name.
    fn job(&self, name: &JobName) -> Result<&Job, Stop> {
        let jobs = &self.policy.schedule.jobs;
        jobs.get(name).ok_or_else(|| {
            let near = did_you_mean(name.as_str(), jobs.keys().map(JobName::as_str));
            let help = near.map_or("see which there are: `orch schedule list`".into(), |near| {
                format!("did you mean `{near}`?")
            });
            Stop::fault(format!("there is no job `{name}`"), help)
        })
    }

    /// Gives the first halt that stops a job at a moment (R003-12).
    fn halt_over(&self, name: &JobName, at: Moment) -> Option<&StandingHalt> {
        let world = &self.view.world;
        let mut halts = world.survey.halts.iter();
        halts.find(|halt| halt.stands_at(at) && halt.covers_job(world, name))
    }
}

/// What a job runs, in words.
fn what_runs(job: &Job) -> String {
    match &job.procedure {
        Some(procedure) => format!("procedure {procedure}"),
        None => job.command.join(" "),
    }
}

fn owners(job: &Job) -> String {
    job.owners.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Parses a length of time, such as `50m`.
fn time(text: &str) -> Result<Duration, String> {
    let time = super::task::time(text)?;
    crate::policy::duration(&time)
        .and_then(|time| time.to_std().ok())
        .ok_or_else(|| super::task::DURATION.to_owned())
}
