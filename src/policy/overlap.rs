//! Do two sets of globs touch? Decided over all paths that a repository could hold, not by sample.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use regex_automata::nfa::thompson::{Compiler, Config, State, WhichCaptures};
use regex_automata::util::syntax;

use super::PathSet;
use super::glob::build;
use crate::source::RepoPath;

/// A part of the tree that somebody will work in, by globs; cheap to clone.
///
/// [`Scope::contains`] reads a path as Git does, letter by letter. [`Scope::meets`] takes ASCII letters
/// that differ by case alone for the same: on a file system that ignores case, `SRC/**` and `src/**`
/// are one folder, and two agents would write the same file. Other letters are not folded.
///
/// Without globs it holds nothing and meets nothing; what that means is the caller's to say.
#[derive(Debug, Clone)]
pub struct Scope {
    globs: Arc<[Glob]>,
    set: PathSet,
}

#[derive(Debug)]
struct Glob {
    text: String,
    /// What every match begins and ends with, in lower case.
    ends: (Vec<u8>, Vec<u8>),
    nodes: Vec<Node>,
    start: u32,
}

/// A state of the automaton that reads a glob's paths in lower case.
#[derive(Debug)]
enum Node {
    /// Goes on by a byte of a range, the range's ends included.
    Reads(Vec<(u8, u8, u32)>),
    /// Goes on to each of these, for nothing.
    Forks(Vec<u32>),
    /// Has read a whole path.
    Done,
}

/// How far a path has come, so that only paths that Git can hold are walked: no part of one is empty,
/// `.` or `..`, and no byte is NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Beginning,
    Empty,
    Dot,
    Dots,
    Named,
}

impl Part {
    const ALL: usize = 5;

    fn after(self, byte: u8) -> Option<Part> {
        match (self, byte) {
            (_, 0) => None,
            (Part::Named, b'/') => Some(Part::Empty),
            (_, b'/') => None,
            (Part::Beginning | Part::Empty, b'.') => Some(Part::Dot),
            (Part::Dot, b'.') => Some(Part::Dots),
            _ => Some(Part::Named),
        }
    }
}

/// A state of both automata, and how far the path has come.
type Pair = (u32, u32, Part);
/// How each pair was first reached; only tests ask for it.
type Trace = HashMap<(u32, u32, u8), (Pair, Option<u8>)>;

impl Scope {
    /// Takes globs as lanes own them; gives the index of the first that is none, and why.
    pub fn new(globs: &[String]) -> Result<Scope, (usize, String)> {
        let set = PathSet::new(globs)?;
        let compiled = globs.iter().enumerate();
        let compiled =
            compiled.map(|(index, glob)| Glob::new(glob).map_err(|fault| (index, fault)));
        Ok(Scope { globs: compiled.collect::<Result<_, _>>()?, set })
    }

    /// Tells whether any of the globs matches the whole path.
    pub fn contains(&self, path: &RepoPath) -> bool {
        self.set.contains(path)
    }

    /// Tells whether some path could lie in both, or a file of one in the way of a folder of the other.
    pub fn meets(&self, other: &Scope) -> bool {
        self.meeting(other).is_some()
    }

    /// Gives the first two globs, one of each, that could match the same path, or that name a file and
    /// what lies below it: `src/a` and `src/a/b` can't both be.
    pub fn meeting<'s>(&'s self, other: &'s Scope) -> Option<(&'s str, &'s str)> {
        let pairs = self.globs.iter().flat_map(|one| other.globs.iter().map(move |two| (one, two)));
        let mut met = pairs.filter(|(one, two)| {
            one.could_meet(two) && search(one, two, None).is_some()
                || one.is_above(two)
                || two.is_above(one)
        });
        met.next().map(|(one, two)| (one.text.as_str(), two.text.as_str()))
    }
}

