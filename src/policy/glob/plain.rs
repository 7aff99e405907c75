//! Globs of stars and alternatives, matched as they stand: the library compiles a glob before it
//! matches it, which takes longer than all that a hook asks of it.
//!
//! What is told here, the library tells too: a property in the tests holds it to that. Of any other
//! glob nothing is told.

/// Tells whether a glob matches a whole path; none if it has classes, `?`, escapes or nested alternatives.
pub(super) fn matches(glob: &str, path: &[u8]) -> Option<bool> {
    // Most globs are about other folders.
    let letters = glob.bytes().take_while(|byte| !b"*?[{\\".contains(byte)).count();
    if !path.starts_with(&glob.as_bytes()[..letters]) {
        return Some(false);
    }
    if glob.bytes().any(|byte| matches!(byte, b'?' | b'[' | b']' | b'\\')) {
        return None;
    }
    let Some(open) = glob.find(['{', '}']) else { return plainly(glob, path) };
    let (before, rest) = (&glob[..open], glob[open..].strip_prefix('{')?);
    let (inside, behind) = rest.split_once('}')?;
    let mut any = false;
    for part in inside.split(',') {
        if part.is_empty() || part.contains('{') || part.contains("**") {
            return None;
        }
        any |= matches(&format!("{before}{part}{behind}"), path)?;
    }
    Some(any)
}

fn plainly(glob: &str, path: &[u8]) -> Option<bool> {
    let parts: Vec<&[u8]> = glob.as_bytes().split(|byte| *byte == b'/').collect();
    let deep = |part: &&[u8]| **part == *b"**";
    let twice = parts.windows(2).any(|two| two.iter().all(deep));
    let within = parts.iter().any(|part| !deep(part) && part.windows(2).any(|two| two == b"**"));
    (!twice && !within).then(|| folders(&parts, path))
}

/// Matches the folders of a path, one for each part, and any number of them for `**`.
fn folders(parts: &[&[u8]], path: &[u8]) -> bool {
    let Some((part, rest)) = parts.split_first() else { return false };
    let slash = path.iter().position(|byte| *byte == b'/');
    if *part == b"**" {
        let below = |at: usize| folders(parts, &path[at + 1..]);
        return rest.is_empty() || folders(rest, path) || slash.is_some_and(below);
    }
    match slash {
        None => rest.is_empty() && segment(part, path),
        Some(at) => {
            !rest.is_empty() && segment(part, &path[..at]) && folders(rest, &path[at + 1..])
        }
    }
}

/// Matches one name, in which a star stands for any letters.
fn segment(part: &[u8], name: &[u8]) -> bool {
    let mut pieces = part.split(|byte| *byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        let Some(at) = rest.windows(piece.len()).position(|letters| letters == piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::glob::build;
    use crate::source::RepoPath;

    #[test]
    fn the_globs_of_most_policies_are_plain() {
        for (glob, path, matched) in [
            ("src/**", "src/a/b", true),
            ("src/**", "src", false),
            ("**/x", "x", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            (".github/{workflows,actions}/**", ".github/actions/x", true),
            ("{a,b}.{pine,py}", "b.py", true),
            ("LICENSE*", "LICENSE", true),
            ("a*b*c", "abxbc", true),
            ("a*b*bc", "abc", false),
            ("**", "a/b", true),
        ] {
            assert_eq!(matches(glob, path.as_bytes()), Some(matched), "{glob} {path}");
        }
        for other in ["a?", "[a]", "a\\*", "a**", "{a,{b,c}}", "{a,}", "**/**/a", "a*}"] {
            assert_eq!(matches(other, b"a"), None, "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn the_library_says_the_same(
            glob in "([ab.*]{1,3}|\\*\\*|\\{[ab*]{1,2}(,[ab/.]{1,2}){0,2}\\})(/([ab.*]{1,3}|\\*\\*|[ab]?\\{[ab]{1,2},[ab*.]{1,2}\\}))\
                    {0,3}",
            path in "[abc.]{1,3}(/[ab.\\n]{1,3}){0,4}",
        ) {
            let Some(told) = matches(&glob, path.as_bytes()) else { return Ok(()) };
            let Ok(built) = build(&glob) else { return Ok(()) };
            let path = RepoPath::from(path.as_str());
            prop_assert_eq!(built.compile_matcher().is_match(super::super::as_os_path(&path)), told, "{}", glob);
        }
    }
}
