//! A time zone by its IANA name; the database is built in, so that every machine knows the same.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;

/// A time zone, such as `America/New_York`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Gives UTC.
    pub fn utc() -> Self {
        Zone(TimeZone::UTC)
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
    use super::*;

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
