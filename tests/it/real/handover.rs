//! The part of a real range that lies in one lane, as the worker's own commit, and the handoff that
//! seals files of it: honest work, which must pass; and the same with a byte flipped, or said in
//! the name of another, which must not.

use std::collections::BTreeSet;

use orch::record::kind::Artifact;
use orch::snapshot::{Change, Mode, Node, Oid};
use orch::source::{Digest, RepoPath};

use super::Real;
use super::bench::{Bench, Put};
use super::history::Range;
use super::judge::PROTECTED;
use super::lanes::Lanes;
use super::program::Verdict;
use super::tally::Tally;
use crate::snapshot::raw_diff;

const POLICY: &str = ".orch/policy.yaml";

/// Work in a lane, before anything is handed over.
pub(super) struct Work<'r> {
    pub(super) real: &'r Real,
    pub(super) bench: Bench,
    pub(super) name: String,
    pub(super) lane: usize,
    /// The real commit whose author does all of it.
    pub(super) like: &'r str,
    /// The real addresses that the worker is bound to; none if the last author's can't be bound.
    identities: BTreeSet<String>,
    /// A commit with the policy, and one with the work on top of it.
    pub(super) base: String,
    pub(super) done: String,
    changes: Vec<Change>,
}

/// Tries what lies in one of the lanes that a range touches, if it leaves a file there.
pub(super) fn range(real: &Real, number: usize, range: &Range, tally: &mut Tally) {
    let Some(work) = Work::prepare(real, number, range, tally) else { return };
    let artifacts = work.artifacts(number, tally);
    let Some(last) = artifacts.last().cloned() else { return };
    tally.count("ranges with a handoff");
    let sealed: Vec<Artifact> = artifacts.iter().map(|(artifact, _)| artifact.clone()).collect();
    let (path, text) = Lanes::handoff(work.lane, sealed, &work.message());
    let record = (RepoPath::from(path.as_str()), Some(work.bench.file(text.as_bytes())));
    let puts = [record];
    let handed = work.bench.commit_like(work.like, &work.done, &puts);
    let said = work.guard(&work.base, &handed);
    work.expect(said.is_clean(), "honest work", &said, tally);
    let behind = work.bench.commit_like(work.like, &real.replayed[range.head], &puts);
    let said = real.guard(&real.replayed[range.base], &behind, PROTECTED);
    work.expect(said.is_clean(), "behind the real commits", &said, tally);
    work.flip(&handed, &last, tally);
    work.impersonate(&puts, tally);
    let odd = work.is_odd();
    if odd || number.is_multiple_of(20) {
        super::drafted::create(&work, odd, tally);
    }
}

