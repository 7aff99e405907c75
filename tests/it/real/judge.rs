//! One range, judged within this process and by the program, and compared with Git.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use orch::diagnostic::Report;
use orch::guard::guard;
use orch::snapshot::{Change, Fault, GitRepository, Oid, Proposal, Repository as _, Side};
use orch::source::RepoPath;

use super::Real;
use super::history::Range;
use super::lanes::{self, Lanes};
use super::program::AT;
use super::tally::{Tally, Time};
use crate::snapshot::{raw_diff, step_by_git};

/// The protected branch, on which the runs of all lanes count.
pub(super) const PROTECTED: &str = "main";

/// One range, as it is asked about.
struct Asked<'r> {
    real: &'r Real,
    name: String,
    base: &'r str,
    head: &'r str,
    /// What Git says that changed, in the real history.
    expected: Vec<Change>,
    /// A lane that the change touches, if it touches any.
    lane: usize,
}

/// What was proposed, and what is said of it on two branches.
struct Judged {
    proposal: Proposal,
    protected: Report,
    in_lane: Report,
    range: Duration,
    judging: Duration,
}

/// Tries a range; now and then also as if its head were staged on its base, and with a task that
/// is opened behind its head.
pub(super) fn range(real: &Real, number: usize, range: &Range, tally: &mut Tally) {
    let [base, head] = [range.base, range.head].map(|at| real.history.commits[at].id.as_str());
    let related = real.is_related(range);
    let expected = match related {
        true => raw_diff(&real.repo, &["diff", &format!("{base}...{head}")]),
        false => Vec::new(),
    };
    let owned = expected.iter().find_map(|change| real.lanes.owner(&change.path));
    let asked = Asked {
        real,
        name: format!("{} {base}...{head}", range.kind),
        base: &real.replayed[range.base],
        head: &real.replayed[range.head],
        expected,
        lane: owned.unwrap_or_default(),
    };
    if !related {
        return asked.expect_no_look(tally);
    }
    let lane = Lanes::branch(asked.lane);
    let judged = match catch_unwind(AssertUnwindSafe(|| asked.judge(&lane))) {
        Ok(Ok(judged)) => judged,
        Ok(Err(fault)) => return tally.complaints.push(format!("{}: {fault}", asked.name)),
        Err(_) => return tally.complaints.push(format!("{}: a panic", asked.name)),
    };
    asked.compare(&judged, tally);
    let program = asked.run_program(&lane, number.is_multiple_of(4), tally);
    let started = Instant::now();
    let three = format!("{}...{}", asked.base, asked.head);
    real.repo.git_bytes(&["diff", "--name-only", "--no-renames", "-z", &three], b"");
    tally.times.push(Time {
        what: asked.name.clone(),
        kind: Some(range.kind),
        paths: judged.proposal.changes.len(),
        steps: judged.proposal.steps.len(),
        range: judged.range,
        judging: judged.judging,
        program,
        git: started.elapsed(),
    });
    if number.is_multiple_of(10) {
        asked.stage(&lane, tally);
        asked.open_a_task(tally);
    }
}

