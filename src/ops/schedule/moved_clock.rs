//! The hedge template's days, minute by minute, as a clock would go through them.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::Timetable;
use crate::policy::Policy;
use crate::source::Moment;

/// The trading day of the template, in New York, with the close for the last two (R003-2, R003-3).
const DAY: [(&str, &str); 9] = [
    ("08:00", "health_checks"),
    ("08:15", "data_ingestion"),
    ("08:30", "strategy_briefing"),
    ("08:35", "specialist_analysis"),
    ("09:00", "pre_trade_review"),
    ("09:15", "trade_pack"),
    ("09:30", "execution_window"),
    ("10:00", "reconciliation"),
    ("12:00", "midday_check"),
];
/// Weekly maintenance and monthly drills (R003-16, R003-17).
const WEEKLY: [(&str, &str); 3] =
    [("10:00", "dependency_updates"), ("10:00", "prompt_refresh"), ("10:00", "retraining")];
const MONTHLY: [(&str, &str); 3] =
    [("14:00", "backup_validation"), ("14:00", "key_rotation"), ("14:00", "kill_switch_drill")];

/// What a day is.
enum Kind {
    Trading(&'static str),
    Saturday,
    FirstSaturday,
    Rest,
}

fn expected(kind: &Kind) -> Vec<(String, String)> {
    let of = |table: &[(&str, &str)]| -> Vec<(String, String)> {
        table.iter().map(|(at, job)| ((*at).to_owned(), (*job).to_owned())).collect()
    };
    match kind {
        Kind::Trading(close) => {
            let report = close.replace(":00", ":30");
            let mut day = of(&DAY);
            day.push(((*close).to_owned(), "end_of_day".to_owned()));
            day.push((report, "daily_report".to_owned()));
            day
        }
        Kind::Saturday => of(&WEEKLY),
        Kind::FirstSaturday => [of(&WEEKLY), of(&MONTHLY)].concat(),
        Kind::Rest => Vec::new(),
    }
}

/// R003-2, R003-3, R003-16, R003-17, R003-20: the clock is moved through ordinary days, a holiday, a short
/// day, and both weekends of daylight saving; at every minute orch is asked what came due in it.
#[test]
fn each_job_is_due_once_whatever_the_clock_does() {
    let policy = include_bytes!("../../../templates/hedge.yaml");
    let policy = Policy::parse(policy, &crate::checks::names()).expect("a policy");
    let timetable = Timetable::of(&policy.schedule);
    // Days, hours behind UTC while jobs are due, and what each day is.
    for (day, behind, kind) in [
        ("2026-06-10", 4, Kind::Trading("16:00")),
        ("2026-06-19", 4, Kind::Rest),
        ("2026-07-03", 4, Kind::Rest),
        ("2026-11-27", 5, Kind::Trading("13:00")),
        ("2026-12-24", 5, Kind::Trading("13:00")),
        ("2026-12-25", 5, Kind::Rest),
        ("2026-03-06", 5, Kind::Trading("16:00")),
        ("2026-03-07", 5, Kind::FirstSaturday),
        ("2026-03-08", 4, Kind::Rest),
        ("2026-03-09", 4, Kind::Trading("16:00")),
        ("2026-03-10", 4, Kind::Trading("16:00")),
        ("2026-10-30", 4, Kind::Trading("16:00")),
        ("2026-10-31", 4, Kind::Saturday),
        ("2026-11-01", 5, Kind::Rest),
        ("2026-11-02", 5, Kind::Trading("16:00")),
        ("2026-11-03", 5, Kind::Trading("16:00")),
        ("2026-11-07", 5, Kind::FirstSaturday),
    ] {
        let (begin, end) = timetable.bounds(day.parse().expect("a day")).expect("it is there");
        let mut minutes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut at = begin.plus(TimeDelta::seconds(1));
        let mut asked = 0;
        while at <= end {
            asked += 1;
            for due in timetable.between(at.plus(TimeDelta::minutes(-1)), at) {
                assert_eq!(due.at, at, "{day}");
                // The clock on the wall, by hand and not by the calendar that is under test.
                let wall = at.plus(TimeDelta::hours(-behind)).to_string();
                assert!(wall.starts_with(day), "{day} {wall}");
                minutes.entry(wall[11..16].to_owned()).or_default().push(due.job.to_string());
            }
            at = at.plus(TimeDelta::minutes(1));
        }
        let hours = match day {
            "2026-03-08" => 23,
            "2026-11-01" => 25,
            _ => 24,
        };
        assert_eq!(asked, hours * 60, "{day}");
        let found: Vec<(String, String)> = minutes
            .into_iter()
            .flat_map(|(at, jobs)| jobs.into_iter().map(move |job| (at.clone(), job)))
            .collect();
        let mut expected = expected(&kind);
        expected.sort();
        assert_eq!(found, expected, "{day}");
    }
}

/// R003-16, R003-17: windows stand on their days, from their beginning up to their end.
#[test]
fn windows_stand_between_their_times() {
    let policy = include_bytes!("../../../templates/hedge.yaml");
    let policy = Policy::parse(policy, &crate::checks::names()).expect("a policy");
    let timetable = Timetable::of(&policy.schedule);
    let moment = |text: &str| -> Moment { text.parse().expect("a moment") };
    for (at, standing) in [
        ("2026-03-07T14:59:59Z", vec![]),
        ("2026-03-07T15:00:00Z", vec!["weekly"]),
        ("2026-03-07T18:59:59Z", vec!["weekly"]),
        ("2026-03-07T19:00:00Z", vec!["monthly"]),
        ("2026-03-07T23:00:00Z", vec![]),
        ("2026-03-14T13:59:59Z", vec![]),
        ("2026-03-14T14:00:00Z", vec!["weekly"]),
        ("2026-03-14T18:00:00Z", vec![]),
    ] {
        let found = timetable.windows_at(moment(at));
        assert_eq!(found.into_iter().map(|one| one.window).collect::<Vec<_>>(), standing, "{at}");
    }
    let next = timetable.next_window(moment("2026-03-07T19:00:00Z")).expect("each week");
    assert_eq!((next.window.as_str(), next.from), ("weekly", moment("2026-03-14T14:00:00Z")));
}

/// R003-20: a schedule in Pacific time follows the opening in New York.
#[test]
fn the_opening_is_where_the_exchange_is() {
    let template = include_str!("../../../templates/hedge.yaml");
    let pacific =
        template.replacen("time_zone: America/New_York", "time_zone: America/Los_Angeles", 1);
    let policy = Policy::parse(pacific.as_bytes(), &crate::checks::names()).expect("a policy");
    let timetable = Timetable::of(&policy.schedule);
    let (begin, end) = timetable.bounds("2026-06-10".parse().expect("a day")).expect("it is there");
    let due = timetable.between(begin, end);
    let at = |job: &str| due.iter().find(|due| due.job == *job).map(|due| due.at.to_string());
    assert_eq!(at("execution_window").as_deref(), Some("2026-06-10T13:30:00Z"));
    assert_eq!(at("end_of_day").as_deref(), Some("2026-06-10T20:00:00Z"));
    assert_eq!(at("health_checks").as_deref(), Some("2026-06-10T15:00:00Z"));
}
