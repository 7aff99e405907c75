//! Timers and services of systemd, which knows time zones.

use std::collections::BTreeSet;

use super::{Exported, Setting, line};
use crate::calendar::{Days, Nth, TimeOfDay, Zone};
use crate::ops::schedule::{Firing, Timetable, firings, local_firings};
use crate::plan::emit::label;
use crate::policy::{Job, Schedule};

const NAMES: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Gives a timer and a service for each job. A timer goes by the job's own zone; one that daylight saving
/// leaves out or doubles goes by UTC, for systemd skips it. What was missed while the machine was off is
/// made up for if it is still within the grace of `--scheduled`.
pub fn systemd(schedule: &Schedule, setting: &Setting) -> Vec<Exported> {
    let timetable = Timetable::of(schedule);
    let mut files = Vec::new();
    for (name, job) in &schedule.jobs {
        let unit = label(&format!("orch-{}-{name}", setting.project), 120);
        let title = escaped(&line(&job.title));
        let mut times = String::new();
        for time in calendar(&timetable, job, setting) {
            times.push_str(&format!("OnCalendar={time}\n"));
        }
        files.push((
            format!("{unit}.timer"),
            format!(
                "[Unit]\nDescription=When {name} is due: {title}\n\n[Timer]\n{times}Persistent=true\n\
                 AccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n"
            ),
        ));
        let (folder, program) = (escaped(&setting.directory), quoted(&setting.program));
        files.push((
            format!("{unit}.service"),
            format!(
                "[Unit]\nDescription={name}: {title}\n\n[Service]\nType=oneshot\nWorkingDirectory={folder}\n\
                 ExecStart={program} schedule run-once {name} --scheduled\n"
            ),
        ));
    }
    files
}

/// Gives the calendar events at which a job may be due.
fn calendar(timetable: &Timetable<'_>, job: &Job, setting: &Setting) -> Vec<String> {
    match local_firings(timetable, job, setting.from) {
        Some(local) => {
            let zone = timetable.zone_of(job);
            local.iter().map(|firing| event(firing, of_month(timetable, job), zone)).collect()
        }
        None => {
            let utc = Zone::utc();
            let found = firings(timetable, job, &utc, setting.from);
            found.iter().map(|firing| event(firing, "*", &utc)).collect()
        }
    }
}

/// Gives the days of the month of a job that is due once in it, as far as its time stays on its day.
fn of_month(timetable: &Timetable<'_>, job: &Job) -> &'static str {
    let days = job.days.as_ref().or_else(|| timetable.window_of(job).map(|window| &window.days));
    match (timetable.at(job), days) {
        (Some(TimeOfDay::At(_)), Some(Days::Month(nth, _))) => match nth {
            Nth::From(1) => "-01..07",
            Nth::From(2) => "-08..14",
            Nth::From(3) => "-15..21",
            Nth::From(_) => "-22..28",
            Nth::Last => "~07/1",
        },
        _ => "-*",
    }
}

fn event(firing: &Firing, days: &str, zone: &Zone) -> String {
    let days = if days == "*" { "-*" } else { days };
    let weekdays = weekdays(&firing.weekdays);
    format!("{weekdays}*-*{days} {}:00 {zone}", firing.clock)
}

/// Gives the days of the week, with a space behind them: `Mon..Fri `, `Sat,Sun `; nothing for all.
fn weekdays(days: &BTreeSet<u8>) -> String {
    let named: Vec<&str> =
        days.iter().filter_map(|day| NAMES.get(usize::from(*day)).copied()).collect();
    match (&named[..], days.first(), days.last()) {
        ([_, _, _, _, _, _, _], ..) => String::new(),
        ([first, .., last], Some(from), Some(to))
            if usize::from(to - from) + 1 == days.len() && days.len() > 2 =>
        {
            format!("{first}..{last} ")
        }
        _ => format!("{} ", named.join(",")),
    }
}

/// Gives a text in which systemd finds none of its specifiers.
fn escaped(text: &str) -> String {
    text.replace('%', "%%")
}

/// Gives a word of a command line, in which it finds no variable either.
fn quoted(word: &str) -> String {
    let word = escaped(word).replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$");
    format!("\"{word}\"")
}
