//! Ranges of commits, as CI and a push see them.

use orch::snapshot::{Occasion, Proposal, Repository as _, Side};
use orch::source::RepoPath;

use super::brief;
use crate::support::TestRepo;

/// A branch with two commits beside a main that moved on.
fn two_branches() -> TestRepo {
    let repo = TestRepo::new();
    repo.write("a", "1\n2\n3\n");
    repo.write("infra/x", "1\n");
    repo.commit("base");
    repo.git(&["switch", "-qc", "feature"]);
    repo.write("mine", "1\n");
    repo.commit("one");
    repo.write("mine", "2\n");
    repo.write("also", "1\n");
    repo.commit("two");
    repo.git(&["switch", "-q", "main"]);
    repo.write("infra/x", "2\n");
    repo.commit("theirs");
    repo.git(&["switch", "-q", "feature"]);
    repo
}

fn steps(repo: &TestRepo, proposal: &Proposal) -> Vec<Vec<String>> {
    steps_below(repo, proposal, "")
}

fn steps_below(repo: &TestRepo, proposal: &Proposal, folder: &str) -> Vec<Vec<String>> {
    let (git, folder) = (repo.open(), RepoPath::from(folder));
    let changes = proposal.steps.iter().map(|step| git.step_changes(step, &folder).unwrap());
    changes.map(|changes| brief(&changes)).collect()
}

/// Design rule 1: changed is what differs from the merge base, agreed is the tip.
#[test]
fn a_range_goes_from_the_merge_base_to_the_head() {
    let repo = two_branches();
    let proposal = repo.open().range("main", "feature", Some("feature".into())).unwrap();
    assert_eq!(proposal.agreed, Side::Commit(repo.oid("main")));
    assert_eq!(proposal.base, Side::Commit(repo.oid("main~1")));
    assert_eq!(proposal.head, Side::Commit(repo.oid("feature")));
    assert_eq!(proposal.branch.as_deref(), Some("feature"));
    assert_eq!(proposal.occasion, Occasion::Range);
    assert_eq!(brief(&proposal.changes), ["A also", "A mine"]);
    assert_eq!(steps(&repo, &proposal), [vec!["A mine"], vec!["A also", "M mine"]]);
    assert_eq!(proposal.steps[1].commit, repo.oid("feature"));
}

/// Attack 64: a merge of main into the branch is no change of the branch.
#[test]
fn a_sync_merge_inside_a_range_blames_nobody() {
    let repo = two_branches();
    repo.tick();
    repo.git(&["merge", "--quiet", "--no-edit", "main"]);
    let proposal = repo.open().range("main", "feature", None).unwrap();
    assert_eq!(proposal.base, Side::Commit(repo.oid("main")));
    assert_eq!(brief(&proposal.changes), ["A also", "A mine"]);
    assert_eq!(steps(&repo, &proposal), [vec!["A mine"], vec!["A also", "M mine"], vec![]]);
}

/// An evil merge shows as a step with what no parent had.
#[test]
fn an_evil_merge_inside_a_range_shows() {
    let repo = two_branches();
    repo.git(&["merge", "--quiet", "--no-commit", "main"]);
    repo.write("infra/x", "evil\n");
    repo.remove("a");
    repo.commit("merge, and more");
    let proposal = repo.open().range("main", "feature", None).unwrap();
    assert_eq!(brief(&proposal.changes), ["D a", "A also", "M infra/x", "A mine"]);
    assert_eq!(steps(&repo, &proposal)[2], ["D a", "M infra/x"]);
    assert_eq!(steps_below(&repo, &proposal, "infra")[2], ["M infra/x"]);
    assert_eq!(steps_below(&repo, &proposal, "mine")[2], Vec::<String>::new());
}

/// What was changed and changed back shows in the steps though the range as a whole is empty.
#[test]
fn what_was_undone_shows_in_the_steps() {
    let repo = two_branches();
    repo.tick();
    repo.git(&["revert", "--no-edit", "HEAD", "HEAD~1"]);
    let proposal = repo.open().range("main", "feature", None).unwrap();
    assert_eq!(proposal.changes, []);
    assert_eq!(proposal.steps.len(), 4);
}

#[test]
fn a_head_that_the_base_has_proposes_nothing() {
    let repo = two_branches();
    for head in ["main", "main~1"] {
        let proposal = repo.open().range("main", head, None).unwrap();
        assert_eq!((proposal.changes.len(), proposal.steps.len()), (0, 0));
    }
}

