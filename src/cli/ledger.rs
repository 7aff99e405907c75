//! Writing entries: judged before they are written, written under a lock, staged, logged.

use std::path::Path;

use serde_json::json;

use super::Stop;
use super::activity::Activity;
use super::context::{Context, View};
use super::files::write_whole;
use super::journal::Journal;
use super::output::{complain, say, say_lines, show_error, style};
use super::trace;
use crate::diagnostic::{Finding, Report, Severity};
use crate::draft::{self, Author};
use crate::guard;
use crate::keys::RECORD_NAMESPACE;
use crate::record::kind::Artifact;
use crate::record::{Home, Payload, Problem, Record, signature_path, signed_path};
use crate::render::{ReportFormat, Verdict, render};
use crate::report::spelled;
use crate::snapshot::{Fault, GitRepository, Node, Overlay, Proposal, Repository as _, Side};
use crate::source::{RepoPath, TaskId};
use crate::world::World;

/// How a command that writes was asked to behave.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct Writing {
    /// Judge and print, but write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// What became of entries that were to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Written {
    /// They would be written: it was a dry run.
    Foreseen,
    /// They are there, and may be committed on this branch.
    Here,
    /// They are there, and are to be committed on another branch, which has been said.
    Elsewhere,
}

impl Written {
    /// Tells whether nothing was written, so that nothing more is to be said of it.
    pub(super) fn is_foreseen(self) -> bool {
        self == Written::Foreseen
    }
}

/// Gives an id that is made of these words and not taken: with `-2`, `-3` and so on behind them if they are.
pub(super) fn free_id(words: &str, taken: impl Fn(&TaskId) -> bool) -> Result<TaskId, Stop> {
    let mut name = words.to_owned();
    let mut count = 1;
    loop {
        let id: TaskId = name.parse().map_err(|fault| {
            Stop::fault(format!("no id can be made: {fault}"), "name one yourself")
        })?;
        if !taken(&id) {
            return Ok(id);
        }
        count += 1;
        name = format!("{words}-{count}");
    }
}

/// What a command is about to write.
pub(super) struct Writer<'a> {
    context: &'a Context,
    view: &'a View,
    author: Author,
    /// Artifacts to stage with the entries, as the object store already holds them.
    artifacts: Vec<(RepoPath, Node)>,
    /// Files to write beside the entries, such as a halt's snapshot.
    companions: Vec<(RepoPath, String)>,
    entries: Vec<Record>,
    texts: Vec<String>,
    /// The entry that says the same as one that was to be added.
    known: Option<RepoPath>,
}

impl<'a> Writer<'a> {
    /// Begins without entries.
    pub(super) fn new(context: &'a Context, view: &'a View, author: Author) -> Self {
        let (artifacts, companions) = (Vec::new(), Vec::new());
        let (entries, texts) = (Vec::new(), Vec::new());
        Writer { context, view, author, artifacts, companions, entries, texts, known: None }
    }

    /// Stages what the entries seal together with them, and tells of each file.
    pub(super) fn seal(&mut self, sealed: Vec<(Artifact, Node)>, writing: Writing) {
        let seals = if writing.dry_run { "would seal" } else { "seals" };
        for (artifact, node) in sealed {
            say(format!("{seals} {} as {}", artifact.path, artifact.name));
            self.artifacts.push((artifact.path, node));
        }
    }

    /// Writes and stages a file beside the entries, which must not be there yet.
    pub(super) fn with_companion(&mut self, path: RepoPath, text: String) {
        self.companions.push((path, text));
    }

    /// Adds an entry behind its ledger's last, and behind those added to that ledger before; none if
    /// the ledger ends with it already, by the same actor (R001-18).
    pub(super) fn add(&mut self, home: &Home, payload: impl Into<Payload>) -> Result<(), Stop> {
        let World { policy, ledgers, .. } = &*self.view.world;
        let before = self.entries.iter().rev().find(|record| record.path.home == *home);
        let ledger = ledgers.get(home);
        let payload = payload.into();
        let last = ledger.and_then(|ledger| ledger.records.last()).filter(|_| before.is_none());
        let same =
            |last: &&Record| (&last.payload, &last.entry.actor) == (&payload, &self.author.actor);
        if let Some(last) = last.filter(same) {
            self.known = Some(last.repo_path().clone());
            return Ok(());
        }
        let drafted = draft::record(ledger, before, home, &payload, policy, &self.author);
        let (record, text) = match drafted {
            Ok((record, text)) => (Ok(record), text),
            Err(problems) => (Err(problems), String::new()),
        };
        self.push(record, text)
    }

