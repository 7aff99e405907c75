//! `orch schedule due`: what came due, for a clock that asks every minute.

use chrono::TimeDelta;
use serde_json::json;

use super::Office;
use super::work::Work;
use crate::cli::Stop;
use crate::cli::context::Context;
use crate::cli::output::{json as print_json, moment, say, table};
use crate::cli::signals::Signals;
use crate::cli::trust::must_be_agreed;
use crate::ops::schedule::has_run;
use crate::render::Format;
use crate::source::Moment;

/// Tell what came due, or run it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Tells what came due behind `--since`, up to and with `--at`: asked every minute, it tells \
                        each time\nonce.\nExample: orch schedule due --at 2026-11-23T13:15:00Z"
)]
pub(in crate::cli) struct Due {
    /// Until this moment, in RFC 3339; by default the minute that began last
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    at: Option<Moment>,
    /// Behind this moment; by default a minute before
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    since: Option<Moment>,
    /// Run each, one behind the other, as `run-once` would; what ran here already does not run again
    #[arg(long)]
    run: bool,
    /// With `--run`: tell what would run, and run nothing
    #[arg(long, requires = "run")]
    dry_run: bool,
    /// human or json
    #[arg(long, default_value = "human", conflicts_with = "run", value_parser = crate::cli::output::format)]
    format: Format,
}

impl Due {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let at = self.at.unwrap_or_else(|| minute(context.at()));
        let since = self.since.unwrap_or_else(|| at.plus(TimeDelta::minutes(-1)));
        if since >= at {
            let help = "`--since` comes first: it is the last moment that was asked about before";
            return Err(Stop::fault(format!("nothing lies behind {since} up to {at}"), help));
        }
        let office = Office::of(context)?;
        let timetable = office.timetable();
        let due = timetable.between(since, at);
        if self.run {
            office.actor(context)?;
            must_be_agreed(&office.view)?;
            if !self.dry_run {
                Office::must_have_come(context, at)?;
            }
            return self
                .run_all(context, due.iter().map(|due| (due.job.clone(), due.at)).collect());
        }
        if self.format == Format::Json {
            let due = due.iter().map(|due| {
                let ran = has_run(&office.runs, &due.job, due.at);
                json!({ "job": due.job, "at": due.at, "ran_here": ran })
            });
            let due = due.collect::<Vec<_>>();
            print_json(&json!({ "since": since, "at": at, "due": due }));
            return Ok(());
        }
        if due.is_empty() {
            say(format!("nothing came due behind {since} up to {at}"));
            return Ok(());
        }
        let rows = due.iter().map(|due| {
            let ran = if has_run(&office.runs, &due.job, due.at) { "ran here" } else { "" };
            vec![due.at.to_string(), due.job.to_string(), ran.to_owned()]
        });
        table(&rows.collect::<Vec<_>>());
        Ok(())
    }

    /// Runs all, whatever comes of each; refuses in the end if one failed.
    fn run_all(
        &self,
        context: &Context,
        due: Vec<(crate::source::JobName, Moment)>,
    ) -> Result<(), Stop> {
        let signals = Signals::begin()?;
        let mut failed = false;
        for (job, at) in due {
            let context = context.by_now();
            let work = Work { job, occurrence: Some(at), dry_run: self.dry_run };
            match work.carry_out(&context, &signals) {
                Ok(()) => {}
                Err(stop @ Stop::Interrupted(_)) => return Err(stop),
                Err(stop) => {
                    let _told = stop.tell(&context);
                    failed = true;
                }
            }
        }
        if failed { Err(Stop::Refused) } else { Ok(()) }
    }
}

/// Gives the beginning of the minute: whoever asks a little late each minute misses nothing so.
fn minute(at: Moment) -> Moment {
    at.plus(TimeDelta::seconds(-at.unix().rem_euclid(60)))
}
