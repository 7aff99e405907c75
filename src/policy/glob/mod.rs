//! Globs over paths, in Git's sense: `*` stays in its folder, `**` does not (attack 41).

mod plain;

use std::sync::OnceLock;

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use crate::source::RepoPath;

/// Several globs, matched at once. What matches them is built when first asked.
#[derive(Debug, Clone)]
pub struct PathSet {
    pub(super) globs: Vec<String>,
    set: OnceLock<GlobSet>,
}

impl PathSet {
    /// Takes globs; gives the index of the first that is none, and why.
    pub fn new(globs: &[String]) -> Result<Self, (usize, String)> {
        let set = OnceLock::from(joined(globs)?);
        Ok(PathSet { globs: globs.to_vec(), set })
    }

    /// Takes globs that are known to be some.
    pub(super) fn of_valid(globs: Vec<String>) -> Self {
        PathSet { globs, set: OnceLock::new() }
    }

    /// Tells whether any of the globs matches the whole path.
    pub fn contains(&self, path: &RepoPath) -> bool {
        match told_plainly(&self.globs, path) {
            Some(matching) => matching.into_iter().any(|matches| matches),
            None => {
                let set = || joined(&self.globs).expect(VALID);
                self.set.get_or_init(set).is_match(as_os_path(path))
            }
        }
    }
}

/// More globs than this are matched sooner all at once.
const FEW: usize = 64;

/// Tells which of a few globs match a path; none if one of them is not plain.
fn told_plainly(globs: &[String], path: &RepoPath) -> Option<Vec<bool>> {
    let told = globs.iter().map(|glob| plain::matches(glob, path.as_bytes()));
    (globs.len() <= FEW).then(|| told.collect()).flatten()
}

const VALID: &str = "a policy with problems is never compiled";

fn joined(globs: &[String]) -> Result<GlobSet, (usize, String)> {
    let mut set = GlobSetBuilder::new();
    for (index, glob) in globs.iter().enumerate() {
        set.add(build(glob).map_err(|fault| (index, fault))?);
    }
    set.build().map_err(|error| (0, error.to_string()))
}

/// Globs that belong to several owners, all matched at once: what this costs hardly grows with
/// their number. What matches them is built when first asked.
#[derive(Debug, Clone)]
pub struct Owners<T> {
    globs: Vec<String>,
    owners: Vec<T>,
    set: OnceLock<GlobSet>,
}

impl<T: Ord> Owners<T> {
    /// Takes globs with their owners; refuses, in words, those that can't be matched.
    pub fn new<'g>(globs: impl IntoIterator<Item = (T, &'g str)>) -> Result<Self, String> {
        let owners = Owners::of_valid(globs);
        let set = joined(&owners.globs).map_err(|(_, fault)| fault)?;
        Ok(Owners { set: OnceLock::from(set), ..owners })
    }

    /// Takes globs that are known to be some, with their owners.
    pub(super) fn of_valid<'g>(globs: impl IntoIterator<Item = (T, &'g str)>) -> Self {
        let (owners, globs) =
            globs.into_iter().map(|(owner, glob)| (owner, glob.to_owned())).unzip();
        Owners { globs, owners, set: OnceLock::new() }
    }

    /// Gives the owners of a path, sorted, each once.
    pub fn of(&self, path: &RepoPath) -> Vec<&T> {
        let mut owners: Vec<&T> = match told_plainly(&self.globs, path) {
            Some(matching) => {
                let owned = self.owners.iter().zip(matching);
                owned.filter_map(|(owner, matches)| matches.then_some(owner)).collect()
            }
            None => {
                let set = self.set.get_or_init(|| joined(&self.globs).expect(VALID));
                let matches = set.matches(as_os_path(path));
                matches.into_iter().map(|index| &self.owners[index]).collect()
            }
        };
        owners.sort();
        owners.dedup();
        owners
    }
}

/// Gives the index of the first text that is no glob, and why.
pub(super) fn first_fault(globs: &[String]) -> Option<(usize, String)> {
    let faults = globs.iter().enumerate();
    faults.filter_map(|(index, glob)| Some((index, build(glob).err()?))).next()
}

