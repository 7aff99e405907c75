//! Globs, patterns of branches and paths: four lines, which are a glob, a path, a pattern of
//! branches and a branch.

use orch::policy::{BranchParts, BranchPattern, NamedGlob, Owners, PathSet, Scope};
use orch::record::{Home, RecordPath, belongs_to_orch};
use orch::source::RepoPath;
use orch::source::path::unprintable;

/// Holds that all who read a glob, a path or a pattern of branches read it alike.
pub(crate) fn patterns(data: &[u8]) {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let [glob, path, pattern, branch] = [(); 4].map(|()| lines.next().unwrap_or_default());
    let path = RepoPath::from_git(path);
    of_a_path(&path);
    if let Ok(glob) = std::str::from_utf8(glob) {
        of_a_glob(glob, &path);
    }
    if let (Ok(pattern), Ok(branch)) = (std::str::from_utf8(pattern), std::str::from_utf8(branch)) {
        of_a_branch(pattern, branch);
    }
}

fn of_a_path(path: &RepoPath) {
    assert!(!path.to_string().contains(unprintable), "{path}");
    if path.folder().as_bytes().is_empty() {
        assert!(path.as_bytes().strip_prefix(b"/").unwrap_or(path.as_bytes()) == path.file_name());
    } else if let Ok(name) = std::str::from_utf8(path.file_name()) {
        assert_eq!(path.folder().join(name), *path);
    }
    if let Some(text) = path.to_str()
        && let Ok(canonical) = RepoPath::canonical(text)
    {
        assert_eq!(canonical, *path);
        assert_eq!(canonical.to_string(), text, "what a reader sees is what is there");
        let parts = text.split('/');
        assert!(parts.clone().all(|part| RepoPath::canonical(part).is_ok()), "{text}");
        for part in parts.scan(String::new(), |folder, part| {
            *folder = [folder.as_str(), part].join(if folder.is_empty() { "" } else { "/" });
            Some(folder.clone())
        }) {
            assert!(part == text || path.is_below(&part), "{text} is not below {part}");
        }
    }
    if let Ok(record) = RecordPath::parse(path) {
        assert!(belongs_to_orch(path) && orch::record::is_record_path(path), "{path}");
        if let (Some(sequence), false) = (record.sequence, record.home == Home::Decision) {
            let month = record.month.as_deref().unwrap_or_default();
            let again = RecordPath::of(&record.home, month, sequence, &record.word);
            assert_eq!(again, record, "a record's path is written as it is read");
        }
    }
}

fn of_a_glob(text: &str, path: &RepoPath) {
    let set = PathSet::new(&[text.to_owned()]);
    let owners = Owners::new([((), text)]);
    assert_eq!(set.is_ok(), owners.is_ok(), "{text}");
    let scope = Scope::new(&[text.to_owned()]);
    assert_eq!(set.is_ok(), scope.is_ok(), "{text}");
    if let Ok(scope) = &scope
        && scope.contains(path)
        && path.to_str().is_some_and(|path| RepoPath::canonical(path).is_ok())
    {
        assert!(scope.meets(scope), "{text} holds {path} and does not meet itself");
    }
    if let (Ok(set), Ok(owners)) = (set, owners) {
        assert_eq!(set.contains(path), !owners.of(path).is_empty(), "{text} {path}");
        if let Some(plain) = path.to_str().filter(|path| is_plain(text, path)) {
            let parts: Vec<&str> = text.split('/').collect();
            let expected = parts_match(&parts, &plain.split('/').collect::<Vec<_>>());
            assert_eq!(set.contains(path), expected, "{text} {path}");
        }
    }
    if let Ok(glob) = NamedGlob::new(text) {
        glob_agrees_with_itself(&glob, path);
    }
}

/// Holds that a glob finds a name only in what it matches, and matches only below its folder.
pub(super) fn glob_agrees_with_itself(glob: &NamedGlob, path: &RepoPath) {
    let (matches, name) = (glob.matches(path), glob.name_in(path));
    assert!(matches || name.is_none(), "{} {path}", glob.as_str());
    let folder = glob.folder();
    let below =
        folder.as_bytes().is_empty() || folder.to_str().is_some_and(|folder| path.is_below(folder));
    assert!(!matches || below, "{} matches {path}, outside {folder}", glob.as_str());
}