/// Attack 67: a base that was rewritten is no base.
#[test]
fn unrelated_histories_are_a_fault() {
    let repo = two_branches();
    repo.git(&["switch", "-q", "--orphan", "other"]);
    repo.write("x", "x");
    repo.commit("alone");
    let fault = repo.open().range("main", "other", None).unwrap_err();
    assert!(fault.message.contains("shares no history with `main`"), "{fault}");
    assert!(fault.help.contains("git rebase"), "{}", fault.help);
    assert_eq!(repo.open().merge_base(repo.oid("main"), repo.oid("other")).unwrap(), None);
    assert!(!repo.open().is_ancestor(repo.oid("main"), repo.oid("other")).unwrap());
}

/// A root commit that is merged in is a step of its own, from nothing.
#[test]
fn a_foreign_root_is_a_step_from_nothing() {
    let repo = two_branches();
    repo.git(&["switch", "-q", "--orphan", "other"]);
    repo.write("vendored/x", "x");
    repo.commit("alone");
    repo.git(&["switch", "-q", "feature"]);
    repo.tick();
    repo.git(&["merge", "--quiet", "--no-edit", "--allow-unrelated-histories", "other"]);
    let proposal = repo.open().range("main", "feature", None).unwrap();
    assert_eq!(steps(&repo, &proposal)[2], ["A vendored/x"]);
    assert_eq!(steps(&repo, &proposal)[3], Vec::<String>::new());
}

#[test]
fn ancestors_are_told() {
    let repo = two_branches();
    let git = repo.open();
    let (main, feature, base) = (repo.oid("main"), repo.oid("feature"), repo.oid("main~1"));
    assert!(git.is_ancestor(base, main).unwrap() && git.is_ancestor(main, main).unwrap());
    assert!(!git.is_ancestor(main, base).unwrap() && !git.is_ancestor(main, feature).unwrap());
    assert_eq!(git.merge_base(main, feature).unwrap(), Some(base));
}

#[test]
fn a_verification_starts_from_nothing() {
    let repo = two_branches();
    let proposal = repo.open().verification("HEAD", None).unwrap();
    assert_eq!((proposal.agreed, proposal.base), (Side::Nothing, Side::Nothing));
    assert_eq!(proposal.head, Side::Commit(repo.oid("HEAD")));
    assert_eq!(proposal.occasion, Occasion::Verification);
    let walked: Vec<_> = proposal.steps.iter().map(|step| step.commit).collect();
    assert_eq!(walked, ["main~1", "feature~1", "feature"].map(|rev| repo.oid(rev)));
    let since = repo.open().verification("HEAD", Some("main")).unwrap();
    assert_eq!((since.agreed, since.base), (Side::Nothing, Side::Commit(repo.oid("main"))));
    assert_eq!(since.steps, proposal.steps[1..]);
}

/// A tree that Git itself would not check out is a fault, never an answer.
#[test]
fn crafted_trees_are_a_fault() {
    let repo = two_branches();
    let blob = repo.git_bytes(&["hash-object", "-w", "--stdin"], b"x");
    let raw = hex(std::str::from_utf8(&blob).unwrap().trim_end());
    let folder = hex(&repo.git(&["rev-parse", "HEAD:infra"]));
    for names in
        [&[".git"][..], &["a/b"], &[".."], &["b", "a"], &["a", "a"], &[""], &["a", "a-", "a="]]
    {
        let mut tree = Vec::new();
        for name in names {
            // A final `=` stands for a folder, here one that has a file's name.
            let (mode, name, object) = match name.strip_suffix('=') {
                Some(name) => ("40000", name, &folder),
                None => ("100644", *name, &raw),
            };
            tree.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            tree.extend_from_slice(object);
        }
        let literally = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
        let id = String::from_utf8(repo.git_bytes(&literally, &tree)).unwrap();
        let head = repo.git(&["commit-tree", "-p", "main", "-m", "crafted", id.trim_end()]);
        let fault = repo.open().range("main", &head, None).unwrap_err();
        assert!(fault.help.contains("git fsck"), "{names:?}: {fault}");
    }
}

fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Folders nested without end don't fill the stack.
#[test]
fn very_deep_trees_are_a_fault() {
    let repo = two_branches();
    let blob = repo.git(&["rev-parse", "HEAD:a"]);
    let path = format!("{}f", "d/".repeat(600));
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
    let staged = repo.open().staged(&[]).unwrap_err();
    assert!(staged.message.contains("nested deeper"), "{staged}");
    let tree = repo.git(&["write-tree"]);
    let head = repo.git(&["commit-tree", "-p", "main", "-m", "deep", &tree]);
    let fault = repo.open().range("main", &head, None).unwrap_err();
    assert!(fault.message.contains("nested deeper"), "{fault}");
}
