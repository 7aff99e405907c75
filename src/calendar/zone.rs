//! A time zone by its IANA name; the database is built in, so that every machine knows the same.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::{Clock, Date};
use crate::source::Moment;

/// A time zone, such as `America/New_York`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Gives UTC.
    pub fn utc() -> Self {
        Zone(TimeZone::UTC)
    }

    /// Gives the day and the time that its clocks show at a moment, without the seconds; behind the last
    /// that the calendar knows, in the year 9999, what they show at that one.
    pub fn local(&self, at: Moment) -> (Date, Clock) {
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let known = at.unix().clamp(first, last);
        let at = Timestamp::from_second(known).expect("it lies between the first and the last");
        let shown = self.0.to_datetime(at);
        let number = |number: i8| u8::try_from(number).expect("a clock shows no less than 0");
        let clock = Clock { hour: number(shown.hour()), minute: number(shown.minute()) };
        (Date(shown.date()), clock)
    }

    /// Gives the moment at which its clocks show a time on a day: of a time that comes twice the first,
    /// of one that is left out the first moment behind the gap. A day that is left out has none.
    pub fn at(&self, day: Date, clock: Clock) -> Option<Moment> {
        let (shown, offset) = self.offset(day, clock)?;
        let at = match offset {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(shown).ok()?,
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(shown).ok()?,
            AmbiguousOffset::Gap { after, .. } => {
                // By the later offset, a time within the gap lies before the clocks are moved.
                let moved = self.0.following(after.to_timestamp(shown).ok()?).next()?.timestamp();
                let until = Timestamp::from_second(moved.as_second() - 1).ok()?;
                let day_of = |at: Timestamp| self.0.to_datetime(at).date();
                if day_of(until) < day.0 && day.0 < day_of(moved) {
                    return None;
                }
                moved
            }
        };
        Moment::from_unix(at.as_second())
    }

    /// Tells whether its clocks show a time on a day once, as they do but for daylight saving.
    pub fn shows_once(&self, day: Date, clock: Clock) -> bool {
        self.offset(day, clock)
            .is_some_and(|(_, offset)| matches!(offset, AmbiguousOffset::Unambiguous { .. }))
    }

    fn offset(&self, day: Date, clock: Clock) -> Option<(civil::DateTime, AmbiguousOffset)> {
        let number = |number: u8| i8::try_from(number).ok();
        let shown = day.0.at(number(clock.hour)?, number(clock.minute)?, 0, 0);
        Some((shown, self.0.to_ambiguous_timestamp(shown).offset()))
    }

    /// Gives the moment at which the day that a moment lies in is over here: the first of the next
    /// day. None beyond the years that calendars know.
    pub fn end_of_day(&self, at: Moment) -> Option<Moment> {
        let (day, _) = self.local(at);
        let next = day.0.tomorrow().ok()?.to_zoned(self.0.clone()).ok()?;
        Moment::from_unix(next.timestamp().as_second())
    }

    /// Gives its IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl FromStr for Zone {
    type Err = String;

    /// Takes an IANA name; offsets and abbreviations are refused, for they know no daylight saving.
    fn from_str(text: &str) -> Result<Self, String> {
        let fault =
            || format!("`{text}` is no time zone; write its IANA name, such as `America/New_York`");
        let zone = TimeZone::get(text).map_err(|_| fault())?;
        zone.iana_name().is_some().then_some(Zone(zone)).ok_or_else(fault)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

super::spelled!(Zone);

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// R003-2: what the clocks leave out, and what they show twice.
    #[test]
    fn daylight_saving_leaves_out_no_moment_and_doubles_none() {
        for (zone, day, clock, at) in [
            ("America/New_York", "2026-03-06", "08:15", Some("2026-03-06T13:15:00Z")),
            ("America/New_York", "2026-03-09", "08:15", Some("2026-03-09T12:15:00Z")),
            ("America/New_York", "2026-03-08", "01:59", Some("2026-03-08T06:59:00Z")),
            ("America/New_York", "2026-03-08", "02:00", Some("2026-03-08T07:00:00Z")),
            ("America/New_York", "2026-03-08", "02:59", Some("2026-03-08T07:00:00Z")),
            ("America/New_York", "2026-03-08", "03:00", Some("2026-03-08T07:00:00Z")),
            ("America/New_York", "2026-11-01", "01:30", Some("2026-11-01T05:30:00Z")),
            ("America/New_York", "2026-11-01", "02:00", Some("2026-11-01T07:00:00Z")),
            ("Africa/Cairo", "2026-04-24", "00:30", Some("2026-04-23T22:00:00Z")),
            ("Pacific/Apia", "2011-12-29", "12:00", Some("2011-12-29T22:00:00Z")),
            ("Pacific/Apia", "2011-12-30", "00:00", None),
            ("Pacific/Apia", "2011-12-30", "12:00", None),
            ("Pacific/Apia", "2011-12-31", "12:00", Some("2011-12-30T22:00:00Z")),
        ] {
            let zone: Zone = zone.parse().expect("a zone");
            let day: Date = day.parse().expect("a day");
            let found = zone.at(day, clock.parse().expect("a time"));
            assert_eq!(found.map(|at| at.to_string()).as_deref(), at, "{zone} {day} {clock}");
        }
    }

    /// A day ends at midnight of its zone, also on the days on which clocks change.
    #[test]
    fn a_day_ends_at_midnight() {
        let end = |zone: &str, at: &str| {
            let zone: Zone = zone.parse().expect("a zone");
            zone.end_of_day(at.parse().expect("a moment")).map(|end| end.to_string())
        };
        let some = |text: &str| Some(text.to_owned());
        let york = "America/New_York";
        assert_eq!(end(york, "2026-11-02T14:00:00Z"), some("2026-11-03T05:00:00Z"));
        assert_eq!(end(york, "2026-11-03T04:59:59Z"), some("2026-11-03T05:00:00Z"));
        assert_eq!(end(york, "2026-11-03T05:00:00Z"), some("2026-11-04T05:00:00Z"));
        assert_eq!(end(york, "2026-03-08T06:00:00Z"), some("2026-03-09T04:00:00Z"));
        assert_eq!(end(york, "2026-11-01T05:00:00Z"), some("2026-11-02T05:00:00Z"));
        assert_eq!(end("UTC", "2026-11-02T14:00:00Z"), some("2026-11-03T00:00:00Z"));
    }

    /// The last and the first moments that can be written have a day everywhere.
    #[test]
    fn the_edges_of_the_calendar_have_days() {
        for zone in ["UTC", "America/New_York", "Pacific/Apia", "Pacific/Kiritimati"] {
            let zone: Zone = zone.parse().expect("a zone");
            for at in ["9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"] {
                let at: Moment = at.parse().expect("a moment");
                for beside in [at, at.plus(TimeDelta::days(400)), at.plus(TimeDelta::days(-400))] {
                    let day = zone.local(beside).0.to_string();
                    assert!(
                        ["9998", "9999", "1968", "1969", "1970", "1971"].contains(&&day[..4]),
                        "{day}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_zone_has_an_iana_name() {
        for good in ["America/New_York", "America/Los_Angeles", "UTC", "Europe/Vienna"] {
            assert_eq!(good.parse::<Zone>().map(|zone| zone.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "ET", "New York", "+05:00", "Mars/Olympus"] {
            assert!(bad.parse::<Zone>().is_err(), "{bad}");
        }
    }
}