/// The globs and paths that the naive matcher below understands.
fn is_plain(glob: &str, path: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    let doubled = |part: &str| part.contains("**") && part != "**";
    let stars = glob.matches('*').count();
    stars <= 6
        && glob.len().max(path.len()) <= 64
        && glob.bytes().all(|byte| word(byte) || b"*?[!]".contains(&byte))
        && classes_are_plain(glob)
        && !glob.split('/').any(doubled)
        && path.bytes().all(word)
        && RepoPath::canonical(path).is_ok()
}

/// Classes such as `[a-c9]` and `[!x]`, one of which at most stands in a glob.
fn classes_are_plain(glob: &str) -> bool {
    let Some((before, behind)) = glob.split_once('[') else { return !glob.contains([']', '!']) };
    let Some((class, behind)) = behind.split_once(']') else { return false };
    let letters = class.strip_prefix('!').unwrap_or(class).as_bytes();
    let range =
        |three: &[u8]| three[1] != b'-' || three[0].is_ascii_alphanumeric() && three[0] <= three[2];
    let edges = [letters.first(), letters.last()];
    !before.contains([']', '!'])
        && !behind.contains(['[', ']', '!'])
        && letters.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && edges.iter().all(|edge| edge.is_some_and(u8::is_ascii_alphanumeric))
        && !class.contains("--")
        && letters.windows(3).all(range)
        && !letters.windows(4).any(|four| four[1] == b'-' && four[3] == b'-')
}

/// Tells whether a class names a letter; it never names `/`.
fn class_names(class: &[u8], letter: u8) -> bool {
    let (negated, letters) = match class.strip_prefix(b"!") {
        Some(letters) => (true, letters),
        None => (false, class),
    };
    let within = |three: &[u8]| three[1] == b'-' && (three[0]..=three[2]).contains(&letter);
    let named = letter != b'-' && letters.contains(&letter) || letters.windows(3).any(within);
    named != negated
}

/// `**` stands for any number of folders, and at the end for at least one name.
fn parts_match(glob: &[&str], path: &[&str]) -> bool {
    match (glob, path) {
        ([], _) => path.is_empty(),
        (["**"], _) => !path.is_empty(),
        (["**", rest @ ..], _) => {
            parts_match(rest, path) || !path.is_empty() && parts_match(glob, &path[1..])
        }
        ([first, rest @ ..], [name, below @ ..]) => {
            letters_match(first.as_bytes(), name.as_bytes()) && parts_match(rest, below)
        }
        (_, []) => false,
    }
}

fn letters_match(glob: &[u8], name: &[u8]) -> bool {
    match (glob, name) {
        ([], _) => name.is_empty(),
        ([b'*', rest @ ..], _) => {
            letters_match(rest, name) || !name.is_empty() && letters_match(glob, &name[1..])
        }
        ([b'?', rest @ ..], [_, behind @ ..]) => letters_match(rest, behind),
        ([b'[', rest @ ..], [letter, behind @ ..]) => {
            let end = rest.iter().position(|byte| *byte == b']').expect("a plain class ends");
            class_names(&rest[..end], *letter) && letters_match(&rest[end + 1..], behind)
        }
        ([byte, rest @ ..], [other, behind @ ..]) => byte == other && letters_match(rest, behind),
        (_, []) => false,
    }
}

fn of_a_branch(pattern: &str, branch: &str) {
    let Ok(pattern) = BranchPattern::new(pattern) else { return };
    let unknown = BranchParts::default();
    if pattern.fits(branch, &unknown) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
        assert!(branch.bytes().all(plain), "{branch:?} fits {}", pattern.as_str());
    }
    let date = "2026-11-21T12:00:00Z".parse().ok();
    let all = BranchParts {
        lane: Some("B_1"),
        date,
        run_id: Some("r3f9c2a71b0"),
        task_id: Some("strat-001"),
        slug: Some("strategy-2"),
    };
    let written = pattern.write(&all).expect("every part is known");
    assert!(pattern.fits(&written, &all), "{written} does not fit {}", pattern.as_str());
    assert!(pattern.fits(&written, &unknown), "{written} does not fit {}", pattern.as_str());
    let of_task = BranchParts { task_id: Some(branch), ..BranchParts::default() };
    if let Some(written) = pattern.write(&of_task) {
        assert!(pattern.fits(&written, &of_task), "{written} does not fit {}", pattern.as_str());
    }
}
