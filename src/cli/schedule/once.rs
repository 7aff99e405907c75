//! `orch schedule run-once`: one job, without a daemon (R003-21); also for other schedulers, which wake
//! it more often than it is due.

use std::time::Duration;

use chrono::TimeDelta;

use super::work::Work;
use super::{Office, time};
use crate::cli::Stop;
use crate::cli::context::Context;
use crate::cli::output::{id, moment, say};
use crate::cli::signals::Signals;
use crate::ops::schedule::{Cron, Timetable};
use crate::source::{JobName, Moment};

/// Run one job now.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Runs the job's command at the top of the repository, or starts its procedure; `orch` as \
                        the first word\nis this very program. It sees ORCH_JOB, ORCH_RUN_ID, \
                        ORCH_SCHEDULED_AT, ORCH_ATTEMPT, ORCH_AGENT and ORCH_SESSION.\nWhat \
                        failed for good starts the procedure of `on_failure`. While a halt stands \
                        over it, it does not run.\nExit code 0 if it is done, or there was nothing \
                        to do; 1 if it failed, or was refused; 2 if orch could not\nlook.\nExample: \
                        orch schedule run-once health_checks --dry-run"
)]
pub(in crate::cli) struct RunOnce {
    /// The job
    #[arg(value_name = "JOB", value_parser = id::<JobName>)]
    job: JobName,
    /// Run it only if it is due by the schedule, and did not run here for that time: for schedulers that
    /// know no holidays
    #[arg(long)]
    scheduled: bool,
    /// How late it may be, with `--scheduled`
    #[arg(long, value_name = "TIME", default_value = "50m", value_parser = time)]
    grace: Duration,
    /// The line of cron, in UTC, that woke it: it runs if it was due when that line fired last,
    /// however late it is; `CRON_TZ=ZONE` may stand before it
    #[arg(long, value_name = "CRON", requires = "scheduled", value_parser = cron)]
    fired_by: Option<Cron>,
    /// As of another moment, in RFC 3339; one that is still to come with `--dry-run` alone
    #[arg(long, value_name = "MOMENT", requires = "scheduled", value_parser = moment)]
    at: Option<Moment>,
    /// Tell what would run, and run nothing
    #[arg(long)]
    dry_run: bool,
}

fn cron(text: &str) -> Result<Cron, String> {
    text.parse()
}

impl RunOnce {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let office = Office::of(context)?;
        office.job(&self.job)?;
        office.actor(context)?;
        let at = self.at.unwrap_or(context.at());
        if !self.dry_run {
            Office::must_have_come(context, at)?;
        }
        let occurrence = match self.scheduled {
            true => match self.occurrence(&office.timetable(), at) {
                Ok(at) => Some(at),
                Err(why) => {
                    say(format!("job {} has nothing to do: {why}", self.job));
                    return Ok(());
                }
            },
            false => None,
        };
        drop(office);
        let signals = Signals::begin()?;
        let work = Work { job: self.job, occurrence, dry_run: self.dry_run };
        work.carry_out(context, &signals)
    }

    /// Gives the time for which it is to run, or why there is none.
    fn occurrence(&self, timetable: &Timetable<'_>, at: Moment) -> Result<Moment, String> {
        let second = TimeDelta::seconds(1);
        if let Some(cron) = &self.fired_by {
            let fired = cron.last(at).ok_or_else(|| format!("`{cron}` never fires"))?;
            let due = timetable.last(&self.job, fired.plus(-second), fired);
            return due
                .map(|due| due.at)
                .ok_or_else(|| format!("it was not due at {fired}, when `{cron}` fired"));
        }
        let grace = TimeDelta::from_std(self.grace).unwrap_or(TimeDelta::MAX);
        let due = timetable.last(&self.job, at.plus(-grace), at);
        due.map(|due| due.at).ok_or_else(|| {
            let next = timetable.next(&self.job, at);
            let next = next.map(|next| format!("; it is due next at {}", next.at));
            let grace = crate::render::duration(grace.num_seconds());
            format!("it was not due within the last {grace}{}", next.unwrap_or_default())
        })
    }
}
