//! What stands at the paths that records speak of, hashed from Git's blobs.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::hashed;
use crate::keys::{COMMIT_NAMESPACE, Fingerprint, Signature};
use crate::policy::Policy;
use crate::snapshot::{CommitSignature, Fault, Makers, Mode, Oid, Repository, Side, lfs};
use crate::source::{Digest, LaneName, RepoPath};

/// Where what an entry says can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// At head: what it says still stands.
    Head,
    /// At the commit that brought it: something later has replaced it.
    Commit(Oid),
    /// Nowhere: it came and was replaced in one commit.
    Nowhere,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// Nothing.
    Missing,
    /// A link or another repository, or something below one; no artifact.
    Irregular(Mode),
    /// A file.
    File {
        /// Digest of its bytes; for an LFS pointer, of the file it stands for (attack 51).
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// Its bytes, if it is a small document that a condition can read.
        document: Option<Arc<[u8]>>,
    },
    /// It can't be seen: the entry came and was replaced in one commit.
    Unseen,
}

impl Fact {
    /// Gives the digest of a file.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Fact::File { digest, .. } => Some(*digest),
            _ => None,
        }
    }
}

/// Facts by where and what; collected before the checks run, so that they need no disk.
#[derive(Debug, Default)]
pub struct Facts {
    known: BTreeMap<(Seen, RepoPath), Fact>,
    lanes: BTreeMap<(Seen, LaneName), Digest>,
    makers: BTreeMap<Oid, Known>,
    shapers: BTreeMap<RepoPath, Vec<Oid>>,
    agreed: BTreeMap<RepoPath, Option<Digest>>,
    memory: Memory,
}

/// Where what blobs hash to may come from, beside the blobs.
#[derive(Debug, Clone, Default)]
pub(super) enum Memory {
    /// Nowhere.
    #[default]
    Nothing,
    /// What was kept of large ones.
    Kept,
    /// What one verification has looked at: it believes nothing that was kept, and reads each blob once.
    Verified(Arc<Digests>),
}

/// What blobs hash to, with their sizes in bytes, as far as it is known by now.
#[derive(Debug, Default)]
pub(super) struct Digests(Mutex<HashMap<Oid, (Digest, u64)>>);

impl Digests {
    /// Gives what a file is that holds a blob; no document, because nothing that has landed is measured
    /// again.
    fn read(&self, repository: &dyn Repository, path: &RepoPath, oid: Oid) -> Result<Fact, Fault> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = known().get(&oid).copied();
        if let Some((digest, size)) = seen {
            return Ok(Fact::File { digest, size, document: None });
        }
        let mut fact = of_bytes(path, repository.read(oid)?);
        if let Fact::File { digest, size, document } = &mut fact {
            *document = None;
            known().insert(oid, (*digest, *size));
        }
        Ok(fact)
    }
}

/// Who made a commit: what it says, and what its signature proves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The addresses of its author and its co-authors, in lower case.
    pub authors: BTreeSet<String>,
    /// The address of its committer, in lower case.
    pub committer: String,
    /// The SSH key that signed it.
    pub key: Option<Fingerprint>,
    /// The OpenPGP key that signed it, as far as this machine's `gpg` knows it to be good.
    pub openpgp: Option<String>,
}

/// What Git takes as declarations of submodules.
pub(super) const GITMODULES: &str = ".gitmodules";
/// Larger documents are hashed, but no condition reads them, in bytes.
const MAX_DOCUMENT: usize = 8 << 20;

impl Facts {
    /// Begins with nothing known.
    pub(super) fn new(memory: Memory) -> Self {
        Facts { memory, ..Facts::default() }
    }

    /// Gives a fact. What was never asked for at building is unseen.
    pub fn get(&self, seen: Seen, path: &RepoPath) -> &Fact {
        self.known.get(&(seen, path.clone())).unwrap_or(&Fact::Unseen)
    }

    /// Gives what a file held where things were agreed, if a new decision is about it.
    pub fn agreed(&self, path: &RepoPath) -> Option<Digest> {
        self.agreed.get(path).copied().flatten()
    }

    /// Learns what a file held where things were agreed.
    pub(super) fn learn_agreed(
        &mut self,
        repository: &dyn Repository,
        agreed: Side,
        path: &RepoPath,
    ) -> Result<(), Fault> {
        if let Entry::Vacant(place) = self.agreed.entry(path.clone()) {
            place.insert(read(repository, agreed, path)?.digest());
        }
        Ok(())
    }

    /// Gives those who made a commit, as far as a policy binds anyone to anything.
    pub fn makers(&self, commit: Oid) -> Option<&Known> {
        self.makers.get(&commit)
    }

    /// Learns who made a commit.
    pub(super) fn learn_makers(
        &mut self,
        repository: &dyn Repository,
        policy: &Policy,
        commit: Oid,
    ) -> Result<(), Fault> {
        let Entry::Vacant(place) = self.makers.entry(commit) else { return Ok(()) };
        let Makers { authors, committer, signature } = repository.makers(commit)?;
        let by_openpgp = policy.agents.values().any(|agent| !agent.identities.openpgp.is_empty());
        let openpgp = match by_openpgp && signature.is_some() {
            true => repository.openpgp_signer(commit)?,
            false => None,
        };
        let key = signature.and_then(|CommitSignature { signed, armoured }| {
            Signature::parse(&armoured).ok()?.verify(COMMIT_NAMESPACE, &signed).ok()
        });
        place.insert(Known { authors, committer, key, openpgp });
        Ok(())
    }

