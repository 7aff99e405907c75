//! Random repositories, on which orch and Git must say the same.

use std::collections::{BTreeSet, HashMap};

use orch::snapshot::{Change, Oid, Repository as _, Side};
use orch::source::RepoPath;

use super::{raw_diff, step_by_git};
use crate::support::{Random, TestRepo};

const NAMES: [&str; 9] = ["a", "a-", "a.b", "a0", "b", "ä", "z z", ".x", "a\"\t"];
const MODES: [&str; 4] = ["100644", "100755", "120000", "160000"];

/// A repository with some blobs, and index entries drawn from few names, so that they collide.
struct Sandbox {
    repo: TestRepo,
    blobs: Vec<String>,
    random: Random,
    /// Within how many minutes commits choose their dates; none for one after the other.
    disorder: usize,
}

impl Sandbox {
    fn new(seed: u64) -> Self {
        let repo = TestRepo::new();
        let blob = |text: &str| {
            let id = repo.git_bytes(&["hash-object", "-w", "--stdin"], text.as_bytes());
            String::from_utf8(id).unwrap().trim_end().to_owned()
        };
        let blobs = ["", "1", "2", "3"].map(blob).to_vec();
        Sandbox { repo, blobs, random: Random::new(seed), disorder: 0 }
    }

    fn path(&mut self) -> String {
        let depth = 1 + self.random.below(4);
        let parts: Vec<_> = (0..depth).map(|_| *self.random.pick(&NAMES)).collect();
        parts.join("/")
    }

    /// Adds, changes and removes some entries; a file takes the place of a folder and back.
    fn stir(&mut self, edits: usize) {
        let mut lines = Vec::new();
        for _ in 0..edits {
            let (mode, path) = (*self.random.pick(&MODES), self.path());
            let blob = self.random.pick(&self.blobs).clone();
            let line = match self.random.below(4) {
                0 => format!("0 {}\t{path}\0", "0".repeat(40)),
                _ => format!("{mode} {blob}\t{path}\0"),
            };
            lines.extend_from_slice(line.as_bytes());
        }
        self.repo.git_bytes(&["update-index", "--replace", "-z", "--index-info"], &lines);
    }

    fn tree(&self) -> String {
        self.repo.git(&["write-tree", "--missing-ok"])
    }

    /// Commits the index on top of some parents, without touching HEAD.
    fn commit(&mut self, parents: &[&str]) -> String {
        match self.disorder {
            0 => self.repo.tick(),
            minutes => self.repo.set_minutes(self.random.below(minutes)),
        }
        let tree = self.tree();
        let mut arguments = vec!["commit-tree", "-m", "random", &tree];
        arguments.extend(parents.iter().flat_map(|parent| ["-p", parent]));
        self.repo.git(&arguments)
    }
}

fn assert_node_and_list(repo: &TestRepo, changes: &[Change]) {
    let git = repo.open();
    let listed: HashMap<_, _> =
        git.list(Side::Index, &RepoPath::default()).unwrap().into_iter().collect();
    for change in changes {
        assert_eq!(listed.get(&change.path).copied(), change.new, "{}", change.path);
        assert_eq!(git.node(Side::Index, &change.path).unwrap(), change.new, "{}", change.path);
    }
    let folder = RepoPath::from("a");
    let below: BTreeSet<_> = git.list(Side::Index, &folder).unwrap().into_iter().collect();
    let expected = listed.into_iter().filter(|(path, _)| path.is_below("a")).collect();
    assert_eq!(below, expected);
}

/// Several hundred staged states, with and without remembered trees, announced files, index
/// versions and moves of HEAD: the same as `git diff --cached`, sorted.
#[test]
fn staged_changes_equal_gits() {
    for seed in 0..3 {
        let mut sandbox = Sandbox::new(seed);
        for round in 0..100 {
            let edits = 1 + sandbox.random.below(12);
            sandbox.stir(edits);
            match sandbox.random.below(6) {
                0 => drop(sandbox.tree()),
                1 => {
                    let commit = sandbox.commit(&[]);
                    sandbox.repo.git(&["update-ref", "HEAD", &commit]);
                    sandbox.stir(edits);
                }
                2 => {
                    let version = ["2", "3", "4"][sandbox.random.below(3)];
                    sandbox.repo.git(&["update-index", "--index-version", version]);
                }
                3 => {
                    let name = format!("new{round}");
                    sandbox.repo.write(&name, "x");
                    sandbox.repo.git(&["add", "--intent-to-add", &name]);
                }
                _ => {}
            }
            if sandbox.repo.try_git(&["rev-parse", "-q", "--verify", "HEAD"]).status.success() {
                let expected = raw_diff(&sandbox.repo, &["diff", "--cached", "HEAD"]);
                let found = sandbox.repo.open().staged(&[]).unwrap().changes;
                assert_eq!(found, expected, "seed {seed}, round {round}");
                assert_node_and_list(&sandbox.repo, &found);
            }
        }
    }
}

