//! When somebody else's clock must wake a job up, so that it misses no occurrence: every time of the
//! week at which it may be due, holidays and daylight saving aside.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::Timetable;
use crate::calendar::{Clock, Date, Days, TimeOfDay, Zone};
use crate::policy::Job;
use crate::source::Moment;

/// Over how many days every time of the week is looked for: what daylight saving does, it does each year.
const LOOKED_AT: i32 = 2 * 366;

/// A time of day and the days of the week on which it fires, 0 for Sunday to 6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// When.
    pub clock: Clock,
    /// On which days of the week.
    pub weekdays: BTreeSet<u8>,
}

impl Firing {
    /// Gives it as the five fields of cron.
    pub fn cron(&self) -> String {
        let Clock { hour, minute } = self.clock;
        format!("{minute} {hour} * * {}", weekdays(&self.weekdays))
    }
}

/// Days of the week as cron writes them: `*`, `1-5`, `0,6`.
fn weekdays(days: &BTreeSet<u8>) -> String {
    if days.len() == 7 {
        return "*".into();
    }
    let (first, last) = (days.first().copied(), days.last().copied());
    match (first, last) {
        (Some(first), Some(last))
            if days.len() > 2 && usize::from(last - first) + 1 == days.len() =>
        {
            format!("{first}-{last}")
        }
        _ => days.iter().map(u8::to_string).collect::<Vec<_>>().join(","),
    }
}

/// Gives every time of the week, by the clock of `zone`, at which a job may be due from a moment on:
/// each half of daylight saving, what a gap moves, and each time at which its calendar may close. A
/// job of one day of the month is there for every week.
pub fn firings(timetable: &Timetable<'_>, job: &Job, zone: &Zone, from: Moment) -> Vec<Firing> {
    let own = timetable.zone_of(job);
    let mut found: BTreeMap<Clock, BTreeSet<u8>> = BTreeMap::new();
    let first = own.local(from).0;
    for day in (0..LOOKED_AT).filter_map(|days| first.plus(days)) {
        for (clock, minutes) in times_on(timetable, job, day) {
            let Some(at) = own.at(day, clock) else { continue };
            let (day, clock) = zone.local(at.plus(TimeDelta::minutes(minutes.into())));
            found.entry(clock).or_default().insert(day.parts().2);
        }
    }
    found.into_iter().map(|(clock, weekdays)| Firing { clock, weekdays }).collect()
}

/// The same by the job's own clock; none if daylight saving ever leaves out one of these times, or
/// shows it twice, for then other programs differ in what they do.
pub fn local_firings(timetable: &Timetable<'_>, job: &Job, from: Moment) -> Option<Vec<Firing>> {
    let own = timetable.zone_of(job);
    let first = own.local(from).0;
    let found = firings(timetable, job, own, from);
    let mut days = (0..LOOKED_AT).filter_map(|days| first.plus(days));
    let plain = |day: Date| found.iter().all(|firing| own.shows_once(day, firing.clock));
    days.all(plain).then_some(found)
}

/// Gives the times on the clock, with minutes to add, at which a job may be due on such a weekday.
fn times_on(timetable: &Timetable<'_>, job: &Job, day: Date) -> Vec<(Clock, i16)> {
    let days = job.days.as_ref().or_else(|| timetable.window_of(job).map(|window| &window.days));
    let working = (1..=5).contains(&day.parts().2);
    let fits = match days {
        Some(Days::Month(_, due)) => Days::Week(vec![*due]).include(day, || working),
        Some(days) => days.include(day, || working),
        None => false,
    };
    let calendar = timetable.calendar_of(job).filter(|_| working);
    match (timetable.at(job).filter(|_| fits), calendar) {
        (Some(TimeOfDay::At(clock)), _) => vec![(clock, 0)],
        (Some(TimeOfDay::Open(minutes)), Some(calendar)) => vec![(calendar.opens(), minutes)],
        (Some(TimeOfDay::Close(minutes)), Some(calendar)) => {
            calendar.closes().into_iter().map(|clock| (clock, minutes)).collect()
        }
        _ => Vec::new(),
    }
}
