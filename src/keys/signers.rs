//! Whose key is whose, in OpenSSH's own files: `allowed_signers`, and the keys that were revoked.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use ssh_key::public::PublicKey;

use super::Fingerprint;
use crate::source::Moment;

/// Everyone who may sign, and with which keys.
#[derive(Debug, Clone, Default)]
pub struct Signers {
    lines: Vec<Signer>,
    revoked: BTreeSet<Fingerprint>,
}

/// One line of `allowed_signers`.
#[derive(Debug, Clone)]
struct Signer {
    principals: String,
    namespaces: Option<String>,
    after: Option<Moment>,
    before: Option<Moment>,
    key: Fingerprint,
}

/// What is wrong with a line, and which one it is, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, in words.
    pub message: String,
}

/// Why a key does not speak for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Nobody's line names it.
    Unknown,
    /// It was revoked.
    Revoked,
    /// It is somebody else's.
    Other(String),
    /// It may sign other things only.
    Namespace,
    /// It is not yet valid.
    NotYet,
    /// It is not valid any more.
    Expired,
}

impl Signers {
    /// Reads an `allowed_signers` file; gives what is wrong with its lines, which makes all of it
    /// worthless: a line that one reader skips could be another's permission.
    ///
    /// Times must be in UTC (with a `Z`), because `ssh-keygen` takes others in the local zone;
    /// certificate authorities are refused.
    pub fn parse(text: &[u8]) -> Result<Self, Vec<LineFault>> {
        let mut lines = Vec::new();
        each_line(text, |line| {
            lines.push(signer(line)?);
            Ok(())
        })?;
        Ok(Signers { lines, revoked: BTreeSet::new() })
    }

    /// Adds the keys that were revoked, one public key a line, as `ssh-keygen -Y verify -r` takes
    /// them too; a binary revocation list is refused.
    pub fn revoke(&mut self, text: &[u8]) -> Result<(), Vec<LineFault>> {
        if text.starts_with(b"SSHKRL") {
            let message = "a binary revocation list is not supported: list the public keys".into();
            return Err(vec![LineFault { line: 1, message }]);
        }
        each_line(text, |line| {
            let key = Fingerprint::parse(line).ok_or("this is no public key")?;
            self.revoked.insert(key);
            Ok(())
        })
    }

    /// Tells whether a key was revoked.
    pub fn is_revoked(&self, key: &Fingerprint) -> bool {
        self.revoked.contains(key)
    }

    /// Gives the keys that any line gives to one of these, whenever and for whatever it may sign.
    pub fn keys_of(&self, names: &[&str]) -> BTreeSet<Fingerprint> {
        let named = |line: &&Signer| names.iter().any(|name| in_list(&line.principals, name));
        self.lines.iter().filter(named).map(|line| line.key.clone()).collect()
    }

    /// Tells whether a key may sign for one of these names, for this purpose, at this moment;
    /// refuses with the reason that comes nearest.
    pub fn allow(
        &self,
        key: &Fingerprint,
        names: &[&str],
        namespace: &str,
        at: Moment,
    ) -> Result<(), Refused> {
        if self.is_revoked(key) {
            return Err(Refused::Revoked);
        }
        let mut nearest = Refused::Unknown;
        for line in self.lines.iter().filter(|line| line.key == *key) {
            let refused = if !names.iter().any(|name| in_list(&line.principals, name)) {
                Refused::Other(line.principals.clone())
            } else if line.namespaces.as_ref().is_some_and(|list| !in_list(list, namespace)) {
                Refused::Namespace
            } else if line.after.is_some_and(|after| at < after) {
                Refused::NotYet
            } else if line.before.is_some_and(|before| at > before) {
                Refused::Expired
            } else {
                return Ok(());
            };
            let nearer = matches!(nearest, Refused::Unknown | Refused::Other(_));
            nearest = if nearer { refused } else { nearest };
        }
        Err(nearest)
    }
}

