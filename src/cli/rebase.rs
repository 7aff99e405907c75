//! `orch task rebase`: in a merge, puts one's own entries of a ledger behind those that landed.

use std::collections::{BTreeMap, BTreeSet};

use super::Stop;
use super::context::{Context, readable_policy, staged};
use super::files::write_whole;
use super::journal::Journal;
use super::ledger::refuse;
use super::lock::Lock;
use super::output::{id, say, say_lines};
use crate::draft;
use crate::guard::guard;
use crate::keys::RECORD_NAMESPACE;
use crate::policy::Schemas;
use crate::record::{
    self, Payload, Record, RecordPath, same_submission, signature_path, signed_path,
};
use crate::snapshot::{GitRepository, Repository, Side};
use crate::source::{AgentName, RepoPath, TaskId};

/// Put your own entries of a task behind those that landed, while you merge them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Run it while `git merge` waits, with conflicts or refused by the hook: your \
                        entries are renumbered\nbehind those that come in, and staged; payload and \
                        actor stay. What landed already is dropped.\nExample: git merge main; orch task rebase strat-001; git \
                        commit"
)]
pub(super) struct Rebase {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// Print what would be written and removed, and write nothing
    #[arg(long)]
    dry_run: bool,
}

impl Rebase {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        self.refuse_within_rebase(&repository)?;
        let (ours, theirs) = sides(&repository)?;
        let folder = self.folder(&repository, theirs)?;
        let landed = ledger(&repository, theirs, &folder)?;
        let mut own = ledger(&repository, ours, &folder)?;
        own.retain(|record| landed.iter().all(|other| other.digest != record.digest));
        if own.first().is_none_or(|first| first.sequence() as usize > landed.len()) {
            say(format!("`{}` did not fork: nothing to renumber", self.id));
            say("if you rebased instead of merging: git reset --soft main, then run this again");
            return Ok(());
        }
        if matches!(own[0].payload, Payload::Task(_)) {
            let help = "what landed counts: begin a branch anew from it, `git merge --abort` and \
                        `git switch -c NAME main`, and open yours there under another id";
            return Err(Stop::denied(format!("`{}` was opened twice", self.id), help));
        }
        let mut new = Vec::new();
        for record in &own {
            match submitted(&landed, record)? {
                Some(known) => say(format!("{} says this already", known.repo_path())),
                None => new.push(record.clone()),
            }
        }
        let signed = signed(&repository, ours, &own)?;
        let caller = self.signer(context, &repository, &new, &signed)?;
        let schemas = readable_policy(&repository, theirs)?.and_then(|policy| policy.schemas);
        let renumbered = renumber(&landed, &new, schemas.as_ref())?;
        let mut files = standing(&repository, theirs, &landed)?;
        for (old, (record, text)) in new.iter().zip(&renumbered) {
            files.insert(record.repo_path().clone(), text.clone());
            let actor = &old.entry.actor;
            let own = caller.as_ref() == Some(actor);
            if own && signed.contains(old.repo_path()) && !self.dry_run {
                let signature = repository.sign(RECORD_NAMESPACE, text.as_bytes())?;
                files.insert(signature_path(record.repo_path()), signature);
            } else if signed.contains(old.repo_path()) && !own {
                let path = record.repo_path();
                say(format!("`{actor}` has to sign again: orch sign --agent {actor} {path}"));
            }
        }
        let mut removed: Vec<RepoPath> = own.iter().map(|old| old.repo_path().clone()).collect();
        removed.extend(signed.iter().map(signature_path));
        removed.retain(|path| !files.contains_key(path));
        if self.dry_run {
            foresee(&renumbered, &removed);
            return Ok(());
        }
        write(&repository, &files, removed)?;
        for (record, _) in &renumbered {
            say(format!("wrote {}", record.repo_path()));
        }
        let proposal = staged(&repository)?;
        let report = guard(&repository, &proposal, context.at(), false)?;
        if report.refused() {
            return Err(refuse(&report, &proposal));
        }
        say("next: git commit");
        Ok(())
    }

    /// Git's rebase applies one commit after the other, and each would fork anew: a merge is mended once.
    fn refuse_within_rebase(&self, repository: &GitRepository) -> Result<(), Stop> {
        let marks = ["rebase-merge", "rebase-apply"];
        if !marks.iter().any(|mark| repository.git_dir().join(mark).is_dir()) {
            return Ok(());
        }
        let help = format!(
            "merge instead: `git rebase --abort`, `git merge BRANCH`, and then `orch task rebase {}`",
            self.id
        );
        Err(Stop::denied("`git rebase` goes on, and parts entries of a ledger one by one", help))
    }

    /// Renumbering breaks a signature. One's own is made again, and nobody makes another's (design,
    /// hard case 9): whoever signed none of the entries leaves them to those who did. Where several
    /// did, each goes on from what the one before left. Gives who signs now, if anything is signed.
    fn signer(
        &self,
        context: &Context,
        repository: &GitRepository,
        new: &[Record],
        signed: &BTreeSet<RepoPath>,
    ) -> Result<Option<AgentName>, Stop> {
        let signed: Vec<&Record> =
            new.iter().filter(|record| signed.contains(record.repo_path())).collect();
        let Some(foreign) = signed.first() else { return Ok(None) };
        let head = repository.head_commit()?.map_or(Side::Nothing, Side::Commit);
        let policy = readable_policy(repository, head)?
            .ok_or_else(|| Stop::fault("the agreed policy can't be used", "see `orch guard`"))?;
        let caller = context.agent(&policy)?;
        if signed.iter().any(|record| record.entry.actor == caller) {
            return Ok(Some(caller));
        }
        let signer = &foreign.entry.actor;
        let message = format!(
            "{} is signed by `{signer}`, and would have to be signed again",
            foreign.repo_path()
        );
        let help =
            format!("let `{signer}` run it: `orch task rebase {} --agent {signer}`", self.id);
        Err(Stop::denied(message, help))
    }

    /// Finds the task's folder where it landed, in whatever month.
    fn folder(&self, repository: &GitRepository, side: Side) -> Result<RepoPath, Stop> {
        let shelf = RepoPath::from(".orch/tasks");
        for month in repository.folders(side, &shelf)? {
            let folder = shelf.join(&month).join(self.id.as_str());
            if !repository.list(side, &folder)?.is_empty() {
                return Ok(folder);
            }
        }
        let help = "nothing of it comes in with this merge, so nothing has to be renumbered";
        Err(Stop::fault(format!("there is no task `{}` in what is merged", self.id), help))
    }
}