pub(super) fn build(glob: &str) -> Result<globset::Glob, String> {
    let limit = 1_000;
    if glob.is_empty() || glob.len() > limit {
        return Err(format!("a glob has 1 to {limit} bytes"));
    }
    if glob.starts_with('/') || glob.split('/').any(|part| part == "." || part == "..") {
        return Err("a glob starts at the top of the repository, without `/`, `.` or `..`".into());
    }
    // No file's path ends so, and yet `**/` would own files.
    if glob.ends_with('/') {
        return Err("a glob is for files: write `dir/**` for all below a folder".into());
    }
    if let Some(dead) = dead(glob) {
        return Err(dead.into());
    }
    let glob = within_folders(glob)?;
    let built = GlobBuilder::new(&glob).literal_separator(true).build();
    built.map_err(|error| error.kind().to_string())
}

/// Tells why a glob could match nothing that its author means; a file that it was to guard would be free.
fn dead(glob: &str) -> Option<&'static str> {
    let glued = |part: &str| part.contains("**") && part != "**";
    if glob.contains("//") {
        return Some("there is one `/` between two names");
    }
    if glob.trim() != glob || glob.contains(char::is_control) {
        return Some("a glob has no line break, and no blank at its ends");
    }
    if glob.contains("[:") {
        return Some("classes such as `[:lower:]` are not read: write `[a-z]`");
    }
    if glob.contains("***") || (!glob.contains('{') && glob.split('/').any(glued)) {
        return Some("`**` stands by itself between `/`: write `dir/**` or `dir/**/*.md`");
    }
    None
}

/// Keeps the classes of a glob from matching `/`, which the library would let them, and Git does
/// not: `a[!b]c` owns no `a/c`. Refuses those of which that can't be said.
fn within_folders(glob: &str) -> Result<String, String> {
    let (mut kept, mut rest) = (String::with_capacity(glob.len()), glob);
    while let Some((before, class, behind)) = next_class(rest) {
        let letters = class.strip_prefix(['!', '^']);
        kept.extend([before, "["]);
        if holds_slash(letters.unwrap_or(class))
            || letters.is_some_and(|l| l.starts_with([']', '-']))
        {
            return Err(format!("`[{class}]` could match `/`; name letters one by one, no `\\`"));
        }
        kept.extend(letters.map(|_| "!/"));
        kept.extend([letters.unwrap_or(class), "]"]);
        rest = behind;
    }
    Ok(kept + rest)
}

/// Gives the first class of a glob, without its brackets, and what stands before and behind it.
fn next_class(glob: &str) -> Option<(&str, &str, &str)> {
    let mut characters = glob.char_indices();
    let open = loop {
        match characters.next()? {
            (_, '\\') => drop(characters.next()),
            (open, '[') => break open,
            _ => {}
        }
    };
    let inside = &glob[open + 1..];
    // A `]` that begins a class is one of its letters.
    let first = usize::from(inside.starts_with(['!', '^']));
    let (close, _) = inside[first..].char_indices().skip(1).find(|(_, c)| *c == ']')?;
    Some((&glob[..open], &inside[..first + close], &inside[first + close + 1..]))
}

/// A backslash is a letter to the library, and to Git it takes the next one as it is.
fn holds_slash(letters: &str) -> bool {
    let letters: Vec<char> = letters.chars().collect();
    let range = |three: &[char]| three[1] == '-' && three[0] <= '/' && '/' <= three[2];
    letters.iter().any(|c| ['/', '\\'].contains(c)) || letters.windows(3).any(range)
}

#[cfg(unix)]
fn as_os_path(path: &RepoPath) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt as _;
    std::path::Path::new(std::ffi::OsStr::from_bytes(path.as_bytes()))
}

#[cfg(not(unix))]
fn as_os_path(path: &RepoPath) -> &std::path::Path {
    std::path::Path::new(path.to_str().unwrap_or_default())
}

