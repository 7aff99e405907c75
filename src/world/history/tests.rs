//! Merges of one ledger, each of a few entries: what may move, and what may not.

use std::collections::BTreeMap;

use super::History;
use crate::snapshot::{Memory, Mode, Occasion, Proposal, Side, Step};
use crate::source::{Digest, RepoPath};

type Files = BTreeMap<RepoPath, (Mode, Vec<u8>)>;

fn path(number: usize) -> RepoPath {
    format!(".orch/tasks/2026-11/strat-001/{number:04}-update.yaml").as_str().into()
}

/// A chain of entries, one a title.
fn ledger(titles: &str) -> Files {
    let mut files = Files::new();
    let mut previous = String::new();
    for (at, title) in titles.split(' ').enumerate() {
        let number = at + 1;
        let text = format!(
            "update:\n  title: {title}\nentry:\n  sequence: {number}\n{previous}  recorded_at: \
             2026-11-21T10:00:00Z\n  actor: orchestrator\n"
        );
        previous = format!("  previous: {}\n", Digest::of(text.as_bytes()));
        files.insert(path(number), (Mode::File, text.into_bytes()));
    }
    files
}

/// Commits on top of others, by their numbers.
#[derive(Default)]
struct Commits {
    memory: Memory,
    steps: Vec<Step>,
}

impl Commits {
    /// The ledger `o`; with `a` and `b` behind it, commit 2; and with `m`, commit 3.
    fn forked() -> Self {
        let mut commits = Commits::default();
        commits.add(1, &[], &ledger("o"));
        commits.add(2, &[1], &ledger("o a b"));
        commits.add(3, &[1], &ledger("o m"));
        commits
    }

    fn add(&mut self, number: u8, parents: &[u8], files: &Files) {
        self.memory.set(Memory::commit(number), files);
        let parents = parents.iter().map(|number| oid(*number)).collect();
        self.steps.push(Step { commit: oid(number), parents });
    }

    /// What commit 9 loses that is made of these, where so much is known to have landed.
    fn lost(mut self, parents: &[u8], files: &Files, landed: Option<u8>) -> Vec<String> {
        self.add(9, parents, files);
        let side = landed.map_or(Side::Nothing, Memory::commit);
        let proposal = Proposal {
            agreed: side,
            base: side,
            head: Memory::commit(9),
            parents: Vec::new(),
            tips: Vec::new(),
            branch: None,
            occasion: landed.map_or(Occasion::Verification, |_| Occasion::Range),
            changes: Vec::new(),
            steps: self.steps,
        };
        let history = History::walk(&self.memory, &proposal).expect("memory");
        let names = history.erased.iter().map(|erased| {
            assert_eq!(erased.commit, oid(9));
            erased.path.file_name().to_string()
        });
        names.collect()
    }
}

fn oid(number: u8) -> crate::snapshot::Oid {
    match Memory::commit(number) {
        Side::Commit(oid) => oid,
        Side::Nothing | Side::Index => unreachable!("it is a commit"),
    }
}

fn merged(titles: &str, landed: Option<u8>) -> Vec<String> {
    Commits::forked().lost(&[2, 3], &ledger(titles), landed)
}

const BOTH: [&str; 2] = ["0002-update.yaml", "0003-update.yaml"];

/// Design rule 9: all of one side behind all of the other; what is known to have landed stays.
#[test]
fn one_side_goes_behind_the_other() {
    assert_eq!(merged("o m a b", None), [""; 0]);
    assert_eq!(merged("o m a b", Some(3)), [""; 0]);
    assert_eq!(merged("o m a b", Some(1)), [""; 0], "the base is behind what was merged");
    assert_eq!(merged("o m a b", Some(2)), BOTH);
    assert_eq!(merged("o a b m", Some(2)), [""; 0]);
    assert_eq!(merged("o a b m", Some(3)), ["0002-update.yaml"]);
    let turned = Commits::forked().lost(&[3, 2], &ledger("o m a b"), Some(3));
    assert_eq!(turned, [""; 0]);
}

/// Not one entry gets lost on the way, is changed, or overtakes another.
#[test]
fn nothing_is_lost_on_the_way() {
    assert_eq!(merged("o m a", Some(3)), ["0003-update.yaml"]);
    assert_eq!(merged("o m b", Some(3)), ["0002-update.yaml"]);
    assert_eq!(merged("o m a c", Some(3)), ["0003-update.yaml"]);
    assert_eq!(merged("o m b a", Some(3)), ["0003-update.yaml"]);
    assert_eq!(merged("o m", Some(3)), BOTH);
    assert_eq!(merged("o x a b", Some(3)), BOTH);
    let mut twice = Commits::forked();
    twice.add(4, &[1], &ledger("o a a"));
    assert_eq!(twice.lost(&[4, 3], &ledger("o m a"), Some(3)), ["0003-update.yaml"]);
}

/// Only a merge puts entries behind others, and only in a chain; a place of one's own behind the same
/// entry is no other place.
#[test]
fn entries_move_for_a_reason() {
    assert_eq!(Commits::forked().lost(&[2], &ledger("o m a b"), Some(3)), BOTH);
    let mut torn = ledger("o m a b");
    torn.insert(path(3), ledger("o x a b").remove(&path(3)).expect("it has three"));
    assert_eq!(Commits::forked().lost(&[2, 3], &torn, Some(3)), BOTH);
    let mut edited = ledger("o a b");
    edited.get_mut(&path(3)).expect("it has three").1.extend(b"\n");
    assert_eq!(Commits::forked().lost(&[2, 1], &edited, None), ["0003-update.yaml"]);
}

/// R001-18: a submission that landed is not said again; one that only some branch brings, in other
/// words, stands for nothing.
#[test]
fn what_landed_is_not_said_twice() {
    let submitted = |words: &str| {
        let mut files = ledger("o");
        let previous = Digest::of(&files[&path(1)].1);
        let text = format!(
            "handoff:\n  from: strategy_developer\n  to: quant_engineer\n  task_id: strat-001\n  stage: \
             strategy\n  run_id: r0123456789\n  status: complete\n  artifacts: []\n  message: {words}\n\
             entry:\n  sequence: 2\n  previous: {previous}\n  recorded_at: 2026-11-21T10:00:00Z\n  \
             actor: strategy_developer\n"
        );
        let name = RepoPath::from(".orch/tasks/2026-11/strat-001/0002-handoff.yaml");
        files.insert(name, (Mode::File, text.into_bytes()));
        files
    };
    let lost = |landed| {
        let mut commits = Commits::forked();
        commits.add(4, &[1], &submitted("mine"));
        commits.add(5, &[1], &submitted("theirs"));
        commits.lost(&[4, 5], &submitted("theirs"), landed)
    };
    assert_eq!(lost(None), [""; 0]);
    assert_eq!(lost(Some(5)), [""; 0]);
    assert_eq!(lost(Some(1)), ["0002-handoff.yaml"]);
}

/// A signature goes where its entry goes, and only there.
#[test]
fn a_signature_goes_with_its_entry() {
    let signature = RepoPath::from(format!("{}.sig", path(2)).as_str());
    let signed = |titles: &str| {
        let mut files = ledger(titles);
        files.insert(signature.clone(), (Mode::File, b"signed".to_vec()));
        files
    };
    let with = |files: &Files| {
        let mut commits = Commits::forked();
        commits.add(4, &[1], &signed("o a b"));
        commits.lost(&[4, 3], files, Some(3))
    };
    assert_eq!(with(&ledger("o m a b")), [""; 0]);
    assert_eq!(with(&ledger("o a b")), ["0002-update.yaml", "0002-update.yaml.sig"]);
}