/// Gives the landed entry that is the same submission as one of ours (R001-18, R001-19): a run, its
/// handoff and its gate are recorded once. Refuses another payload under the same run id.
fn submitted<'l>(landed: &'l [Record], ours: &Record) -> Result<Option<&'l Record>, Stop> {
    for known in landed {
        match same_submission(&known.payload, &ours.payload) {
            Some(true) => return Ok(Some(known)),
            Some(false) => {
                let word = ours.payload.word();
                let message = format!(
                    "{} says something else than your {word} of the same run",
                    known.repo_path()
                );
                let help = "what landed counts: begin a branch anew from it, `git merge --abort` \
                            and `git switch -c NAME main`, and if the work must differ, `orch \
                            handoff reject` what landed and run the stage again";
                return Err(Stop::denied(message, help));
            }
            None => {}
        }
    }
    Ok(None)
}

/// Gives where our entries are and where the landed ones: in a merge, HEAD and what comes in; else
/// what is staged, and HEAD.
fn sides(repository: &GitRepository) -> Result<(Side, Side), Stop> {
    let head = repository.head_commit()?.map_or(Side::Nothing, Side::Commit);
    match repository.resolve("MERGE_HEAD") {
        Ok(merged) => Ok((head, Side::Commit(merged))),
        Err(_) => Ok((Side::Index, head)),
    }
}

