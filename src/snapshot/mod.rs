//! What Git holds: the bytes of what was agreed and of what is proposed, never the working tree.
//!
//! This is the only room that knows gix. Everything behind it sees [`Repository`], so that a
//! world can be built from a real repository or, in tests, from text.

mod environment;
mod git;
pub mod lfs;
mod memory;
mod overlay;

use std::collections::BTreeSet;
use std::fmt;

pub use environment::GitEnvironment;
pub(crate) use git::patiently;
pub use git::{Branch, CommitMeta, GitRepository, Person, PlainSigner, Pushed};
pub use memory::Memory;
pub use overlay::Overlay;

use crate::source::{Moment, RepoPath};

/// The name of an object in Git's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(gix::ObjectId);

impl Oid {
    /// Takes the full hex name of an object, 40 or 64 digits; anything else gives `None`.
    pub fn from_hex(hex: &str) -> Option<Self> {
        gix::ObjectId::from_hex(hex.as_bytes()).ok().map(Oid)
    }

    /// Tells whether this is the all-zero name, with which Git says that there is no object.
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Padding honours the precision with which a name is cut to the length that people read.
        f.pad(&self.0.to_string())
    }
}

/// What kind of thing stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A file.
    File,
    /// A file that may be run.
    Executable,
    /// A symbolic link; its blob is the target's name.
    Symlink,
    /// A commit of another repository; it has no blob here.
    Submodule,
}

/// What stands at a path: its mode and the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The kind of thing.
    pub mode: Mode,
    /// Its object.
    pub oid: Oid,
}

/// A state of the repository's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// No files at all: before the first commit, or the base of a full verification.
    Nothing,
    /// What the next commit would hold.
    Index,
    /// A commit.
    Commit(Oid),
}

/// One path that differs between two sides. A rename is two changes: a deletion and an addition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The path, as Git spells it.
    pub path: RepoPath,
    /// What stood there before; none for an addition.
    pub old: Option<Node>,
    /// What stands there now; none for a deletion.
    pub new: Option<Node>,
}

/// A commit between base and head; [`Repository::step_changes`] tells what it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The commit.
    pub commit: Oid,
    /// The commits it was made on; none for a first one.
    pub parents: Vec<Oid>,
}

/// How a proposal reached the guard; some rules hold only for one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// A commit about to be made.
    Commit,
    /// A merge commit about to be made.
    Merge,
    /// A range of commits, as CI and a push see it.
    Range,
    /// Everything, from nothing.
    Verification,
}

/// The tip of a branch, here or as a remote was last seen to have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The branch's short name, without the remote's.
    pub branch: String,
    /// The commit it names.
    pub side: Side,
}

/// What is to be judged: two sides and what differs between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Where policy and ledgers are agreed: HEAD for a commit, the tip of REV for a range.
    pub agreed: Side,
    /// Where the change starts: HEAD for a commit, the merge base for a range; for a verification,
    /// the commit from which on history is walked, if one is named.
    pub base: Side,
    /// What is proposed.
    pub head: Side,
    /// Parents of a merge about to be made that a protected branch has: what they hold is agreed.
    pub parents: Vec<Side>,
    /// Branches that are known here, for a commit about to be made: halts on those that the policy
    /// protects count as well.
    pub tips: Vec<Tip>,
    /// The short name of the branch it is proposed on, if that is known.
    pub branch: Option<String>,
    /// How it got here.
    pub occasion: Occasion,
    /// What differs between base and head, sorted by path.
    pub changes: Vec<Change>,
    /// The commits of a range, or those that a verification walks, oldest first; empty for a commit
    /// about to be made.
    pub steps: Vec<Step>,
}

/// Why orch could not look, with the command that mends it. This is exit code 2, never a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What could not be done, in one sentence without a full stop.
    pub message: String,
    /// What to do next.
    pub help: String,
}

impl Fault {
    /// Takes what could not be done and what to do next.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Fault { message: message.into(), help: help.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// What a commit says of those who made it; addresses are in lower case. Anyone could have written
/// them, but for what the signature proves (attack 94).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Makers {
    /// The addresses of its author and of the co-authors that its trailers name.
    pub authors: BTreeSet<String>,
    /// The address of its committer.
    pub committer: String,
    /// Its signature, if it has one.
    pub signature: Option<CommitSignature>,
}

/// A commit's signature, unverified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSignature {
    /// What is signed: the commit without the signature.
    pub signed: Vec<u8>,
    /// The armoured signature, of whatever kind.
    pub armoured: Vec<u8>,
}

/// When a file last changed, as far as anybody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastChange {
    /// Then.
    At(Moment),
    /// Not since this moment; what was before was not looked at.
    NotSince(Moment),
    /// There is no such file.
    Missing,
    /// The history is cut off before it can tell.
    CutOff,
}

/// Tells the paths of what was listed below a folder, from there on.
fn tell_names(listed: &[(RepoPath, Node)], folder: &RepoPath, visit: &mut dyn FnMut(&[u8])) {
    let above = folder.as_bytes().len() + 1;
    listed.iter().for_each(|(path, _)| visit(&path.as_bytes()[above..]));
}

