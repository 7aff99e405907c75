//! `orch schedule next`: what comes.

use serde_json::json;

use super::{Office, owners, what_runs};
use crate::cli::Stop;
use crate::cli::context::Context;
use crate::cli::output::{id, json as print_json, moment, say, table};
use crate::ops::schedule::Occurrence;
use crate::render::Format;
use crate::source::{JobName, Moment};

/// Tell what is due next.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch schedule next --job end_of_day --count 3")]
pub(in crate::cli) struct Next {
    /// One job
    #[arg(long, value_name = "JOB", value_parser = id::<JobName>)]
    job: Option<JobName>,
    /// How many
    #[arg(long, default_value_t = 5, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// Behind this moment, in RFC 3339, instead of now
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    at: Option<Moment>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = crate::cli::output::format)]
    format: Format,
}

impl Next {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let office = Office::of(context)?;
        let timetable = office.timetable();
        let at = self.at.unwrap_or(context.at());
        let count = usize::from(self.count);
        let names: Vec<&JobName> = match &self.job {
            Some(job) => office.job(job).map(|_| vec![job])?,
            None => office.policy.schedule.jobs.keys().collect(),
        };
        let of_job = |name: &JobName| {
            let first = timetable.next(name, at);
            std::iter::successors(first, |due| timetable.next(name, due.at))
                .take(count)
                .collect::<Vec<_>>()
        };
        let mut due: Vec<Occurrence> = names.into_iter().flat_map(of_job).collect();
        due.sort();
        due.truncate(count);
        let standing = timetable.windows_at(at);
        let window = standing.into_iter().next().or_else(|| timetable.next_window(at));
        if self.format == Format::Json {
            let due = due.iter().map(|due| {
                let local = timetable.zone().local(due.at);
                json!({ "job": due.job, "at": due.at, "day": local.0, "local": local.1 })
            });
            let window = window.map(|window| {
                json!({ "window": window.window, "from": window.from, "until": window.until })
            });
            let due = due.collect::<Vec<_>>();
            print_json(&json!({ "time_zone": timetable.zone(), "next": due, "window": window }));
            return Ok(());
        }
        let shown = |at: Moment| {
            let (day, clock) = timetable.zone().local(at);
            format!("{day} {clock}")
        };
        let rows: Vec<Vec<String>> = due
            .iter()
            .filter_map(|due| {
                let job = office.policy.schedule.jobs.get(&due.job)?;
                let words = [shown(due.at), due.at.to_string(), due.job.to_string()];
                Some([words.to_vec(), vec![owners(job), what_runs(job)]].concat())
            })
            .collect();
        match rows.is_empty() {
            true => say("nothing is due within a year"),
            false => table(&rows),
        }
        if let Some(window) = window {
            let (from, until) = (shown(window.from), shown(window.until));
            let verb = if window.from <= at { "stands" } else { "comes" };
            say(format!("window {} {verb}: from {from} to {until}", window.window));
        }
        Ok(())
    }
}