impl<'r> Work<'r> {
    fn prepare(
        real: &'r Real,
        number: usize,
        range: &Range,
        tally: &mut Tally,
    ) -> Option<Work<'r>> {
        let [base, head] = [range.base, range.head].map(|at| real.replayed[at].as_str());
        let shared = super::merge_base(&real.repo, base, head)?;
        let all = raw_diff(&real.repo, &["diff-tree", "-r", &shared, head]);
        let kept = all.iter().filter(|change| change.new.is_some());
        let lanes: BTreeSet<usize> =
            kept.filter_map(|change| real.lanes.owner(&change.path)).collect();
        let lane = lanes.iter().copied().nth(number % lanes.len().max(1))?;
        let changes = part(real, &all, lane);
        let bench = Bench::new(&real.repo);
        let [from, to] = [range.base, range.head].map(|at| real.history.commits[at].id.as_str());
        let identities = identities(real, &format!("{from}..{to}"), to, tally);
        let policy = bench.file(real.lanes.policy(&identities).as_bytes());
        let base = bench.commit(&shared, &[(POLICY.into(), Some(policy))], "agree");
        let puts: Vec<Put> =
            changes.iter().map(|change| (change.path.clone(), change.new)).collect();
        let done = bench.commit_like(to, &base, &puts);
        let name = format!("{} {from}...{to} in l{lane}", range.kind);
        Some(Work { real, bench, name, lane, like: to, identities, base, done, changes })
    }

    /// Chooses up to three files that the work changed, and seals them as anyone would who only has
    /// Git and `sha256sum`.
    fn artifacts(&self, number: usize, tally: &mut Tally) -> Vec<(Artifact, Node)> {
        let owned =
            self.changes.iter().filter(|change| self.real.lanes.owner(&change.path).is_some());
        let mut files = Vec::new();
        for (change, node) in owned.filter_map(|change| Some((change, change.new?))) {
            match node.mode {
                Mode::Symlink => tally.count("links left out of a handoff"),
                Mode::Submodule => tally.count("submodules left out of a handoff"),
                Mode::File | Mode::Executable => files.push((&change.path, node)),
            }
        }
        let mut chosen = Vec::new();
        let start = number % files.len().max(1);
        let (behind, ahead) = files.split_at(start.min(files.len()));
        for (path, node) in ahead.iter().chain(behind).copied() {
            if chosen.len() == 1 + number % 3 {
                break;
            }
            chosen.extend(self.seal(path, node, tally).map(|artifact| (artifact, node)));
        }
        chosen
    }

    fn seal(&self, path: &RepoPath, node: Node, tally: &mut Tally) -> Option<Artifact> {
        let Some(bytes) = self.bench.read(node) else {
            tally.count("files left out because the clone lacks them");
            return None;
        };
        if bytes.is_empty() {
            tally.count("empty files left out of a handoff");
            return None;
        }
        let Some(text) = path.to_str() else {
            tally.count("paths that are not UTF-8 left out of a handoff");
            return None;
        };
        let pointed = std::str::from_utf8(&bytes).ok().filter(|_| bytes.len() < 200);
        let pointed = pointed.filter(|text| text.starts_with("version https://git-lfs"));
        let pointed = pointed.and_then(|text| text.split_once("oid sha256:")?.1.get(..64));
        tally.count("files sealed");
        for (what, holds) in [
            ("of them LFS pointers", pointed.is_some()),
            ("of them executable", node.mode == Mode::Executable),
            ("of them with a path beyond ASCII", !text.is_ascii()),
            ("of them not UTF-8", std::str::from_utf8(&bytes).is_err()),
        ] {
            if holds {
                tally.count(what);
            }
        }
        let checksum = pointed.map_or(Digest::of(&bytes), |hex| Digest::from_hex(hex).unwrap());
        Some(Artifact { name: "work".parse().unwrap(), path: path.clone(), checksum })
    }

    /// Tells whether the lane's files hold something that nobody can seal.
    fn is_odd(&self) -> bool {
        let empty = Oid::from_hex("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        let owned =
            self.changes.iter().filter(|change| self.real.lanes.owner(&change.path).is_some());
        owned.filter_map(|change| change.new).any(|node| {
            matches!(node.mode, Mode::Symlink | Mode::Submodule) || Some(node.oid) == empty
        })
    }

    /// Gives what the real commit says, as the sentence for the receiver.
    pub(super) fn message(&self) -> String {
        let said = self.real.repo.git(&["log", "-1", "--format=%B", self.like]);
        if said.trim().is_empty() { "done".into() } else { said.trim().to_owned() }
    }

    fn guard(&self, base: &str, head: &str) -> Verdict {
        self.real.guard(base, head, &Lanes::branch(self.lane))
    }

    /// Counts the verdict, and complains if it is another than it should be.
    fn expect(&self, holds: bool, what: &'static str, said: &Verdict, tally: &mut Tally) {
        *tally.exits.entry((what, said.code)).or_default() += 1;
        for (check, _) in &said.found {
            *tally.findings.entry((what, check.clone())).or_default() += 1;
        }
        tally.expect(holds, || format!("{}, {what}: {}", self.name, said.printed));
    }

    /// One byte of a sealed file is flipped in one more commit: seen where the handoff is new, and
    /// where it has landed.
    fn flip(&self, handed: &str, (artifact, node): &(Artifact, Node), tally: &mut Tally) {
        let mut bytes = self.bench.read(*node).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let flipped = Node { mode: node.mode, ..self.bench.file(&bytes) };
        let flipped =
            self.bench.commit_like(self.like, handed, &[(artifact.path.clone(), Some(flipped))]);
        let said = self.guard(&self.base, &flipped);
        self.expect(said.is_only("checksum-mismatch"), "a flipped byte", &said, tally);
        let said = self.guard(handed, &flipped);
        self.expect(said.is_only("handoff-stale"), "a byte flipped later", &said, tally);
    }

    /// The handoff is committed by somebody else; then by somebody else with the author's help.
    fn impersonate(&self, handoff: &[Put], tally: &mut Tally) {
        let Some(email) = self.identities.first() else { return };
        tally.count("ranges whose worker is bound to its real addresses");
        let handed = self.bench.commit(&self.done, handoff, "Hand over");
        let said = self.guard(&self.base, &handed);
        self.expect(said.is_only("identity-mismatch"), "in another's name", &said, tally);
        let message = format!("Hand over (#1)\n\n* one\n\nCo-authored-by: A. Uthor <{email}>");
        let handed = self.bench.commit(&self.done, handoff, &message);
        let said = self.guard(&self.base, &handed);
        self.expect(said.is_clean(), "with a co-author", &said, tally);
        let handed = self.bench.commit_like(self.like, &self.done, handoff);
        let merged = self.bench.merge(&self.base, &handed);
        let said = self.real.guard(&self.base, &merged, PROTECTED);
        self.expect(said.is_clean(), "merged by another", &said, tally);
    }
}

/// Gives the changes in a lane and of shared paths. A submodule or a file that takes the place of a
/// folder is not among them where files of other lanes would go with that folder.
fn part(real: &Real, all: &[Change], lane: usize) -> Vec<Change> {
    let foreign = |change: &&Change| real.lanes.owner(&change.path).is_some_and(|own| own != lane);
    let theirs: Vec<&Change> = all.iter().filter(foreign).collect();
    let displaces = |change: &Change| {
        let folder = change.path.to_str().unwrap_or_default();
        change.new.is_some() && theirs.iter().any(|other| other.path.is_below(folder))
    };
    let mine = all.iter().filter(|change| !foreign(change) && !displaces(change));
    mine.cloned().collect()
}

/// Gives the addresses of all who wrote the commits of a range; none if the last of them has an
/// address that no policy takes.
fn identities(real: &Real, commits: &str, last: &str, tally: &mut Tally) -> BTreeSet<String> {
    let author = real.repo.git(&["log", "-1", "--format=%ae", last]);
    if !is_address(&author) {
        tally.count("ranges whose author has no address that can be bound");
        return BTreeSet::new();
    }
    let listed = real.repo.git(&["log", "--format=%ae", commits]);
    listed
        .lines()
        .chain([author.as_str()])
        .filter(|email| is_address(email))
        .map(str::to_owned)
        .collect()
}

fn is_address(email: &str) -> bool {
    let parts =
        email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    parts && !email.contains(|c: char| c.is_whitespace() || c == '\u{fffd}')
}
