//! Moments in UTC, whole seconds, as records write them: `2026-11-21T14:30:00Z`.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike as _, SecondsFormat, TimeDelta, Utc};

/// Clocks of different machines may differ by this.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// A moment in UTC, to the second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(DateTime<Utc>);

impl Moment {
    /// Takes a moment of the clock and drops what is below a second.
    pub fn new(at: DateTime<Utc>) -> Self {
        Moment(DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at))
    }

    /// Gives the month as ledgers' folders name it, `2026-11`.
    pub fn month(&self) -> String {
        format!("{:04}-{:02}", self.0.year(), self.0.month())
    }

    /// Gives the day as branches and decisions name it, `2026-11-21`.
    pub fn day(&self) -> String {
        self.0.format("%Y-%m-%d").to_string()
    }

    /// Gives it in seconds since 1970.
    pub fn unix(&self) -> i64 {
        self.0.timestamp()
    }

    /// Takes seconds since 1970; what lies behind the year 9999, or before 1970, is none.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        let at = DateTime::from_timestamp(seconds, 0)?;
        (1970..=9999).contains(&at.year()).then_some(Moment(at))
    }

    /// Gives the week of ISO 8601, `2026-W47`; its year is not always the day's.
    pub fn week(&self) -> String {
        self.0.format("%G-W%V").to_string()
    }

    /// Gives the time from `earlier` to this moment; negative if it lies ahead.
    pub fn since(&self, earlier: Moment) -> TimeDelta {
        self.0 - earlier.0
    }

    /// Gives this moment moved by `by`; at the calendar's edge it stays where it is.
    pub fn plus(&self, by: TimeDelta) -> Moment {
        Moment(self.0.checked_add_signed(by).unwrap_or(self.0))
    }
}

/// Why a text is no moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MomentFault;

impl fmt::Display for MomentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a moment is written in UTC like `2026-11-21T14:30:00Z`")
    }
}

impl FromStr for Moment {
    type Err = MomentFault;

    /// Takes RFC 3339 with any offset; a leap second and a missing offset are refused (attack 102).
    fn from_str(text: &str) -> Result<Self, MomentFault> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| MomentFault)?;
        if at.timestamp_subsec_nanos() >= 1_000_000_000 || !(1970..=9999).contains(&at.year()) {
            return Err(MomentFault);
        }
        Ok(Moment::new(at.with_timezone(&Utc)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl serde::Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date-time",
            "examples": ["2026-11-21T14:30:00Z"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attack 102: no offset, a leap second, an impossible day.
    #[test]
    fn only_whole_moments_with_an_offset_are_taken() {
        for bad in
            ["2026-11-21T14:30:00", "2026-11-21", "2026-06-30T23:59:60Z", "2026-02-30T00:00:00Z"]
        {
            assert_eq!(bad.parse::<Moment>(), Err(MomentFault), "{bad}");
        }
        let moment: Moment = "2026-11-21T15:30:00.75+01:00".parse().expect("RFC 3339");
        assert_eq!(moment.to_string(), "2026-11-21T14:30:00Z");
        assert_eq!(moment.month(), "2026-11");
        assert_eq!(moment.week(), "2026-W47");
        let new_year: Moment = "2027-01-01T00:00:00Z".parse().expect("RFC 3339");
        assert_eq!(new_year.week(), "2026-W53", "a Friday of the last year's last week");
    }
}
