//! A landed ledger, damaged in a thousand ways: never a panic, and never a pass.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use orch::diagnostic::{Report, Severity};
use orch::guard::guard;
use orch::snapshot::{Memory, Mode, Occasion, Proposal, Repository as _, Side, Step};
use orch::source::{Moment, RepoPath};

use crate::support::{Random, Team};

/// The files of a commit.
type Files = BTreeMap<RepoPath, (Mode, Vec<u8>)>;

/// A way to damage a file; false if it has nothing to bite on.
type Damage = fn(&mut Files, &RepoPath, &mut Random) -> bool;

const DAMAGES: [(&str, Damage); 12] = [
    ("replace a byte", replace_byte),
    ("insert bytes", insert_bytes),
    ("remove bytes", remove_bytes),
    ("swap two lines", swap_lines),
    ("repeat a line", repeat_line),
    ("drop a line", drop_line),
    ("put the envelope first", reorder_keys),
    ("truncate", truncate),
    ("delete", delete),
    ("rename", rename),
    ("change the mode", change_mode),
    ("swap with another", swap_files),
];

fn bytes<'f>(files: &'f mut Files, path: &RepoPath) -> &'f mut Vec<u8> {
    &mut files.get_mut(path).unwrap().1
}

fn replace_byte(files: &mut Files, path: &RepoPath, random: &mut Random) -> bool {
    let bytes = bytes(files, path);
    let at = random.below(bytes.len());
    bytes[at] = random_byte(random);
    true
}

/// Half of them mean something to YAML.
fn random_byte(random: &mut Random) -> u8 {
    match random.below(2) {
        0 => *random.pick(b"{}[]:,#&*!|>'\"%@`-?\n \t\\0~"),
        _ => u8::try_from(random.below(256)).unwrap(),
    }
}

fn insert_bytes(files: &mut Files, path: &RepoPath, random: &mut Random) -> bool {
    let count = 1 + random.below(4);
    let more: Vec<u8> = (0..count).map(|_| random_byte(random)).collect();
    let bytes = bytes(files, path);
    let at = random.below(bytes.len() + 1);
    bytes.splice(at..at, more);
    true
}

fn remove_bytes(files: &mut Files, path: &RepoPath, random: &mut Random) -> bool {
    let bytes = bytes(files, path);
    let at = random.below(bytes.len());
    let end = (at + 1 + random.below(8)).min(bytes.len());
    bytes.drain(at..end);
    true
}

