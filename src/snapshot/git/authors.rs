//! Who made commits: what they say, what their signatures prove, and which of them made a file.

use std::collections::{BTreeSet, HashSet};

use gix::objs::{CommitRef, Kind};

use super::GitRepository;
use super::refs::co_authors;
use super::store::broken;
use crate::snapshot::{CommitSignature, Fault, Makers, Oid, Repository as _, Side};
use crate::source::RepoPath;

/// How an OpenPGP signature begins, in a commit's header.
const OPENPGP: &[u8] = b"-----BEGIN PGP";

impl GitRepository {
    pub(super) fn makers_of(&self, commit: Oid) -> Result<Makers, Fault> {
        let meta = self.commit_meta(commit)?;
        let named = std::iter::once(meta.author.email).chain(co_authors(&meta.message));
        Ok(Makers {
            authors: named.map(|email| email.to_lowercase()).collect(),
            committer: meta.committer.email.to_lowercase(),
            signature: self.signature_of(commit)?,
        })
    }

    fn signature_of(&self, commit: Oid) -> Result<Option<CommitSignature>, Fault> {
        let bytes = self.store.object(commit.0, Kind::Commit)?;
        let hash = self.store.repo.object_hash();
        let found = gix::objs::CommitRefIter::signature(&bytes, hash)
            .map_err(|error| broken(format!("commit {commit} can't be read: {error}")))?;
        Ok(found.map(|(armoured, signed)| CommitSignature {
            signed: signed.to_bstring().into(),
            armoured: armoured.into_owned().into(),
        }))
    }

    pub(super) fn signed_by_openpgp(&self, commit: Oid) -> Result<Option<String>, Fault> {
        let signature = self.signature_of(commit)?;
        if !signature.is_some_and(|signature| signature.armoured.starts_with(OPENPGP)) {
            return Ok(None);
        }
        // Git asks gpg, which knows the trust database, expiry and revocations.
        let commit = commit.to_string();
        let told = self.git_told(&["--no-replace-objects", "verify-commit", "--raw", &commit])?;
        Ok(valid_signer(&told))
    }

    /// A side that is walked through many merges is looked at once.
    pub(super) fn shapers_of(
        &self,
        from: Oid,
        root: &RepoPath,
        paths: &BTreeSet<RepoPath>,
    ) -> Result<Vec<Oid>, Fault> {
        let (mut open, mut seen, mut found) = (vec![from], HashSet::new(), Vec::new());
        while let Some(commit) = open.pop() {
            if !seen.insert(commit) || self.node(Side::Commit(commit), root)?.is_none() {
                continue;
            }
            let parents = self.parents(commit)?;
            for path in paths {
                let own = self.node(Side::Commit(commit), path)?;
                let mut inherited = false;
                for parent in &parents {
                    inherited |= self.node(Side::Commit(*parent), path)? == own;
                }
                if own.is_some() && !inherited {
                    found.push(commit);
                    break;
                }
            }
            open.extend(parents);
        }
        Ok(found)
    }

    fn parents(&self, commit: Oid) -> Result<Vec<Oid>, Fault> {
        let bytes = self.store.object(commit.0, Kind::Commit)?;
        let read = CommitRef::from_bytes(&bytes, self.store.repo.object_hash());
        let read =
            read.map_err(|error| broken(format!("commit {commit} can't be read: {error}")))?;
        Ok(read.parents().map(Oid).collect())
    }
}

/// Reads what `gpg` told Git: the key's primary fingerprint, if the signature is valid and nothing
/// speaks against the key.
fn valid_signer(told: &str) -> Option<String> {
    let mut words = told.lines().filter_map(|line| line.strip_prefix("[GNUPG:] "));
    let against = ["BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"];
    if words.clone().any(|line| against.iter().any(|word| line.starts_with(word))) {
        return None;
    }
    let valid = words.find_map(|line| line.strip_prefix("VALIDSIG "))?;
    valid.split_whitespace().last().map(str::to_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::valid_signer;

    const PRIMARY: &str = "0123456789ABCDEF0123456789ABCDEF01234567";

    #[test]
    fn only_a_good_signature_names_a_signer() {
        let valid = format!("[GNUPG:] VALIDSIG AAAA 2026-11-21 1 0 4 0 22 10 00 {PRIMARY}\n");
        let good = format!("[GNUPG:] GOODSIG X ada\n{valid}");
        assert_eq!(valid_signer(&good).as_deref(), Some(PRIMARY));
        for word in ["REVKEYSIG", "EXPKEYSIG", "EXPSIG", "BADSIG", "ERRSIG"] {
            assert_eq!(valid_signer(&format!("[GNUPG:] {word} X ada\n{valid}")), None, "{word}");
        }
        assert_eq!(valid_signer("gpg: VALIDSIG 0\n"), None);
        assert_eq!(valid_signer(""), None);
    }
}