/// A glob that may hold `{name}`, which stands for the same word in every glob of a stage
/// (R000-37).
///
/// Both forms that match are compiled when first asked: a guard that meets no handoff of the stage
/// needs neither.
#[derive(Debug, Clone)]
pub struct NamedGlob {
    text: String,
    matcher: OnceLock<GlobMatcher>,
    capture: OnceLock<Option<regex::bytes::Regex>>,
}

/// The placeholder as policies write it, and the word that stands for it while the glob is built.
const PLACEHOLDER: &str = "{name}";
const STAND_IN: &str = "0orch0name0";

impl NamedGlob {
    /// Takes a glob with at most one `{name}`, which stands by itself; refuses, in words, what is
    /// none.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.matches(PLACEHOLDER).count() > 1 {
            return Err("`{name}` stands once in a glob".into());
        }
        if text.split_once(PLACEHOLDER).is_some_and(|(before, _)| !is_at_rest(before)) {
            return Err("`{name}` stands by itself, not in `[…]` or `{…}` or behind `\\`".into());
        }
        build(&text.replace(PLACEHOLDER, "*"))?;
        Ok(NamedGlob::of_valid(text))
    }

    /// Takes a glob that is known to be one.
    pub(super) fn of_valid(text: &str) -> Self {
        let (matcher, capture) = (OnceLock::new(), OnceLock::new());
        NamedGlob { text: text.to_owned(), matcher, capture }
    }

    fn matcher(&self) -> &GlobMatcher {
        let glob = || build(&self.text.replace(PLACEHOLDER, "*")).expect(VALID);
        self.matcher.get_or_init(|| glob().compile_matcher())
    }

    fn capture(&self) -> Option<&regex::bytes::Regex> {
        let build_regex = || {
            let glob = build(&self.text.replace(PLACEHOLDER, STAND_IN)).ok()?;
            let regex = glob.regex().replace(STAND_IN, "(?P<name>[^/]+?)");
            regex::bytes::Regex::new(&regex).ok()
        };
        let named = self.text.contains(PLACEHOLDER);
        self.capture.get_or_init(|| named.then(build_regex).flatten()).as_ref()
    }

    /// Gives the glob as the policy writes it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Tells whether the whole path matches.
    pub fn matches(&self, path: &RepoPath) -> bool {
        let glob = self.text.replace(PLACEHOLDER, "*");
        plain::matches(&glob, path.as_bytes())
            .unwrap_or_else(|| self.matcher().is_match(as_os_path(path)))
    }

    /// Gives the word that stands for `{name}` in a path that matches; none if the glob has no
    /// placeholder or the path does not match.
    pub fn name_in(&self, path: &RepoPath) -> Option<String> {
        let captures = self.capture()?.captures(path.as_bytes())?;
        Some(String::from_utf8_lossy(captures.name("name")?.as_bytes()).into_owned())
    }

    /// Gives the folder that every match lies below, empty for the top.
    pub fn folder(&self) -> RepoPath {
        let plain =
            self.text.split('/').take_while(|part| !part.contains(['*', '?', '[', '{', '\\']));
        let mut parts: Vec<&str> = plain.collect();
        if parts.len() == self.text.split('/').count() {
            parts.pop();
        }
        RepoPath::from(parts.join("/").as_str())
    }
}

