//! Names that mean one thing each, so that a task's id can't be passed where a stage is meant.

use std::fmt;
use std::str::FromStr;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdFault {
    /// What kind of name was expected, in words.
    pub expected: &'static str,
    /// The rule that the text breaks, in words.
    pub rule: &'static str,
}

impl fmt::Display for IdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.expected, self.rule)
    }
}

/// Ids are `[A-Za-z][A-Za-z0-9._-]{1,62}`: an unquoted `26e2` is a number in YAML.
const ID_RULE: &str = "is 2 to 63 letters, digits, `.`, `_` or `-`, and begins with a letter";
/// Names in a policy may be a single letter, as lanes often are.
const NAME_RULE: &str = "is 1 to 63 letters, digits, `.`, `_` or `-`, and begins with a letter";

fn well_formed(text: &str, shortest: usize) -> bool {
    (shortest..=63).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !text.ends_with('.')
        && text.as_bytes().windows(2).all(|pair| pair != b"..")
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $expected:literal, $shortest:literal, $rule:ident, $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Gives the text as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdFault;

            fn from_str(text: &str) -> Result<Self, IdFault> {
                if well_formed(text, $shortest) {
                    Ok($name(text.to_owned()))
                } else {
                    Err(IdFault { expected: $expected, rule: $rule })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "minLength": $shortest,
                    "maxLength": 63,
                    "pattern": "^[A-Za-z][A-Za-z0-9._-]*$",
                    "examples": [$example],
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

names! {
    /// Names one piece of work, unique in a repository without regard to case (R000-31).
    TaskId: "an id", 2, ID_RULE, "strat-001";
    /// Names one run of a stage, derived from what it consumes (R001-13).
    RunId: "a run id", 2, ID_RULE, "r7bdc5a1f09";
    /// Names an agent or a person, as the policy lists them.
    AgentName: "an agent's name", 1, NAME_RULE, "quant_engineer";
    /// Names a lane, as the policy lists them.
    LaneName: "a lane's name", 1, NAME_RULE, "B";
    /// Names a workflow, as the policy lists them.
    WorkflowName: "a workflow's name", 1, NAME_RULE, "new_strategy";
    /// Names a stage of a workflow.
    StageName: "a stage's name", 1, NAME_RULE, "backtest";
    /// Names a piece of evidence, as a stage's `produces` and `requires` do.
    ArtifactName: "an artifact's name", 1, NAME_RULE, "code";
    /// Names a job of the schedule.
    JobName: "a job's name", 1, NAME_RULE, "end_of_day";
    /// Names what an alert is about, such as `risk_alert` (R003-26).
    ActionName: "an action's name", 1, NAME_RULE, "risk_alert";
    /// Names a probe of the health checks.
    ProbeName: "a probe's name", 1, NAME_RULE, "market_data";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_begin_with_a_letter_and_stay_short() {
        for good in ["strat-001", "ORCH-001", "r3f9c2a71b0", "a.b_c"] {
            assert!(good.parse::<TaskId>().is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "a", "26e2", "-x", "a b", "a/b", "ü1", "a..b", "ab.", long.as_str()] {
            assert!(bad.parse::<TaskId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_lane_may_be_one_letter() {
        assert!("B".parse::<LaneName>().is_ok());
    }
}
