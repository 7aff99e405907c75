//! Commits that are made beside a replayed history, without a working tree.

use orch::snapshot::{Mode, Node, Oid};
use orch::source::RepoPath;

use crate::support::TestRepo;

/// A repository with an index of its own.
pub(super) struct Bench {
    repo: TestRepo,
}

/// A path, and what shall stand there; none for a deletion.
pub(super) type Put = (RepoPath, Option<Node>);

impl Bench {
    pub(super) fn new(repo: &TestRepo) -> Self {
        Bench { repo: repo.with_variable("GIT_INDEX_FILE", repo.root().join("bench")) }
    }

    /// Writes a blob, and gives it as a plain file.
    pub(super) fn file(&self, bytes: &[u8]) -> Node {
        let printed = self.repo.git_bytes(&["hash-object", "-w", "--stdin"], bytes);
        let hex = String::from_utf8(printed).unwrap();
        Node { mode: Mode::File, oid: Oid::from_hex(hex.trim_end()).unwrap() }
    }

    /// Gives the bytes of a blob; none if the clone lacks it.
    pub(super) fn read(&self, node: Node) -> Option<Vec<u8>> {
        let found = self.repo.try_git(&["cat-file", "blob", &node.oid.to_string()]);
        found.status.success().then_some(found.stdout)
    }

    /// Writes the tree of a commit, with some paths changed.
    fn tree(&self, of: &str, puts: &[Put]) -> String {
        let mut input = Vec::new();
        // What goes makes room for what comes, such as a folder where a file stood.
        let (gone, here): (Vec<&Put>, Vec<&Put>) = puts.iter().partition(|(_, new)| new.is_none());
        for (path, new) in gone.into_iter().chain(here) {
            let line = match new {
                Some(node) => format!("{} {}\t", mode(node.mode), node.oid),
                None => format!("0 {}\t", "0".repeat(40)),
            };
            input.extend_from_slice(line.as_bytes());
            input.extend_from_slice(path.as_bytes());
            input.push(0);
        }
        self.repo.git(&["read-tree", of]);
        self.repo.git_bytes(&["update-index", "-z", "--replace", "--index-info"], &input);
        self.repo.git(&["write-tree", "--missing-ok"])
    }

    /// Commits changes on top of `parent` by whoever the repository's variables say.
    pub(super) fn commit(&self, parent: &str, puts: &[Put], message: &str) -> String {
        let tree = self.tree(parent, puts);
        self.repo.git(&["commit-tree", "-p", parent, "-m", message, &tree])
    }

    /// Merges a commit into `parent`, which it contains, by whoever the variables say.
    pub(super) fn merge(&self, parent: &str, commit: &str) -> String {
        let tree = format!("{commit}^{{tree}}");
        self.repo.git(&["commit-tree", "-p", parent, "-p", commit, "-m", "Merge", &tree])
    }

    /// Commits changes on top of `parent` as a real commit was made: with its author, its
    /// committer, its message and its encoding, byte by byte.
    pub(super) fn commit_like(&self, real: &str, parent: &str, puts: &[Put]) -> String {
        let tree = self.tree(parent, puts);
        let raw = self.repo.git_bytes(&["cat-file", "commit", real], b"");
        let mut made = format!("tree {tree}\nparent {parent}\n").into_bytes();
        let mut rest = raw.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n').filter(|end| *end > 0) {
            let (line, behind) = rest.split_at(end + 1);
            if !line.starts_with(b"tree ") && !line.starts_with(b"parent ") {
                made.extend_from_slice(line);
            }
            rest = behind;
        }
        made.extend_from_slice(rest);
        let flags = ["hash-object", "-t", "commit", "-w", "--literally", "--stdin"];
        let printed = self.repo.git_bytes(&flags, &made);
        String::from_utf8(printed).unwrap().trim_end().to_owned()
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::File => "100644",
        Mode::Executable => "100755",
        Mode::Symlink => "120000",
        Mode::Submodule => "160000",
    }
}