    /// Gives the commits that made what an audit report covers, as far as its auditor is bound to
    /// anything; the report is named by its file.
    pub fn shapers(&self, report: &RepoPath) -> &[Oid] {
        self.shapers.get(report).map(Vec::as_slice).unwrap_or_default()
    }

    /// Learns which commits those are, and who made them.
    pub(super) fn learn_shapers(
        &mut self,
        repository: &dyn Repository,
        policy: &Policy,
        report: &RepoPath,
        commits: Vec<Oid>,
    ) -> Result<(), Fault> {
        for commit in &commits {
            self.learn_makers(repository, policy, *commit)?;
        }
        self.shapers.insert(report.clone(), commits);
        Ok(())
    }

    /// Gives the digest of a lane's files, if a run is being started anew there and it can be seen.
    pub fn lane(&self, seen: Seen, lane: &LaneName) -> Option<Digest> {
        self.lanes.get(&(seen, lane.clone())).copied()
    }

    /// Learns what a lane holds.
    pub(super) fn learn_lane(
        &mut self,
        repository: &dyn Repository,
        head: Side,
        seen: Seen,
        policy: &Policy,
        lane: &LaneName,
    ) -> Result<(), Fault> {
        let Some(side) = side(head, seen) else { return Ok(()) };
        if let Entry::Vacant(place) = self.lanes.entry((seen, lane.clone())) {
            place.insert(lane_state(repository, side, policy, lane)?);
        }
        Ok(())
    }

    /// Learns what stands at a path; refuses with a fault if a blob can't be read.
    pub(super) fn learn(
        &mut self,
        repository: &dyn Repository,
        head: Side,
        seen: Seen,
        path: &RepoPath,
    ) -> Result<(), Fault> {
        let Some(side) = side(head, seen) else { return Ok(()) };
        if let Entry::Vacant(place) = self.known.entry((seen, path.clone())) {
            place.insert(look(repository, side, path, &self.memory)?);
        }
        Ok(())
    }
}

fn side(head: Side, seen: Seen) -> Option<Side> {
    match seen {
        Seen::Head => Some(head),
        Seen::Commit(oid) => Some(Side::Commit(oid)),
        Seen::Nowhere => None,
    }
}

/// Gives the digest of the files that a lane owns: their paths, modes and blobs.
///
/// Only the folders that the lane's globs begin with are walked.
pub fn lane_state(
    repository: &dyn Repository,
    side: Side,
    policy: &Policy,
    lane: &LaneName,
) -> Result<Digest, Fault> {
    let owns = policy.lanes.get(lane).map(|lane| &lane.owns[..]).unwrap_or_default();
    let mut files = BTreeMap::new();
    for glob in owns {
        let fixed = glob.find(['*', '?', '[', '{', '\\']).unwrap_or(glob.len());
        let folder =
            RepoPath::from(glob[..fixed].rsplit_once('/').map_or("", |(folder, _)| folder));
        files.extend(repository.list(side, &folder)?);
    }
    let mut text = Vec::new();
    for (path, node) in files.iter().filter(|(path, _)| policy.lanes_of(path).contains(&lane)) {
        text.extend_from_slice(format!("{:?} {} ", node.mode, node.oid).as_bytes());
        text.extend_from_slice(path.as_bytes());
        text.push(0);
    }
    Ok(Digest::of(&text))
}

/// Gives what stands at a path, out of Git's blob.
pub(super) fn read(
    repository: &dyn Repository,
    side: Side,
    path: &RepoPath,
) -> Result<Fact, Fault> {
    look(repository, side, path, &Memory::Nothing)
}

/// Does the same; what a blob hashes to may come out of a memory.
fn look(
    repository: &dyn Repository,
    side: Side,
    path: &RepoPath,
    memory: &Memory,
) -> Result<Fact, Fault> {
    let Some(node) = repository.node(side, path)? else {
        return absent(repository, side, path);
    };
    match (node.mode, memory) {
        (Mode::Symlink | Mode::Submodule, _) => Ok(Fact::Irregular(node.mode)),
        (_, Memory::Kept) if !is_document(path) => hashed::read(repository, path, node.oid),
        (_, Memory::Verified(digests)) if path.as_bytes() != GITMODULES.as_bytes() => {
            digests.read(repository, path, node.oid)
        }
        (Mode::File | Mode::Executable, _) => Ok(of_bytes(path, repository.read(node.oid)?)),
    }
}

/// Gives what a file is that holds these bytes.
pub(super) fn of_bytes(path: &RepoPath, bytes: Vec<u8>) -> Fact {
    if let Some(pointer) = lfs::pointer(&bytes) {
        let lfs::Pointer { digest, size } = pointer;
        return Fact::File { digest, size, document: None };
    }
    let readable = is_document(path) && bytes.len() <= MAX_DOCUMENT;
    let digest = Digest::of(&bytes);
    let size = bytes.len() as u64;
    Fact::File { digest, size, document: readable.then(|| bytes.into()) }
}

/// A path below a link names nothing in Git, though a disk would show a file there (attack 45).
fn absent(repository: &dyn Repository, side: Side, path: &RepoPath) -> Result<Fact, Fault> {
    let mut folder = path.folder();
    while !folder.as_bytes().is_empty() {
        match repository.node(side, &folder)?.map(|node| node.mode) {
            Some(mode @ (Mode::Symlink | Mode::Submodule)) => return Ok(Fact::Irregular(mode)),
            _ => folder = folder.folder(),
        }
    }
    Ok(Fact::Missing)
}

fn is_document(path: &RepoPath) -> bool {
    [".json", ".yaml", ".yml", ".gitmodules"]
        .iter()
        .any(|ending| path.as_bytes().ends_with(ending.as_bytes()))
}
