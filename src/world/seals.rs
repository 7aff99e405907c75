//! Signatures beside records: what each of them proves.

use std::collections::BTreeMap;

use super::files::Proposed;
use super::{Known, World};
use crate::keys::{COMMIT_NAMESPACE, Fingerprint, RECORD_NAMESPACE, Refused, Signature};
use crate::record::{self, RecordPath, signature_path, signed_path};
use crate::snapshot::{Fault, Mode, Node, Occasion, Proposal, Repository};
use crate::source::{AgentName, Moment, RepoPath};

/// A signature beside a record.
#[derive(Debug)]
pub struct Seal {
    /// The record that it signs.
    pub record: RepoPath,
    /// Who the record says it is by, and when it was written; none if there is no such record.
    pub said_by: Option<(AgentName, Moment)>,
    /// Whether it is the change's own; if not, it came in with a merge.
    pub is_new: bool,
    /// The key that made it; why it is none, if it is none over the record's bytes.
    pub made_with: Result<Fingerprint, String>,
}

/// Why a signature proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproved {
    /// It is no signature of these bytes. This never changes.
    Broken(String),
    /// The key does not speak for the actor, as the keys are agreed now.
    Foreign(String),
}

impl Seal {
    /// Gives the signature's own path.
    pub fn path(&self) -> RepoPath {
        signature_path(&self.record)
    }
}

/// Reads the signatures among some files, and those of new entries.
pub(super) fn read(
    repository: &dyn Repository,
    proposal: &Proposal,
    world: &World,
    signatures: Vec<Proposed>,
) -> Result<BTreeMap<RepoPath, Seal>, Fault> {
    // Each is verified once, though it may be new, and beside a new entry.
    let mut found: BTreeMap<RepoPath, (Node, bool)> = BTreeMap::new();
    // In a merge, an entry may be new to the other side while its signature is no change.
    if proposal.occasion != Occasion::Verification {
        for step in world.steps() {
            let path = signature_path(step.record.repo_path());
            let node = repository.node(proposal.head, &path)?;
            found.extend(node.map(|node| (path, (node, false))));
        }
    }
    found.extend(signatures.into_iter().filter_map(|(path, node)| Some((path, (node?, true)))));
    let mut seals = BTreeMap::new();
    for (path, (node, is_new)) in found {
        if let Some(record) = signed_path(&path) {
            let seal = Seal { is_new, ..seal(repository, proposal, record, node)? };
            seals.insert(seal.record.clone(), seal);
        }
    }
    Ok(seals)
}

fn seal(
    repository: &dyn Repository,
    proposal: &Proposal,
    record: RepoPath,
    node: Node,
) -> Result<Seal, Fault> {
    let signed = repository.node(proposal.head, &record)?.filter(|node| node.mode == Mode::File);
    let bytes = signed.map(|node| repository.read(node.oid)).transpose()?;
    let made_with = match &bytes {
        None => Err("there is no record beside it".to_owned()),
        Some(_) if node.mode != Mode::File => Err("it is a link or a program".to_owned()),
        Some(bytes) => Signature::parse(&repository.read(node.oid)?)
            .and_then(|signature| signature.verify(RECORD_NAMESPACE, bytes)),
    };
    let place = RecordPath::parse(&record).ok();
    let parsed = place.zip(bytes).and_then(|(place, bytes)| record::parse(&place, &bytes).ok());
    let said_by = parsed.map(|record| (record.entry.actor, record.entry.recorded_at));
    Ok(Seal { record, said_by, made_with, is_new: true })
}

impl World {
    /// Tells whether a signature proves that its record is by its actor; refuses with the reason.
    pub fn proved(&self, seal: &Seal) -> Result<(), Unproved> {
        let key = seal.made_with.as_ref().map_err(|why| Unproved::Broken(why.clone()))?;
        // What can't be read as a record is told by the checks of records.
        let Some((actor, recorded_at)) = &seal.said_by else { return Ok(()) };
        let at = (*recorded_at).max(self.at);
        let told = self.speaks_for(key, actor, RECORD_NAMESPACE, at);
        told.map_err(|refused| Unproved::Foreign(in_words(key, actor, &refused)))
    }

    /// Tells whether the record itself proves that it is by its actor.
    pub fn is_proved(&self, record: &RepoPath) -> bool {
        self.seals.get(record).is_some_and(|seal| self.proved(seal).is_ok())
    }

    /// Tells whether a commit is an agent's: its author or a co-author has one of the agent's
    /// addresses, or one of its keys signed it. Who merely committed it may have rebased it.
    pub fn is_by(&self, makers: &Known, agent: &AgentName, at: Moment) -> bool {
        let Some(known) = self.policy.agents.get(agent) else { return false };
        let by_key = |key| self.speaks_for(key, agent, COMMIT_NAMESPACE, at).is_ok();
        !makers.authors.is_disjoint(&known.identities.emails)
            || makers.openpgp.as_ref().is_some_and(|key| known.identities.openpgp.contains(key))
            || makers.key.as_ref().is_some_and(by_key)
    }

    /// Tells whether a key speaks for an agent: because the policy binds it to that key, or because
    /// the agreed `allowed_signers` lists it for the agent's name or one of its addresses.
    pub fn speaks_for(
        &self,
        key: &Fingerprint,
        agent: &AgentName,
        namespace: &str,
        at: Moment,
    ) -> Result<(), Refused> {
        let known = self.policy.agents.get(agent);
        let bound = known.is_some_and(|known| known.identities.keys.contains(key));
        match self.signers.allow(key, &self.policy.names_of(agent), namespace, at) {
            // What the keys' own file says of a bound key, such as until when it holds, counts too.
            Err(Refused::Unknown | Refused::Other(_)) if bound => Ok(()),
            told => told,
        }
    }

    /// Tells whether two names are one principal's: as the policy has it, or because one key may sign
    /// for both (attacks 91 and 98).
    pub fn is_same(&self, one: &AgentName, other: &AgentName) -> bool {
        let keys = |agent: &AgentName| {
            let mut keys = self.signers.keys_of(&self.policy.names_of(agent));
            let known = self.policy.agents.get(agent);
            keys.extend(known.into_iter().flat_map(|known| known.identities.keys.iter().cloned()));
            keys
        };
        self.policy.is_same(one, other) || !keys(one).is_disjoint(&keys(other))
    }
}

fn in_words(key: &Fingerprint, actor: &AgentName, refused: &Refused) -> String {
    match refused {
        Refused::Unknown => format!("{key} is nobody's key, as the keys were agreed"),
        Refused::Revoked => format!("{key} was revoked"),
        Refused::Other(principals) => {
            let principals: String = principals.escape_default().take(80).collect();
            format!("{key} is a key of `{principals}`, not of `{actor}`")
        }
        Refused::Namespace => format!("{key} may not sign for `{RECORD_NAMESPACE}`"),
        Refused::NotYet => format!("{key} is not valid yet"),
        Refused::Expired => format!("{key} is not valid any more"),
    }
}
