//! A place in a deliverable: `path`, `path:line` or `path:line-line` (R002-25).

use std::fmt;

use crate::source::RepoPath;

/// A file of the repository, and the lines of it that are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub path: RepoPath,
    /// The first and the last line, from 1.
    pub lines: Option<(u32, u32)>,
}

impl Location {
    /// Reads a location; refuses with the reason in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, lines) = match text.rsplit_once(':') {
            Some((path, lines)) if is_range(lines) => (path, Some(range(lines)?)),
            _ => (text, None),
        };
        let path = RepoPath::canonical(path).map_err(|fault| format!("`{text}`: {fault}"))?;
        Ok(Location { path, lines })
    }

    /// Reads a location out of words that need not be one: none if they look like none.
    ///
    /// What has no blanks and a folder or an ending looks like one; addresses, patterns and folders
    /// do not.
    pub fn of_words(text: &str) -> Option<Result<Self, String>> {
        let (path, lines) = match text.rsplit_once(':') {
            Some((path, lines)) if is_range(lines) => (path, true),
            _ => (text, false),
        };
        let other = text.contains(char::is_whitespace)
            || text.contains("://")
            || path.contains(['*', '?', '{', '(', '<'])
            || path.ends_with('/');
        let ending = path.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
        let ends = ending.is_some_and(|(_, ending)| {
            ending.starts_with(|first: char| first.is_ascii_alphabetic())
                && ending.chars().all(|c| c.is_ascii_alphanumeric())
        });
        // A folder's name alone is often a word with a stroke: `pass/fail`.
        let looks = ends || lines && path.contains('/');
        (!other && looks).then(|| Location::parse(text))
    }
}

fn is_range(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '-')
}

fn range(text: &str) -> Result<(u32, u32), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 1 <= first && first <= last => Ok((first, last)),
        _ => Err(format!("`{text}` names no lines: write `26` or `26-40`, counted from 1")),
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lines {
            None => write!(f, "{}", self.path),
            Some((first, last)) if first == last => write!(f, "{}:{first}", self.path),
            Some((first, last)) => write!(f, "{}:{first}-{last}", self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R002-25.
    #[test]
    fn a_location_is_a_path_and_lines() {
        for text in ["src/a.py", "src/a.py:26", "src/a.py:26-40", "Makefile"] {
            assert_eq!(Location::parse(text).expect(text).to_string(), text);
        }
        assert_eq!(Location::parse("a.py:3-3").expect("one line").lines, Some((3, 3)));
        for text in ["a.py:0", "a.py:9-3", "a.py:1-2-3", "../a.py", "/a", "a.py:99999999999"] {
            assert!(Location::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_are_no_location() {
        for text in ["three files", "pass/fail", "https://a.b/c.py", "src/", "*.py", "v1.2", ""] {
            assert_eq!(Location::of_words(text), None, "{text}");
        }
        for text in ["src/a.py", "README.md", "src/Makefile:3"] {
            assert!(Location::of_words(text).is_some_and(|place| place.is_ok()), "{text}");
        }
        assert!(Location::of_words("/etc/x.py").is_some_and(|place| place.is_err()));
    }
}
