//! What is staged against HEAD.

use orch::snapshot::{Mode, Occasion, Repository as _, Side};
use orch::source::RepoPath;

use super::{brief, raw_diff};
use crate::support::TestRepo;

/// Attacks 6 and 7: what is judged is what is staged, never what lies in the working tree.
#[test]
fn the_index_counts_and_the_working_tree_does_not() {
    let repo = TestRepo::new();
    repo.write("a", "agreed\n");
    repo.commit("first");
    repo.write("a", "staged\n");
    repo.git(&["add", "a"]);
    repo.write("a", "on disk\n");
    repo.write("untracked", "x\n");
    let git = repo.open();
    let proposal = git.staged(&[]).unwrap();
    assert_eq!(brief(&proposal.changes), ["M a"]);
    let node = git.node(Side::Index, &"a".into()).unwrap().unwrap();
    assert_eq!(git.read(node.oid).unwrap(), b"staged\n");
    assert_eq!(proposal.base, Side::Commit(repo.oid("HEAD")));
    assert_eq!(proposal.agreed, proposal.base);
    assert_eq!(proposal.head, Side::Index);
    assert_eq!(proposal.branch.as_deref(), Some("main"));
    assert_eq!(proposal.occasion, Occasion::Commit);
}

#[test]
fn before_the_first_commit_everything_staged_is_new() {
    let repo = TestRepo::new();
    let empty = repo.open().staged(&[]).unwrap();
    assert_eq!((empty.base, empty.changes.len()), (Side::Nothing, 0));
    repo.write("b", "");
    repo.write("a/b", "x");
    repo.git(&["add", "."]);
    let git = repo.open();
    let proposal = git.staged(&[]).unwrap();
    assert_eq!(proposal.base, Side::Nothing);
    assert_eq!(brief(&proposal.changes), ["A a/b", "A b"]);
    assert_eq!(git.head_commit().unwrap(), None);
}

/// Attacks 30, 31 and 33: a rename shows at both paths, whatever the user's configuration says.
#[test]
fn a_rename_is_a_deletion_and_an_addition() {
    let repo = TestRepo::new();
    for (key, value) in
        [("diff.renames", "copies"), ("diff.noprefix", "true"), ("core.quotePath", "false")]
    {
        repo.git(&["config", key, value]);
    }
    repo.git(&["config", "diff.external", "/bin/false"]);
    repo.write("infra/ä", "a long enough text to be seen as the same file\n");
    repo.commit("first");
    repo.git(&["mv", "infra/ä", "src-ä"]);
    let proposal = repo.open().staged(&[]).unwrap();
    assert_eq!(brief(&proposal.changes), ["D infra/ä", "A src-ä"]);
}