fn ledger(repository: &GitRepository, side: Side, folder: &RepoPath) -> Result<Vec<Record>, Stop> {
    let mut records = Vec::new();
    for (path, node) in repository.list(side, folder)? {
        if signed_path(&path).is_some() {
            continue;
        }
        let unreadable =
            |why: &str| Stop::fault(format!("`{path}` can't be read: {why}"), "see `orch verify`");
        let place = RecordPath::parse(&path).map_err(|rule| unreadable(&rule))?;
        let parsed = record::parse(&place, &repository.read(node.oid)?);
        records.push(parsed.map_err(|problems| unreadable(&problems[0].message))?);
    }
    records.sort_by_key(Record::sequence);
    Ok(records)
}

fn renumber(
    landed: &[Record],
    own: &[Record],
    schemas: Option<&Schemas>,
) -> Result<Vec<(Record, String)>, Stop> {
    let mut renumbered: Vec<(Record, String)> = Vec::new();
    for record in own {
        let last = renumbered.last().map(|(record, _)| record).or(landed.last());
        let before = last.expect("what landed parted from ours, so it is not empty");
        let entry = draft::renumbered(record, before, schemas).map_err(|problems| {
            Stop::fault(problems[0].message.as_str(), problems[0].help.as_str())
        })?;
        renumbered.push(entry);
    }
    Ok(renumbered)
}

/// Gives which of some records have a signature beside them.
fn signed(
    repository: &GitRepository,
    side: Side,
    records: &[Record],
) -> Result<BTreeSet<RepoPath>, Stop> {
    let mut signed = BTreeSet::new();
    for record in records {
        if repository.node(side, &signature_path(record.repo_path()))?.is_some() {
            signed.insert(record.repo_path().clone());
        }
    }
    Ok(signed)
}

/// Gives what landed, to be put in its place again: entries and their signatures.
fn standing(
    repository: &GitRepository,
    theirs: Side,
    landed: &[Record],
) -> Result<BTreeMap<RepoPath, String>, Stop> {
    let mut texts = BTreeMap::new();
    for record in landed {
        for path in [record.repo_path().clone(), signature_path(record.repo_path())] {
            if let Some(node) = repository.node(theirs, &path)? {
                let bytes = repository.read(node.oid)?;
                texts.insert(path, String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    Ok(texts)
}

/// Tells what would be done; it is judged once it is staged, for a merge that waits may have conflicts elsewhere.
fn foresee(renumbered: &[(Record, String)], removed: &[RepoPath]) {
    for path in removed {
        say(format!("would remove {path}"));
    }
    for (record, text) in renumbered {
        say_lines(format!("would write {}\n{text}", record.repo_path()));
    }
}

/// Removes our old entries, writes and stages the new ones.
fn write(
    repository: &GitRepository,
    texts: &BTreeMap<RepoPath, String>,
    removed: Vec<RepoPath>,
) -> Result<(), Stop> {
    let top = repository.work_dir().unwrap_or(repository.git_dir());
    let on_disk = |path: &RepoPath| top.join(path.to_string());
    let written = texts.iter().map(|(path, text)| (path, text.as_bytes()));
    let journal = Journal::begin(repository, top, written, removed.clone())?;
    journal.around(|| {
        for (path, text) in texts {
            write_whole(&on_disk(path), text)?;
        }
        for path in &removed {
            match std::fs::remove_file(on_disk(path)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    let message = format!("`{path}` can't be removed: {error}");
                    return Err(Stop::fault(message, "make the folder writable"));
                }
                _ => {}
            }
        }
        Ok(repository.stage(&texts.keys().chain(&removed).cloned().collect::<Vec<_>>())?)
    })
}