    /// Adds a record with its text, or tells why there is none.
    pub(super) fn push(
        &mut self,
        record: Result<Record, Vec<Problem>>,
        text: String,
    ) -> Result<(), Stop> {
        let record = record.map_err(|problems| {
            let problem = &problems[0];
            let message = format!("this can't be recorded: {}", problem.message);
            Stop::fault(message, problem.help.as_str())
        })?;
        self.entries.push(record);
        self.texts.push(text);
        Ok(())
    }

    /// Judges the entries as if they were staged; if nothing is against them, writes and stages
    /// them and tells where they are.
    pub(super) fn commit(self, writing: Writing) -> Result<Written, Stop> {
        self.commit_after(writing, || Ok(()))
    }

    /// The same, with something to do between judging and writing.
    pub(super) fn commit_after(
        mut self,
        writing: Writing,
        prepare: impl FnOnce() -> Result<(), Stop>,
    ) -> Result<Written, Stop> {
        let view = self.view;
        if let (Some(known), true) = (&self.known, self.entries.is_empty()) {
            say(format!("{known} says this already"));
            return Ok(Written::Here);
        }
        let mut overlay = Overlay::new(&view.repository);
        for (path, node) in &self.artifacts {
            overlay.add_node(path.clone(), *node);
        }
        for (record, text) in self.entries.iter().zip(&self.texts) {
            overlay.add(record.repo_path().clone(), text.clone().into_bytes());
        }
        for (path, text) in &self.companions {
            overlay.add(path.clone(), text.clone().into_bytes());
        }
        let (mut proposal, mut report) = self.judge(&overlay)?;
        let signed = if writing.dry_run { Vec::new() } else { self.signed(&report)? };
        if !signed.is_empty() {
            for (path, text) in &signed {
                overlay.add(path.clone(), text.clone().into_bytes());
            }
            self.companions.extend(signed);
            (proposal, report) = self.judge(&overlay)?;
        }
        // What would be signed is not signed for a look.
        report.findings.retain(|f| !(writing.dry_run && f.check == "signature-missing"));
        // Where it is written says nothing of where it will be committed.
        let here = report.findings.iter().any(|finding| finding.check == "branch-protected");
        report.findings.retain(|finding| self.concerns(finding));
        if report.refused() {
            return Err(refuse(&report, &proposal));
        }
        for warning in report.findings.iter().filter(|f| f.severity == Severity::Warning) {
            complain(format!("warning: {}: {}", warning.check, warning.message));
        }
        if writing.dry_run {
            for (path, _) in &self.companions {
                say(format!("would write {path}"));
            }
            for (record, text) in self.entries.iter().zip(&self.texts) {
                say_lines(format!("would write {}\n{text}", record.repo_path()));
            }
            return Ok(Written::Foreseen);
        }
        prepare()?;
        self.write(&view.repository)?;
        if let (true, Some(branch)) = (here, &view.proposal.branch) {
            say(format!("`{branch}` takes only merges: commit this on a branch of its own"));
            return Ok(Written::Elsewhere);
        }
        Ok(Written::Here)
    }

    /// Judges what is staged, with what is to be written.
    fn judge(&self, overlay: &Overlay<'_>) -> Result<(Proposal, Report), Fault> {
        let changes = overlay.changes(self.view.proposal.base, Side::Index)?;
        let branch = self.author.branch.clone();
        let proposal = Proposal { changes, branch, ..self.view.proposal.clone() };
        let report = guard::guard(overlay, &proposal, self.context.at(), true)?;
        Ok((proposal, report))
    }

    /// Signs what must be signed; everything, if Git signs every commit with an SSH key and the
    /// actor's keys are agreed. Gives the signatures with their places.
    fn signed(&self, report: &Report) -> Result<Vec<(RepoPath, String)>, Fault> {
        let World { policy, signers, .. } = &*self.view.world;
        let repository = &self.view.repository;
        if !repository.signs_with_ssh() {
            return Ok(Vec::new());
        }
        let always = repository.signs_commits() && policy.has_key(&self.author.actor, signers);
        let missing = |record: &Record| {
            let mut findings = report.findings.iter();
            findings.any(|f| f.check == "signature-missing" && f.place.path == *record.repo_path())
        };
        let mut signed = Vec::new();
        for (record, text) in self.entries.iter().zip(&self.texts) {
            if always || missing(record) {
                let signature = repository.sign(RECORD_NAMESPACE, text.as_bytes())?;
                signed.push((signature_path(record.repo_path()), signature));
            }
        }
        Ok(signed)
    }

