//! A real history, judged range by range: what the guard saw must be what Git says, and work that
//! stays in its lanes must pass.
//!
//! ```text
//! git clone --bare https://github.com/symfony/symfony real.git
//! ORCH_REAL_REPO=real.git cargo test --release --test it real -- --ignored --nocapture
//! ```
//!
//! The clone is only read. Its commits are replayed elsewhere with a policy that was always there,
//! whose lanes are the repository's own folders, and with a run going on in each of them. On the
//! protected branch all these runs count, so that nothing may be refused there; on the branch of
//! one of them, everything in other lanes must be, and nothing else.
//!
//! What lies in one lane of a range is then done once more, as its real author's own work that ends
//! in a handoff of real files; and what real branches brought is judged under their real names.

mod bench;
mod drafted;
mod handover;
mod history;
mod judge;
mod lanes;
mod names;
mod program;
mod replay;
mod tally;

use std::collections::BTreeSet;
use std::path::PathBuf;

use orch::source::RepoPath;

use self::history::{History, Range};
use self::lanes::Lanes;
use self::replay::replay;
use self::tally::Tally;
use crate::snapshot::raw_diff;
use crate::support::TestRepo;

/// A real repository with a policy, and what is to be tried on it.
struct Real {
    repo: TestRepo,
    history: History,
    ranges: Vec<Range>,
    lanes: Lanes,
    /// The replayed commits, in the order of the history.
    replayed: Vec<String>,
    files: usize,
}

impl Real {
    fn prepare(source: &str) -> Self {
        let sandbox = TestRepo::new();
        let target = sandbox.root().join("real").display().to_string();
        sandbox.git(&["clone", "--quiet", "--shared", "--no-checkout", source, &target]);
        let repo = sandbox.beside("real");
        let history = History::read(&repo);
        let ranges = history.ranges(1);
        let listed = repo.git_bytes(&["ls-tree", "-r", "-z", "--name-only", "HEAD"], b"");
        let listed = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        let mut paths: BTreeSet<RepoPath> = listed.map(RepoPath::from_git).collect();
        let files = paths.len();
        for range in &ranges {
            let [base, head] = [range.base, range.head].map(|at| &history.commits[at].id);
            let directly = raw_diff(&repo, &["diff", base, head]);
            paths.extend(directly.into_iter().map(|change| change.path));
            if let Some(shared) = merge_base(&repo, base, head) {
                let changes = raw_diff(&repo, &["diff", &shared, head]);
                paths.extend(changes.into_iter().map(|change| change.path));
            }
        }
        let lanes = Lanes::of(&paths);
        lanes.write(&repo);
        repo.git(&["add", "--force", ".orch"]);
        let orch = repo.git(&["write-tree", "--prefix=.orch/"]);
        let replayed = replay(&repo, &history, &orch);
        Real { repo, history, ranges, lanes, replayed, files }
    }

    /// Tells whether base and head of a range share any history.
    fn is_related(&self, range: &Range) -> bool {
        merge_base(&self.repo, &self.replayed[range.base], &self.replayed[range.head]).is_some()
    }
}

fn merge_base(repo: &TestRepo, one: &str, other: &str) -> Option<String> {
    let found = repo.try_git(&["merge-base", one, other]);
    found.status.success().then(|| String::from_utf8_lossy(&found.stdout).trim_end().to_owned())
}

#[test]
#[ignore = "needs ORCH_REAL_REPO, a bare clone of a repository with branches and merges"]
fn a_real_history_is_judged_as_git_tells_it() {
    let source = std::env::var_os("ORCH_REAL_REPO").expect("ORCH_REAL_REPO names a bare clone");
    let source = PathBuf::from(source).canonicalize().unwrap();
    let real = Real::prepare(source.to_str().unwrap());
    let mut tally = Tally::default();
    for (number, range) in real.ranges.iter().enumerate() {
        judge::range(&real, number, range, &mut tally);
        handover::range(&real, number, range, &mut tally);
    }
    names::branches(&real, &mut tally);
    judge::everything(&real, &mut tally);
    println!(
        "{} files at head, {} commits, {} lanes\n{tally}",
        real.files,
        real.replayed.len(),
        real.lanes.count()
    );
    assert!(real.ranges.len() >= 200, "{} ranges are too few", real.ranges.len());
    assert_eq!(tally.complaints, Vec::<String>::new());
}
