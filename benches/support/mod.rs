//! Repositories in orch's own format, of any size, the same bytes every time.

mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use orch::source::Digest;

use writer::Writer;

/// What a repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Files beside the records.
    pub(crate) files: usize,
    /// Tasks that are done, each with one handoff in five records, spread over months.
    pub(crate) handoffs: usize,
    /// Whether the done tasks are not closed yet: until then, what they handed over has to stay as it is.
    pub(crate) live: bool,
    /// Tasks that are open, with a handoff that waits for its gate.
    pub(crate) open: usize,
    /// Whether handoffs are signed, and must be.
    pub(crate) signed: bool,
    /// Whether faults are planted: see [`WRONG`], [`MISSING`] and [`STRAY`].
    pub(crate) faulty: bool,
}

/// Done tasks, from the first, whose handoffs name another checksum than their artifact has.
pub(crate) const WRONG: usize = 5;
/// Done tasks, after those, whose artifact is not there.
pub(crate) const MISSING: usize = 3;
/// Files outside the agent's lane that the branch to be judged changes.
pub(crate) const STRAY: usize = 2;

/// The branch that a range ends at; it began at `main`.
pub(crate) const RANGE: &str = "feature/work-range-validate";
/// The branch whose change is staged; its tip is that of `main`.
const STAGED: &str = "feature/work-staged-validate";

impl Size {
    /// Gives a size of closed tasks, without faults and signatures.
    pub(crate) const fn of(files: usize, handoffs: usize) -> Self {
        Size { files, handoffs, live: false, open: 20, signed: false, faulty: false }
    }

    /// Gives the name of its folder.
    fn name(&self) -> String {
        let Size { files, handoffs, live, open, signed, faulty } = self;
        let kind = [(*live, "_live"), (*signed, "_signed"), (*faulty, "_faulty")];
        let kind: String = kind.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
        format!("f{files}_h{handoffs}_o{open}{kind}")
    }
}

/// A repository, and what it holds for the rows.
pub(crate) struct Repo {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// An index in which one file and one handoff are staged.
    pub(crate) staged: PathBuf,
}

/// Gives the repository of a size, written anew if it is not there as this generator writes it.
pub(crate) fn repository(shelf: &Path, size: Size) -> Repo {
    let path = shelf.join(size.name());
    let (done, version) = (path.join(".git/generated"), version());
    if fs::read_to_string(&done).is_ok_and(|written| written == version) {
        let staged = path.join(".git/index-staged");
        return Repo { path, staged };
    }
    drop(fs::remove_dir_all(&path));
    fs::create_dir_all(&path).expect("a folder can be made");
    git(&path, &["init", "--quiet", "--initial-branch=main"]);
    for (key, value) in [("user.name", "Ada Author"), ("user.email", "ada@example.org")] {
        git(&path, &["config", key, value]);
    }
    Writer::run(&path, size);
    git(&path, &["-c", "gc.writeCommitGraph=true", "gc", "--quiet"]);
    let staged = stage(&path);
    fs::write(done, version).expect("a file can be written");
    Repo { path, staged }
}

/// What the bytes of a repository depend on, beside its size.
fn version() -> String {
    let sources = [include_str!("mod.rs"), include_str!("writer.rs"), writer::POLICY].concat();
    Digest::of(sources.as_bytes()).to_string()
}

/// Runs Git; it must succeed. Gives what it printed.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("git prints text").trim().to_owned()
}

/// Stands on the branch of the staged work, with its change in the index and not in a commit.
/// Gives where that index is kept.
fn stage(path: &Path) -> PathBuf {
    let tree = git(path, &["rev-parse", &format!("{STAGED}^{{tree}}")]);
    let changed = git(path, &["diff-tree", "-r", "main", &tree]);
    git(path, &["update-ref", &format!("refs/heads/{STAGED}"), "main"]);
    git(path, &["symbolic-ref", "HEAD", &format!("refs/heads/{STAGED}")]);
    git(path, &["read-tree", "main"]);
    let lines: BTreeMap<&str, &str> = changed
        .lines()
        .filter_map(|line| {
            let (modes, file) = line.split_once('\t')?;
            Some((file, modes.split(' ').nth(3)?))
        })
        .collect();
    for (file, blob) in lines {
        git(path, &["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{file}")]);
    }
    let staged = path.join(".git/index-staged");
    fs::copy(path.join(".git/index"), &staged).expect("an index can be copied");
    staged
}