impl Glob {
    fn new(text: &str) -> Result<Glob, String> {
        let regex = build(text)?;
        // As the matcher itself is compiled: bytes, and a star takes a line's end too.
        let syntax = syntax::Config::new().utf8(false).dot_matches_new_line(true);
        let config = Config::new().utf8(false).which_captures(WhichCaptures::None);
        let nfa = Compiler::new().syntax(syntax).configure(config).build(regex.regex());
        let nfa = nfa.map_err(|error| error.to_string())?;
        let start = nfa.start_anchored().as_u32();
        let nodes = nfa.states().iter().map(node).collect();
        Ok(Glob { text: text.to_owned(), ends: ends(text), nodes, start })
    }

    /// Tells whether it names one path, and the other's globs lie below that.
    fn is_above(&self, other: &Glob) -> bool {
        let plain = !self.text.contains(['*', '?', '[', '{', '\\']);
        let head = other.text.get(..self.text.len());
        plain
            && head.is_some_and(|head| head.eq_ignore_ascii_case(&self.text))
            && other.text[self.text.len()..].starts_with('/')
    }

    /// Answers no where the letters that globs begin and end with already differ.
    fn could_meet(&self, other: &Glob) -> bool {
        let ((head, tail), (other_head, other_tail)) = (&self.ends, &other.ends);
        (head.starts_with(other_head) || other_head.starts_with(head))
            && (tail.ends_with(other_tail) || other_tail.ends_with(tail))
    }
}

/// Gives the plain letters at both ends of a glob.
fn ends(glob: &str) -> (Vec<u8>, Vec<u8>) {
    let lower = glob.to_ascii_lowercase();
    let head = lower.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default();
    // Behind `**`, a slash may stand for nothing; a backslash could make any letter plain.
    let tail = if lower.contains('\\') { "" } else { &lower };
    let tail = tail.rsplit(['*', '?', ']', '}']).next().unwrap_or_default();
    (head.into(), tail.trim_start_matches('/').into())
}

fn node(state: &State) -> Node {
    let ranges = match state {
        State::ByteRange { trans } => vec![(trans.start, trans.end, trans.next.as_u32())],
        State::Sparse(sparse) => {
            sparse.transitions.iter().map(|t| (t.start, t.end, t.next.as_u32())).collect()
        }
        State::Dense(dense) => {
            let reads = |byte| Some((byte, byte, dense.matches_byte(byte)?.as_u32()));
            (0..=u8::MAX).filter_map(reads).collect()
        }
        State::Union { alternates } => {
            return Node::Forks(alternates.iter().map(|next| next.as_u32()).collect());
        }
        State::BinaryUnion { alt1, alt2 } => {
            return Node::Forks(vec![alt1.as_u32(), alt2.as_u32()]);
        }
        // A glob's expression looks for the beginning and the end just there, and nowhere else.
        State::Look { next, .. } | State::Capture { next, .. } => {
            return Node::Forks(vec![next.as_u32()]);
        }
        State::Fail => return Node::Forks(Vec::new()),
        State::Match { .. } => return Node::Done,
    };
    Node::Reads(ranges.into_iter().flat_map(lower).collect())
}

/// Gives the parts of a range with its capital letters made small.
fn lower((first, last, next): (u8, u8, u32)) -> impl Iterator<Item = (u8, u8, u32)> {
    let within = |low: u8, high: u8| (first.max(low), last.min(high), next);
    let (before, capitals, behind) = (within(0, b'@'), within(b'A', b'Z'), within(b'[', u8::MAX));
    let small = (capitals.0.to_ascii_lowercase(), capitals.1.to_ascii_lowercase(), next);
    let covered = behind.0 <= small.0 && small.1 <= behind.1;
    let capital = (capitals.0 <= capitals.1 && !covered).then_some(small);
    [before, behind].into_iter().filter(|(first, last, _)| first <= last).chain(capital)
}