/// Lets something happen to a file's lines.
fn by_lines(files: &mut Files, path: &RepoPath, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> bool {
    let bytes = bytes(files, path);
    let mut lines: Vec<Vec<u8>> =
        bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    if lines.len() < 2 {
        return false;
    }
    change(&mut lines);
    *bytes = lines.concat();
    true
}

fn swap_lines(files: &mut Files, path: &RepoPath, random: &mut Random) -> bool {
    by_lines(files, path, |lines| {
        let (one, other) = (random.below(lines.len()), random.below(lines.len()));
        lines.swap(one, other);
    })
}

fn repeat_line(files: &mut Files, path: &RepoPath, random: &mut Random) -> bool {
    by_lines(files, path, |lines| {
        let at = random.below(lines.len());
        lines.insert(at, lines[at].clone());
    })
}

fn drop_line(files: &mut Files, path: &RepoPath, random: &mut Random) -> bool {
    by_lines(files, path, |lines| {
        lines.remove(random.below(lines.len()));
    })
}

/// The order of keys means nothing to YAML, and a landed record's bytes are what they are.
fn reorder_keys(files: &mut Files, path: &RepoPath, _random: &mut Random) -> bool {
    by_lines(files, path, |lines| {
        let at = lines.iter().position(|line| line.starts_with(b"entry:")).unwrap_or(0);
        lines.rotate_left(at);
    })
}

fn truncate(files: &mut Files, path: &RepoPath, random: &mut Random) -> bool {
    let bytes = bytes(files, path);
    bytes.truncate(random.below(bytes.len()));
    true
}

fn delete(files: &mut Files, path: &RepoPath, _random: &mut Random) -> bool {
    files.remove(path).is_some()
}

fn rename(files: &mut Files, path: &RepoPath, random: &mut Random) -> bool {
    let (folder, name) = (path.folder().to_string(), path.file_name().to_string());
    let number = random.below(40);
    let other = match random.below(5) {
        0 => format!("{folder}/{number:04}{}", &name[4.min(name.len())..]),
        1 => format!("{folder}x/{name}"),
        2 => format!("{folder}/{}", name.replace(".yaml", ".yml")),
        3 => format!("{}/{name}", folder.replace(".orch", ".Orch")),
        _ => format!("{folder}/{}", name.to_uppercase()),
    };
    let file = files.remove(path).unwrap();
    files.entry(RepoPath::from(other.as_str())).or_insert(file);
    true
}

fn change_mode(files: &mut Files, path: &RepoPath, random: &mut Random) -> bool {
    let modes = [Mode::Symlink, Mode::Submodule, Mode::Executable];
    // A policy that may be run says what it said.
    let count = if path.file_name() == "policy.yaml" { 2 } else { 3 };
    let mode = modes[random.below(count)];
    files.get_mut(path).unwrap().0 = mode;
    true
}

fn swap_files(files: &mut Files, path: &RepoPath, random: &mut Random) -> bool {
    let others: Vec<RepoPath> = files.keys().cloned().collect();
    let other = random.pick(&others);
    let (one, two) = (files[path].clone(), files[other].clone());
    files.insert(path.clone(), two);
    files.insert(other.clone(), one);
    true
}

/// A landed tree, and the moment as of which is judged.
struct Landed {
    files: Files,
    records: Vec<RepoPath>,
    at: Moment,
}

impl Landed {
    /// Reads what the team has on `main`.
    fn of(team: &Team) -> Self {
        let repository = team.repo.open();
        let side = Side::Commit(team.repo.oid("main"));
        let listed = repository.list(side, &RepoPath::from("")).unwrap();
        let files: Files = listed
            .into_iter()
            .map(|(path, node)| (path, (node.mode, repository.read(node.oid).unwrap())))
            .collect();
        let records: Vec<_> = files.keys().filter(|path| path.is_below(".orch")).cloned().collect();
        assert!(records.len() > 20, "{records:?}");
        let last = team.json("", &["status", "strat-001"])["last_at"].as_str().unwrap().to_owned();
        Landed { files, records, at: last.parse().unwrap() }
    }

    /// Gives a damaged tree, what was done to it, and to which file; never the same tree.
    fn damaged(&self, random: &mut Random) -> (Files, &'static str, RepoPath) {
        loop {
            let path = random.pick(&self.records).clone();
            let (name, damage) = *random.pick(&DAMAGES);
            let mut files = self.files.clone();
            let records = |files: &Files| -> Vec<_> {
                self.records.iter().map(|path| files.get(path).cloned()).collect()
            };
            let bites = damage(&mut files, &path, random);
            if bites && records(&files) != records(&self.files) {
                return (files, name, path);
            }
        }
    }
}

/// Judges what comes after a tree, as CI would.
fn judge(before: &Files, after: &Files, at: Moment) -> Result<Report, orch::snapshot::Fault> {
    let mut repository = Memory::default();
    let [base, head] = [Memory::commit(1), Memory::commit(2)];
    repository.set(base, before);
    repository.set(head, after);
    let [parent, commit] = [base, head].map(|side| match side {
        Side::Commit(oid) => oid,
        Side::Nothing | Side::Index => unreachable!("it is a commit"),
    });
    let proposal = Proposal {
        agreed: base,
        base,
        head,
        parents: Vec::new(),
        tips: Vec::new(),
        branch: Some("feature/strat-001-damage".into()),
        occasion: Occasion::Range,
        changes: repository.changes(base, head)?,
        steps: vec![Step { commit, parents: vec![parent] }],
    };
    guard(&repository, &proposal, at, false)
}

/// Judges a whole tree from nothing.
fn verify(files: &Files, at: Moment) -> Result<Report, orch::snapshot::Fault> {
    let mut repository = Memory::default();
    let head = Memory::commit(1);
    repository.set(head, files);
    let proposal = Proposal {
        agreed: Side::Nothing,
        base: Side::Nothing,
        head,
        parents: Vec::new(),
        tips: Vec::new(),
        branch: None,
        occasion: Occasion::Verification,
        changes: Vec::new(),
        steps: Vec::new(),
    };
    guard(&repository, &proposal, at, false)
}

/// The same for all tests of this file, as it takes a while to get there.
fn landed() -> &'static Landed {
    static LANDED: OnceLock<Landed> = OnceLock::new();
    LANDED.get_or_init(|| {
        let team = Team::new();
        team.finish_strategy();
        Landed::of(&team)
    })
}

