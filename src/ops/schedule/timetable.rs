//! The policy's schedule, in moments (R003-2, R003-3, R003-16 to R003-20).

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::calendar::{Calendar, Clock, Date, Standing, TimeOfDay, Zone};
use crate::policy::{Job, NYSE, OwnCalendar, Schedule, Window};
use crate::source::{JobName, Moment};

/// How far from its day a job may be due, in days: the longest way from an opening or a close, and
/// what zones differ by.
const AROUND: i32 = 2;
/// How far ahead the next occurrence is looked for, in days.
const AHEAD: i32 = 400;

/// A schedule, with the calendars that it names.
#[derive(Debug)]
pub struct Timetable<'p> {
    schedule: &'p Schedule,
    calendars: BTreeMap<&'p str, Calendar>,
    zone: Zone,
}

/// One time at which a job is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// When.
    pub at: Moment,
    /// Which job.
    pub job: JobName,
}

/// A window on one day: from when until when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// When it begins.
    pub from: Moment,
    /// When it is over.
    pub until: Moment,
    /// Which window.
    pub window: String,
}

/// What a calendar says of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayNote {
    /// The calendar.
    pub calendar: String,
    /// The zone of its hours.
    pub zone: Zone,
    /// What the day is in it.
    pub standing: Standing,
}

impl<'p> Timetable<'p> {
    /// Takes the schedule of a policy.
    pub fn of(schedule: &'p Schedule) -> Self {
        let zone = schedule.time_zone.clone().unwrap_or_else(Zone::utc);
        let own = schedule.calendars.iter();
        let mut calendars: BTreeMap<&str, Calendar> =
            own.map(|(name, own)| (name.as_str(), calendar(own, &zone))).collect();
        calendars.insert(NYSE, Calendar::nyse());
        Timetable { schedule, calendars, zone }
    }

    /// Gives the schedule's time zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Gives the zone whose clock a job goes by: its own, its window's, or the schedule's; that of its
    /// calendar if it is due beside the opening or the close.
    pub fn zone_of(&self, job: &'p Job) -> &Zone {
        match (self.at(job), self.calendar_of(job)) {
            (Some(TimeOfDay::Open(_) | TimeOfDay::Close(_)), Some(calendar)) => calendar.zone(),
            _ => {
                let window = self.window_of(job).and_then(|window| window.time_zone.as_ref());
                job.time_zone.as_ref().or(window).unwrap_or(&self.zone)
            }
        }
    }

    /// Gives the calendar that the schedule, or nothing else, names.
    pub fn calendar(&self) -> Option<&Calendar> {
        self.schedule.calendar.as_deref().and_then(|name| self.calendars.get(name))
    }

    /// Gives the calendar that a job follows, if one is named.
    pub fn calendar_of(&self, job: &Job) -> Option<&Calendar> {
        let name = job.calendar.as_ref().or(self.schedule.calendar.as_ref())?;
        self.calendars.get(name.as_str())
    }

