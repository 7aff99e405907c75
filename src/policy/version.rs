//! Versions of orch, as a policy may ask for one.

use std::fmt;

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
    fn versions_are_ordered_by_number() {
        let version = |text| Version::parse(text).expect("a version");
        assert!(version("0.10.0") > version("0.9.12"));
        assert_eq!(version("1.2.3").to_string(), "1.2.3");
        for none in ["", "1", "1.2", "1.2.3.4", "1.2.x", "v1.2.3", "1.2.+3", "1..3"] {
            assert_eq!(Version::parse(none), None, "{none}");
        }
    }
}