impl Asked<'_> {
    fn judge(&self, lane: &str) -> Result<Judged, Fault> {
        let started = Instant::now();
        let opened = self.real.repo.open();
        let mut proposal = opened.range(self.base, self.head, Some(PROTECTED.into()))?;
        let range = started.elapsed();
        let protected = report(&opened, &proposal)?;
        let judging = started.elapsed() - range;
        proposal.branch = Some(lane.into());
        let in_lane = report(&opened, &proposal)?;
        Ok(Judged { proposal, protected, in_lane, range, judging })
    }

    /// Compares changes, commits and findings with what Git and the lanes say.
    fn compare(&self, judged: &Judged, tally: &mut Tally) {
        let (repo, proposal, name) = (&self.real.repo, &judged.proposal, &self.name);
        tally.paths += proposal.changes.len();
        tally.steps += proposal.steps.len();
        let Side::Commit(base) = proposal.base else { panic!("a range has a base") };
        let base = base.to_string();
        let bases = repo.git(&["merge-base", "--all", self.base, self.head]);
        tally.several_bases += usize::from(bases.lines().count() > 1);
        tally.other_base += usize::from(bases.lines().next() != Some(&base));
        tally.expect(bases.lines().any(|line| line == base), || format!("{name}: base {base}"));
        let direct = raw_diff(repo, &["diff-tree", "-r", &base, self.head]);
        tally.expect(proposal.changes == direct, || format!("{name}: unlike git diff-tree"));
        let same = proposal.changes == self.expected;
        let chosen = bases.lines().next() == Some(&base);
        tally.expect(same || !chosen, || format!("{name}: unlike git diff"));
        let listed = repo.git(&["rev-list", &format!("{}..{}", self.base, self.head)]);
        let listed: BTreeSet<Oid> = listed.lines().filter_map(Oid::from_hex).collect();
        let steps: BTreeSet<Oid> = proposal.steps.iter().map(|step| step.commit).collect();
        tally.expect(steps == listed, || format!("{name}: unlike git rev-list"));
        for step in proposal.steps.iter().step_by(proposal.steps.len() / 4 + 1) {
            let own = step_by_git(repo, &step.commit.to_string());
            let told = repo.open().step_changes(step, &RepoPath::default());
            tally.expect(told.as_ref() == Ok(&own), || format!("{name}: step {}", step.commit));
        }
        self.compare_findings("protected", &judged.protected, &BTreeSet::new(), tally);
        let foreign = self.foreign(&proposal.changes);
        self.compare_findings("one lane", &judged.in_lane, &foreign, tally);
    }

    /// Gives the paths that other lanes own.
    fn foreign(&self, changes: &[Change]) -> BTreeSet<RepoPath> {
        let paths = changes.iter().map(|change| &change.path);
        let owned = paths.filter_map(|path| Some((self.real.lanes.owner(path)?, path)));
        owned.filter(|(lane, _)| *lane != self.lane).map(|(_, path)| path.clone()).collect()
    }

    /// Every foreign path is a violation of its lane, and nothing else is found.
    fn compare_findings(
        &self,
        asked: &'static str,
        report: &Report,
        foreign: &BTreeSet<RepoPath>,
        tally: &mut Tally,
    ) {
        let mut refused = BTreeSet::new();
        for finding in &report.findings {
            *tally.findings.entry((asked, finding.check.to_owned())).or_default() += 1;
            if finding.check == "lane-violation" && refused.insert(finding.place.path.clone()) {
                continue;
            }
            let found = format!("{}: {}", finding.check, finding.message);
            tally.complaints.push(format!("{}, {asked}: {found}", self.name));
        }
        tally.expect(&refused == foreign, || format!("{}: {asked}, other paths", self.name));
        let refusal = report.refused() != foreign.is_empty();
        tally.expect(refusal, || format!("{}: {asked}, the verdict", self.name));
    }

    /// Runs the program on the range and compares what it prints. Gives how long it took.
    fn run_program(&self, lane: &str, in_lane: bool, tally: &mut Tally) -> Duration {
        let range = ["guard", "--base", self.base, "--head", self.head];
        let (took, code, printed) =
            self.real.program(&[&range[..], &["--branch", PROTECTED]].concat());
        *tally.exits.entry((PROTECTED, code)).or_default() += 1;
        let passed = code == Some(0) && printed["findings"].as_array().is_some_and(Vec::is_empty);
        tally.expect(passed, || format!("{}: the program said {printed}", self.name));
        let examined = printed["examined"]["paths"].as_u64();
        let several = examined == Some(self.expected.len() as u64);
        tally.expect(several, || format!("{}: the program saw {examined:?} paths", self.name));
        if in_lane {
            let arguments = [&range[..], &["--branch", lane]].concat();
            self.expect_refused("one lane", &arguments, &self.foreign(&self.expected), tally);
        }
        took
    }

    /// The program refuses just these paths, and its exit code says so. Gives how long it took.
    fn expect_refused(
        &self,
        asked: &'static str,
        arguments: &[&str],
        foreign: &BTreeSet<RepoPath>,
        tally: &mut Tally,
    ) -> Duration {
        let (took, code, printed) = self.real.program(arguments);
        *tally.exits.entry((asked, code)).or_default() += 1;
        let findings = printed["findings"].as_array().into_iter().flatten();
        let refused: BTreeSet<&str> =
            findings.filter_map(|finding| finding["path"].as_str()).collect();
        let foreign: BTreeSet<String> = foreign.iter().map(RepoPath::to_string).collect();
        let same = refused == foreign.iter().map(String::as_str).collect();
        let code = code == Some(i32::from(!foreign.is_empty()));
        tally.expect(same && code, || format!("{}: {asked}, the program", self.name));
        took
    }

    /// Two histories that share nothing can't be compared, which the program says and explains.
    fn expect_no_look(&self, tally: &mut Tally) {
        let arguments = ["guard", "--base", self.base, "--head", self.head];
        let (_, code, printed) = self.real.program(&arguments);
        *tally.exits.entry(("unrelated", code)).or_default() += 1;
        tally.expect(code == Some(2), || format!("{}: no fault but {printed}", self.name));
    }

    /// Opens a task in a commit behind the head: one path more, and one record, which holds.
    fn open_a_task(&self, tally: &mut Tally) {
        let index = self.real.repo.root().join("index");
        let repo = self.real.repo.with_variable("GIT_INDEX_FILE", index);
        let (path, text) = lanes::another_task();
        let blob = repo.git_bytes(&["hash-object", "-w", "--stdin"], text.as_bytes());
        let blob = String::from_utf8(blob).unwrap();
        repo.git(&["read-tree", self.head]);
        let entry = format!("100644,{},{path}", blob.trim_end());
        repo.git(&["update-index", "--add", "--cacheinfo", &entry]);
        let tree = repo.git(&["write-tree"]);
        let head = repo.git(&["commit-tree", "-p", self.head, "-m", "open a task", &tree]);
        let arguments = ["guard", "--base", self.base, "--head", &head, "--branch", PROTECTED];
        let (_, code, printed) = self.real.program(&arguments);
        *tally.exits.entry(("with a new task", code)).or_default() += 1;
        let examined = &printed["examined"];
        let counts = [&examined["paths"], &examined["records"]].map(serde_json::Value::as_u64);
        let holds = counts == [Some(self.expected.len() as u64 + 1), Some(1)];
        tally.expect(code == Some(0) && holds, || format!("{}: {printed}", self.name));
    }

    /// Puts the head's tree into the index and the base under HEAD, and judges what is staged.
    fn stage(&self, lane: &str, tally: &mut Tally) {
        let repo = &self.real.repo;
        repo.git(&["update-ref", "--no-deref", "HEAD", self.base]);
        repo.git(&["read-tree", self.head]);
        let started = Instant::now();
        repo.git_bytes(&["diff", "--cached", "--name-only", "--no-renames", "-z"], b"");
        let git = started.elapsed();
        let expected = raw_diff(repo, &["diff", "--cached"]);
        let started = Instant::now();
        let opened = repo.open();
        let mut proposal = opened.staged(&[]).unwrap();
        let range = started.elapsed();
        tally.expect(proposal.changes == expected, || format!("{}: staged", self.name));
        proposal.branch = Some(lane.into());
        let judged = report(&opened, &proposal).unwrap();
        let judging = started.elapsed() - range;
        let foreign = self.foreign(&expected);
        self.compare_findings("staged", &judged, &foreign, tally);
        let arguments = ["guard", "--staged", "--branch", lane];
        let program = self.expect_refused("staged", &arguments, &foreign, tally);
        let (what, paths) = (self.name.clone(), expected.len());
        tally.times.push(Time { what, kind: None, paths, steps: 0, range, judging, program, git });
    }
}

fn report(opened: &GitRepository, proposal: &Proposal) -> Result<Report, Fault> {
    guard(opened, proposal, AT.parse().unwrap(), false)
}

/// The whole of the last commit: every ledger is replayed, and all of it holds.
pub(super) fn everything(real: &Real, tally: &mut Tally) {
    let last = &real.replayed[real.history.last()];
    let (took, code, printed) = real.program(&["verify", last]);
    *tally.exits.entry(("verify", code)).or_default() += 1;
    let records = printed["examined"]["records"].as_u64();
    let all = records == Some(2 * real.lanes.count() as u64);
    tally.expect(code == Some(0) && all, || format!("verify, after {took:?}: {printed}"));
}
