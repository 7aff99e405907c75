//! What orch has Git do: staging files and making branches.

use orch::source::RepoPath;

use super::brief;
use crate::support::TestRepo;

fn one_commit() -> TestRepo {
    let repo = TestRepo::new();
    repo.write("a", "1\n");
    repo.write("gone", "1\n");
    repo.commit("first");
    repo
}

#[test]
fn staged_files_are_seen_at_once() {
    let repo = one_commit();
    let git = repo.open();
    assert_eq!(git.staged(&[]).unwrap().changes, []);
    repo.write(".orch/tasks/x/0001-task.yaml", "task: {}\n");
    repo.write("not this", "x");
    repo.remove("gone");
    git.stage(&[".orch/tasks/x/0001-task.yaml".into(), "gone".into()]).unwrap();
    let changes = brief(&git.staged(&[]).unwrap().changes);
    assert_eq!(changes, ["A .orch/tasks/x/0001-task.yaml", "D gone"]);
    git.stage(&[]).unwrap();
}

/// Attack 35: no name is read as an option or a pattern.
#[cfg(unix)]
#[test]
fn odd_names_are_staged_as_they_are() {
    let repo = one_commit();
    let names = ["-f", "*", ":(top)x", "new\nline", "tab\t\"quote\"", "ä b", "--", "!x"];
    for name in names {
        repo.write(name, name);
    }
    repo.write("b", "x");
    let git = repo.open();
    git.stage(&names.map(RepoPath::from)).unwrap();
    let staged = git.staged(&[]).unwrap().changes;
    let mut expected = names.map(RepoPath::from);
    expected.sort();
    assert_eq!(staged.iter().map(|change| &change.path).collect::<Vec<_>>(), expected.each_ref());
}

#[test]
fn an_ignored_file_is_a_fault_that_names_the_pattern() {
    let repo = one_commit();
    repo.write(".gitignore", "# all\n*.yaml\n");
    repo.write("x.yaml", "x");
    let fault = repo.open().stage(&["x.yaml".into()]).unwrap_err();
    let message = "`x.yaml` is ignored by the pattern `*.yaml` in .gitignore, line 2";
    assert_eq!(fault.message, message);
    assert!(fault.help.contains("`!/x.yaml`"), "{}", fault.help);
    repo.write(".gitignore", "# all\n*.yaml\n!/x.yaml\n");
    repo.open().stage(&["x.yaml".into()]).unwrap();
    let fault = repo.open().stage(&["nowhere".into()]).unwrap_err();
    assert!(fault.message.contains("did not match any files"), "{fault}");
}

#[test]
fn a_sparse_checkout_takes_new_records_too() {
    let repo = one_commit();
    repo.write("kept/a", "x");
    repo.commit("second");
    repo.git(&["sparse-checkout", "set", "--cone", "kept"]);
    repo.write(".orch/x.yaml", "x");
    let git = repo.open();
    git.stage(&[".orch/x.yaml".into()]).unwrap();
    assert_eq!(brief(&git.staged(&[]).unwrap().changes), ["A .orch/x.yaml"]);
}

#[test]
fn a_file_is_staged_into_the_index_that_git_named() {
    let repo = one_commit();
    repo.write("b", "x");
    let index = repo.path().join(".git/other-index");
    std::fs::copy(repo.path().join(".git/index"), index).unwrap();
    let git = repo.with_variable("GIT_INDEX_FILE", ".git/other-index").open();
    git.stage(&["b".into()]).unwrap();
    assert_eq!(brief(&git.staged(&[]).unwrap().changes), ["A b"]);
    assert_eq!(repo.open().staged(&[]).unwrap().changes, []);
}

/// Attack 118: a branch's name is never read as anything else.
#[test]
fn a_branch_is_created_and_checked_out() {
    let repo = one_commit();
    let first = repo.oid("HEAD");
    repo.write("a", "2\n");
    repo.commit("second");
    let git = repo.open();
    git.create_branch("feature/x", None).unwrap();
    assert_eq!(git.current_branch().unwrap().as_deref(), Some("feature/x"));
    assert_eq!(git.head_commit().unwrap(), Some(repo.oid("main")));
    git.create_branch("x;$(id)", Some(first)).unwrap();
    assert_eq!(git.current_branch().unwrap().as_deref(), Some("x;$(id)"));
    assert_eq!(git.head_commit().unwrap(), Some(first));
    for bad in ["feature/x", "-f", "a b", "", "a..b"] {
        let fault = git.create_branch(bad, None).unwrap_err();
        assert!(!fault.message.is_empty(), "{bad}");
    }
}

#[test]
fn git_runs_at_the_top_in_the_same_environment() {
    let repo = one_commit();
    repo.write("sub/x", "x");
    repo.git(&["config", "alias.status", "!echo evil"]);
    let sub = repo.path().join("sub");
    let git = orch::snapshot::GitRepository::open(&sub, &repo.environment()).unwrap();
    assert_eq!(git.run_git(&["status", "--short"]).unwrap(), "?? sub/\n");
    let fault = git.run_git(&["no-such-command"]).unwrap_err();
    assert!(fault.message.contains("no-such-command"), "{fault}");
    let named = repo.with_variable("GIT_DIR", "../.git");
    let git = orch::snapshot::GitRepository::open(&sub, &named.environment()).unwrap();
    assert_eq!(git.run_git(&["rev-parse", "--show-prefix"]).unwrap(), "\n");
}
