//! Paths as references that a viewer of reports follows.

use crate::source::RepoPath;

/// Gives a path as a relative reference, every byte but the plainest escaped, so that no name is
/// taken for a scheme, a host or a query. Git's trees can hold names such as `..`, which a reader
/// would follow out of the repository, escaped or not: no reference is given for those.
pub(super) fn relative(path: &RepoPath) -> Option<String> {
    let bytes = path.as_bytes();
    if bytes.split(|byte| *byte == b'/').any(|part| matches!(part, b"" | b"." | b"..")) {
        return None;
    }
    let mut uri = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(*byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(uri)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sample;
    use super::*;

    #[test]
    fn names_become_references_that_lead_to_the_file_alone() {
        let of = |bytes: &[u8]| relative(&RepoPath::from_git(bytes));
        assert_eq!(of(b"src/a-b_c.rs").as_deref(), Some("src/a-b_c.rs"));
        assert_eq!(of(b"http:/a?b#c%41").as_deref(), Some("http%3A/a%3Fb%23c%2541"));
        assert_eq!(of("ü\n\x1b\\".as_bytes()).as_deref(), Some("%C3%BC%0A%1B%5C"));
        assert_eq!(of(b"a\xff").as_deref(), Some("a%FF"));
        for bad in ["", "/etc/passwd", "//host/a", "../a", "a/../../b", "a//b", "./a", "a/"] {
            assert_eq!(of(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        /// Whatever the bytes, the reference has only plain characters, stays inside the repository,
        /// and leads to just these bytes.
        #[test]
        fn a_reference_leads_back_to_its_path(hostile in sample::hostile()) {
            let Some(uri) = relative(&RepoPath::from_git(hostile.path.clone())) else {
                return Ok(());
            };
            prop_assert_eq!(percent_decoded(&uri), hostile.path);
            let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~%".contains(c);
            prop_assert!(uri.chars().all(plain), "{}", uri);
            prop_assert!(uri.split('/').all(|part| !["", ".", ".."].contains(&part)), "{}", uri);
        }
    }

    fn percent_decoded(uri: &str) -> Vec<u8> {
        let (mut bytes, mut rest) = (Vec::new(), uri.as_bytes());
        while let [first, tail @ ..] = rest {
            rest = tail;
            match (first, tail) {
                (b'%', [_, _, after @ ..]) => {
                    let digits = std::str::from_utf8(&tail[..2]).expect("ASCII");
                    bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
                    rest = after;
                }
                _ => bytes.push(*first),
            }
        }
        bytes
    }
}
