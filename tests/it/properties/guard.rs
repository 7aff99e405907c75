//! The whole guard: a ledger that landed, and what someone would do to it.
//!
//! The first line says how it is looked at: the letter of how many records have landed, that of the
//! occasion, that of how many days later it is, and the branch. Every other line is one deed: a
//! letter, the letter of the file, and a text. So a proposal can be read, and bytes that are changed
//! by chance are a proposal still.

use std::collections::BTreeMap;

use orch::diagnostic::Report;
use orch::guard::guard as judge;
use orch::record::{is_record_path, snapshot_of};
use orch::render::{ReportFormat, Style, Verdict, render};
use orch::snapshot::{Memory, Mode, Occasion, Oid, Proposal, Repository as _, Side, Step};
use orch::source::path::unprintable;
use orch::source::{Digest, Moment, RepoPath};

/// What a demonstration leaves, in the order in which it came: the policy and what lies beside the
/// records, then the records.
const LEDGER: &str = include_str!("ledger.txt");
const LATEST: &str = "2026-11-21T11:56:00Z";

type Files = BTreeMap<RepoPath, (Mode, Vec<u8>)>;

/// Holds that whatever is proposed is judged, that no landed record is edited or deleted, and that
/// what is told of it can be shown on any terminal.
pub(crate) fn guard(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let Some([landed, occasion, days, branch @ ..]) = lines.next() else { return };
    let (base, waiting) = landed_files(usize::from(*landed));
    let head = Deeds { head: base.clone(), base: &base, waiting }.done(lines);
    let mut memory = Memory::default();
    memory.set(Memory::commit(1), &base);
    let branch = std::str::from_utf8(branch).ok().filter(|branch| !branch.is_empty());
    let proposal = proposal(&mut memory, &head, *occasion, branch);
    let at = later(u32::from(*days));
    let report = match judge(&memory, &proposal, at, occasion % 2 == 0) {
        Ok(report) => report,
        Err(fault) => {
            let policy = RepoPath::from(orch::policy::POLICY_PATH);
            let own = proposal.occasion == Occasion::Verification;
            assert!(own && base.get(&policy) != head.get(&policy), "can't look: {fault}");
            return;
        }
    };
    if proposal.base != Side::Nothing {
        landed_stays(&base, &head, &report);
    }
    can_be_shown(&report, &proposal);
}

fn landed_files(count: usize) -> (Files, Vec<(RepoPath, Vec<u8>)>) {
    let mut files = Files::new();
    let mut records = Vec::new();
    for part in LEDGER.split("# file: ").skip(1) {
        let (path, text) = part.split_once('\n').expect("a file's name has its own line");
        let (path, bytes) = (RepoPath::from(path), text.as_bytes().to_vec());
        match is_record_path(&path) && snapshot_of(&path).is_none() {
            true => records.push((path, bytes)),
            false => drop(files.insert(path, (Mode::File, bytes))),
        }
    }
    let waiting = records.split_off(count % (records.len() + 1));
    files.extend(records.into_iter().map(|(path, bytes)| (path, (Mode::File, bytes))));
    (files, waiting)
}

fn later(days: u32) -> Moment {
    let latest: Moment = LATEST.parse().expect("a moment");
    latest.plus(orch::policy::duration(&format!("{}d", days % 64)).expect("a duration"))
}

/// What someone does, one line at a time.
struct Deeds<'a> {
    head: Files,
    base: &'a Files,
    waiting: Vec<(RepoPath, Vec<u8>)>,
}

impl Deeds<'_> {
    fn done<'l>(mut self, lines: impl Iterator<Item = &'l [u8]>) -> Files {
        for line in lines.take(24) {
            if let [deed, which, text @ ..] = line {
                self.deed(*deed, usize::from(*which), text);
            }
        }
        self.head
    }

    fn deed(&mut self, deed: u8, which: usize, text: &[u8]) {
        let path = self.head.keys().nth(which % self.head.len().max(1)).cloned();
        let Some(path) = path else { return };
        match deed {
            b'n' => self.next(which % 8 + 1),
            b'z' => self.seal(),
            b'd' => drop(self.head.remove(&path)),
            b's' => self.write(path, unescaped(text)),
            b'w' => {
                let (name, bytes) = halves(text, b'=');
                self.add(name, Some((Mode::File, unescaped(bytes))));
            }
            b'c' => self.add(text, self.head.get(&path).cloned()),
            b'm' => {
                let modes = [Mode::File, Mode::Executable, Mode::Symlink, Mode::Submodule];
                let mode = modes[usize::from(text.first().copied().unwrap_or_default() % 4)];
                self.head.entry(path).and_modify(|file| file.0 = mode);
            }
            b'l' => self.line(&path, text, true),
            b'i' => self.line(&path, text, false),
            _ => {}
        }
    }

    fn write(&mut self, path: RepoPath, bytes: Vec<u8>) {
        self.head.insert(path, (Mode::File, bytes));
    }

    /// Adds a file where Git could hold one.
    fn add(&mut self, name: &[u8], file: Option<(Mode, Vec<u8>)>) {
        let parts = name.split(|byte| *byte == b'/');
        let held =
            |part: &[u8]| !part.contains(&0) && !matches!(part, b"" | b"." | b".." | b".git");
        let path = RepoPath::from_git(name);
        let within = |one: &RepoPath, other: &RepoPath| {
            other.to_str().is_some_and(|other| one.is_below(other))
        };
        let blocked = self.head.keys().any(|other| within(&path, other) || within(other, &path));
        if parts.clone().all(held) && !blocked {
            self.head.extend(file.map(|file| (path, file)));
        }
    }

    /// Adds the records that came next.
    fn next(&mut self, count: usize) {
        let count = count.min(self.waiting.len());
        let coming: Vec<(RepoPath, Vec<u8>)> = self.waiting.drain(..count).collect();
        coming.into_iter().for_each(|(path, bytes)| self.write(path, bytes));
    }

    /// Replaces a line of a file, or puts one before it; no text takes it away.
    fn line(&mut self, path: &RepoPath, text: &[u8], replaces: bool) {
        let ([nth, text @ ..], Some((_, bytes))) = (text, self.head.get_mut(path)) else { return };
        let mut lines: Vec<Vec<u8>> =
            bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let nth = usize::from(*nth) % lines.len();
        let new = (!text.is_empty()).then(|| unescaped(text));
        lines.splice(nth..nth + usize::from(replaces), new);
        *bytes = lines.join(&b'\n');
    }

    /// Seals each record that has not landed onto the one before it, so that not all that is
    /// changed is refused for its seal alone.
    fn seal(&mut self) {
        let mut before: Option<(RepoPath, Digest)> = None;
        for (path, (_, bytes)) in &mut self.head {
            if !is_record_path(path) || snapshot_of(path).is_some() {
                continue;
            }
            let known = before.take().filter(|(folder, _)| *folder == path.folder());
            if let (Some((_, digest)), false) = (known, self.base.contains_key(path)) {
                *bytes = sealed(bytes, &digest);
            }
            before = Some((path.folder(), Digest::of(bytes)));
        }
    }
}

