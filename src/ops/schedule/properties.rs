//! What holds of every schedule: nothing is lost, nothing is due twice, and other clocks wake it in time.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{Cron, Timetable, firings, local_firings};
use crate::calendar::{Date, Zone};
use crate::policy::{Policy, Schedule};
use crate::source::{JobName, Moment};

/// Zones with what daylight saving can do: at two, at midnight, by half an hour, on a Friday, to the
/// other side of a day, and not at all.
const ZONES: [&str; 9] = [
    "America/New_York",
    "America/Los_Angeles",
    "America/Havana",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Beirut",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
];
const DAYS: [&str; 7] = [
    "daily",
    "weekdays",
    "trading",
    "saturday",
    "monday, thursday",
    "first saturday",
    "last sunday",
];

fn at() -> impl Strategy<Value = String> {
    let clock = (0..24, 0..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
    let beside = (prop::bool::ANY, -720..=720)
        .prop_map(|(open, minutes)| format!("{}{minutes:+}m", if open { "open" } else { "close" }));
    prop_oneof![3 => clock, 1 => beside, 1 => Just("01:30".into()), 1 => Just("02:30".into()),
        1 => Just("00:15".into())]
}

fn schedule(zone: &str, at: &str, days: &str, own: bool) -> Schedule {
    let calendar = if own { "OWN" } else { "NYSE" };
    let value = serde_json::json!({
        "time_zone": zone,
        "calendar": calendar,
        "calendars": { "OWN": { "early_close": { "2026-03-09": "12:00" }, "close": "23:30" } },
        "jobs": { "job": {
            "title": "It", "at": at, "days": days, "owners": ["ops"], "command": ["true"],
        } },
    });
    serde_json::from_value(value).expect("a schedule")
}

fn job() -> JobName {
    "job".parse().expect("a name")
}

prop_compose! {
    fn any_schedule()(
        zone in prop::sample::select(&ZONES[..]),
        at in at(),
        days in prop::sample::select(&DAYS[..]),
        own in prop::bool::ANY,
    ) -> Schedule {
        schedule(zone, &at, days, own)
    }
}

/// Moments from 2009 to 2031, around which clocks were moved in all these zones.
fn moment() -> impl Strategy<Value = Moment> {
    (1_230_000_000_i64..1_930_000_000).prop_map(|at| Moment::from_unix(at).expect("a moment"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// R003-2: an interval that is split loses no occurrence and doubles none, wherever it is split.
    #[test]
    fn splitting_loses_nothing(
        schedule in any_schedule(), from in moment(), first in 0_i64..20_000_000, second in 0_i64..20_000_000,
    ) {
        let timetable = Timetable::of(&schedule);
        let middle = from.plus(TimeDelta::seconds(first));
        let until = middle.plus(TimeDelta::seconds(second));
        let mut parts = timetable.of_job(&job(), from, middle);
        parts.extend(timetable.of_job(&job(), middle, until));
        prop_assert_eq!(timetable.of_job(&job(), from, until), parts);
    }

    /// R003-2, R003-16, R003-17: occurrences ascend, `next` walks through them, and each is due exactly
    /// in its own minute.
    #[test]
    fn occurrences_ascend(schedule in any_schedule(), from in moment()) {
        let timetable = Timetable::of(&schedule);
        let all = timetable.of_job(&job(), from, from.plus(TimeDelta::days(90)));
        prop_assert!(all.windows(2).all(|pair| pair[0].at < pair[1].at), "{:?}", all);
        let mut behind = from;
        for due in &all {
            prop_assert_eq!(timetable.next(&job(), behind), Some(due.clone()));
            prop_assert_eq!(timetable.last(&job(), behind, due.at), Some(due.clone()));
            behind = due.at;
        }
    }

    /// Every day of the job's own zone has one occurrence, or none, and has one if the zone has that day
    /// and the job is due on it; on the clock it stands where the policy says, unless the clocks are moved.
    #[test]
    fn every_day_has_one(schedule in any_schedule(), from in moment()) {
        let timetable = Timetable::of(&schedule);
        let named = &schedule.jobs[&job()];
        let zone = timetable.zone_of(named);
        let first = zone.local(from).0;
        let days: Vec<Date> = (0..200).filter_map(|days| first.plus(days)).collect();
        let due: Vec<Moment> = days.iter().filter_map(|day| timetable.due_on(named, *day)).collect();
        prop_assert_eq!(due.iter().collect::<BTreeSet<_>>().len(), due.len());
        // The opening of a day on which nothing opens is never due.
        if let (Some(first), Some(last)) = (due.first(), due.last()) {
            let found = timetable.of_job(&job(), first.plus(TimeDelta::seconds(-1)), *last);
            prop_assert_eq!(found.into_iter().map(|found| found.at).collect::<Vec<_>>(), due);
        }
        if let Some(crate::calendar::TimeOfDay::At(clock)) = named.at {
            for day in days {
                let Some(at) = timetable.due_on(named, day) else { continue };
                let shown = zone.local(at);
                prop_assert!(shown == (day, clock) || !zone.shows_once(day, clock), "{day} {shown:?}");
                prop_assert!(shown.0 >= day && shown.1 >= clock || shown.0 > day);
            }
        }
    }
}

/// The lines of cron of one schedule, in UTC.
fn lines(schedule: &Schedule, from: Moment) -> Vec<Cron> {
    let timetable = Timetable::of(schedule);
    let found = firings(&timetable, &schedule.jobs[&job()], &Zone::utc(), from);
    found.iter().map(|firing| firing.cron().parse().expect("a line")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// R003-20: whoever is woken by the lines misses no occurrence and runs each once, however late the
    /// machine is: the lines fire at every occurrence, and what they fired at besides is none.
    #[test]
    fn lines_of_cron_fire_at_every_occurrence(schedule in any_schedule(), late in 0_i64..3600) {
        let from: Moment = "2025-01-01T00:00:00Z".parse().expect("a moment");
        let lines = lines(&schedule, from);
        let timetable = Timetable::of(&schedule);
        for due in timetable.of_job(&job(), from, from.plus(TimeDelta::days(800))) {
            let woken = due.at.plus(TimeDelta::seconds(late));
            let nominal = lines.iter().filter(|line| line.last(woken) == Some(due.at)).count();
            prop_assert_eq!(nominal, 1, "{:?} {:?}", due, &lines);
        }
    }
}

/// croner fires the lines of the hedge template at every occurrence of four years, and what it fires at
/// besides is an occurrence of nothing (R003-20).
#[test]
fn croner_fires_the_template_as_it_is_due() {
    let policy = include_bytes!("../../../templates/hedge.yaml");
    let policy = Policy::parse(policy, &crate::checks::names()).expect("a policy");
    let timetable = Timetable::of(&policy.schedule);
    let (from, until): (Moment, Moment) = (
        "2025-01-01T00:00:00Z".parse().expect("a moment"),
        "2029-01-01T00:00:00Z".parse().expect("a moment"),
    );
    for (name, named) in &policy.schedule.jobs {
        let mut fired = BTreeSet::new();
        for firing in firings(&timetable, named, &Zone::utc(), from) {
            let line: croner::Cron = firing.cron().parse().expect("croner reads it");
            let start = chrono::DateTime::from_timestamp(from.unix(), 0).expect("a time");
            let own: Cron = firing.cron().parse().expect("a line");
            let times = line.iter_after(start).take_while(|at| at.timestamp() <= until.unix());
            for at in times.filter_map(|at| Moment::from_unix(at.timestamp())) {
                assert!(fired.insert(at), "{name} is woken twice at {at}");
                assert_eq!(own.last(at.plus(TimeDelta::minutes(40))), Some(at));
            }
        }
        let due: BTreeSet<Moment> =
            timetable.of_job(name, from, until).into_iter().map(|due| due.at).collect();
        assert!(due.len() > 40 && due.is_subset(&fired), "{name}");
        let by_filter: BTreeSet<Moment> = fired
            .into_iter()
            .filter(|at| timetable.last(name, at.plus(TimeDelta::seconds(-1)), *at).is_some())
            .collect();
        assert_eq!(by_filter, due, "{name}");
        assert!(
            local_firings(&timetable, named, from).is_some(),
            "{name} is plain on its own clock"
        );
    }
}

/// A time that daylight saving leaves out, or doubles, is not left to other programs' clocks.
#[test]
fn times_around_daylight_saving_are_told_in_utc() {
    let from = "2026-01-01T00:00:00Z".parse().expect("a moment");
    for (at, plain, utc) in [
        ("08:15", true, vec!["15 12 * * *", "15 13 * * *"]),
        ("02:30", false, vec!["30 6 * * *", "0 7 * * 0", "30 7 * * *"]),
        ("01:30", false, vec!["30 5 * * *", "30 6 * * *"]),
    ] {
        let schedule = schedule("America/New_York", at, "daily", false);
        let timetable = Timetable::of(&schedule);
        let named = &schedule.jobs[&job()];
        assert_eq!(local_firings(&timetable, named, from).is_some(), plain, "{at}");
        let found = firings(&timetable, named, &Zone::utc(), from);
        assert_eq!(found.iter().map(super::Firing::cron).collect::<Vec<_>>(), utc);
    }
    let schedule = schedule("America/New_York", "close", "trading", false);
    let timetable = Timetable::of(&schedule);
    let found = firings(&timetable, &schedule.jobs[&job()], &Zone::utc(), from);
    let lines: Vec<String> = found.iter().map(super::Firing::cron).collect();
    assert_eq!(lines, ["0 17 * * 1-5", "0 18 * * 1-5", "0 20 * * 1-5", "0 21 * * 1-5"]);
}
