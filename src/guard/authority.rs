//! What was agreed to hold: the policy, and whose keys are whose.

use crate::checks;
use crate::keys::{LineFault, Signers};
use crate::policy::{POLICY_PATH, Policy, REVOKED_PATH, SIGNERS_PATH, Version, authority_of};
use crate::record::Problem;
use crate::snapshot::{Fault, Mode, Proposal, Repository, Side};
use crate::source::{Digest, Position, RepoPath, Span};

/// Gives the policy of a side; refuses with a fault if there is none, or none that can be used.
///
/// `again` believes nothing that was kept.
pub(super) fn policy(
    repository: &dyn Repository,
    side: Side,
    again: bool,
) -> Result<Policy, Fault> {
    let Some(bytes) = bytes_of(repository, side, POLICY_PATH)? else {
        return Err(Fault::new(
            format!("there is no policy at {POLICY_PATH} where this was agreed"),
            "begin with `orch init`; in CI, accept the change that brings the first policy with \
             `orch guard --bootstrap`",
        ));
    };
    let read = usable(repository, &bytes, again);
    // An older orch would not know what the policy counts on (attack 28), nor all of its keys.
    if let Some(asked) = Version::newer_asked_for(read.as_ref().ok(), &bytes) {
        return Err(Fault::new(
            format!("the agreed policy asks for orch {asked}, and this is {}", Version::own()),
            "install a newer one, from where this one came",
        ));
    }
    read.map_err(|problems| {
        let first = &problems[0];
        let line = Position::of(&String::from_utf8_lossy(&bytes), first.span.start).line;
        // Nobody agreed yet on a first policy that is only staged.
        let (whose, mend) = match side {
            Side::Index => ("staged", "mend it, and stage it anew"),
            Side::Commit(_) | Side::Nothing => ("agreed", "mend it on a branch of its own"),
        };
        Fault::new(
            format!("the {whose} policy can't be used: {POLICY_PATH}:{line}: {}", first.message),
            format!("{mend}: {}", first.help),
        )
    })
}

/// What is kept of a policy that holds: that this version of the program found so.
const HOLDS: &str = concat!("orch-policy 3 ", env!("CARGO_PKG_VERSION"));

/// Gives a policy, or what is wrong with it. That one holds depends on its bytes alone, and is asked once.
fn usable(repository: &dyn Repository, bytes: &[u8], again: bool) -> Result<Policy, Vec<Problem>> {
    let digest = Digest::of(bytes);
    let (name, said) = (format!("policies/{}", digest.hex()), format!("{HOLDS} {digest}\n"));
    let known = !again && repository.recall(&name).is_some_and(|kept| kept == said.as_bytes());
    if let Some(policy) = known.then(|| Policy::parse_again(bytes)).flatten() {
        return Ok(policy);
    }
    let policy = Policy::parse(bytes, &checks::names())?;
    repository.keep(&name, said.as_bytes());
    Ok(policy)
}

/// Gives whose keys are whose; nobody's where no file says so.
pub(super) fn signers(repository: &dyn Repository, side: Side) -> Result<Signers, Fault> {
    let told = |path: &str, faults: Vec<LineFault>| {
        let LineFault { line, message } = &faults[0];
        Fault::new(
            format!("the agreed keys can't be used: {path}:{line}: {message}"),
            format!("mend it on a branch of its own: `orch decide --changes {path}`"),
        )
    };
    let mut signers = match bytes_of(repository, side, SIGNERS_PATH)? {
        None => Signers::default(),
        Some(bytes) => Signers::parse(&bytes).map_err(|faults| told(SIGNERS_PATH, faults))?,
    };
    if let Some(bytes) = bytes_of(repository, side, REVOKED_PATH)? {
        signers.revoke(&bytes).map_err(|faults| told(REVOKED_PATH, faults))?;
    }
    Ok(signers)
}

fn bytes_of(repository: &dyn Repository, side: Side, path: &str) -> Result<Option<Vec<u8>>, Fault> {
    let node = repository.node(side, &RepoPath::from(path))?;
    node.map(|node| repository.read(node.oid)).transpose()
}

/// Gives what is wrong with the policy and the keys that the change would bring, by their files.
pub(super) fn problems(
    repository: &dyn Repository,
    proposal: &Proposal,
) -> Result<Vec<(RepoPath, Problem)>, Fault> {
    let mut problems = Vec::new();
    for change in &proposal.changes {
        let Some(path) = authority_of(&change.path) else { continue };
        // That a link is no policy is told by the check that nobody decided on it.
        let Some(node) = change.new.filter(|node| node.mode == Mode::File) else { continue };
        let bytes = repository.read(node.oid)?;
        let found = match path {
            POLICY_PATH => of_policy(&bytes),
            SIGNERS_PATH => of_lines(&bytes, Signers::parse(&bytes).err()),
            _ => of_lines(&bytes, Signers::default().revoke(&bytes).err()),
        };
        problems.extend(found.into_iter().map(|problem| (change.path.clone(), problem)));
    }
    Ok(problems)
}

/// Gives what is wrong with a policy that is proposed; one that this program could not judge by is.
fn of_policy(bytes: &[u8]) -> Vec<Problem> {
    let read = Policy::parse(bytes, &checks::names());
    let Some(asked) = Version::newer_asked_for(read.as_ref().ok(), bytes) else {
        return read.err().unwrap_or_default();
    };
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let before = lines.position(|line| line.starts_with(b"min_version:")).unwrap_or_default();
    let message = format!("this asks for orch {asked}, and this is {}", Version::own());
    let help =
        "install that one first, here and in CI: once this has landed, an older one judges nothing";
    let span = line_of(bytes, before + 1);
    vec![Problem { check: "policy-invalid", span, message, help: help.into() }]
}

/// Gives where a line stands, counted from 1, without its end.
fn line_of(bytes: &[u8], line: usize) -> Span {
    let before = bytes.split_inclusive(|byte| *byte == b'\n').take(line - 1);
    let start = before.map(<[u8]>::len).sum();
    let length = bytes[start..].iter().take_while(|byte| !b"\r\n".contains(byte)).count();
    Span::new(start, start + length)
}

/// Points at the lines of a file of keys that are wrong.
fn of_lines(bytes: &[u8], faults: Option<Vec<LineFault>>) -> Vec<Problem> {
    let told = faults.unwrap_or_default().into_iter().map(|LineFault { line, message }| {
        let help = "write `PRINCIPAL [OPTIONS] ssh-ed25519 AAAA…`, as `man ssh-keygen` has it; a \
                    revoked key stands alone on its line";
        let span = line_of(bytes, line);
        Problem { check: "policy-invalid", span, message, help: help.into() }
    });
    told.collect()
}
