//! Where a repository is found, and what of the environment is believed.

use orch::snapshot::{GitEnvironment, GitRepository, Repository as _, Side};

use super::brief;
use crate::support::TestRepo;

fn one_commit() -> TestRepo {
    let repo = TestRepo::new();
    repo.write("a", "1\n");
    repo.write("sub/b", "1\n");
    repo.commit("first");
    repo
}

#[test]
fn a_subfolder_belongs_to_the_repository_around_it() {
    let repo = one_commit();
    let git = GitRepository::open(&repo.path().join("sub"), &repo.environment()).unwrap();
    assert_eq!(git.work_dir(), Some(repo.path()));
    assert_eq!(git.git_dir(), repo.path().join(".git"));
    assert_eq!(git.common_dir(), git.git_dir());
    assert!(!git.is_bare() && !git.is_shallow());
    assert_eq!(git.head_commit().unwrap(), Some(repo.oid("HEAD")));
}

#[test]
fn no_repository_is_a_fault_that_says_where_it_looked() {
    let repo = one_commit();
    let outside = repo.root();
    let ceiling = repo.with_variable("GIT_CEILING_DIRECTORIES", "/");
    let fault = GitRepository::open(&outside, &ceiling.environment()).err().unwrap();
    assert!(fault.message.starts_with("there is no Git repository at"), "{fault}");
    assert!(fault.help.contains("git init"));
    let gone = repo.with_variable("GIT_DIR", "/nowhere/.git");
    assert!(GitRepository::open(repo.path(), &gone.environment()).is_err());
    assert!(GitRepository::open(&outside.join("gone"), &repo.environment()).is_err());
}

/// Attack 9: the linked worktree's own index and HEAD are read, with and without Git's variables.
#[test]
fn a_linked_worktree_has_its_own_index_and_head() {
    let repo = one_commit();
    repo.git(&["worktree", "add", "-q", "-b", "side", "../linked"]);
    let linked = repo.beside("linked");
    linked.write("c", "x\n");
    linked.git(&["add", "c"]);
    let private = repo.path().join(".git/worktrees/linked");
    let exported = linked
        .with_variable("GIT_DIR", &private)
        .with_variable("GIT_INDEX_FILE", private.join("index"));
    for (from, seen) in [("", &linked), ("sub", &linked), ("", &exported), ("sub", &exported)] {
        let git = GitRepository::open(&linked.path().join(from), &seen.environment()).unwrap();
        assert_eq!(git.work_dir(), Some(linked.path()));
        assert_eq!(git.git_dir().canonicalize().unwrap(), private);
        assert_eq!(git.common_dir().canonicalize().unwrap(), repo.path().join(".git"));
        assert_eq!(git.hooks_dir().canonicalize().unwrap(), repo.path().join(".git/hooks"));
        let proposal = git.staged(&[]).unwrap();
        assert_eq!(proposal.branch.as_deref(), Some("side"));
        assert_eq!(brief(&proposal.changes), ["A c"]);
    }
    assert_eq!(repo.open().staged(&[]).unwrap().changes, []);
}

/// Attack 8: the temporary index of `git commit -a` is the one that is committed.
#[test]
fn a_temporary_index_is_the_one_that_counts() {
    let repo = one_commit();
    repo.write("staged", "x\n");
    repo.git(&["add", "staged"]);
    let index = repo.path().join(".git/index");
    std::fs::copy(&index, repo.path().join(".git/next-index-1.lock")).unwrap();
    repo.git(&["reset", "-q"]);
    for named in [".git/next-index-1.lock".into(), repo.path().join(".git/next-index-1.lock")] {
        let environment = repo.with_variable("GIT_INDEX_FILE", named).environment();
        for from in ["", "sub"] {
            let git = GitRepository::open(&repo.path().join(from), &environment).unwrap();
            assert_eq!(brief(&git.staged(&[]).unwrap().changes), ["A staged"]);
        }
    }
    assert_eq!(repo.open().staged(&[]).unwrap().changes, []);
}