/// Attacks 31, 80, 81, 82: whatever is done to a landed record or to the policy is refused, by the
/// check whose matter that is, at that file. A quarter of the thousand.
fn all_refused(seed: u64) {
    let landed = landed();
    assert!(!judge(&landed.files, &landed.files, landed.at).unwrap().refused());
    let mut random = Random::new(seed);
    for number in 0..250 {
        let (files, name, path) = landed.damaged(&mut random);
        let what = format!("{number} of seed {seed}: {name} of {path}");
        let judged = catch_unwind(AssertUnwindSafe(|| judge(&landed.files, &files, landed.at)));
        let report = judged.unwrap_or_else(|_| panic!("{what}: a panic")).unwrap();
        assert!(report.refused(), "{what}: passed");
        let named = report.findings.iter().any(|finding| {
            let check = finding.check;
            finding.place.path == path
                && ["record-modified", "policy-change-undecided", "policy-invalid"].contains(&check)
        });
        let told: Vec<_> = report.findings.iter().map(|f| (f.check, &f.place.path)).collect();
        assert!(named, "{what}: {told:?}");
        if number % 10 == 0 {
            still_standing(landed, &files, &what);
        }
    }
}

#[test]
fn the_first_quarter_is_refused() {
    all_refused(2026);
}

#[test]
fn the_second_quarter_is_refused() {
    all_refused(2027);
}

#[test]
fn the_third_quarter_is_refused() {
    all_refused(2028);
}

#[test]
fn the_last_quarter_is_refused() {
    all_refused(2029);
}

/// What is damaged below was sound, from its first entry on.
#[test]
fn the_undamaged_tree_is_sound() {
    let landed = landed();
    let report = verify(&landed.files, landed.at).unwrap();
    assert_eq!(report.findings.len(), 0, "{:#?}", report.findings);
}

/// A damaged tree may also be what was agreed, or be verified as it stands: no panic, whatever
/// comes of it.
fn still_standing(landed: &Landed, files: &Files, what: &str) {
    let tried = catch_unwind(AssertUnwindSafe(|| {
        let _either_way = verify(files, landed.at);
        let _either_way = judge(files, &landed.files, landed.at);
    }));
    assert!(tried.is_ok(), "{what}: a panic where it was agreed");
}

/// Attack 82: the same, written into real commits and judged by the real program, which says what
/// the library says.
#[test]
fn the_program_says_what_the_library_says() {
    let team = Team::new();
    team.finish_strategy();
    let landed = Landed::of(&team);
    let mut random = Random::new(1959);
    let mut tried = 0;
    while tried < 20 {
        let (files, name, path) = landed.damaged(&mut random);
        if files.values().any(|(mode, _)| *mode == Mode::Submodule) {
            continue;
        }
        tried += 1;
        commit_as(&team, &files);
        let judged = team.guard(&["--base", "main", "--branch", "feature/strat-001-damage"]);
        assert_eq!(judged.code, 1, "{name} of {path}: {:#?}", judged.json);
        let library = judge(&landed.files, &files, landed.at).unwrap();
        let errors = library.findings.iter().filter(|found| found.severity == Severity::Error);
        let expected: Vec<_> =
            errors.map(|found| (found.check.to_owned(), found.place.path.to_string())).collect();
        let found = judged.errors.into_iter().map(|found| (found.check, found.path));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{name} of {path}");
    }
}

/// Makes a commit of these files on top of `main`, on a branch aside.
fn commit_as(team: &Team, files: &Files) {
    let mut stream = b"reset refs/heads/damage\ncommit refs/heads/damage\n".to_vec();
    stream
        .extend(b"committer Carl Committer <carl@example.org> 1795300000 +0000\ndata 6\nDamage\n");
    stream.extend(b"from refs/heads/main\ndeleteall\n");
    for (path, (mode, bytes)) in files {
        let mode = match mode {
            Mode::File => "100644",
            Mode::Executable => "100755",
            Mode::Symlink => "120000",
            Mode::Submodule => unreachable!("those are left out"),
        };
        stream.extend(format!("M {mode} inline {path}\ndata {}\n", bytes.len()).into_bytes());
        stream.extend(bytes);
        stream.push(b'\n');
    }
    team.repo.git_bytes(&["fast-import", "--quiet", "--force"], &stream);
    team.repo.git(&["update-ref", "--no-deref", "HEAD", "refs/heads/damage"]);
}
