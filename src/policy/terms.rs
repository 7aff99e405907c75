//! What the rules of a policy share: how problems are collected, how durations and names are read.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::model;
use crate::record::Problem;
use crate::record::yaml::Node;
use crate::source::ArtifactName;

/// Collects what is wrong with a policy, so that all of it can be told at once.
pub(super) struct Problems<'a> {
    pub(super) tree: &'a Node,
    pub(super) found: Vec<Problem>,
}

impl Problems<'_> {
    /// Adds a problem at a field's place.
    pub(super) fn at(&mut self, field: &str, message: String, help: impl Into<String>) {
        self.found.push(Problem::invalid(self.tree.locate(field), message, help));
    }
}

pub(super) const DURATION_HELP: &str = "write a number and s, m, h or d, such as `30d`";

/// A length of time as a policy writes it: `30d`, `15s`, `90m`, `2h`; longer than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasting(pub TimeDelta);

impl std::str::FromStr for Lasting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let long = duration(text).filter(|time| *time > TimeDelta::zero());
        long.map(Lasting).ok_or_else(|| format!("{}; {DURATION_HELP}", not_a_duration(text)))
    }
}

impl<'de> serde::Deserialize<'de> for Lasting {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Lasting {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Lasting".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]+[smhd]$",
            "examples": ["30m", "24h"],
        })
    }
}

pub(super) fn not_a_duration(text: &str) -> String {
    format!("`{text}` is no duration")
}

/// Reads `30d`, `15s`, `90m`, `2h`; anything else gives none.
pub fn duration(text: &str) -> Option<TimeDelta> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok().filter(|number| (0..=1_000_000).contains(number))?;
    match unit {
        "s" => TimeDelta::try_seconds(number),
        "m" => TimeDelta::try_minutes(number),
        "h" => TimeDelta::try_hours(number),
        "d" => TimeDelta::try_days(number),
        _ => None,
    }
}

/// Reads an evidence's name and whether a `?` makes it optional.
pub(super) fn optional_name(text: &str) -> Result<(ArtifactName, bool), String> {
    let (name, optional) = match text.strip_suffix('?') {
        Some(name) => (name, true),
        None => (text, false),
    };
    name.parse()
        .map(|name| (name, optional))
        .map_err(|fault: crate::source::id::IdFault| fault.to_string())
}

/// Judges how failures are retried.
pub(super) fn retries(
    retries: &BTreeMap<crate::record::kind::FailureClass, model::FailureRetry>,
    field: &str,
    problems: &mut Problems<'_>,
) {
    for retry in retries.values() {
        let intervals = [&retry.initial_interval, &retry.maximum_interval];
        for text in intervals.into_iter().flatten().filter(|text| duration(text).is_none()) {
            problems.at(field, not_a_duration(text), DURATION_HELP);
        }
        if retry.maximum_attempts == 0 {
            problems.at(field, "no attempt at all is allowed".into(), "1 means no retry");
        }
        if retry.backoff_coefficient.is_some_and(|factor| !(1.0..=100.0).contains(&factor))
            || retry.jitter.is_some_and(|jitter| !(0.0..=1.0).contains(&jitter))
        {
            let help = "backoff_coefficient is 1 to 100, jitter 0 to 1";
            problems.at(field, "this is out of range".into(), help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("30d"), TimeDelta::try_days(30));
        for bad in ["", "d", "30", "-1d", "1w", "ü", "1000000000000000000000d"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
