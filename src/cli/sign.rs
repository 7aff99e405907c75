//! `orch sign`: sign one's own records with the SSH key that Git is configured to use.

use super::Stop;
use super::context::{Context, View, protected_tips};
use super::ledger::Writer;
use super::lock::Lock;
use super::output::say;
use crate::keys::RECORD_NAMESPACE;
use crate::record::{self, RecordPath, signature_path};
use crate::snapshot::{Fault, Repository as _, Side};
use crate::source::{AgentName, RepoPath};

/// Sign your own records with the SSH key that Git is configured to use.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes RECORD.sig beside each record, and stages it. Without a path, it signs what \
                        you recorded since the\nprotected branch and did not sign yet. The key is that \
                        of `gpg.format ssh` and `user.signingKey`: a file,\nan agent's, or a security \
                        key. Anyone can check it:\n  ssh-keygen -Y verify -n orch -I NAME -f \
                        .orch/allowed_signers -s RECORD.sig < RECORD\nExample: orch sign"
)]
pub(super) struct Sign {
    /// The records to sign
    #[arg(value_name = "RECORD", value_parser = path)]
    records: Vec<RepoPath>,
    #[command(flatten)]
    writing: super::ledger::Writing,
}

fn path(text: &str) -> Result<RepoPath, String> {
    RepoPath::canonical(text).map_err(|fault| fault.to_string())
}

impl Sign {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        let view = View::within(context, repository, &[])?;
        let author = context.author(&view.policy(), view.proposal.branch.clone())?;
        let own = match self.records.is_empty() {
            true => unsigned(&view, &author.actor)?,
            false => self.records,
        };
        let mut writer = Writer::new(context, &view, author.clone());
        let mut signed = false;
        for path in own {
            let bytes = bytes_of(&view, &path, &author.actor)?;
            let sidecar = signature_path(&path);
            if view.repository.node(Side::Index, &sidecar)?.is_some() {
                say(format!("{sidecar} is there already"));
                continue;
            }
            if self.writing.dry_run {
                say(format!("would sign {path}"));
                continue;
            }
            writer.with_companion(sidecar, view.repository.sign(RECORD_NAMESPACE, &bytes)?);
            signed = true;
        }
        if !signed {
            return Ok(());
        }
        if !writer.commit(self.writing)?.is_foreseen() {
            say("next: git commit");
        }
        Ok(())
    }
}

/// Gives what an agent recorded since the protected branch, staged or committed, without signing it.
fn unsigned(view: &View, actor: &AgentName) -> Result<Vec<RepoPath>, Stop> {
    let mut base = view.proposal.base;
    if let Side::Commit(head) = base
        && let Some(tip) = protected_tips(&view.repository, base)?.first()
        && let Some(shared) = view.repository.merge_base(*tip, head)?
    {
        base = Side::Commit(shared);
    }
    let mut own = Vec::new();
    for change in view.repository.changes(base, Side::Index)? {
        let (Ok(place), Some(node)) = (RecordPath::parse(&change.path), change.new) else {
            continue;
        };
        let sidecar = view.repository.node(Side::Index, &signature_path(&change.path))?;
        let parsed = record::parse(&place, &view.repository.read(node.oid)?);
        if sidecar.is_none() && parsed.is_ok_and(|record| record.entry.actor == *actor) {
            own.push(change.path);
        }
    }
    if own.is_empty() {
        say(format!("`{actor}` has recorded nothing here that is not signed"));
    }
    Ok(own)
}

/// Gives a record's bytes; refuses what is none, and what another says.
fn bytes_of(view: &View, path: &RepoPath, actor: &AgentName) -> Result<Vec<u8>, Stop> {
    let place = RecordPath::parse(path).map_err(|rule| {
        Fault::new(format!("`{path}` is no record: {rule}"), "name a file that `orch` wrote")
    })?;
    let node = view.repository.node(Side::Index, path)?.ok_or_else(|| {
        Fault::new(format!("`{path}` is not staged"), format!("stage it: `git add {path}`"))
    })?;
    let bytes = view.repository.read(node.oid)?;
    let record = record::parse(&place, &bytes).map_err(|problems| {
        Fault::new(format!("`{path}` can't be read: {}", problems[0].message), "see `orch guard`")
    })?;
    if record.entry.actor == *actor {
        return Ok(bytes);
    }
    let theirs = &record.entry.actor;
    let message = format!("`{path}` is what `{theirs}` says, and `{actor}` can't sign it");
    Err(Stop::denied(
        message,
        format!("let `{theirs}` sign it: `orch sign --agent {theirs} {path}`"),
    ))
}