#[test]
fn a_work_tree_may_lie_elsewhere() {
    let repo = one_commit();
    let named = repo
        .with_variable("GIT_DIR", repo.path().join(".git"))
        .with_variable("GIT_WORK_TREE", "../elsewhere");
    assert_eq!(named.open().work_dir(), Some(repo.root().join("elsewhere").as_path()));
    repo.git(&["config", "core.worktree", "../sub"]);
    assert_eq!(repo.open().work_dir(), Some(repo.path().join("sub").as_path()));
}

/// The linked worktree of a bare repository is an ordinary one, and so is a submodule.
#[test]
fn a_working_tree_may_hang_on_a_bare_repository_or_a_parent() {
    let repo = one_commit();
    let bare = repo.clone_to("bare.git", &["--bare"]);
    bare.git(&["worktree", "add", "-q", "-b", "side", "../linked"]);
    let parent = bare.beside("parent");
    let url = bare.path().display().to_string();
    bare.git(&["init", "-q", "../parent"]);
    parent.git(&["submodule", "--quiet", "add", &url, "module"]);
    for (folder, hooks) in
        [("linked", "bare.git/hooks"), ("parent/module", "parent/.git/modules/module/hooks")]
    {
        let git = bare.beside(folder).open();
        assert_eq!(git.work_dir(), Some(repo.root().join(folder).as_path()));
        assert_eq!(git.hooks_dir(), repo.root().join(hooks));
        assert_eq!(git.staged(&[]).unwrap().changes, []);
    }
    assert_eq!(brief(&parent.open().staged(&[]).unwrap().changes), ["A .gitmodules", "A module"]);
}

#[test]
fn a_bare_repository_has_commits_but_no_index() {
    let repo = one_commit();
    let bare = repo.clone_to("bare.git", &["--bare"]);
    let inside = bare.with_variable("GIT_DIR", ".");
    for git in [bare.open(), inside.open()] {
        assert!(git.is_bare());
        assert_eq!(git.work_dir(), None);
        assert_eq!(git.hooks_dir(), bare.path().join("hooks"));
        assert_eq!(git.current_branch().unwrap().as_deref(), Some("main"));
        let head = Side::Commit(repo.oid("HEAD"));
        assert!(git.node(head, &"a".into()).unwrap().is_some());
        let fault = git.staged(&[]).unwrap_err();
        assert!(fault.message.contains("bare repository"), "{fault}");
        assert!(fault.help.contains("--base"));
    }
}

/// Attack 78: object names of SHA-256 repositories are longer, and that is all.
#[test]
fn sha256_repositories_work() {
    let repo = TestRepo::init(&["--object-format=sha256"]);
    repo.write("a/b", "1\n");
    let first = repo.commit("first");
    assert_eq!(first.len(), 64);
    repo.write("a/b", "2\n");
    repo.git(&["add", "."]);
    let git = repo.open();
    assert_eq!(brief(&git.staged(&[]).unwrap().changes), ["M a/b"]);
    let node = git.node(Side::Index, &"a/b".into()).unwrap().unwrap();
    assert_eq!(git.read(node.oid).unwrap(), b"2\n");
    repo.commit("second");
    let range = git.range(&first, "HEAD", None).unwrap();
    assert_eq!((range.changes.len(), range.steps.len()), (1, 1));
    assert_eq!(git.range("0".repeat(64).as_str(), "HEAD", None).unwrap_err().message, {
        git.range("0".repeat(40).as_str(), "HEAD", None).unwrap_err().message
    });
}

#[test]
fn reftable_is_refused_with_the_way_out() {
    let repo = TestRepo::init(&["--ref-format=reftable"]);
    let fault = GitRepository::open(repo.path(), &repo.environment()).err().unwrap();
    assert!(fault.message.contains("reftable"), "{fault}");
    assert!(fault.help.contains("git refs migrate --ref-format=files"));
    repo.git(&["refs", "migrate", "--ref-format=files"]);
    assert_eq!(repo.open().current_branch().unwrap().as_deref(), Some("main"));
}

