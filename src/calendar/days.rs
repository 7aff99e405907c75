//! The days on which something is due.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;

use super::Date;

/// The days on which something is due, as a policy writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Days {
    /// Every day: `daily`.
    Daily,
    /// The calendar's trading days: `trading`.
    Trading,
    /// Some days of the week, in order: `weekdays`, `saturday`, `monday, thursday`.
    Week(Vec<Weekday>),
    /// One day of a month: `first saturday`, `last friday`.
    Month(Nth, Weekday),
}

/// Which of the days of a month that fall on one weekday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nth {
    /// The first to the fourth: 1 to 4.
    From(i8),
    /// The last.
    Last,
}

const WEEK: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];
const WORKING: usize = 5;

const NTH: [(&str, Nth); 5] = [
    ("first", Nth::From(1)),
    ("second", Nth::From(2)),
    ("third", Nth::From(3)),
    ("fourth", Nth::From(4)),
    ("last", Nth::Last),
];

fn weekday(text: &str) -> Option<Weekday> {
    WEEK.iter().find(|(name, _)| *name == text).map(|(_, day)| *day)
}

pub(super) fn name_of(day: Weekday) -> &'static str {
    WEEK.iter().find(|(_, known)| *known == day).map_or("", |(name, _)| name)
}

impl Days {
    /// Tells whether all of them are days of the weekend, on which no calendar is open.
    pub fn never_trade(&self) -> bool {
        let rests = |day: &Weekday| matches!(day, Weekday::Saturday | Weekday::Sunday);
        match self {
            Days::Daily | Days::Trading => false,
            Days::Week(days) => days.iter().all(rests),
            Days::Month(_, day) => rests(day),
        }
    }

    /// Tells whether a day is one of them; `trades` says whether the calendar is open then.
    pub fn include(&self, day: Date, trades: impl FnOnce() -> bool) -> bool {
        match self {
            Days::Daily => true,
            Days::Trading => trades(),
            Days::Week(days) => days.contains(&day.0.weekday()),
            Days::Month(nth, weekday) => {
                let nth = match nth {
                    Nth::From(nth) => *nth,
                    Nth::Last => -1,
                };
                day.0.nth_weekday_of_month(nth, *weekday).is_ok_and(|due| due == day.0)
            }
        }
    }
}

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "daily" => return Ok(Days::Daily),
            "trading" => return Ok(Days::Trading),
            "weekdays" => {
                return Ok(Days::Week(WEEK[..WORKING].iter().map(|(_, day)| *day).collect()));
            }
            _ => {}
        }
        if let Some((nth, day)) = text.split_once(' ').filter(|(nth, _)| !nth.ends_with(',')) {
            let nth = NTH.iter().find(|(name, _)| *name == nth).map(|(_, nth)| *nth);
            if let (Some(nth), Some(day)) = (nth, weekday(day)) {
                return Ok(Days::Month(nth, day));
            }
        }
        let named: Option<Vec<Weekday>> = text.split(',').map(|day| weekday(day.trim())).collect();
        named.map(Days::Week).ok_or_else(|| {
            let help = "write `daily`, `weekdays`, `trading`, `saturday`, `monday, thursday` or \
                        `first saturday`";
            format!("`{text}` names no days; {help}")
        })
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Days::Daily => f.write_str("daily"),
            Days::Trading => f.write_str("trading"),
            Days::Week(days) if days.iter().eq(WEEK[..WORKING].iter().map(|(_, day)| day)) => {
                f.write_str("weekdays")
            }
            Days::Week(days) => {
                let names: Vec<&str> = days.iter().map(|day| name_of(*day)).collect();
                f.write_str(&names.join(", "))
            }
            Days::Month(nth, day) => {
                let nth = NTH.iter().find(|(_, known)| known == nth).map_or("", |(name, _)| name);
                write!(f, "{nth} {}", name_of(*day))
            }
        }
    }
}

super::spelled!(Days);

#[cfg(test)]
mod tests {
    use super::*;

    /// R003-16, R003-17: which days of November 2026 they are.
    #[test]
    fn days_are_found_in_a_month() {
        for (days, found) in [
            ("first saturday", vec![7]),
            ("last friday", vec![27]),
            ("fourth monday", vec![23]),
            ("saturday", vec![7, 14, 21, 28]),
            ("monday, thursday", vec![2, 5, 9, 12, 16, 19, 23, 26, 30]),
            ("trading", vec![3]),
        ] {
            let days: Days = days.parse().expect("days");
            let of = |number: &i32| format!("2026-11-{number:02}").parse().expect("a day");
            let due = |number: &i32| days.include(of(number), || *number == 3);
            assert_eq!((1..=30).filter(due).collect::<Vec<i32>>(), found, "{days}");
        }
        let all = (1..=30).all(|number| {
            let day = format!("2026-11-{number:02}").parse().expect("a day");
            Days::Daily.include(day, || false)
        });
        assert!(all);
    }

    #[test]
    fn days_are_told_as_they_were_written() {
        for good in
            ["daily", "weekdays", "trading", "saturday", "monday, thursday", "first saturday"]
        {
            assert_eq!(good.parse::<Days>().map(|days| days.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "Saturday", "fifth monday", "monday thursday", "monday,", "weekly"] {
            assert!(bad.parse::<Days>().is_err(), "{bad}");
        }
    }
}