    /// Tells whether a finding is about what is to be written, and not about other staged work.
    fn concerns(&self, finding: &Finding) -> bool {
        let own = |path: &RepoPath| {
            self.entries.iter().any(|record| record.repo_path() == path)
                || self.artifacts.iter().any(|(artifact, _)| artifact == path)
                || self.companions.iter().any(|(companion, _)| companion == path)
        };
        if finding.check == "branch-protected" {
            return false;
        }
        // A halt is pulled whatever is staged, and that is then told of it.
        if finding.check == "halt-standing" {
            return own(&finding.place.path);
        }
        own(&finding.place.path) || finding.related.iter().any(|related| own(&related.place.path))
    }

    fn write(self, repository: &GitRepository) -> Result<(), Stop> {
        let top = repository.work_dir().ok_or_else(|| {
            Stop::fault("a bare repository has no files to write", "work in a clone of it")
        })?;
        let entries = self.entries.iter().map(Record::repo_path).zip(&self.texts);
        let beside = self.companions.iter().map(|(path, text)| (path, text));
        let written: Vec<(&RepoPath, &String)> = beside.chain(entries).collect();
        let on_disk = |path: &RepoPath| top.join(path.to_string());
        for (path, _) in &written {
            must_be_new(&on_disk(path))?;
        }
        let listed = written.iter().map(|(path, text)| (*path, text.as_bytes()));
        let journal = Journal::begin(repository, top, listed, Vec::new())?;
        journal.around(|| {
            for (path, text) in &written {
                write_whole(&on_disk(path), text)?;
            }
            let artifacts = self.artifacts.iter().map(|(path, _)| path);
            let new = written.iter().map(|(path, _)| *path);
            repository.stage(&artifacts.chain(new).cloned().collect::<Vec<_>>())
        })?;
        for record in &self.entries {
            say(format!("wrote {}", record.repo_path()));
            tracing::info!(path = %record.repo_path(), kind = record.payload.word(), "wrote");
            activity(self.context, &self.author, record).log(repository)?;
        }
        let companions = self.companions.iter().map(|(path, _)| path);
        for signature in companions.filter(|path| signed_path(path).is_some()) {
            say(format!("wrote {signature}"));
        }
        Ok(())
    }
}

/// Shows why something is refused, and stops with exit code 1.
pub(super) fn refuse(report: &Report, proposal: &Proposal) -> Stop {
    trace::refused(report);
    let verdict = Verdict::new(report, proposal, 0);
    show_error(render(&verdict, ReportFormat::Human, style()).trim_end());
    Stop::Refused
}

/// Refuses a file that is there already.
fn must_be_new(path: &Path) -> Result<(), Fault> {
    if path.exists() {
        return Err(Fault::new(
            format!("{} is there already", path.display()),
            "commit it if it is staged, stage it with `git add` if it is yours, or remove it",
        ));
    }
    Ok(())
}

/// Gives the line that an entry leaves in the activity log; what it says in lists has a name there.
fn activity<'r>(context: &Context, author: &'r Author, record: &'r Record) -> Activity<'r> {
    let (inputs, outputs) = match &record.payload {
        Payload::Run(run) => (json!({ "evidence": run.inputs }), json!({ "run_id": run.run_id })),
        Payload::Handoff(handoff) => (json!({}), json!({ "artifacts": handoff.artifacts })),
        Payload::Gate(gate) => {
            (json!({ "evidence": gate.evidence }), json!({ "verdict": gate.verdict }))
        }
        Payload::AuditReport(report) => {
            (json!({ "evidence": report.covers }), json!({ "verdict": report.verdict }))
        }
        _ => (json!({}), json!({})),
    };
    let (status, seconds) = match &record.payload {
        Payload::Run(run) => (spelled(&run.status), run.duration_seconds),
        _ => ("completed".to_owned(), None),
    };
    Activity {
        timestamp: record.entry.recorded_at,
        agent: author.actor.as_str(),
        action: record.payload.word(),
        task_id: record.path.home.id().map(TaskId::as_str),
        inputs,
        outputs,
        duration_seconds: seconds.unwrap_or_else(|| context.elapsed().as_secs()),
        status,
    }
}
