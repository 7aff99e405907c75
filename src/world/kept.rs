//! What objects came to, kept by their names: a heading that names the
//! kind, the tree and the digest of the rest, and the rest.

use crate::snapshot::Oid;
use crate::source::Digest;

/// Gives the bytes to be kept; `kind` names what it is, and the version of the program.
pub(super) fn written(kind: &str, tree: Oid, body: &str) -> Vec<u8> {
    format!("{kind} {tree} {}\n{body}", Digest::of(body.as_bytes())).into_bytes()
}

/// Reads what [`written`] gave: of which tree, and the rest; none if another program wrote it, or if
/// it is damaged.
pub(super) fn read<'b>(kind: &str, bytes: &'b [u8]) -> Option<(Oid, &'b str)> {
    let (head, body) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    let (tree, digest) = head.strip_prefix(kind)?.strip_prefix(' ')?.split_once(' ')?;
    let whole = Digest::of(body.as_bytes()).to_string() == digest;
    whole.then_some((Oid::from_hex(tree)?, body))
}