    /// Gives the window that a job belongs to.
    pub fn window_of(&self, job: &Job) -> Option<&'p Window> {
        self.schedule.windows.get(job.window.as_ref()?)
    }

    /// Gives when in the day a job is due: as it says, or as its window begins.
    pub fn at(&self, job: &Job) -> Option<TimeOfDay> {
        job.at.or_else(|| self.window_of(job).map(|window| TimeOfDay::At(window.from)))
    }

    /// Gives when a job is due on a day; none if it is not. A job beside the opening or the close is
    /// due on days on which its calendar is open, and on no others.
    pub fn due_on(&self, job: &'p Job, day: Date) -> Option<Moment> {
        let calendar = self.calendar_of(job);
        let session = || calendar.and_then(|calendar| calendar.session(day));
        let days = job.days.as_ref().or_else(|| Some(&self.window_of(job)?.days))?;
        if !days.include(day, || session().is_some()) {
            return None;
        }
        let (clock, minutes) = match self.at(job)? {
            TimeOfDay::At(clock) => (clock, 0),
            TimeOfDay::Open(minutes) => (session()?.open, minutes),
            TimeOfDay::Close(minutes) => (session()?.close, minutes),
        };
        let at = self.zone_of(job).at(day, clock)?;
        Some(at.plus(TimeDelta::minutes(minutes.into())))
    }

    /// Gives when a job is due behind one moment, up to and with another; in order.
    pub fn of_job(&self, name: &JobName, after: Moment, until: Moment) -> Vec<Occurrence> {
        let Some(job) = self.schedule.jobs.get(name) else { return Vec::new() };
        let zone = self.zone_of(job);
        let (first, last) = (zone.local(after).0, zone.local(until).0);
        // A time on the clock leaves its day only where a gap moves it; one beside the opening may.
        let (before, behind) = match self.at(job) {
            Some(TimeOfDay::At(_)) => (1, 0),
            _ => (AROUND, AROUND),
        };
        let days = std::iter::successors(first.plus(-before), |day| day.plus(1));
        let days = days.take_while(|day| last.plus(behind).is_none_or(|last| *day <= last));
        let due = days.filter_map(|day| self.due_on(job, day));
        let within = due.filter(|at| after < *at && *at <= until);
        within.map(|at| Occurrence { at, job: name.clone() }).collect()
    }

    /// The same of all jobs; those due at once by name.
    pub fn between(&self, after: Moment, until: Moment) -> Vec<Occurrence> {
        let jobs = self.schedule.jobs.keys();
        let mut all: Vec<_> = jobs.flat_map(|name| self.of_job(name, after, until)).collect();
        all.sort();
        all
    }

    /// Gives when a job is due next behind a moment; none if that is not within a year.
    pub fn next(&self, name: &JobName, after: Moment) -> Option<Occurrence> {
        let job = self.schedule.jobs.get(name)?;
        let first = self.zone_of(job).local(after).0;
        let mut days = (-AROUND..=AHEAD).filter_map(|days| first.plus(days));
        let at = days.find_map(|day| self.due_on(job, day).filter(|at| *at > after))?;
        Some(Occurrence { at, job: name.clone() })
    }

    /// Gives when a job was due last, at a moment or before it, but not before `since`.
    pub fn last(&self, name: &JobName, since: Moment, at: Moment) -> Option<Occurrence> {
        self.of_job(name, since, at).pop()
    }

    /// Gives the moments between which a day lies by the schedule's zone: behind the first, up to the
    /// second; none for a day that the zone leaves out.
    pub fn bounds(&self, day: Date) -> Option<(Moment, Moment)> {
        let midnight = Clock { hour: 0, minute: 0 };
        let begins = self.zone.at(day, midnight)?;
        let mut later = (1..=AROUND).filter_map(|days| self.zone.at(day.plus(days)?, midnight));
        let second = TimeDelta::seconds(1);
        Some((begins.plus(-second), later.next()?.plus(-second)))
    }

    /// Gives the windows that touch the time behind one moment, up to and with another; in order.
    pub fn windows(&self, after: Moment, until: Moment) -> Vec<Stretch> {
        let of_window = |(name, window): (&String, &'p Window)| {
            let zone = window.time_zone.as_ref().unwrap_or(&self.zone).clone();
            let (first, last) = (zone.local(after).0, zone.local(until).0);
            let days = std::iter::successors(first.plus(-1), |day| day.plus(1));
            let days = days.take_while(move |day| *day <= last);
            let due = days.filter(|day| window.days.include(*day, || self.trades(*day)));
            let stretch = due.filter_map(|day| {
                let (from, until) = (zone.at(day, window.from)?, zone.at(day, window.until)?);
                Some(Stretch { from, until, window: name.clone() })
            });
            stretch.collect::<Vec<_>>()
        };
        let mut all: Vec<_> = self.schedule.windows.iter().flat_map(of_window).collect();
        all.retain(|stretch| stretch.from <= until && after < stretch.until);
        all.sort();
        all
    }

    /// Gives the windows that stand at a moment.
    pub fn windows_at(&self, at: Moment) -> Vec<Stretch> {
        let mut standing = self.windows(at, at);
        standing.retain(|stretch| stretch.from <= at && at < stretch.until);
        standing
    }

    /// Gives the window that begins next behind a moment; none if that is not within a year.
    pub fn next_window(&self, after: Moment) -> Option<Stretch> {
        let ahead = after.plus(TimeDelta::days(AHEAD.into()));
        self.windows(after, ahead).into_iter().find(|stretch| stretch.from > after)
    }

    fn trades(&self, day: Date) -> bool {
        self.calendar().is_some_and(|calendar| calendar.session(day).is_some())
    }

    /// Gives what each calendar that a job or the schedule follows says of a day.
    pub fn notes(&self, day: Date) -> Vec<DayNote> {
        let jobs = self.schedule.jobs.values().filter_map(|job| job.calendar.as_ref());
        let mut named: Vec<&String> = self.schedule.calendar.iter().chain(jobs).collect();
        named.sort();
        named.dedup();
        let note = |name: &String| {
            let calendar = self.calendars.get(name.as_str())?;
            let (zone, standing) = (calendar.zone().clone(), calendar.standing(day));
            Some(DayNote { calendar: name.clone(), zone, standing })
        };
        named.into_iter().filter_map(note).collect()
    }
}

fn calendar(own: &OwnCalendar, zone: &Zone) -> Calendar {
    let base = match &own.extends {
        Some(_) => Calendar::nyse(),
        None => Calendar::working(
            zone.clone(),
            Clock { hour: 9, minute: 0 },
            Clock { hour: 17, minute: 0 },
        ),
    };
    base.hours(own.open, own.close).except(&own.closed, &own.early_close)
}
