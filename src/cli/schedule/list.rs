//! `orch schedule list`: a day in order.

use serde_json::{Value, json};

use super::{Office, owners, what_runs};
use crate::calendar::{Date, Standing, Zone};
use crate::cli::Stop;
use crate::cli::context::Context;
use crate::cli::output::{json as print_json, say, table};
use crate::ops::schedule::{DayNote, JobRun, Occurrence, Stretch, last_runs};
use crate::render::Format;
use crate::source::Moment;

/// Tell a day in order.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Tells holidays and short days, windows of maintenance, and which halt stands over a \
                        job.\nExample: orch schedule list --day 2026-11-27"
)]
pub(in crate::cli) struct List {
    /// The day, by the schedule's time zone; by default today
    #[arg(long, value_name = "DATE")]
    day: Option<Date>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = crate::cli::output::format)]
    format: Format,
}

/// Everything about one day.
struct Told<'o> {
    office: &'o Office,
    at: Moment,
    day: Date,
    zone: Zone,
    notes: Vec<DayNote>,
    windows: Vec<Stretch>,
    due: Vec<Occurrence>,
}

impl List {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let office = Office::of(context)?;
        let timetable = office.timetable();
        let zone = timetable.zone().clone();
        let day = self.day.unwrap_or_else(|| zone.local(context.at()).0);
        let Some((begin, end)) = timetable.bounds(day) else {
            let message = format!("there is no {day} in {zone}");
            return Err(Stop::fault(message, "name another day: `orch schedule list --day DATE`"));
        };
        let told = Told {
            office: &office,
            at: context.at(),
            day,
            zone,
            notes: timetable.notes(day),
            windows: timetable.windows(begin.plus(chrono::TimeDelta::seconds(1)), end),
            due: timetable.between(begin, end),
        };
        match self.format {
            Format::Json => print_json(&told.as_json()),
            Format::Human => told.say(),
        }
        Ok(())
    }
}

impl Told<'_> {
    fn say(&self) {
        say(format!("{} {}, {}", self.day, self.day.weekday(), self.zone));
        for note in &self.notes {
            say(noted(note));
        }
        for window in &self.windows {
            say(self.window(window));
        }
        if self.due.is_empty() {
            say("nothing is due");
        }
        let last = last_runs(&self.office.runs);
        let rows = self.due.iter().filter_map(|due| {
            let job = self.office.policy.schedule.jobs.get(&due.job)?;
            Some(vec![
                self.local(due.at),
                due.at.to_string(),
                due.job.to_string(),
                owners(job),
                what_runs(job),
                last.get(&due.job).map_or("-".into(), |run| went(run)),
            ])
        });
        let heading = ["local", "UTC", "job", "owners", "runs", "last run here"];
        let mut all = vec![heading.map(str::to_owned).to_vec()];
        all.extend(rows);
        if all.len() > 1 {
            table(&all);
        }
        for due in &self.due {
            if let Some(halt) = self.office.halt_over(&due.job, due.at.max(self.at)) {
                say(format!("{} is halted by {}: {}", due.job, halt.id, halt.reason));
            }
        }
        for halt in self.office.view.world.survey.halts.iter().filter(|h| h.stands_at(self.at)) {
            say(format!(
                "halt {} stands for {}; a person lifts it: {}",
                halt.id,
                halt.scope,
                halt.lifting()
            ));
        }
    }

    fn local(&self, at: Moment) -> String {
        self.zone.local(at).1.to_string()
    }

    fn window(&self, window: &Stretch) -> String {
        let title = self.office.policy.schedule.windows.get(&window.window);
        let title = title.map_or("", |window| &window.title);
        let (from, until) = (self.local(window.from), self.local(window.until));
        format!("window {} from {from} to {until}: {title}", window.window)
    }

    fn as_json(&self) -> Value {
        let last = last_runs(&self.office.runs);
        let jobs = self.due.iter().filter_map(|due| {
            let job = self.office.policy.schedule.jobs.get(&due.job)?;
            let halt = self.office.halt_over(&due.job, due.at.max(self.at));
            Some(json!({
                "job": due.job, "title": job.title, "at": due.at, "local": self.local(due.at),
                "owners": job.owners, "command": job.command, "procedure": job.procedure,
                "window": job.window, "halted_by": halt.map(|halt| &halt.id),
                "last_run": last.get(&due.job),
            }))
        });
        let windows = self.windows.iter().map(|stretch| {
            json!({ "window": stretch.window, "from": stretch.from, "until": stretch.until })
        });
        json!({
            "day": self.day, "weekday": self.day.weekday(), "time_zone": self.zone,
            "calendars": self.notes.iter().map(note_as_json).collect::<Vec<_>>(),
            "windows": windows.collect::<Vec<_>>(), "jobs": jobs.collect::<Vec<_>>(),
        })
    }
}

fn noted(note: &DayNote) -> String {
    let (calendar, zone) = (&note.calendar, &note.zone);
    match note.standing {
        Standing::Closed(why) => format!("{calendar} is closed: {why}"),
        Standing::Open(session) => {
            let short = session.early.map(|why| format!(", which is early: {why}"));
            let (open, close) = (session.open, session.close);
            format!(
                "{calendar} opens at {open} and closes at {close} ({zone}){}",
                short.unwrap_or_default()
            )
        }
    }
}

fn note_as_json(note: &DayNote) -> Value {
    match note.standing {
        Standing::Closed(why) => {
            json!({ "calendar": note.calendar, "trades": false, "reason": why })
        }
        Standing::Open(session) => json!({
            "calendar": note.calendar, "trades": true, "time_zone": note.zone,
            "open": session.open, "close": session.close, "reason": session.early,
        }),
    }
}

fn went(run: &JobRun) -> String {
    format!("{} {}", run.outcome.word(), run.ended)
}
