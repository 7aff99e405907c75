//! What large blobs hash to, kept under `.git/orch/cache` by their ids: a model of a gigabyte is inflated
//! and hashed once, and not for every commit of the task that made it.
//!
//! A blob's id says what is in it, so that its digest is never another. Small blobs are read sooner than
//! what is kept of them, and documents are read in any case.

use super::facts::{Fact, of_bytes};
use super::kept;
use crate::snapshot::{Fault, Oid, Repository};
use crate::source::{Digest, RepoPath};

/// What is kept is of this kind, by this version of the program.
const KIND: &str = concat!("orch-blob 1 ", env!("CARGO_PKG_VERSION"));
/// Blobs of fewer bytes are read.
const LARGE: u64 = 256 << 10;

/// Gives what a file is that holds a blob and is no document.
pub(super) fn read(repository: &dyn Repository, path: &RepoPath, oid: Oid) -> Result<Fact, Fault> {
    let name = format!("blobs/{oid}");
    if let Some((digest, size)) = repository.recall(&name).and_then(|kept| parse(oid, &kept)) {
        return Ok(Fact::File { digest, size, document: None });
    }
    let fact = of_bytes(path, repository.read(oid)?);
    if let Fact::File { digest, size: size @ LARGE.., .. } = &fact {
        repository.keep(&name, &kept::written(KIND, oid, &format!("{digest} {size}")));
    }
    Ok(fact)
}

fn parse(oid: Oid, bytes: &[u8]) -> Option<(Digest, u64)> {
    let (of, body) = kept::read(KIND, bytes)?;
    let (digest, size) = body.split_once(' ')?;
    (of == oid).then_some((digest.parse().ok()?, size.parse().ok()?))
}