/// Opens a repository once more, on whatever thread it is called.
pub type Another = Box<dyn FnOnce() -> Box<dyn Repository> + Send>;

/// Read access to the files of any side. Content is always Git's blob.
pub trait Repository {
    /// Gives what stands at `path`; folders and paths below a link or a file give `None`.
    fn node(&self, side: Side, path: &RepoPath) -> Result<Option<Node>, Fault>;

    /// Gives everything below `folder` (the whole tree if it is empty), sorted by path.
    fn list(&self, side: Side, folder: &RepoPath) -> Result<Vec<(RepoPath, Node)>, Fault>;

    /// Gives what lies right inside `folder` and is no folder itself, sorted by path.
    fn files(&self, side: Side, folder: &RepoPath) -> Result<Vec<(RepoPath, Node)>, Fault> {
        let mut files = self.list(side, folder)?;
        files.retain(|(path, _)| path.folder() == *folder);
        Ok(files)
    }

    /// Tells the path of everything below `folder`, from there on, sorted by their bytes.
    fn names(
        &self,
        side: Side,
        folder: &RepoPath,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Fault> {
        tell_names(&self.list(side, folder)?, folder, visit);
        Ok(())
    }

    /// Gives the names of the folders right inside `folder`, sorted; none if it is no folder.
    fn folders(&self, side: Side, folder: &RepoPath) -> Result<Vec<String>, Fault>;

    /// Gives the same names with the trees that hold just what these folders hold, where a side has
    /// such trees.
    fn trees(&self, side: Side, folder: &RepoPath) -> Result<Vec<(String, Option<Oid>)>, Fault> {
        Ok(self.folders(side, folder)?.into_iter().map(|name| (name, None)).collect())
    }

    /// Gives the folders right inside a tree with their trees; none if this clone has no such tree.
    fn trees_in(&self, _tree: Oid) -> Option<Vec<(String, Oid)>> {
        None
    }

    /// Gives what was kept under a name, if anything was. It may be damaged, old, or another's: whoever
    /// asks must be able to tell.
    fn recall(&self, _name: &str) -> Option<Vec<u8>> {
        None
    }

    /// Keeps something that can be made anew under a name, if that is possible here.
    fn keep(&self, _name: &str, _bytes: &[u8]) {}

    /// Gives the bytes of a blob; refuses with a fault if this clone lacks it.
    fn read(&self, oid: Oid) -> Result<Vec<u8>, Fault>;

    /// Gives what opens the same repository for a thread of its own; none if there is no other way to it.
    fn another(&self) -> Option<Another> {
        None
    }

    /// Gives those whom a commit names as its makers.
    fn makers(&self, commit: Oid) -> Result<Makers, Fault>;

    /// Gives the fingerprint of the OpenPGP key that signed a commit, in upper case, if Git finds the
    /// signature good by the keys that this machine's `gpg` has; else none.
    fn openpgp_signer(&self, commit: Oid) -> Result<Option<String>, Fault>;

    /// Gives the commits, back from `from` and as far as `root` stands in their trees, that changed
    /// any of these paths against all their parents.
    fn shapers(
        &self,
        from: Oid,
        root: &RepoPath,
        paths: &BTreeSet<RepoPath>,
    ) -> Result<Vec<Oid>, Fault>;

    /// Gives what differs between two sides, sorted by path.
    fn changes(&self, from: Side, to: Side) -> Result<Vec<Change>, Fault>;

    /// Gives what differs below `folder` (the whole tree if it is empty), sorted by path.
    fn changes_below(&self, from: Side, to: Side, folder: &RepoPath) -> Result<Vec<Change>, Fault> {
        let mut changes = self.changes(from, to)?;
        let name = folder.to_str();
        let inside = |path: &RepoPath| name.is_some_and(|name| path.is_below(name));
        changes.retain(|change| folder.as_bytes().is_empty() || inside(&change.path));
        Ok(changes)
    }

    /// Gives what a commit changed below `folder` against its first parent, sorted by path; of a
    /// merge, only what no parent had.
    fn step_changes(&self, step: &Step, folder: &RepoPath) -> Result<Vec<Change>, Fault> {
        let first = step.parents.first().map_or(Side::Nothing, |parent| Side::Commit(*parent));
        let changes = self.changes_below(first, Side::Commit(step.commit), folder)?;
        self.unlike(changes, step.parents.get(1..).unwrap_or_default())
    }

    /// Keeps the changes whose outcome none of these commits has.
    fn unlike(&self, mut changes: Vec<Change>, commits: &[Oid]) -> Result<Vec<Change>, Fault> {
        for commit in commits {
            let mut kept = Vec::with_capacity(changes.len());
            for change in changes {
                if self.node(Side::Commit(*commit), &change.path)? != change.new {
                    kept.push(change);
                }
            }
            changes = kept;
        }
        Ok(changes)
    }
}
