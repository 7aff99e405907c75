//! Branches, revisions and what commits say of themselves.

use orch::snapshot::{Branch, Oid};

use crate::support::TestRepo;

fn three_commits() -> TestRepo {
    let repo = TestRepo::new();
    for text in ["1", "2", "3"] {
        repo.write("a", text);
        repo.commit(text);
    }
    repo
}

/// Design rule 11: the branch is known on an unborn HEAD and inside a rebase, not when detached.
#[test]
fn the_current_branch_is_known_where_there_is_one() {
    let repo = TestRepo::new();
    repo.git(&["symbolic-ref", "HEAD", "refs/heads/feature/x"]);
    let branch = |repo: &TestRepo| repo.open().current_branch().unwrap();
    assert_eq!(branch(&repo).as_deref(), Some("feature/x"));
    repo.write("a", "1\n");
    let first = repo.commit("first");
    assert_eq!(branch(&repo).as_deref(), Some("feature/x"));
    repo.git(&["switch", "-qc", "other"]);
    repo.write("a", "2\n");
    repo.commit("second");
    repo.git(&["switch", "-q", "feature/x"]);
    repo.write("a", "3\n");
    repo.commit("third");
    for backend in ["--merge", "--apply"] {
        assert!(!repo.try_git(&["rebase", backend, "other"]).status.success());
        assert_eq!(branch(&repo).as_deref(), Some("feature/x"), "{backend}");
        repo.git(&["rebase", "--abort"]);
    }
    repo.git(&["switch", "-q", "--detach"]);
    assert_eq!(branch(&repo), None);
    assert!(!repo.try_git(&["rebase", "other"]).status.success());
    assert_eq!(branch(&repo), None);
    repo.git(&["rebase", "--abort"]);
    assert_eq!(repo.open().resolve("other~1").unwrap().to_string(), first);
}

#[test]
fn branches_are_local_and_remote_tracking_ones() {
    let repo = three_commits();
    repo.git(&["branch", "feature/a", "HEAD~1"]);
    repo.git(&["tag", "v1"]);
    let clone = repo.clone_to("clone", &[]);
    clone.git(&["branch", "mine"]);
    let branch =
        |name: &str, remote, rev: &str| Branch { name: name.into(), remote, tip: repo.oid(rev) };
    let expected = [
        branch("main", false, "main"),
        branch("mine", false, "main"),
        branch("origin/feature/a", true, "feature/a"),
        branch("origin/main", true, "main"),
    ];
    assert_eq!(clone.open().branches().unwrap(), expected);
    clone.git(&["pack-refs", "--all"]);
    assert_eq!(clone.open().branches().unwrap(), expected);
}

#[test]
fn revisions_resolve_as_git_resolves_them() {
    let repo = three_commits();
    repo.git(&["tag", "-a", "-m", "annotated", "v1", "HEAD~1"]);
    repo.git(&["tag", "-a", "-m", "of a tag", "v2", "v1"]);
    repo.git(&["branch", "deadbeef", "HEAD~2"]);
    let clone = repo.clone_to("clone", &[]);
    clone.git(&["fetch", "--quiet", "origin", "main"]);
    let short = clone.git(&["rev-parse", "--short", "HEAD~1"]);
    let full = clone.git(&["rev-parse", "HEAD"]);
    let git = clone.open();
    for rev in [
        "HEAD",
        "main",
        "HEAD~2",
        "HEAD^",
        "main@{0}",
        "v1",
        "v2",
        "v2^{commit}",
        "heads/main",
        "refs/heads/main",
        "origin/main",
        "origin/deadbeef",
        "refs/tags/v1",
        "origin",
        "FETCH_HEAD",
        "@",
        &short,
        &full,
    ] {
        let expected = clone.oid(&format!("{rev}^{{commit}}"));
        assert_eq!(git.resolve(rev).unwrap(), expected, "{rev}");
    }
    assert_eq!(repo.open().resolve("deadbeef").unwrap(), repo.oid("refs/heads/deadbeef"));
}

#[test]
fn what_is_no_revision_is_a_fault_with_help() {
    let repo = three_commits();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let missing = "1".repeat(40);
    for bad in ["", "-x", "--all", "main..HEAD", "^main", "nope", "a\nb", &tree, &missing, "HEAD:a"]
    {
        let fault = repo.open().resolve(bad).unwrap_err();
        assert!(!fault.message.is_empty() && !fault.help.is_empty(), "{bad:?}");
    }
    let zeros = repo.open().resolve(&"0".repeat(40)).unwrap_err();
    assert!(zeros.message.contains("all zeros"), "{zeros}");
    assert!(zeros.help.contains("--base origin/main"));
    let empty = TestRepo::new().open().resolve("HEAD").unwrap_err();
    assert_eq!(empty.message, "there is no commit yet");
}

/// Git would take the tag, and whoever may push tags would choose the base.
#[test]
fn a_tag_can_not_pass_for_a_branch() {
    let repo = three_commits();
    repo.git(&["tag", "main", "HEAD~1"]);
    let git = repo.open();
    let fault = git.resolve("main").unwrap_err();
    assert_eq!(fault.message, "`main` could mean `refs/tags/main` or `refs/heads/main`");
    assert_eq!(git.resolve("refs/heads/main").unwrap(), repo.oid("HEAD"));
    for rev in ["main~0", "main^", "main^{commit}", "main@{0}"] {
        assert!(git.resolve(rev).is_err(), "{rev}");
    }
    repo.git(&["tag", "--force", "main", "HEAD"]);
    assert_eq!(git.resolve("main").unwrap(), repo.oid("refs/heads/main"));
    for evil in ["HEAD", "refs/heads/main", "heads/main", "ORIG_HEAD"] {
        repo.git(&["update-ref", "ORIG_HEAD", "HEAD"]);
        repo.git(&["update-ref", &format!("refs/tags/{evil}"), "HEAD~2"]);
        if let Ok(oid) = git.resolve(evil) {
            assert_eq!(oid, repo.oid("refs/heads/main"), "{evil}");
        }
    }
    assert!(git.resolve("HEAD").is_ok() && git.resolve("refs/heads/main").is_ok());
}

/// Attack 94: a commit's own words, as it spells them.
#[test]
fn a_commit_tells_who_and_when() {
    let repo = three_commits();
    let meta = repo.open().commit_meta(repo.oid("HEAD")).unwrap();
    assert_eq!((&*meta.author.name, &*meta.author.email), ("Ada Author", "ada@example.org"));
    assert_eq!(&*meta.committer.email, "carl@example.org");
    assert_eq!(meta.committer.at.to_string(), "2026-11-21T14:03:00Z");
    assert_eq!(meta.parents, [repo.oid("HEAD~1")]);
    assert_eq!(meta.message, "3\n");
    let blob = repo.oid("HEAD:a");
    assert!(repo.open().commit_meta(blob).is_err());
}

#[test]
fn hex_names_are_whole_or_nothing() {
    for hex in ["a".repeat(40), "b".repeat(64)] {
        assert_eq!(Oid::from_hex(&hex).unwrap().to_string(), hex);
    }
    for bad in ["", "abc", &"g".repeat(40), &"a".repeat(41), "HEAD"] {
        assert_eq!(Oid::from_hex(bad), None, "{bad}");
    }
    assert!(Oid::from_hex(&"0".repeat(40)).unwrap().is_null());
}