#[test]
fn hooks_lie_where_the_configuration_says() {
    let repo = one_commit();
    assert_eq!(repo.open().hooks_dir(), repo.path().join(".git/hooks"));
    repo.git(&["config", "core.hooksPath", "tools/hooks"]);
    assert_eq!(repo.open().hooks_dir(), repo.path().join("tools/hooks"));
    repo.git(&["config", "core.hooksPath", "~/hooks"]);
    assert_eq!(repo.open().hooks_dir(), repo.root().join("hooks"));
    repo.git(&["config", "core.hooksPath", "/opt/hooks"]);
    assert_eq!(repo.open().hooks_dir().to_str(), Some("/opt/hooks"));
}

/// Attacks 13 and 62: configuration and object folders out of the environment change nothing.
#[test]
fn a_hostile_environment_changes_nothing() {
    let repo = one_commit();
    repo.write("a", "2\n");
    repo.git(&["add", "a"]);
    let other = TestRepo::new();
    other.write("x", "x\n");
    other.commit("foreign");
    let objects = other.path().join(".git/objects");
    let hostile = repo
        .with_variable("GIT_CONFIG_PARAMETERS", "'core.hookspath=/evil' 'core.bare=true'")
        .with_variable("GIT_NAMESPACE", "evil")
        .with_variable("GIT_OBJECT_DIRECTORY", &objects)
        .with_variable("GIT_ALTERNATE_OBJECT_DIRECTORIES", &objects)
        .with_variable("GIT_REPLACE_REF_BASE", "refs/evil/")
        .with_variable("GIT_SHALLOW_FILE", "/dev/null");
    let git = hostile.open();
    assert_eq!(git.staged(&[]).unwrap(), repo.open().staged(&[]).unwrap());
    assert_eq!(git.hooks_dir(), repo.path().join(".git/hooks"));
    assert!(git.read(other.oid("HEAD:x")).is_err());
    let misled = repo.with_variable("GIT_COMMON_DIR", other.path().join(".git"));
    let fault = GitRepository::open(repo.path(), &misled.environment()).err().unwrap();
    assert!(fault.message.contains("GIT_COMMON_DIR"), "{fault}");
    let honest = repo.with_variable("GIT_COMMON_DIR", ".git");
    assert!(GitRepository::open(repo.path(), &honest.environment()).is_ok());
}

/// Attack 62: an object that `refs/replace` or a graft swaps for another is read as it is.
#[test]
fn replaced_and_grafted_objects_are_read_as_they_are() {
    let repo = one_commit();
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.write("a", "2\n");
    let second = repo.commit("second");
    let (old, new) = (repo.git(&["rev-parse", "HEAD~:a"]), repo.git(&["rev-parse", "HEAD:a"]));
    repo.git(&["replace", &new, &old]);
    repo.git(&["replace", "--graft", &second]);
    repo.write(".git/info/grafts", format!("{second}\n"));
    let git = repo.open();
    assert_eq!(git.read(repo.oid(&new)).unwrap(), b"2\n");
    assert_eq!(git.commit_meta(repo.oid(&second)).unwrap().parents, [repo.oid(&first)]);
    assert!(git.is_ancestor(repo.oid(&first), repo.oid(&second)).unwrap());
    assert_eq!(git.range(&first, &second, None).unwrap().steps.len(), 1);
}

#[test]
fn the_users_configuration_is_read_where_git_would() {
    let repo = one_commit();
    assert_eq!(repo.open().config_value("user.email"), None);
    std::fs::write(repo.root().join("global"), "[user]\n\temail = g@example.org\n").unwrap();
    let named = repo.with_variable("GIT_CONFIG_GLOBAL", repo.root().join("global"));
    assert_eq!(named.open().config_value("user.email").as_deref(), Some("g@example.org"));
    repo.git(&["config", "user.email", "local@example.org"]);
    assert_eq!(named.open().config_value("user.email").as_deref(), Some("local@example.org"));
    assert_eq!(repo.open().config_value("no such key"), None);
}

/// Without any variable the folder alone decides.
#[test]
fn an_empty_environment_is_enough() {
    let repo = one_commit();
    let git = GitRepository::open(repo.path(), &GitEnvironment::default()).unwrap();
    assert_eq!(git.staged(&[]).unwrap().changes, []);
}