fn sealed(bytes: &[u8], digest: &Digest) -> Vec<u8> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let seal = format!("  previous: {digest}\n");
    let lines = lines.map(|line| match line.starts_with(b"  previous: ") {
        true => seal.as_bytes(),
        false => line,
    });
    lines.collect::<Vec<_>>().concat()
}

fn halves(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == at) {
        Some(found) => (&text[..found], &text[found + 1..]),
        None => (text, &[]),
    }
}

/// A deed has one line, so `\n` stands for the end of a line of the file.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text);
    while let [first, behind @ ..] = rest {
        let ends = rest.starts_with(b"\\n");
        bytes.push(if ends { b'\n' } else { *first });
        rest = if ends { &rest[2..] } else { behind };
    }
    bytes
}

fn proposal(memory: &mut Memory, head: &Files, occasion: u8, branch: Option<&str>) -> Proposal {
    let base = Memory::commit(1);
    let (occasion, from, to) = match occasion % 4 {
        0 => (Occasion::Commit, base, Side::Index),
        1 => (Occasion::Range, base, Memory::commit(2)),
        2 => (Occasion::Merge, base, Side::Index),
        _ => (Occasion::Verification, Side::Nothing, Memory::commit(2)),
    };
    memory.set(to, head);
    let steps = match (occasion, from, to) {
        (Occasion::Range, Side::Commit(parent), Side::Commit(commit)) => vec![step(parent, commit)],
        _ => Vec::new(),
    };
    let changes = match from {
        Side::Nothing => Vec::new(),
        _ => memory.changes(from, to).expect("memory holds every side"),
    };
    Proposal {
        agreed: from,
        base: from,
        head: to,
        parents: Vec::new(),
        tips: Vec::new(),
        branch: branch.map(str::to_owned),
        occasion,
        changes,
        steps,
    }
}

fn step(parent: Oid, commit: Oid) -> Step {
    Step { commit, parents: vec![parent] }
}

/// The promise that everything else rests on.
fn landed_stays(base: &Files, head: &Files, report: &Report) {
    let records = base.iter().filter(|(path, _)| is_record_path(path));
    for (path, file) in records.filter(|(path, file)| head.get(path) != Some(file)) {
        let told = report
            .findings
            .iter()
            .any(|finding| finding.check == "record-modified" && finding.place.path == *path);
        assert!(told && report.refused(), "{path} changed, {file:?}");
    }
}

fn can_be_shown(report: &Report, proposal: &Proposal) {
    let verdict = Verdict::new(report, proposal, 0);
    let json = render(&verdict, ReportFormat::Json, Style::default());
    let read: Result<serde_json::Value, _> = serde_json::from_str(&json);
    assert!(read.is_ok() && json.lines().count() == 1, "{json}");
    is_harmless(&json);
    let plain = render(&verdict, ReportFormat::Human, Style::default());
    is_harmless(&plain);
    let coloured =
        render(&verdict, ReportFormat::Human, Style { colour: true, ..Style::default() });
    assert_eq!(uncoloured(&coloured), plain);
    let narrow =
        Style { colour: false, width: 60, unicode: false, narrated: plain.len().is_multiple_of(2) };
    is_harmless(&render(&verdict, ReportFormat::Human, narrow));
    for format in [ReportFormat::Sarif, ReportFormat::Markdown, ReportFormat::Junit] {
        is_harmless(&render(&verdict, format, Style::default()));
    }
}

/// Neither a terminal nor a CI runner takes anything of this for a command.
fn is_harmless(text: &str) {
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        assert!(!line.contains(unprintable), "{line:?}");
        assert!(
            !line.trim_start().starts_with("::")
                && !line.contains("##[")
                && !line.contains("##vso["),
            "{line:?}"
        );
    }
}

/// Takes away the colours that orch itself writes, and nothing else.
fn uncoloured(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split("\x1b[");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(part.len());
        assert!(part[end..].starts_with('m'), "an escape that paints nothing: {part:?}");
        plain.push_str(&part[end + 1..]);
    }
    plain
}
