//! Names of commits: branches, revisions, and what a commit says of itself.

use std::path::Path;

use chrono::DateTime;
use gix::bstr::{BStr, ByteSlice as _};
use gix::objs::{CommitRef, Kind, TagRef};

use super::GitRepository;
use super::store::broken;
use crate::snapshot::{Fault, Oid};
use crate::source::Moment;

/// How often branches are read before it is believed that they can't be.
const TRIES: usize = 5;

/// A branch and the commit at its tip.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Branch {
    /// The short name: `main`, or `origin/main` for a remote-tracking branch.
    pub name: String,
    /// Whether it follows a branch of a remote.
    pub remote: bool,
    /// Its commit.
    pub tip: Oid,
}

/// Someone that a commit names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name, as the commit spells it.
    pub name: String,
    /// The address, as the commit spells it.
    pub email: String,
    /// When.
    pub at: Moment,
}

/// What a commit says of itself; anyone could have written it (attack 94).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitMeta {
    /// Who wrote the change.
    pub author: Person,
    /// Who made the commit of it.
    pub committer: Person,
    /// The commits it was made on, even those that a shallow clone lacks.
    pub parents: Vec<Oid>,
    /// The whole message.
    pub message: String,
}

/// Gives the addresses of the co-authors that the last lines of a message name, as squashed pull
/// requests do.
pub(super) fn co_authors(message: &str) -> impl Iterator<Item = String> {
    let last = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let named = last.lines().filter_map(|line| {
        let (word, person) = line.split_once(':')?;
        let email = person.rsplit_once('<')?.1.trim_end().strip_suffix('>')?;
        word.trim().eq_ignore_ascii_case("co-authored-by").then(|| email.trim().to_owned())
    });
    named.collect::<Vec<_>>().into_iter()
}

impl GitRepository {
    /// Gives the commit that HEAD stands at; none before the first commit.
    pub fn head_commit(&self) -> Result<Option<Oid>, Fault> {
        let head = self.store.repo.head().map_err(|error| unreadable_head(&error))?;
        if head.is_unborn() {
            return Ok(None);
        }
        let id = head.id().ok_or_else(|| unreadable_head(&"it names nothing"))?;
        self.peel(id.detach()).map(Some)
    }

    /// Gives the short name of the current branch, also before its first commit.
    ///
    /// While HEAD is detached there is none, except inside a rebase: its branch's.
    pub fn current_branch(&self) -> Result<Option<String>, Fault> {
        let head = self.store.repo.head().map_err(|error| unreadable_head(&error))?;
        let name = head.referent_name().map(|name| short(name.as_bstr()));
        Ok(name.or_else(|| {
            let rebases = ["rebase-merge", "rebase-apply"].map(|name| self.git_dir().join(name));
            rebases.iter().find_map(|folder| rebased_branch(folder))
        }))
    }

    /// Gives all local and remote-tracking branches, sorted by name, without symbolic ones.
    pub fn branches(&self) -> Result<Vec<Branch>, Fault> {
        // A branch that somebody deletes meanwhile is listed first, and not there when it is read.
        let mut tries = (1..TRIES).map(|_| self.branches_once());
        tries.find(Result::is_ok).unwrap_or_else(|| self.branches_once())
    }

    fn branches_once(&self) -> Result<Vec<Branch>, Fault> {
        let failed = |error: &gix::Error| broken(format!("the branches can't be read: {error}"));
        let platform = self.store.repo.references().map_err(|error| failed(&error))?;
        let mut branches = Vec::new();
        for (prefix, remote) in [("refs/heads/", false), ("refs/remotes/", true)] {
            for found in platform.prefixed(prefix).map_err(|error| failed(&error))? {
                let found = found.map_err(|error| failed(&error))?;
                let Some(tip) = found.try_id() else { continue };
                let name = short(found.name().as_bstr());
                branches.push(Branch { name, remote, tip: Oid(tip.detach()) });
            }
        }
        branches.sort();
        Ok(branches)
    }

    /// Gives the commit that a revision names: a hex name, a branch, a tag, `HEAD~2` and so on.
    ///
    /// A name that a branch and a tag share is refused where Git would take the tag: whoever may
    /// push tags could else choose the base.
    pub fn resolve(&self, rev: &str) -> Result<Oid, Fault> {
        if rev.is_empty() || rev.starts_with('-') || rev.chars().any(char::is_control) {
            return Err(Fault::new(
                format!("`{}` is no revision", rev.escape_default()),
                "name a commit, a branch or a tag, such as `origin/main`",
            ));
        }
        if let Some(oid) = Oid::from_hex(rev) {
            return if oid.is_null() { Err(null_revision()) } else { self.peel(oid.0) };
        }
        if rev == "HEAD" {
            return self.head_commit()?.ok_or_else(|| {
                Fault::new("there is no commit yet", "make the first one: `git commit`")
            });
        }
        let name = rev.split(['~', '^', '@', ':']).next().unwrap_or_default();
        if let Some(oid) = self.named(name)?.filter(|_| name == rev) {
            return Ok(oid);
        }
        match self.store.repo.rev_parse_single(rev.as_bytes().as_bstr()) {
            Ok(id) => self.peel(id.detach()),
            Err(_) => Err(self.unknown(rev)),
        }
    }

