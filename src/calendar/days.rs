//! The days on which something is due.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;

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

fn name_of(day: Weekday) -> &'static str {
    WEEK.iter().find(|(_, known)| *known == day).map_or("", |(name, _)| name)
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
