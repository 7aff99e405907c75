//! A time of day on a clock, or beside the opening or the close of an exchange.

use std::fmt;
use std::str::FromStr;

/// A time on a clock, in hours and minutes of a local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// When in a day something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeOfDay {
    /// At a time on the clock: `08:15`.
    At(Clock),
    /// So many minutes behind the opening of the calendar's day, or before it: `open`, `open-30m`.
    Open(i16),
    /// The same for its close, which comes earlier on some days: `close`, `close+30m`.
    Close(i16),
}

/// Nothing is due further from an opening or a close than this, in minutes.
const FURTHEST: i16 = 12 * 60;

impl FromStr for Clock {
    type Err = String;

    /// Takes two digits, `:` and two digits.
    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("`{text}` is no time; write hours and minutes, such as `08:15`");
        let (hour, minute) = text.split_once(':').ok_or_else(fault)?;
        let number = |part: &str, below: u8| {
            let whole = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u8>().ok().filter(|number| whole && *number < below)
        };
        let (hour, minute) = number(hour, 24).zip(number(minute, 60)).ok_or_else(fault)?;
        Ok(Clock { hour, minute })
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || {
            let help = "write `08:15`, or `open`, `close`, `close+30m` on a trading day";
            format!("`{text}` is no time of day; {help}")
        };
        let beside = |rest: &str| -> Result<i16, String> {
            let minutes = rest.strip_suffix('m').and_then(|number| number.parse().ok());
            let signed = rest.starts_with(['+', '-']);
            match (rest, minutes) {
                ("", _) => Ok(0),
                (_, Some(minutes)) if signed && (-FURTHEST..=FURTHEST).contains(&minutes) => {
                    Ok(minutes)
                }
                _ => Err(fault()),
            }
        };
        if let Some(rest) = text.strip_prefix("open") {
            return beside(rest).map(TimeOfDay::Open);
        }
        if let Some(rest) = text.strip_prefix("close") {
            return beside(rest).map(TimeOfDay::Close);
        }
        text.parse().map(TimeOfDay::At).map_err(|_| fault())
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeOfDay::At(clock) => write!(f, "{clock}"),
            TimeOfDay::Open(0) => f.write_str("open"),
            TimeOfDay::Close(0) => f.write_str("close"),
            TimeOfDay::Open(minutes) => write!(f, "open{minutes:+}m"),
            TimeOfDay::Close(minutes) => write!(f, "close{minutes:+}m"),
        }
    }
}

super::spelled!(Clock);
super::spelled!(TimeOfDay);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_told_as_it_was_written() {
        for good in ["00:00", "08:15", "23:59", "open", "close", "open-30m", "close+30m"] {
            assert_eq!(good.parse::<TimeOfDay>().map(|at| at.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "8:15", "24:00", "08:60", "0815", "open30m", "close+", "close+800m", "noon"]
        {
            assert!(bad.parse::<TimeOfDay>().is_err(), "{bad}");
        }
    }
}