/// Reads each line that says something; gives what is wrong with any of them.
fn each_line(
    text: &[u8],
    mut read: impl FnMut(&str) -> Result<(), String>,
) -> Result<(), Vec<LineFault>> {
    let mut faults = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let told = match std::str::from_utf8(line).map(str::trim) {
            Ok(line) if line.is_empty() || line.starts_with('#') => Ok(()),
            Ok(line) if line.chars().all(|c| c == '\t' || !c.is_control()) => read(line),
            Ok(_) => Err("it holds control characters".to_owned()),
            Err(_) => Err("it is not UTF-8".to_owned()),
        };
        faults.extend(told.err().map(|message| LineFault { line: index + 1, message }));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Reads `PRINCIPALS [OPTIONS] KEYTYPE KEY [COMMENT]`.
fn signer(line: &str) -> Result<Signer, String> {
    let (principals, rest) = word(line)?;
    let principals = principals.trim_matches('"').to_owned();
    if principals.split(',').any(|name| name.trim() == "*") {
        return Err("`*` would let one key speak for everybody: name whose it is".into());
    }
    let signer = |key: &str| {
        let key = PublicKey::from_openssh(key).ok()?;
        let key = Fingerprint::of(key.key_data());
        let principals = principals.clone();
        Some(Signer { principals, namespaces: None, after: None, before: None, key })
    };
    if let Some(signer) = signer(rest) {
        return Ok(signer);
    }
    let (options, key) = word(rest)?;
    let mut signer = signer(key).ok_or("a public key is missing: `PRINCIPAL ssh-ed25519 AAAA…`")?;
    for option in split(options, ',') {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "namespaces" => signer.namespaces = Some(value.to_owned()),
            "valid-after" => signer.after = Some(moment(value)?),
            "valid-before" => signer.before = Some(moment(value)?),
            "cert-authority" => return Err("certificates are not supported: list the keys".into()),
            _ => return Err(format!("`{name}` is no option of a signer")),
        }
    }
    Ok(signer)
}

/// Gives the first word, in which quoted white space does not end it, and what follows.
fn word(text: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        !quoted && c.is_whitespace()
    });
    if quoted {
        return Err("a quote is not closed".into());
    }
    let end = end.ok_or("a public key is missing: `PRINCIPAL ssh-ed25519 AAAA…`")?;
    Ok((&text[..end], text[end..].trim_start()))
}

/// Splits at a separator outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c: char| {
        quoted ^= c == '"';
        !quoted && c == separator
    })
}

/// Reads `YYYYMMDD[HHMM[SS]]Z`.
fn moment(text: &str) -> Result<Moment, String> {
    let told = || format!("`{text}` is no time in UTC, such as 20261121Z or 202611211430Z");
    let digits = text.strip_suffix(['Z', 'z']).ok_or_else(told)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(told());
    }
    let whole = match digits.len() {
        8 => format!("{digits}000000"),
        12 => format!("{digits}00"),
        14 => digits.to_owned(),
        _ => return Err(told()),
    };
    let at = NaiveDateTime::parse_from_str(&whole, "%Y%m%d%H%M%S").map_err(|_| told())?;
    Ok(Moment::new(at.and_utc()))
}

/// Matches OpenSSH's pattern lists: `*` and `?`, separated by commas, and `!` before what is not
/// meant, which wins wherever it stands.
fn in_list(list: &str, text: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',').map(str::trim) {
        match pattern.strip_prefix('!') {
            Some(pattern) if is_like(pattern.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => found |= is_like(pattern.as_bytes(), text.as_bytes()),
        }
    }
    found
}

