//! What is to be judged: a commit about to be made, a range of commits, or everything.

use gix::bstr::ByteSlice as _;

use super::GitRepository;
use super::history::steps;
use crate::snapshot::{Fault, Occasion, Oid, Proposal, Repository as _, Side, Tip};

impl GitRepository {
    /// Proposes what is staged against HEAD.
    ///
    /// Of a merge, only what differs from every parent that counts is a change: HEAD, and parents
    /// that one of `protected_tips` already has (attack 64).
    pub fn staged(&self, protected_tips: &[Oid]) -> Result<Proposal, Fault> {
        let base = self.head_commit()?.map_or(Side::Nothing, Side::Commit);
        let merged = self.merge_heads()?;
        let counted = self.counted(&merged, protected_tips)?;
        let changes = self.unlike(self.changes(base, Side::Index)?, &counted)?;
        Ok(Proposal {
            agreed: base,
            base,
            head: Side::Index,
            parents: counted.into_iter().map(Side::Commit).collect(),
            tips: self.tips()?,
            branch: self.current_branch()?,
            occasion: if merged.is_empty() { Occasion::Commit } else { Occasion::Merge },
            changes,
            steps: Vec::new(),
        })
    }

    /// Gives every branch that is known here, with a remote's name taken off.
    fn tips(&self) -> Result<Vec<Tip>, Fault> {
        let tips = self.branches()?.into_iter().map(|branch| {
            let short = branch.name.split_once('/').filter(|_| branch.remote);
            let name = short.map_or(branch.name.as_str(), |(_, name)| name);
            Tip { branch: name.to_owned(), side: Side::Commit(branch.tip) }
        });
        Ok(tips.collect())
    }

    /// Tells whether a merge is about to be committed.
    pub fn is_merging(&self) -> Result<bool, Fault> {
        Ok(!self.merge_heads()?.is_empty())
    }

    /// Gives the commits being merged into HEAD: those of `MERGE_HEAD`, or in a pre-merge-commit
    /// hook, before that file is written, those that Git names in the environment.
    fn merge_heads(&self) -> Result<Vec<Oid>, Fault> {
        let Ok(text) = std::fs::read(self.git_dir().join("MERGE_HEAD")) else {
            let named = self.environment.merge_heads().filter_map(Oid::from_hex);
            return Ok(named.filter(|oid| self.peel(oid.0).is_ok()).collect());
        };
        let read = |line: &[u8]| {
            let oid = line.trim().to_str().ok().and_then(Oid::from_hex);
            let oid = oid.ok_or_else(|| {
                Fault::new("MERGE_HEAD can't be read", "begin the merge anew: `git merge --abort`")
            })?;
            self.peel(oid.0)
        };
        text.lines().map(read).collect()
    }

    fn counted(&self, merged: &[Oid], protected_tips: &[Oid]) -> Result<Vec<Oid>, Fault> {
        let mut counted = Vec::new();
        for parent in merged {
            for tip in protected_tips {
                if self.is_ancestor(*parent, *tip)? {
                    counted.push(*parent);
                    break;
                }
            }
        }
        Ok(counted)
    }

    /// Proposes the commits that `head_rev` has and `base_rev` lacks.
    ///
    /// Agreed is what stands at the tip of `base_rev`; changed is what differs between the merge
    /// base and the head.
    pub fn range(
        &self,
        base_rev: &str,
        head_rev: &str,
        branch: Option<String>,
    ) -> Result<Proposal, Fault> {
        let agreed = self.resolve(base_rev)?;
        let head = self.resolve(head_rev)?;
        let between = self.between(agreed, head)?;
        let base = between.merge_base.ok_or_else(|| unrelated(base_rev, head_rev))?;
        Ok(Proposal {
            agreed: Side::Commit(agreed),
            base: Side::Commit(base),
            head: Side::Commit(head),
            parents: Vec::new(),
            tips: Vec::new(),
            branch,
            occasion: Occasion::Range,
            changes: self.changes(Side::Commit(base), Side::Commit(head))?,
            steps: steps(&between.commits, head),
        })
    }

    /// Proposes nothing: a commit as it stands, beside the branches that are known here.
    pub fn standing(&self, rev: &str) -> Result<Proposal, Fault> {
        let nothing = self.range(rev, rev, self.current_branch()?)?;
        Ok(Proposal { tips: self.tips()?, ..nothing })
    }

    /// Proposes the first commits that a repository ever gets: nothing was agreed before them.
    pub fn beginning(&self, head: Oid, branch: Option<String>) -> Result<Proposal, Fault> {
        let whole = self.verification(&head.to_string(), None)?;
        let changes = self.changes(Side::Nothing, whole.head)?;
        Ok(Proposal { branch, occasion: Occasion::Range, changes, ..whole })
    }

    /// Proposes a whole commit, to be replayed from nothing, with all the commits that led there; or
    /// with those behind `anchor`, a commit that is known to be sound and becomes the base.
    ///
    /// Its changes stay empty: they would list every file there is. Ask
    /// [`list`](crate::snapshot::Repository::list) for what is needed.
    pub fn verification(&self, rev: &str, anchor: Option<&str>) -> Result<Proposal, Fault> {
        let head = self.resolve(rev)?;
        let anchor = anchor.map(|rev| self.resolve(rev)).transpose()?;
        Ok(Proposal {
            agreed: Side::Nothing,
            base: anchor.map_or(Side::Nothing, Side::Commit),
            head: Side::Commit(head),
            parents: Vec::new(),
            tips: Vec::new(),
            branch: None,
            occasion: Occasion::Verification,
            changes: Vec::new(),
            steps: self.walked(anchor, head)?,
        })
    }
}

/// The base was rewritten, or never was one (attack 67).
fn unrelated(base: &str, head: &str) -> Fault {
    Fault::new(
        format!(
            "`{head}` shares no history with `{base}`: one of them was rewritten or is foreign"
        ),
        format!("put the change on top of it: `git rebase --onto {base} --root {head}`"),
    )
}
