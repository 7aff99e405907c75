//! Clones that lack something: history, objects, files.

use orch::snapshot::{Fault, Repository as _, Side};

use super::brief;
use crate::support::TestRepo;

/// A main of six commits and a branch of two, from the fourth.
fn server() -> TestRepo {
    let repo = TestRepo::new();
    for number in 1..=6 {
        repo.write("a", format!("{number}\n"));
        repo.write(&format!("dir{number}/f"), "x\n");
        repo.commit("on main");
        if number == 4 {
            repo.git(&["branch", "feature"]);
        }
    }
    repo.git(&["switch", "-q", "feature"]);
    for number in 1..=2 {
        repo.write("mine", format!("{number}\n"));
        repo.commit("on feature");
    }
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    repo.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    repo
}

fn assert_hint(fault: &Fault, command: &str) {
    assert!(fault.message.contains("shallow clone"), "{fault}");
    assert!(fault.help.contains(command), "{}", fault.help);
}

/// Attack 56: a base that was not fetched is never "no changes".
#[test]
fn a_shallow_clone_without_the_base_is_a_fault() {
    let clone = server().clone_to("clone", &["--depth=1", "--branch=feature"]);
    let git = clone.open();
    assert!(git.is_shallow());
    let fault = git.range("origin/main", "HEAD", None).unwrap_err();
    assert_hint(&fault, "git fetch --unshallow");
    let hidden = git.commit_meta(clone.oid("HEAD")).unwrap().parents[0];
    assert_hint(&git.resolve(&hidden.to_string()).unwrap_err(), "git fetch --unshallow");
}

/// Attack 57: both commits are here and what joins them is not; nothing can be told.
#[test]
fn a_shallow_clone_with_its_history_cut_is_a_fault() {
    let server = server();
    let clone = server.clone_to("clone", &["--depth=1", "--no-single-branch", "--branch=feature"]);
    let git = clone.open();
    let (main, feature) = (clone.oid("origin/main"), clone.oid("origin/feature"));
    assert_hint(&git.range("origin/main", "origin/feature", None).unwrap_err(), "--unshallow");
    assert_hint(&git.is_ancestor(main, feature).unwrap_err(), "--unshallow");
    assert_hint(&git.merge_base(main, feature).unwrap_err(), "--unshallow");
    assert!(git.is_ancestor(main, main).unwrap());
    clone.git(&["fetch", "--quiet", "--unshallow", "origin"]);
    let whole = clone.open().range("origin/main", "origin/feature", None).unwrap();
    assert_eq!((brief(&whole.changes), whole.steps.len()), (vec!["A mine".to_owned()], 2));
}

/// A cut that lies below everything in question does no harm.
#[test]
fn a_shallow_clone_that_holds_enough_is_enough() {
    let server = server();
    let whole = server.open().range("main", "feature", None).unwrap();
    let since = server.git(&["log", "-1", "--format=%ct", "main~2"]);
    for cut in ["--depth=4".to_owned(), format!("--shallow-since=@{since}")] {
        let name = cut.replace(['=', '@'], "");
        let clone = server.clone_to(&name, &[&cut, "--no-single-branch", "--branch=feature"]);
        let git = clone.open();
        assert!(git.is_shallow());
        let range = git.range("origin/main", "origin/feature", None).unwrap();
        assert_eq!(range.base, Side::Commit(server.oid("main~2")));
        assert_eq!((&range.changes, &range.steps), (&whole.changes, &whole.steps));
        assert_eq!(git.staged(&[clone.oid("origin/main")]).unwrap().changes, []);
    }
}

/// A base whose own history is cut may already have what looks new.
#[test]
fn a_base_cut_from_what_it_has_is_a_fault() {
    let server = server();
    server.git(&["switch", "-q", "main"]);
    server.tick();
    server.git(&["merge", "--quiet", "--no-edit", "feature"]);
    let clone = server.clone_to("clone", &["--branch=feature", "--single-branch"]);
    clone.git(&["fetch", "--quiet", "--depth=1", "origin", "main:refs/remotes/origin/main"]);
    assert_hint(&clone.open().range("origin/main", "HEAD", None).unwrap_err(), "--unshallow");
}

/// Attack 58: a blob that was left out is a fault with the command that brings it.
#[test]
fn a_partial_clone_says_what_to_fetch() {
    let server = server();
    let clone = server.clone_to("clone", &["--filter=blob:none", "--branch=feature"]);
    let git = clone.open();
    let old = Side::Commit(clone.oid("origin/main"));
    let node = git.node(old, &"a".into()).unwrap().unwrap();
    let fault = git.read(node.oid).unwrap_err();
    assert!(fault.message.ends_with("is not in this partial clone"), "{fault}");
    assert_eq!(fault.help, "fetch what was left out: `git fetch --refetch --no-filter origin`");
    let range = git.range("origin/main", "HEAD", None).unwrap();
    assert_eq!(brief(&range.changes), ["A mine"]);
    clone.git(&["fetch", "--quiet", "--refetch", "--no-filter", "origin"]);
    assert_eq!(clone.open().read(node.oid).unwrap(), b"6\n");
}

/// Attack 58, for trees: without them not even the paths are known.
#[test]
fn a_clone_without_trees_says_what_to_fetch() {
    let clone = server().clone_to("clone", &["--filter=tree:0", "--branch=feature"]);
    let fault = clone.open().range("origin/main", "HEAD", None).unwrap_err();
    assert!(fault.message.contains("tree") && fault.help.contains("--refetch"), "{fault}");
    clone.git(&["fetch", "--quiet", "--refetch", "--no-filter", "origin"]);
    assert_eq!(clone.open().range("origin/main", "HEAD", None).unwrap().changes.len(), 1);
}

/// Attack 59: what is not checked out is still in the tree and in the index.
#[test]
fn a_sparse_checkout_hides_nothing() {
    let server = server();
    for flags in [&["--no-cone"][..], &["--cone"], &["--cone", "--sparse-index"]] {
        let clone = server.clone_to(&format!("sparse{}", flags.len() + flags[0].len()), &[]);
        clone.git(&[&["sparse-checkout", "set"], flags, &["dir1"]].concat());
        assert!(!clone.path().join("dir2/f").exists());
        clone.write("dir1/f", "changed\n");
        clone.git(&["add", "dir1/f"]);
        let git = clone.open();
        let head = Side::Commit(clone.oid("HEAD"));
        assert_eq!(brief(&git.staged(&[]).unwrap().changes), ["M dir1/f"]);
        for path in ["dir2/f", "a", "mine"] {
            let node = git.node(Side::Index, &path.into()).unwrap();
            assert!(node.is_some() && node == git.node(head, &path.into()).unwrap(), "{path}");
        }
        for folder in ["dir2", "dir9", "dir2/none"] {
            let folder = folder.into();
            let listed = git.list(Side::Index, &folder).unwrap();
            assert_eq!(listed, git.list(head, &folder).unwrap());
        }
        assert_eq!(git.list(Side::Index, &"".into()).unwrap().len(), 6);
        clone.git(&["reset", "--quiet", "--soft", "HEAD~3"]);
        let expected = super::raw_diff(&clone, &["diff", "--cached", "HEAD"]);
        assert_eq!(clone.open().staged(&[]).unwrap().changes, expected);
    }
}