/// Walks pattern and text once, going back to the last `*` where they part.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen, mut star) = (0, 0, None);
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((back, from)) = star else { return false };
                star = Some((back, from + 1));
                at = back + 1;
                seen = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIK6hFFu+mMg0ERTmKHkzGKewxDk8PsvnhkPXDgpFdQyX";

    fn allowed(line: &str, name: &str, at: &str) -> Result<(), Refused> {
        let signers = Signers::parse(line.replace("KEY", KEY).as_bytes()).expect("a good file");
        let key = Fingerprint::parse(KEY).expect("a key");
        signers.allow(&key, &[name], "orch", at.parse().expect("a moment"))
    }

    const NOON: &str = "2026-11-21T12:00:00Z";

    #[test]
    fn a_line_names_whose_key_it_is() {
        for line in [
            "founder KEY",
            "founder KEY a comment",
            "\"founder\" KEY",
            "auditor,found?r KEY",
            "f*,!auditor KEY",
            "founder namespaces=\"git,orch\" KEY",
            "founder namespaces=\"*\",valid-after=\"20261121Z\" KEY",
            "founder VALID-BEFORE=\"202611211200Z\" KEY",
            "# nobody\n\n\tfounder\tKEY\r",
        ] {
            assert_eq!(allowed(line, "founder", NOON), Ok(()), "{line}");
        }
    }

    /// Attack 108: unknown, another's, for another purpose, too early, too late, revoked.
    #[test]
    fn a_key_speaks_only_for_whom_and_when_it_may() {
        for (line, refused) in [
            ("", Refused::Unknown),
            ("auditor KEY", Refused::Other("auditor".into())),
            ("founder,!found* KEY", Refused::Other("founder,!found*".into())),
            ("Founder KEY", Refused::Other("Founder".into())),
            ("founder namespaces=\"git\" KEY", Refused::Namespace),
            ("founder valid-after=\"20261122Z\" KEY", Refused::NotYet),
            ("founder valid-before=\"20261121115959Z\" KEY", Refused::Expired),
            ("founder valid-before=\"20261121Z\" KEY\nauditor KEY", Refused::Expired),
        ] {
            assert_eq!(allowed(line, "founder", NOON), Err(refused), "{line}");
        }
        let mut signers = Signers::parse(format!("founder {KEY}").as_bytes()).expect("good");
        signers.revoke(format!("# lost\n{KEY}\n").as_bytes()).expect("a key");
        let key = Fingerprint::parse(KEY).expect("a key");
        let at = NOON.parse().expect("a moment");
        assert_eq!(signers.allow(&key, &["founder"], "orch", at), Err(Refused::Revoked));
    }

    /// Attack 26: one bad line makes the whole file worthless, and is named.
    #[test]
    fn a_bad_line_is_named() {
        for (line, told) in [
            ("founder", "public key is missing"),
            ("founder ssh-ed25519 AAAA", "public key is missing"),
            ("founder cert-authority KEY", "certificates"),
            ("founder no-touch-required KEY", "no option"),
            ("founder valid-after=\"20261121\" KEY", "UTC"),
            ("founder valid-after=\"20261321Z\" KEY", "UTC"),
            ("\"founder KEY", "quote"),
            ("found\u{1b}er KEY", "control"),
            ("* KEY", "everybody"),
        ] {
            let text = format!("# keys\n{line}\n").replace("KEY", KEY);
            let faults = Signers::parse(text.as_bytes()).expect_err(line);
            assert_eq!((faults.len(), faults[0].line), (1, 2), "{line}");
            assert!(faults[0].message.contains(told), "{line}: {}", faults[0].message);
        }
        assert!(Signers::default().revoke(b"SSHKRL\n\0").is_err());
    }

    proptest! {
        /// As the plain definition of such patterns has it.
        #[test]
        fn patterns_match_like_their_definition(pattern in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            fn plain(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern.first(), text.first()) {
                    (None, None) => true,
                    (Some(b'*'), _) => plain(&pattern[1..], text)
                        || (!text.is_empty() && plain(pattern, &text[1..])),
                    (Some(a), Some(b)) if *a == b'?' || a == b => plain(&pattern[1..], &text[1..]),
                    _ => false,
                }
            }
            let expected = plain(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(is_like(pattern.as_bytes(), text.as_bytes()), expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = Signers::parse(text.as_bytes());
            let _ = Signers::default().revoke(text.as_bytes());
        }
    }
}