/// Attacks 44, 46 and 49: links, submodules and the executable bit are told apart.
#[test]
fn modes_are_told_apart() {
    let repo = TestRepo::new();
    repo.write("file", "x");
    repo.write("becomes-link", "x");
    repo.commit("first");
    let blob = repo.git(&["rev-parse", "HEAD:file"]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    for (mode, object, path) in [
        ("100755", &blob, "run"),
        ("120000", &blob, "link"),
        ("120000", &blob, "becomes-link"),
        ("160000", &head, "module"),
    ] {
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{object},{path}")]);
    }
    let git = repo.open();
    let modes: Vec<_> =
        git.staged(&[]).unwrap().changes.iter().map(|c| c.new.unwrap().mode).collect();
    assert_eq!(modes, [Mode::Symlink, Mode::Symlink, Mode::Submodule, Mode::Executable]);
    assert_eq!(git.staged(&[]).unwrap().changes, raw_diff(&repo, &["diff", "--cached", "HEAD"]));
    repo.commit_staged("second");
    let head = Side::Commit(repo.oid("HEAD"));
    assert_eq!(git.node(head, &"link".into()).unwrap().unwrap().mode, Mode::Symlink);
    assert_eq!(git.node(head, &"module".into()).unwrap().unwrap().mode, Mode::Submodule);
}

/// Attacks 45 and 47: nothing stands below a link or a file, and folders are no nodes.
#[test]
fn a_path_below_a_link_or_a_file_holds_nothing() {
    let repo = TestRepo::new();
    repo.write("folder/file", "x");
    repo.commit("first");
    let blob = repo.git(&["rev-parse", "HEAD:folder/file"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("120000,{blob},link")]);
    repo.commit_staged("second");
    let git = repo.open();
    for side in [Side::Index, Side::Commit(repo.oid("HEAD"))] {
        for path in
            ["link/file", "folder", "folder/", "folder/file/x", "", "/", "none", "folder//file"]
        {
            assert_eq!(git.node(side, &path.into()).unwrap(), None, "{path}");
        }
        assert!(git.node(side, &"folder/file".into()).unwrap().is_some());
    }
    assert_eq!(git.node(Side::Nothing, &"link".into()).unwrap(), None);
}

#[test]
fn a_folder_is_listed_with_what_is_below_it_only() {
    let repo = TestRepo::new();
    for path in ["a", "a.b/x", "a/b/c", "a/b.c", "a0", "ab/c"] {
        if path != "a" {
            repo.write(path, path);
        }
    }
    repo.commit("first");
    let git = repo.open();
    for side in [Side::Index, Side::Commit(repo.oid("HEAD"))] {
        let list = |folder: &str| -> Vec<String> {
            let found = git.list(side, &RepoPath::from(folder)).unwrap();
            found.iter().map(|(path, _)| path.to_string()).collect()
        };
        assert_eq!(list("a"), ["a/b.c", "a/b/c"]);
        assert_eq!(list("a/b"), ["a/b/c"]);
        assert_eq!(list(""), ["a.b/x", "a/b.c", "a/b/c", "a0", "ab/c"]);
        assert!(list("a0").is_empty() && list("none").is_empty() && list("a/").is_empty());
    }
}

/// A path that was only announced (`git add -N`) is not part of the commit yet.
#[test]
fn an_announced_file_does_not_exist() {
    let repo = TestRepo::new();
    repo.write("kept", "x");
    repo.write("gone", "x");
    repo.commit("first");
    repo.write("new", "x");
    repo.git(&["add", "--intent-to-add", "new"]);
    repo.git(&["rm", "--quiet", "--cached", "gone"]);
    repo.git(&["add", "--intent-to-add", "gone"]);
    let git = repo.open();
    assert_eq!(brief(&git.staged(&[]).unwrap().changes), ["D gone"]);
    assert_eq!(git.node(Side::Index, &"new".into()).unwrap(), None);
    let listed = git.list(Side::Index, &RepoPath::default()).unwrap();
    assert_eq!(listed.len(), 1);
}

#[test]
fn a_conflict_is_to_be_finished_first() {
    let repo = TestRepo::new();
    repo.write("a", "1\n");
    repo.commit("first");
    repo.git(&["switch", "-qc", "other"]);
    repo.write("a", "2\n");
    repo.commit("second");
    repo.git(&["switch", "-q", "main"]);
    repo.write("a", "3\n");
    repo.commit("third");
    assert!(!repo.try_git(&["merge", "other"]).status.success());
    let git = repo.open();
    for fault in [
        git.staged(&[]).unwrap_err(),
        git.node(Side::Index, &"a".into()).unwrap_err(),
        git.list(Side::Index, &RepoPath::default()).unwrap_err(),
    ] {
        assert_eq!(fault.message, "`a` still has conflicts");
        assert!(fault.help.starts_with("finish the merge first"), "{}", fault.help);
    }
    repo.write("a", "4\n");
    repo.git(&["add", "a"]);
    assert_eq!(repo.open().staged(&[]).unwrap().occasion, Occasion::Merge);
}

/// A main that moved on, a branch, and a merge of the one into the other that is staged only.
fn staged_sync_merge() -> TestRepo {
    let repo = TestRepo::new();
    repo.write("infra/a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    repo.write("src/a", "1\n");
    repo.commit("first");
    repo.git(&["switch", "-qc", "feature"]);
    repo.write("src/a", "2\n");
    repo.commit("mine");
    repo.git(&["switch", "-q", "main"]);
    repo.write("infra/a", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    repo.write("infra/new", "x\n");
    repo.commit("theirs");
    repo.git(&["switch", "-q", "feature"]);
    repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "main"]);
    repo
}

/// Attack 64: a merge of the protected branch blames nobody for what came with it.
#[test]
fn a_sync_merge_changes_nothing_of_its_own() {
    let repo = staged_sync_merge();
    let main = repo.oid("main");
    let proposal = repo.open().staged(&[main]).unwrap();
    assert_eq!(proposal.occasion, Occasion::Merge);
    assert_eq!(brief(&proposal.changes), Vec::<String>::new());
}

/// Design rule 5: a parent that the protected branch does not have excuses nothing.
#[test]
fn a_merge_of_an_unprotected_branch_is_judged_whole() {
    let repo = staged_sync_merge();
    let mine = repo.oid("feature");
    let proposal = repo.open().staged(&[mine]).unwrap();
    assert_eq!(brief(&proposal.changes), ["M infra/a", "A infra/new"]);
    assert_eq!(brief(&repo.open().staged(&[]).unwrap().changes).len(), 2);
}

/// An evil merge: what no parent had is a change.
#[test]
fn what_is_slipped_into_a_merge_is_a_change() {
    let repo = staged_sync_merge();
    repo.write("infra/new", "evil\n");
    repo.write("infra/evil", "evil\n");
    repo.remove("src/a");
    repo.git(&["add", "--all"]);
    let main = repo.oid("main");
    let proposal = repo.open().staged(&[main]).unwrap();
    assert_eq!(brief(&proposal.changes), ["A infra/evil", "A infra/new", "D src/a"]);
}

/// Design rule 4: in pre-merge-commit the parents stand in the environment only.
#[test]
fn parents_come_from_the_environment_before_merge_head_is_written() {
    let repo = staged_sync_merge();
    let main = repo.oid("main");
    std::fs::remove_file(repo.path().join(".git/MERGE_HEAD")).unwrap();
    let plain = repo.open().staged(&[main]).unwrap();
    assert_eq!((plain.occasion, plain.changes.len()), (Occasion::Commit, 2));
    let named = repo.with_variable(&format!("GITHEAD_{main}"), "main");
    let merge = named.open().staged(&[main]).unwrap();
    assert_eq!((merge.occasion, merge.changes.len()), (Occasion::Merge, 0));
    let zeros = "0".repeat(40);
    let foreign = repo.with_variable(&format!("GITHEAD_{zeros}"), "x");
    assert_eq!(foreign.open().staged(&[main]).unwrap().occasion, Occasion::Commit);
}

#[test]
fn a_cherry_pick_is_an_ordinary_commit() {
    let repo = staged_sync_merge();
    repo.git(&["merge", "--abort"]);
    repo.git(&["cherry-pick", "--no-commit", "main"]);
    repo.git(&["update-ref", "CHERRY_PICK_HEAD", "main"]);
    let main = repo.oid("main");
    let proposal = repo.open().staged(&[main]).unwrap();
    assert_eq!((proposal.occasion, proposal.changes.len()), (Occasion::Commit, 2));
}
