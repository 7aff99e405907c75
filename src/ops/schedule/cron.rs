//! A line of cron: which minutes it fires at, and when it fired last.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::calendar::{Clock, Date, Zone};
use crate::source::Moment;

/// How far back a line is followed, in days: one may fire on 29 February alone.
const BACK: i32 = 366 * 8;
/// What a line may begin with, to go by another clock than that of UTC.
const ZONE: &str = "CRON_TZ=";

/// Five fields of cron, and the zone whose clock they go by; UTC if none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    zone: Zone,
    text: String,
    minutes: BTreeSet<u8>,
    hours: BTreeSet<u8>,
    days: BTreeSet<u8>,
    months: BTreeSet<u8>,
    weekdays: BTreeSet<u8>,
    /// Both the day of the month and the weekday are narrowed: one of them is enough.
    either: bool,
}

impl Cron {
    /// Gives when it fired last, at a moment or before it; none if it never does.
    pub fn last(&self, at: Moment) -> Option<Moment> {
        let today = self.zone.local(at).0;
        let days = (-1..=BACK).filter_map(|back| today.plus(-back));
        let mut found = days.filter(|day| self.on(*day)).filter_map(|day| {
            let times = self.hours.iter().rev();
            let mut times = times.flat_map(|hour| {
                self.minutes.iter().rev().map(|minute| Clock { hour: *hour, minute: *minute })
            });
            times.find_map(|clock| self.zone.at(day, clock).filter(|fired| *fired <= at))
        });
        found.next()
    }

    fn on(&self, day: Date) -> bool {
        let (month, of_month, weekday) = day.parts();
        let (days, weekdays) = (self.days.contains(&of_month), self.weekdays.contains(&weekday));
        let fits = if self.either { days || weekdays } else { days && weekdays };
        self.months.contains(&month) && fits
    }
}

impl FromStr for Cron {
    type Err = String;

    /// Takes five fields of numbers, `*`, lists, ranges and steps, with `CRON_TZ=ZONE` before them or not.
    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || {
            format!("`{text}` is no line of cron; write its five fields, such as `15 12 * * 1-5`")
        };
        let (zone, fields) = match text.trim().strip_prefix(ZONE) {
            Some(rest) => {
                let (zone, fields) = rest.split_once(' ').ok_or_else(fault)?;
                (zone.parse()?, fields)
            }
            None => (Zone::utc(), text),
        };
        let words: Vec<&str> = fields.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = words[..] else { return Err(fault()) };
        let field = |word: &str, least, most| field(word, least, most).ok_or_else(fault);
        // Sunday is 0 and 7.
        let weekdays_of = field(weekdays, 0, 7)?.into_iter().map(|day| day % 7);
        Ok(Cron {
            zone,
            text: text.trim().to_owned(),
            minutes: field(minutes, 0, 59)?,
            hours: field(hours, 0, 23)?,
            days: field(days, 1, 31)?,
            months: field(months, 1, 12)?,
            weekdays: weekdays_of.collect(),
            either: !days.starts_with('*') && !weekdays.starts_with('*'),
        })
    }
}

fn field(word: &str, least: u8, most: u8) -> Option<BTreeSet<u8>> {
    let parts = word.split(',').map(|part| {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, number(step).filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, until) = match (range, range.split_once('-')) {
            ("*", _) => (least, most),
            (_, Some((from, until))) => (number(from)?, number(until)?),
            // A step behind one number goes on to the end.
            (one, None) if part != range => (number(one)?, most),
            (one, None) => (number(one)?, number(one)?),
        };
        let fits = least <= from && from <= until && until <= most;
        fits.then(|| (from..=until).step_by(usize::from(step)))
    });
    Some(parts.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

fn number(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_when_it_fired_last() {
        for (line, at, last) in [
            ("15 12 * * 1-5", "2026-11-21T09:00:00Z", "2026-11-20T12:15:00Z"),
            ("15 12 * * 1-5", "2026-11-20T12:15:00Z", "2026-11-20T12:15:00Z"),
            ("15 12 * * 1-5", "2026-11-20T12:14:59Z", "2026-11-19T12:15:00Z"),
            ("0 0 29 2 *", "2026-11-20T12:14:59Z", "2024-02-29T00:00:00Z"),
            ("*/20 8-9 * * 7", "2026-11-20T12:14:59Z", "2026-11-15T09:40:00Z"),
            ("5/25 8 1 * 5", "2026-11-21T12:00:00Z", "2026-11-20T08:55:00Z"),
            ("CRON_TZ=America/New_York 15 8 * * *", "2026-11-21T13:14:00Z", "2026-11-20T13:15:00Z"),
        ] {
            let cron: Cron = line.parse().expect("a line");
            let found = cron.last(at.parse().expect("a moment"));
            assert_eq!(found.map(|at| at.to_string()).as_deref(), Some(last), "{line}");
        }
        let never: Cron = "0 0 31 2 *".parse().expect("a line");
        assert_eq!(never.last("2026-11-20T12:14:59Z".parse().expect("a moment")), None);
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for bad in [
            "",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "+5 * * * *",
            "@daily",
            "CRON_TZ=Mars/Olympus * * * * *",
        ] {
            assert!(bad.parse::<Cron>().is_err(), "{bad}");
        }
    }

    /// What an independent reader of cron makes of the same lines.
    #[test]
    fn croner_reads_the_lines_likewise() {
        for line in ["15 12 * * 1-5", "0 14 * * 6", "*/20 8-9 * * 7", "0 0 1 * 5", "30 2 * * *"] {
            let ours: Cron = line.parse().expect("a line");
            let theirs: croner::Cron = line.parse().expect("croner reads it");
            let mut at: Moment = "2026-01-01T00:07:00Z".parse().expect("a moment");
            for _ in 0..500 {
                at = at.plus(chrono::TimeDelta::minutes(97 * 13));
                let stamp = chrono::DateTime::from_timestamp(at.unix(), 0).expect("a time");
                let last = theirs.find_previous_occurrence(&stamp, true).expect("it fires");
                assert_eq!(
                    ours.last(at).map(|at| at.unix()),
                    Some(last.timestamp()),
                    "{line} {at}"
                );
            }
        }
    }
}