    /// Looks a plain name up wherever Git would, and refuses one that means several commits.
    fn named(&self, name: &str) -> Result<Option<Oid>, Fault> {
        if name.is_empty() || self.is_pseudo(name) {
            return Ok(None);
        }
        let tried = match name.strip_prefix("refs/") {
            Some(_) => vec![name.to_owned()],
            None => ["", "tags/", "heads/", "remotes/"]
                .map(|folder| format!("refs/{folder}{name}"))
                .into_iter()
                .chain([format!("refs/remotes/{name}/HEAD")])
                .collect(),
        };
        let mut found: Vec<(String, Oid)> = Vec::new();
        for full in tried {
            if let Ok(Some(mut reference)) = self.store.repo.try_find_reference(full.as_str())
                && reference.name().as_bstr() == full
            {
                let id = reference.follow_to_object().map_err(|_| self.unknown(name))?;
                found.push((full, self.peel(id.detach())?));
            }
        }
        if found.iter().any(|(_, oid)| *oid != found[0].1) {
            let names: Vec<_> = found.iter().map(|(full, _)| format!("`{full}`")).collect();
            return Err(Fault::new(
                format!("`{name}` could mean {}", names.join(" or ")),
                "write the full name of the one you mean",
            ));
        }
        Ok(found.first().map(|(_, oid)| *oid))
    }

    /// Tells whether a name such as `FETCH_HEAD` is a file of Git's own, which no ref can hide.
    fn is_pseudo(&self, name: &str) -> bool {
        let capital = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
        name.bytes().all(capital) && self.git_dir().join(name).is_file()
    }

    /// Follows tags to the commit they stand for.
    pub(super) fn peel(&self, mut id: gix::ObjectId) -> Result<Oid, Fault> {
        loop {
            let header = self.store.repo.try_find_header(id);
            let kind = header.map_err(|error| broken(format!("{id} can't be read: {error}")))?;
            match kind.map(|header| header.kind()) {
                Some(Kind::Commit) => return Ok(Oid(id)),
                Some(Kind::Tag) => {
                    let bytes = self.store.object(id, Kind::Tag)?;
                    let tag = TagRef::from_bytes(&bytes, self.store.repo.object_hash());
                    id = tag.map_err(|error| broken(format!("tag {id}: {error}")))?.target();
                }
                Some(kind) => {
                    let message = format!("{id} is a {kind}, not a commit");
                    return Err(Fault::new(message, "name a commit, a branch or a tag"));
                }
                None => return Err(self.store.missing(format_args!("commit {id}"))),
            }
        }
    }

    /// Gives what a commit says of itself.
    pub fn commit_meta(&self, commit: Oid) -> Result<CommitMeta, Fault> {
        let bytes = self.store.object(commit.0, Kind::Commit)?;
        let failed = |error: &dyn std::fmt::Display| {
            broken(format!("commit {commit} can't be read: {error}"))
        };
        let read = CommitRef::from_bytes(&bytes, self.store.repo.object_hash())
            .map_err(|error| failed(&error))?;
        let person = |signature: gix::Result<gix::actor::SignatureRef<'_>>| {
            let signature = signature.map_err(|error| failed(&error))?;
            let time = signature.time().map_err(|error| failed(&error))?;
            let at = DateTime::from_timestamp(time.seconds, 0)
                .ok_or_else(|| failed(&"its time is out of range"))?;
            Ok(Person {
                name: signature.name.trim().to_str_lossy().into_owned(),
                email: signature.email.trim().to_str_lossy().into_owned(),
                at: Moment::new(at),
            })
        };
        Ok(CommitMeta {
            author: person(read.author())?,
            committer: person(read.committer())?,
            parents: read.parents().map(Oid).collect(),
            message: read.message.to_str_lossy().into_owned(),
        })
    }

    fn unknown(&self, rev: &str) -> Fault {
        let message = format!("`{rev}` names no commit in this repository");
        if self.is_shallow() {
            return Fault::new(
                format!("{message}, whose history is cut (a shallow clone)"),
                "fetch the whole of it: `git fetch --unshallow origin`",
            );
        }
        Fault::new(message, "fetch it: `git fetch origin`; see the branches: `git branch --all`")
    }
}

/// The hex name of nothing, which CI systems hand over for a branch that is new or gone.
fn null_revision() -> Fault {
    Fault::new(
        "the revision is all zeros, which names no commit: the branch is new or was deleted",
        "compare a new branch with the one it is for: `orch guard --base origin/main`",
    )
}

fn unreadable_head(error: &dyn std::fmt::Display) -> Fault {
    Fault::new(
        format!("HEAD can't be read: {error}"),
        "check a branch out again: `git symbolic-ref HEAD refs/heads/main`",
    )
}

/// Takes the folder off a branch's full name.
fn short(name: &BStr) -> String {
    let prefixes = [&b"refs/heads/"[..], b"refs/remotes/"];
    let short = prefixes.iter().find_map(|prefix| name.strip_prefix(*prefix));
    short.unwrap_or(name).to_str_lossy().into_owned()
}

/// Gives the branch that is being rebased; a detached HEAD may be rebased too.
fn rebased_branch(folder: &Path) -> Option<String> {
    let name = std::fs::read(folder.join("head-name")).ok()?;
    let name = name.trim().strip_prefix(b"refs/heads/")?;
    Some(name.to_str_lossy().into_owned())
}
