//! Paths inside a repository: bytes with `/` between them, as Git keeps them.

use std::fmt;

use bstr::{BStr, BString, ByteSlice as _};

/// A path from the top of the repository, as Git's trees and index spell it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RepoPath(BString);

/// Why a path in a record is not one that Git could hold just so (attacks 35, 37, 39, 40).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathFault {
    /// Nothing, `/x`, `C:` or `\`: it points outside the repository's own tree.
    Absolute,
    /// `.`, `..`, `a//b` or a trailing `/`: the same file has a plainer name.
    NotCanonical,
    /// A control, invisible or bidirectional character, which a reader would not see.
    Unprintable,
    /// A name that some system can't hold, such as `CON` or one that ends with a dot or a space.
    NotPortable,
    /// Inside `.git`, under any spelling of it.
    GitFolder,
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PathFault::Absolute => "a path starts at the top of the repository, with `/` between names that have no `\\` nor `:`",
            PathFault::NotCanonical => "a path has no `.`, `..`, empty part or trailing `/`",
            PathFault::Unprintable => "a path has no control or invisible characters",
            PathFault::NotPortable => "a path has only names that every system can hold",
            PathFault::GitFolder => "a path can't lead into `.git`",
        })
    }
}

impl RepoPath {
    /// Takes bytes as Git gave them.
    pub fn from_git(bytes: impl Into<BString>) -> Self {
        RepoPath(bytes.into())
    }

    /// Takes a path as a record or a person wrote it, and refuses all but its one canonical form.
    pub fn canonical(text: &str) -> Result<Self, PathFault> {
        if text.is_empty() || text.starts_with('/') || text.contains('\\') {
            return Err(PathFault::Absolute);
        }
        if text.chars().any(unprintable) {
            return Err(PathFault::Unprintable);
        }
        for part in text.split('/') {
            match part {
                "" | "." | ".." => return Err(PathFault::NotCanonical),
                _ if has_drive(part) => return Err(PathFault::Absolute),
                _ if part.eq_ignore_ascii_case(".git") || part.eq_ignore_ascii_case("git~1") => {
                    return Err(PathFault::GitFolder);
                }
                _ if part.ends_with(['.', ' ']) || part.starts_with(' ') || reserved(part) => {
                    return Err(PathFault::NotPortable);
                }
                _ => {}
            }
        }
        Ok(RepoPath(text.into()))
    }

    /// Gives the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the text if it is UTF-8.
    pub fn to_str(&self) -> Option<&str> {
        self.0.to_str().ok()
    }

    /// Tells whether this path lies below the folder `folder`, which has no trailing `/`.
    pub fn is_below(&self, folder: &str) -> bool {
        self.0.strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
    }

    /// Gives the part behind the last `/`.
    pub fn file_name(&self) -> &BStr {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default().as_bstr()
    }

    /// Gives the folder, empty at the top.
    pub fn folder(&self) -> RepoPath {
        match self.0.rfind_byte(b'/') {
            Some(slash) => RepoPath(self.0[..slash].into()),
            None => RepoPath::default(),
        }
    }

    /// Gives the path of `name` inside this folder.
    pub fn join(&self, name: &str) -> RepoPath {
        let mut joined = self.0.clone();
        if !joined.is_empty() {
            joined.push(b'/');
        }
        joined.extend_from_slice(name.as_bytes());
        RepoPath(joined)
    }
}

/// Windows reads `C:` as a drive, wherever a path is put together from its parts.
fn has_drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Tells whether a reader could not see this character, or would see it elsewhere than it stands
/// (attacks 39 and 116): controls, zero-width, bidirectional and other ignorable characters.
pub fn unprintable(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F
            | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0xE0000..=0xE0FFF)
}

fn reserved(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part);
    let device = |name: &str| stem.eq_ignore_ascii_case(name);
    ["CON", "PRN", "AUX", "NUL"].into_iter().any(device)
        || (stem.len() == 4
            && stem.as_bytes()[3].is_ascii_digit()
            && ["COM", "LPT"].into_iter().any(|name| stem[..3].eq_ignore_ascii_case(name)))
}

impl fmt::Display for RepoPath {
    /// Writes the path on one line: what a terminal could misread is escaped (attack 116).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if unprintable(character) {
                    write!(f, "{}", character.escape_unicode())?;
                } else {
                    write!(f, "{character}")?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

impl RepoPath {
    /// Gives the path as a shell takes it for one word, for commands that are shown to be typed: a
    /// file may be called `x; rm -r .`, and its name is often the work of somebody else.
    pub fn in_shell(&self) -> String {
        let shown = self.to_string();
        let plain = |c: char| c.is_alphanumeric() || "._/+=@%,-".contains(c);
        match shown.strip_prefix('-') {
            None if shown.chars().all(plain) => shown,
            None => format!("'{}'", shown.replace('\'', r"'\''")),
            Some(_) => RepoPath::from(format!("./{shown}").as_str()).in_shell(),
        }
    }
}

impl From<&str> for RepoPath {
    fn from(text: &str) -> Self {
        RepoPath(text.into())
    }
}

impl serde::Serialize for RepoPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for RepoPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        RepoPath::canonical(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for RepoPath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RepoPath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "minLength": 1,
            "examples": ["strategies/sma.py"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attacks 35, 39 and 40: only one spelling of a path is taken.
    #[test]
    fn a_record_names_a_file_in_one_way_only() {
        for good in ["a", "src/a.py", ".orch/policy.yaml", "docs/ünï.md", "a-b/_c", "x/[:]"] {
            assert!(RepoPath::canonical(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/a",
            "./a",
            "a/../b",
            "a//b",
            "a/",
            "a\\b",
            "C:/a",
            "x/C:a",
            "a\nb",
            "a\tb",
            "CON",
            "x/con.txt",
            "a.",
            "a ",
            "lpt1",
            ".git/config",
            "x/.GIT/y",
            ".g\u{200c}it/x",
            "\u{202e}a",
        ] {
            assert!(RepoPath::canonical(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn display_never_breaks_the_line() {
        let path = RepoPath::from_git(&b"a\nb\x1b[31m\xff"[..]);
        assert_eq!(path.to_string(), "a\\u{a}b\\u{1b}[31m\\xff");
    }

    /// Attack 118: what is shown to be typed runs nothing but itself.
    #[test]
    fn a_name_is_one_word_in_a_shell() {
        for (path, word) in [
            ("src/ünï.py", "src/ünï.py"),
            ("a; rm -r .", "'a; rm -r .'"),
            ("$(id)", "'$(id)'"),
            ("it's", r"'it'\''s'"),
            ("-rf", "./-rf"),
            ("-rf x", "'./-rf x'"),
        ] {
            assert_eq!(RepoPath::from(path).in_shell(), word);
        }
    }

    #[test]
    fn below_means_below_the_folder_not_the_prefix() {
        assert!(RepoPath::from("src/a").is_below("src"));
        assert!(!RepoPath::from("src2/a").is_below("src"));
        assert!(!RepoPath::from("src").is_below("src"));
    }
}
