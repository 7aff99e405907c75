//! The same questions out of true hooks, which this test binary runs as.

use std::fmt::Write as _;

use orch::snapshot::{GitEnvironment, GitRepository, Repository as _, Side};

use super::brief;
use crate::support::TestRepo;

/// Where a hook writes what it saw.
const OUT: &str = "ORCH_TEST_OUT";

/// Is what the hooks below run: it opens the repository with what Git exported.
#[test]
#[ignore = "runs only as a hook of the other tests"]
fn inside_a_hook() {
    let Some(out) = std::env::var_os(OUT) else { return };
    let environment = GitEnvironment::from_vars(std::env::vars_os()).within_quarantine();
    let git = GitRepository::open(&std::env::current_dir().unwrap(), &environment).unwrap();
    let mut seen = String::new();
    if git.is_bare() {
        let mut lines = std::io::stdin().lines();
        while let Some(Ok(line)) = lines.next() {
            let (new, name) = line[41..].split_once(' ').unwrap();
            let main = git.resolve("main").unwrap().to_string();
            let range = git.range(&main, new, Some(name.to_owned())).unwrap();
            let node = git.node(range.head, &"pushed".into()).unwrap().unwrap();
            let text = String::from_utf8(git.read(node.oid).unwrap()).unwrap();
            writeln!(seen, "{name} {:?} {text}", brief(&range.changes)).unwrap();
        }
    } else {
        let tips: Vec<_> = git.resolve("refs/heads/main").ok().into_iter().collect();
        let proposal = git.staged(&tips).unwrap();
        let branch = proposal.branch.unwrap_or_default();
        writeln!(seen, "{branch} {:?} {:?}", proposal.occasion, brief(&proposal.changes)).unwrap();
        assert_eq!(proposal.head, Side::Index);
    }
    std::fs::write(out, seen).unwrap();
}

/// Writes a hook that runs the test above, and gives where its answer will be.
fn install(repo: &TestRepo, hook: &str, folder: &str) -> std::path::PathBuf {
    let out = repo.root().join("seen");
    let exe = std::env::current_exe().unwrap();
    let (exe, shown) = (exe.display(), out.display());
    let test = "snapshot::hooks::inside_a_hook";
    let script = format!(
        "#!/bin/sh\n{OUT}='{shown}' exec '{exe}' --quiet --ignored --exact --nocapture {test}\n"
    );
    let file = format!("{folder}/{hook}");
    repo.write(&file, script);
    make_executable(&repo.path().join(file));
    out
}

#[cfg(unix)]
fn make_executable(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(not(unix))]
fn make_executable(_file: &std::path::Path) {}

fn seen(out: &std::path::Path) -> String {
    let text = std::fs::read_to_string(out).expect("the hook ran");
    std::fs::remove_file(out).unwrap();
    text.trim_end().to_owned()
}

/// Attacks 6 to 9: every way to commit is judged on what will be committed.
#[test]
fn pre_commit_sees_what_will_be_committed() {
    let repo = TestRepo::new();
    let out = install(&repo, "pre-commit", ".git/hooks");
    repo.write("a", "1\n");
    repo.write("sub/b", "1\n");
    repo.git(&["add", "."]);
    repo.git(&["commit", "-qm", "first"]);
    assert_eq!(seen(&out), r#"main Commit ["A a", "A sub/b"]"#);
    repo.write("a", "2\n");
    repo.write("sub/b", "2\n");
    repo.git(&["add", "a"]);
    repo.git_in("sub", &["commit", "-qm", "one path only", "b"]);
    assert_eq!(seen(&out), r#"main Commit ["M sub/b"]"#);
    repo.git(&["switch", "-qc", "side"]);
    repo.git_in("sub", &["commit", "-qam", "all"]);
    assert_eq!(seen(&out), r#"side Commit ["M a"]"#);
    repo.git(&["worktree", "add", "-q", "-b", "linked", "../linked"]);
    let linked = repo.beside("linked");
    linked.write("sub/b", "3\n");
    linked.git_in("sub", &["commit", "-qam", "from a linked worktree"]);
    assert_eq!(seen(&out), r#"linked Commit ["M sub/b"]"#);
    let (git_dir, top) = (repo.path().join(".git"), repo.path().display().to_string());
    repo.write("a", "3\n");
    let flags = [format!("--git-dir={}", git_dir.display()), format!("--work-tree={top}")];
    repo.git_in("sub", &[&flags[0], &flags[1], "commit", "-qam", "by flags"]);
    assert_eq!(seen(&out), r#"side Commit ["M a"]"#);
}

/// Attack 3: a merge that needs no hands runs pre-merge-commit only, and its
/// parents are known from the environment alone.
#[test]
fn pre_merge_commit_sees_a_merge() {
    let repo = TestRepo::new();
    repo.write("a", "1\n");
    repo.commit("first");
    repo.git(&["switch", "-qc", "feature"]);
    repo.write("b", "1\n");
    repo.commit("mine");
    repo.git(&["switch", "-q", "main"]);
    repo.write("a", "2\n");
    repo.commit("theirs");
    repo.git(&["switch", "-q", "feature"]);
    let out = install(&repo, "pre-merge-commit", ".git/hooks");
    repo.git(&["merge", "--quiet", "--no-edit", "main"]);
    assert_eq!(seen(&out), "feature Merge []");
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["merge", "--quiet", "--no-edit", "--no-ff", "feature"]);
    assert_eq!(seen(&out), r#"main Merge ["A b"]"#);
}

/// What is pushed lies in a quarantine, and a pre-receive hook reads it there.
#[test]
fn pre_receive_sees_what_is_pushed() {
    let repo = TestRepo::new();
    repo.write("a", "1\n");
    repo.commit("first");
    let bare = repo.clone_to("server.git", &["--bare"]);
    let out = install(&bare, "pre-receive", "hooks");
    repo.git(&["switch", "-qc", "feature"]);
    repo.write("pushed", "text");
    repo.commit("second");
    repo.git(&["push", "--quiet", &bare.path().display().to_string(), "feature"]);
    assert_eq!(seen(&out), r#"refs/heads/feature ["A pushed"] text"#);
}
