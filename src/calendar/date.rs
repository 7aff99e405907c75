//! A day of the civil calendar, wherever it is.

use std::fmt;
use std::str::FromStr;

use jiff::civil;

use crate::source::Moment;

/// A day, such as `2026-11-02`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub(super) civil::Date);

impl Date {
    /// Gives the day so many days later, or earlier; none beyond the calendar.
    pub fn plus(self, days: i32) -> Option<Self> {
        self.0.checked_add(jiff::Span::new().days(days)).ok().map(Date)
    }

    /// Gives its month, its day of the month, and its weekday: 0 for Sunday to 6.
    pub fn parts(self) -> (u8, u8, u8) {
        let number = |number: i8| u8::try_from(number).expect("dates have no negative part");
        let weekday = self.0.weekday().to_sunday_zero_offset();
        (number(self.0.month()), number(self.0.day()), number(weekday))
    }

    /// Gives its weekday, as policies name it.
    pub fn weekday(self) -> &'static str {
        super::days::name_of(self.0.weekday())
    }

    /// Gives how many days lie between it and the day of a moment in UTC; negative if it is ahead.
    pub fn days_until(self, at: Moment) -> i64 {
        let day = civil::Date::strptime("%Y-%m-%d", at.day()).unwrap_or(self.0);
        (day - self.0).get_days().into()
    }
}

impl FromStr for Date {
    type Err = String;

    /// Takes four digits of the year, two of the month and two of the day, with `-` between them.
    fn from_str(text: &str) -> Result<Self, String> {
        let day = civil::Date::strptime("%Y-%m-%d", text).ok().map(Date);
        day.filter(|day| day.to_string() == text)
            .ok_or_else(|| format!("`{text}` is no day; write it like `2026-11-02`"))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

super::spelled!(Date);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_months() {
        let date: Date = "2026-11-02".parse().expect("a day");
        let until = |at: &str| date.days_until(at.parse().expect("a moment"));
        assert_eq!(until("2026-11-02T23:59:59Z"), 0);
        assert_eq!(until("2027-11-02T00:00:00Z"), 365);
        assert_eq!(until("2026-10-31T00:00:00Z"), -2);
    }

    #[test]
    fn a_day_is_written_in_full() {
        assert_eq!(
            "2024-02-29".parse::<Date>().map(|day| day.to_string()),
            Ok("2024-02-29".into())
        );
        for bad in ["", "2023-02-29", "2026-1-2", "26-01-02", "2026-11-02T00:00:00Z", "20261102"] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }
}
