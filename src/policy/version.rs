//! Versions of orch, as a policy may ask for one.

use std::fmt;

use super::Policy;

/// A release: major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version([u64; 3]);

impl Version {
    /// Reads `1.2.3`; gives none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Option<Vec<u64>> = text
            .split('.')
            .map(|part| part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit())))
            .collect();
        Some(Version(parts?.try_into().ok()?))
    }

    /// Gives the version that a policy asks for with `min_version`, if it is newer than this program. One that can't be
    /// read may be for that version as a whole, so its bytes are asked.
    pub fn newer_asked_for(read: Option<&Policy>, bytes: &[u8]) -> Option<Self> {
        let asked = match read {
            Some(policy) => policy.min_version,
            None => Version::asked_for_by(bytes),
        };
        asked.filter(|asked| *asked > Version::own())
    }

    fn asked_for_by(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let asked = text.lines().find_map(|line| line.strip_prefix("min_version:"))?;
        let asked = asked.split('#').next().unwrap_or_default();
        let asked = asked.trim().trim_matches(['"', '\'']);
        Version::parse(asked)
    }

    /// Gives the version of this program.
    pub fn own() -> Self {
        Self::parse(env!("CARGO_PKG_VERSION")).expect("a package has a version")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_one_is_asked_for_whatever_else_stands_there() {
        let asked =
            |text: &str| Version::newer_asked_for(None, text.as_bytes()).map(|v| v.to_string());
        assert_eq!(asked("x: {\nmin_version: \"99.0.1\" # soon\n"), Some("99.0.1".into()));
        assert_eq!(asked("min_version: 99.0.1\n"), Some("99.0.1".into()));
        for none in
            ["min_version: 0.0.1", "  min_version: 99.0.0", "min_version: x", "", "version: 2"]
        {
            assert_eq!(asked(none), None, "{none}");
        }
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let version = |text| Version::parse(text).expect("a version");
        assert!(version("0.10.0") > version("0.9.12"));
        assert_eq!(version("1.2.3").to_string(), "1.2.3");
        for none in ["", "1", "1.2", "1.2.3.4", "1.2.x", "v1.2.3", "1.2.+3", "1..3"] {
            assert_eq!(Version::parse(none), None, "{none}");
        }
    }
}