/// Builds a history of branches and merges, and gives its commits.
fn history(sandbox: &mut Sandbox, length: usize) -> Vec<String> {
    let mut commits: Vec<String> = Vec::new();
    for _ in 0..length {
        let edits = 1 + sandbox.random.below(4);
        let first =
            commits.iter().rev().nth(sandbox.random.below(4.min(commits.len().max(1)))).cloned();
        let Some(first) = first else {
            sandbox.stir(edits);
            commits.push(sandbox.commit(&[]));
            continue;
        };
        let second = sandbox.random.pick(&commits).clone();
        sandbox.repo.git(&["read-tree", &first]);
        if sandbox.random.below(3) == 0 && second != first {
            let merged = sandbox.repo.git(&["merge-base", &first, &second]);
            let flags = ["read-tree", "-m", "-i", "--aggressive", &merged, &first, &second];
            let clean = sandbox.repo.try_git(&flags).status.success()
                && sandbox.repo.git(&["ls-files", "--unmerged"]).is_empty();
            if !clean {
                sandbox.repo.git(&["read-tree", &first]);
            }
            if sandbox.random.below(2) == 0 {
                sandbox.stir(1);
            }
            commits.push(sandbox.commit(&[&first, &second]));
        } else {
            sandbox.stir(edits);
            commits.push(sandbox.commit(&[&first]));
        }
    }
    commits
}

/// Ranges in histories full of merges: the same as `git diff A...B`, `git rev-list A..B` and
/// `git diff-tree`.
#[test]
fn ranges_equal_gits() {
    for seed in 0..3 {
        let mut sandbox = Sandbox::new(100 + seed);
        let commits = history(&mut sandbox, 40);
        if seed == 2 {
            let all: String = commits.iter().map(|commit| format!("{commit}\n")).collect();
            sandbox.repo.git(&["update-ref", "HEAD", &commits[39]]);
            let flags = ["commit-graph", "write", "--stdin-commits"];
            sandbox.repo.git_bytes(&flags, all.as_bytes());
        }
        let git = sandbox.repo.open();
        for _ in 0..25 {
            let (base, head) =
                (sandbox.random.pick(&commits).clone(), sandbox.random.pick(&commits).clone());
            let repo = &sandbox.repo;
            let range = git.range(&base, &head, None).unwrap();
            let bases = repo.git(&["merge-base", "--all", &base, &head]);
            let Side::Commit(found) = range.base else { panic!("a range has a base") };
            assert!(bases.lines().any(|line| line == found.to_string()), "{base} {head}");
            if bases.lines().count() == 1 {
                assert_eq!(range.changes, raw_diff(repo, &["diff", &format!("{base}...{head}")]));
            }
            let listed = repo.git(&["rev-list", &format!("{base}..{head}")]);
            let expected: BTreeSet<_> =
                listed.lines().map(|hex| Oid::from_hex(hex).unwrap()).collect();
            let order: Vec<_> = range.steps.iter().map(|step| step.commit).collect();
            assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), expected);
            assert_eq!(order.len(), expected.len());
            for (at, step) in range.steps.iter().enumerate() {
                let meta = git.commit_meta(step.commit).unwrap();
                assert!(meta.parents.iter().all(|parent| !order[at..].contains(parent)));
                let changes = git.step_changes(step, &RepoPath::default()).unwrap();
                let mut own = step_by_git(repo, &step.commit.to_string());
                assert_eq!(changes, own);
                own.retain(|change| change.path.is_below("a"));
                assert_eq!(git.step_changes(step, &RepoPath::from("a")).unwrap(), own);
            }
            let ancestor = repo.try_git(&["merge-base", "--is-ancestor", &base, &head]);
            let (base, head) = (Oid::from_hex(&base).unwrap(), Oid::from_hex(&head).unwrap());
            assert_eq!(git.is_ancestor(base, head).unwrap(), ancestor.status.success());
        }
    }
}

/// Dates are anyone's to choose: they may hide no commit and move no merge base, and within a
/// day's disorder they change nothing at all.
#[test]
fn dates_out_of_order_hide_nothing() {
    const DAY: usize = 24 * 60;
    for (seed, disorder) in [(1, DAY), (2, DAY), (3, 2_000 * DAY), (4, 2_000 * DAY)] {
        let mut sandbox = Sandbox::new(200 + seed);
        sandbox.disorder = disorder;
        let commits = history(&mut sandbox, 40);
        let git = sandbox.repo.open();
        for _ in 0..40 {
            let base = sandbox.random.pick(&commits).clone();
            let head = sandbox.random.pick(&commits).clone();
            let all = |tip: &str| -> BTreeSet<String> {
                sandbox.repo.git(&["rev-list", tip]).lines().map(str::to_owned).collect()
            };
            let (known, reached) = (all(&base), all(&head));
            let range = git.range(&base, &head, None).unwrap();
            let steps: BTreeSet<_> = range.steps.iter().map(|s| s.commit.to_string()).collect();
            let new: BTreeSet<_> = reached.difference(&known).cloned().collect();
            assert!(steps.is_superset(&new), "{base} {head}");
            assert!(disorder > DAY || steps == new, "{base} {head}");
            let bases = sandbox.repo.git(&["merge-base", "--all", &base, &head]);
            let Side::Commit(found) = range.base else { panic!("a range has a base") };
            assert!(bases.lines().any(|line| line == found.to_string()), "{base} {head}");
            let ancestor = git.is_ancestor(Oid::from_hex(&base).unwrap(), range_head(&range.head));
            assert_eq!(ancestor.unwrap(), reached.contains(&base));
        }
    }
}

fn range_head(side: &Side) -> Oid {
    match side {
        Side::Commit(oid) => *oid,
        Side::Index | Side::Nothing => panic!("a range ends in a commit"),
    }
}
