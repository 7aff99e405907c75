//! A calendar of trading days: when it is open, and why it is not (R003-2, R003-20).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Weekday;

use super::{Clock, Date, Zone, nyse};
use crate::source::Moment;

/// The days and hours on which something trades, or works.
#[derive(Debug, Clone)]
pub struct Calendar {
    exchange: bool,
    zone: Zone,
    open: Clock,
    close: Clock,
    closed: BTreeSet<Date>,
    early: BTreeMap<Date, Clock>,
}

/// One day on which a calendar is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// When it opens, by the calendar's own clock.
    pub open: Clock,
    /// When it closes.
    pub close: Clock,
    /// Why it closes earlier than on other days, if it does.
    pub early: Option<&'static str>,
}

/// What a day is in a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is open.
    Open(Session),
    /// It is closed, and why: a holiday's name, or a weekend.
    Closed(&'static str),
}

impl Calendar {
    /// Gives the New York Stock Exchange's: from 09:30 to 16:00 there, to 13:00 on short days.
    pub fn nyse() -> Self {
        let zone = "America/New_York".parse().expect("the database has New York");
        let (open, close) = (Clock { hour: 9, minute: 30 }, Clock { hour: 16, minute: 0 });
        Calendar { exchange: true, ..Calendar::working(zone, open, close) }
    }

    /// Gives one that is open from Monday to Friday, between two times of a zone.
    pub fn working(zone: Zone, open: Clock, close: Clock) -> Self {
        let (closed, early) = (BTreeSet::new(), BTreeMap::new());
        Calendar { exchange: false, zone, open, close, closed, early }
    }

    /// Gives the same with hours of its own, where they are said.
    #[must_use]
    pub fn hours(self, open: Option<Clock>, close: Option<Clock>) -> Self {
        let (open, close) = (open.unwrap_or(self.open), close.unwrap_or(self.close));
        Calendar { open, close, ..self }
    }

    /// Gives the same, closed on more days and closing early on others.
    #[must_use]
    pub fn except(mut self, closed: &BTreeSet<Date>, early: &BTreeMap<Date, Clock>) -> Self {
        self.closed.extend(closed);
        self.early.extend(early);
        self
    }

    /// Gives the zone whose clock it goes by.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Tells what a day is.
    pub fn standing(&self, day: Date) -> Standing {
        if matches!(day.0.weekday(), Weekday::Saturday | Weekday::Sunday) {
            return Standing::Closed("weekend");
        }
        if self.closed.contains(&day) {
            return Standing::Closed("closed by the policy");
        }
        if let Some(holiday) = nyse::closed(day.0).filter(|_| self.exchange) {
            return Standing::Closed(holiday);
        }
        let own = self.early.get(&day).map(|close| (*close, "by the policy"));
        let rule = nyse::early(day.0).filter(|_| self.exchange).map(|why| (EARLY, why));
        // Whoever closes for good before an early close does so on that day as well.
        let short = own.or(rule).filter(|(close, _)| *close < self.close);
        Standing::Open(Session {
            open: self.open,
            close: short.map_or(self.close, |(close, _)| close),
            early: short.map(|(_, why)| why),
        })
    }

    /// Gives when it is open on a day; none if it is closed.
    pub fn session(&self, day: Date) -> Option<Session> {
        match self.standing(day) {
            Standing::Open(session) => Some(session),
            Standing::Closed(_) => None,
        }
    }

    /// Tells whether it is open at a moment.
    pub fn is_open_at(&self, at: Moment) -> bool {
        let (day, _) = self.zone.local(at);
        self.session(day).is_some_and(|session| {
            let within = self.zone.at(day, session.open).zip(self.zone.at(day, session.close));
            within.is_some_and(|(open, close)| open <= at && at < close)
        })
    }

    /// Gives every time at which it closes on some day, the usual one first.
    pub fn closes(&self) -> Vec<Clock> {
        let early = self.early.values().copied().chain(self.exchange.then_some(EARLY));
        let early: BTreeSet<Clock> = early.filter(|early| *early < self.close).collect();
        [self.close].into_iter().chain(early).collect()
    }

    /// Gives when it opens.
    pub fn opens(&self) -> Clock {
        self.open
    }
}

/// When the exchange closes on its short days.
const EARLY: Clock = Clock { hour: 13, minute: 0 };

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn clock(text: &str) -> Clock {
        text.parse().expect("a time")
    }

    /// R003-20: what a day is, in words.
    #[test]
    fn a_day_says_why_it_is_short_or_closed() {
        let nyse = Calendar::nyse();
        assert_eq!(
            nyse.standing(day("2026-07-03")),
            Standing::Closed("Independence Day (observed)")
        );
        assert_eq!(nyse.standing(day("2026-11-21")), Standing::Closed("weekend"));
        let short = nyse.session(day("2026-11-27")).expect("open");
        assert_eq!((short.close, short.early), (clock("13:00"), Some("Day after Thanksgiving")));
        assert_eq!(nyse.session(day("2026-11-30")).expect("open").early, None);
    }

    /// Calendars of one's own: what differs from the exchange's, and what follows nobody.
    #[test]
    fn a_calendar_of_your_own_differs_where_it_says_so() {
        let closed = BTreeSet::from([day("2026-11-30")]);
        let early = BTreeMap::from([(day("2026-12-01"), clock("15:00"))]);
        let own = Calendar::nyse().except(&closed, &early);
        assert_eq!(own.standing(day("2026-11-30")), Standing::Closed("closed by the policy"));
        assert_eq!(own.session(day("2026-12-01")).expect("open").close, clock("15:00"));
        assert_eq!(own.closes(), ["16:00", "13:00", "15:00"].map(clock));
        let morning = own.hours(None, Some(clock("12:00")));
        assert_eq!(morning.session(day("2026-11-27")).expect("open").early, None);
        let office = Calendar::working(Zone::utc(), clock("09:00"), clock("17:00"));
        assert!(office.session(day("2026-12-25")).is_some());
        assert!(office.session(day("2026-12-26")).is_none());
    }

    /// R003-4: trading hours begin with the opening and are over at the close, short days too.
    #[test]
    fn hours_are_those_of_the_exchange() {
        let nyse = Calendar::nyse();
        for (at, open) in [
            ("2026-11-27T14:29:59Z", false),
            ("2026-11-27T14:30:00Z", true),
            ("2026-11-27T17:59:59Z", true),
            ("2026-11-27T18:00:00Z", false),
            ("2026-07-06T13:30:00Z", true),
            ("2026-07-03T15:00:00Z", false),
        ] {
            assert_eq!(nyse.is_open_at(at.parse().expect("a moment")), open, "{at}");
        }
    }
}