/// Tells whether what follows this beginning of a glob stands in no class and no alternative and is
/// not escaped. Anywhere else a path could match, and no word of it would stand for the placeholder.
fn is_at_rest(before: &str) -> bool {
    let mut rest = before;
    let mut plain = String::new();
    while let Some((before, _, behind)) = next_class(rest) {
        plain.push_str(before);
        rest = behind;
    }
    plain.push_str(rest);
    let (mut depth, mut characters) = (0_usize, plain.chars());
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.as_str().is_empty() => return false,
            '\\' => drop(characters.next()),
            '[' => return false,
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        PathSet::new(&[glob.into()]).expect("a glob").contains(&RepoPath::from(path))
    }

    /// Attack 41: pinned, so that another library would have to say the same.
    #[test]
    fn stars_mean_what_git_means() {
        assert!(matches("src/*", "src/a"));
        assert!(!matches("src/*", "src/a/b"));
        assert!(matches("src/**", "src/a/b"));
        assert!(matches("**/x", "x"));
        assert!(matches("**/x", "a/b/x"));
        assert!(!matches("src/**", "src"));
        assert!(!matches("src", "src/a"));
        assert!(matches("a.{pine,py}", "a.py"));
        assert!(!matches("SRC/**", "src/a"));
        assert!(matches("docs/ü*", "docs/üb"));
    }

    #[test]
    fn broken_globs_are_refused_with_their_index() {
        let globs = ["a".to_owned(), "[".to_owned()];
        assert_eq!(PathSet::new(&globs).expect_err("broken").0, 1);
        assert_eq!(first_fault(&globs).expect("broken").0, 1);
        assert_eq!(first_fault(&globs[..1]), None);
        for bad in ["", "/a", "../a", "a/./b", "**/", "src/", "src/**/"] {
            assert!(NamedGlob::new(bad).is_err(), "{bad}");
        }
        // They match nothing that they seem to.
        for bad in ["ci/***", "ci**", "a/**.md", "ci//x", "[[:lower:]]", "ci/**\n", "ci/** ", " ci"]
        {
            assert!(NamedGlob::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_owner_of_a_path_is_named_once_and_in_order() {
        let globs = [("b", "src/**"), ("a", "src/*.rs"), ("b", "**/x.rs"), ("c", "docs/**")];
        let owners = Owners::new(globs).expect("globs");
        assert_eq!(owners.of(&RepoPath::from("src/x.rs")), [&"a", &"b"]);
        assert_eq!(owners.of(&RepoPath::from("docs/a/b")), [&"c"]);
        assert!(owners.of(&RepoPath::from("other")).is_empty());
        assert!(Owners::new([("a", "[")]).is_err());
    }

    #[test]
    fn code_and_document_share_a_name() {
        let code = NamedGlob::new("strategies/**/{name}.{pine,py}").expect("a glob");
        let docs = NamedGlob::new("docs/strategies/{name}.md").expect("a glob");
        let path = RepoPath::from("strategies/pine_v6/new_strategy.pine");
        assert!(code.matches(&path));
        assert_eq!(code.name_in(&path).as_deref(), Some("new_strategy"));
        assert_eq!(code.name_in(&RepoPath::from("strategies/sma.py")).as_deref(), Some("sma"));
        assert_eq!(docs.name_in(&RepoPath::from("docs/strategies/a/b.md")), None);
        assert!(!docs.matches(&RepoPath::from("docs/strategies/a/b.md")));
        assert_eq!(code.folder(), RepoPath::from("strategies"));
    }

    /// Attack 41: a lane would own files of folders that nobody gave it.
    #[test]
    fn classes_stay_in_their_folder() {
        assert!(matches("a[!b]c", "axc"));
        assert!(!matches("a[!b]c", "a/c"));
        assert!(!matches("a[!b]c", "abc"));
        assert!(!matches("a[^b-d]*", "a/c"));
        assert!(matches("a\\[!b]c", "a[!b]c"));
        assert!(matches("a[]-]c", "a]c"));
        for bad in ["a[/]c", "a[+-9]c", "a[!.-0]c", "a[!]]c", "a[!-]c", r"a[\]]c", r"a[\d]"] {
            assert!(PathSet::new(&[bad.into()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_placeholder_stands_by_itself() {
        for bad in ["{a,{name}}/x", "[{name}].py", "\\{name}", "[!]{name}]", "{a,[}]{name}}"] {
            assert!(NamedGlob::new(bad).is_err(), "{bad}");
        }
        for (glob, path) in [
            ("{a,b}/{name}.py", "a/sma.py"),
            ("[a-c]/{name}.py", "b/sma.py"),
            ("[]]{name}.py", "]sma.py"),
            ("\\{a\\}{name}.py", "{a}sma.py"),
            ("[{]{name}.py", "{sma.py"),
        ] {
            let glob = NamedGlob::new(glob).expect("a glob");
            assert_eq!(glob.name_in(&RepoPath::from(path)).as_deref(), Some("sma"), "{path}");
        }
    }
}