/// Walks both automata side by side, breadth-first, each pair of their states once; gives the pair in
/// which both have read the same path, if there is one.
fn search(one: &Glob, two: &Glob, mut trace: Option<&mut Trace>) -> Option<Pair> {
    let place = |(a, b, part): Pair| {
        (a as usize * two.nodes.len() + b as usize) * Part::ALL + part as usize
    };
    let mut seen = vec![0_u64; (one.nodes.len() * two.nodes.len() * Part::ALL).div_ceil(64)];
    let mut open = VecDeque::new();
    let mut reach = |pair: Pair, from: Option<(Pair, Option<u8>)>, open: &mut VecDeque<Pair>| {
        let (word, bit) = (place(pair) / 64, 1 << (place(pair) % 64));
        if seen[word] & bit == 0 {
            seen[word] |= bit;
            open.push_back(pair);
            if let (Some(trace), Some(from)) = (trace.as_deref_mut(), from) {
                trace.insert((pair.0, pair.1, pair.2 as u8), from);
            }
        }
    };
    reach((one.start, two.start, Part::Beginning), None, &mut open);
    while let Some(pair) = open.pop_front() {
        let (a, b, part) = pair;
        match (&one.nodes[a as usize], &two.nodes[b as usize]) {
            (Node::Done, Node::Done) if part == Part::Named => return Some(pair),
            (Node::Forks(ways), _) => {
                ways.iter().for_each(|&a| reach((a, b, part), Some((pair, None)), &mut open));
            }
            (_, Node::Forks(ways)) => {
                ways.iter().for_each(|&b| reach((a, b, part), Some((pair, None)), &mut open));
            }
            (Node::Reads(ours), Node::Reads(theirs)) => {
                for (first, last, a, b) in common(ours, theirs) {
                    for byte in tellings(first, last) {
                        if let Some(part) = part.after(byte) {
                            reach((a, b, part), Some((pair, Some(byte))), &mut open);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    None
}

/// Gives the ranges of bytes that both read, and where each goes on.
fn common<'r>(
    ours: &'r [(u8, u8, u32)],
    theirs: &'r [(u8, u8, u32)],
) -> impl Iterator<Item = (u8, u8, u32, u32)> + 'r {
    let both = ours.iter().flat_map(move |our| theirs.iter().map(move |their| (our, their)));
    let both = both.map(|(our, their)| (our.0.max(their.0), our.1.min(their.1), our.2, their.2));
    both.filter(|(first, last, ..)| first <= last)
}

/// Gives the bytes of a range that matter: `.`, `/`, and one that stands for all the others, a letter
/// if there is one.
fn tellings(first: u8, last: u8) -> impl Iterator<Item = u8> {
    let range = first..=last;
    let plain = |byte: &u8| !matches!(byte, 0 | b'.' | b'/');
    let letter = range.contains(&b'a').then_some(b'a');
    let other = letter.or_else(|| range.clone().rev().find(plain));
    [Some(b'.'), Some(b'/')]
        .into_iter()
        .flatten()
        .filter(move |byte| range.contains(byte))
        .chain(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope(globs: &[&str]) -> Scope {
        let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        Scope::new(&globs).expect("globs")
    }

    fn meet(one: &str, two: &str) -> bool {
        scope(&[one]).meets(&scope(&[two]))
    }

    /// Gives a path in lower case that both globs match, but for the case of letters.
    fn witness(one: &Glob, two: &Glob) -> Option<Vec<u8>> {
        let mut trace = Trace::new();
        let mut at = search(one, two, Some(&mut trace))?;
        let mut path = Vec::new();
        while let Some((from, byte)) = trace.get(&(at.0, at.1, at.2 as u8)) {
            path.extend(byte);
            at = *from;
        }
        path.reverse();
        Some(path)
    }

    #[test]
    fn scopes_meet_where_a_path_could_lie_in_both() {
        for (one, two) in [
            ("src/**", "src/a.rs"),
            ("src/*.rs", "src/a*"),
            ("**/x", "x"),
            ("**/*.md", "docs/**"),
            ("a/**/b", "a/b"),
            ("a/*/c", "a/b/*"),
            ("{a,b}/c", "{b,d}/*"),
            ("a[0-9]*", "a?z"),
            ("**", "**"),
            ("docs/ü*", "docs/**"),
            // A file can't be where a folder is.
            ("src/a", "SRC/a/b"),
            ("src/**", "src"),
        ] {
            assert!(meet(one, two) && meet(two, one), "{one} {two}");
        }
        for (one, two) in [
            ("src/a", "src/ab"),
            ("src/*", "src/*/x"),
            ("**/*.md", "**/*.rs"),
            ("a/*/c", "a/c"),
            ("{a,b}/c", "{d,e}/*"),
            ("a[0-9]", "a[a-z]"),
            ("a[!bB]c", "abc"),
            ("*a*b", "*b*a"),
            ("x?", "x"),
            ("src/**", "srcs/**"),
        ] {
            assert!(!meet(one, two), "{one} {two}");
        }
    }

    #[test]
    fn letters_that_differ_by_case_alone_are_the_same() {
        assert!(meet("SRC/**", "src/a"));
        assert!(meet("[!a]", "A") && !meet("[!aA]", "A"));
        assert!(meet("[A-Z]x", "qX"));
        assert!(!scope(&["SRC/**"]).contains(&RepoPath::from("src/a")));
        assert!(!meet("[[-`]", "[A-Za-z]"), "what lies between the cases is no letter");
    }

    #[test]
    fn the_globs_that_meet_are_named() {
        let (one, two) = (scope(&["docs/**", "src/*.rs"]), scope(&["tests/**", "src/main.*"]));
        assert_eq!(one.meeting(&two), Some(("src/*.rs", "src/main.*")));
        assert!(!scope(&[]).meets(&two));
        assert_eq!(Scope::new(&["a".into(), "b/".into()]).expect_err("a folder").0, 1);
    }

    /// What a thousand bytes can ask for at most ends soon, although it is the worst of both.
    #[test]
    fn nasty_globs_end() {
        let long = |piece: &str, end: &str| piece.repeat((999 - end.len()) / piece.len()) + end;
        // The last letters differ, and no plain end tells: every pair is walked.
        let nasty = [long("*a", "[b]"), long("**/", "[c]"), long("{a,b,*}", "[d]")];
        let nasty = nasty.map(|glob| scope(&[&glob]));
        for (one, two) in [(0, 1), (1, 2), (2, 0)] {
            assert!(!nasty[one].meets(&nasty[two]));
        }
    }

    fn glob_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => prop::sample::select(vec!["a", "b", "A", "/", "."]).prop_map(str::to_owned),
            3 => prop::sample::select(vec!["*", "?", "**/", "/**", "/**/"]).prop_map(str::to_owned),
            1 => prop::sample::select(vec!["[a-b]", "[!a]", "{a,b/*}", "{a,**/b}", "\\*", "[]A]"])
                .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 1..7).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_both_match_they_meet_in(
            one in glob_text(), two in glob_text(), path in "[abA.*/]{1,6}",
        ) {
            let (Ok(one), Ok(two)) = (Scope::new(&[one]), Scope::new(&[two])) else {
                return Ok(());
            };
            prop_assert_eq!(one.meets(&two), two.meets(&one));
            if RepoPath::canonical(&path).is_ok() {
                let path = RepoPath::from(path.as_str());
                prop_assert!(!(one.contains(&path) && two.contains(&path)) || one.meets(&two));
            }
        }

        #[test]
        fn where_they_meet_both_match(one in glob_text(), two in glob_text()) {
            let small = |glob: String| glob.to_lowercase().replace("[!a]", "[!aA]");
            let (one, two) = (small(one), small(two));
            let (Ok(ours), Ok(theirs)) = (Scope::new(&[one]), Scope::new(&[two])) else {
                return Ok(());
            };
            let found = witness(&ours.globs[0], &theirs.globs[0]);
            let (a, b) = (&ours.globs[0], &theirs.globs[0]);
            let above = a.is_above(b) || b.is_above(a);
            prop_assert_eq!(found.is_some() || above, ours.meets(&theirs));
            if let Some(path) = found {
                let path = RepoPath::from_git(path);
                let mut parts = path.as_bytes().split(|byte| *byte == b'/');
                prop_assert!(parts.all(|part| !matches!(part, b"" | b"." | b"..")), "{}", path);
                prop_assert!(ours.contains(&path) && theirs.contains(&path), "{}", path);
            }
        }
    }
}
