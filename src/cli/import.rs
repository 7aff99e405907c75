//! `orch handoff import`: a handoff in another tool's form becomes a sealed entry (R000-32, R002-9,
//! R001-36).

use std::collections::BTreeSet;
use std::io::Read as _;

use serde_json::{Map, Value, json};

use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::handoff::already_sealed;
use super::ledger::{Writer, Writing};
use super::output::say;
use super::seal::seal;
use super::told::{made, must_be_there};
use crate::draft;
use crate::exchange::{self, ENOUGH_BYTES, Form, Signal};
use crate::ledger::{Delivery, State};
use crate::policy::Stage;
use crate::record::kind::Artifact;
use crate::record::{Payload, Problem};
use crate::snapshot::Node;
use crate::source::{ArtifactName, Position, RepoPath};

/// Read a handoff that was written elsewhere, and seal it as an entry.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads `handoff: {from, to, task_id, artifacts: [{path, checksum}], message, \
                        next_steps}`, a\n`message:` of the type handoff, a Markdown `## Agent \
                        Handoff Signal`, and a bundle {repository,\nbase, head, candidateId, stage, \
                        artifactPath}, told by their content. Every checksum must be the\none of \
                        the file; where none is named, it is computed.\nExample: orch handoff \
                        import handoff.yaml"
)]
pub(super) struct Import {
    /// The file; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// Read it as yaml, message, markdown, bundle or json, whatever it looks like
    #[arg(long, value_parser = form)]
    format: Option<Form>,
    #[command(flatten)]
    writing: Writing,
}

/// Parses the name of a form, with all of them in the error.
pub(super) fn form(text: &str) -> Result<Form, String> {
    text.parse().map_err(|fault: exchange::FormFault| fault.to_string())
}

impl Import {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let signal = read(context, &self.file, self.format)?;
        let desk = Desk::of(context, &signal.task_id)?;
        let (view, state) = (&desk.view, desk.state());
        let stage = desk.stage(None)?;
        stands_there(&signal, state, stage)?;
        on_its_branch(&signal, view.proposal.branch.as_deref())?;
        let chosen = named(stage, &signal)?;
        let sealed = seal(view, desk.policy(), state, stage, &chosen)?;
        compare(&self.file, &signal, &sealed)?;
        if let Some(done) = already_sealed(state, stage)
            && sealed.iter().map(|(artifact, _)| artifact).eq(&done.artifacts)
        {
            return same_as_sealed(&desk, signal, done);
        }
        must_run(state, stage)?;
        let author = desk.author(context)?;
        let run_id = draft::run_to_end(&view.world, state, stage);
        let artifacts = sealed.iter().map(|(artifact, _)| artifact.clone()).collect();
        let from = author.actor.clone();
        let mut handoff = draft::handoff(desk.policy(), state, stage, run_id, from, artifacts);
        signal.tell(&mut handoff);
        must_be_there(&view.repository, made(&handoff), &sealed)?;
        let mut writer = Writer::new(context, view, author);
        writer.seal(sealed, self.writing);
        writer.add(&desk.home(), handoff)?;
        if writer.commit(self.writing)?.is_foreseen() {
            return Ok(());
        }
        say("next: git commit");
        Ok(())
    }
}

/// Reads a handoff from a file, or from standard input; refuses with line and column.
pub(super) fn read(context: &Context, file: &str, form: Option<Form>) -> Result<Signal, Stop> {
    let bytes = bytes_of(context, file)?;
    exchange::read(&bytes, form).map_err(|problems| unreadable(file, &bytes, &problems))
}

/// Gives the bytes of a file, or of standard input, and no more of an endless one than shows that it is
/// too large.
pub(super) fn bytes_of(context: &Context, file: &str) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    let read = if file == "-" {
        std::io::stdin().lock().take(ENOUGH_BYTES).read_to_end(&mut bytes)
    } else {
        let opened = std::fs::File::open(context.directory().join(file));
        opened.and_then(|file| file.take(ENOUGH_BYTES).read_to_end(&mut bytes))
    };
    let bytes = read.map(|_| bytes);
    bytes.map_err(|error| {
        Stop::fault(format!("{file} can't be read: {error}"), "name a file, or `-`")
    })
}

/// Tells what is wrong with a file, the first things first, each with its place.
pub(super) fn unreadable(file: &str, bytes: &[u8], problems: &[Problem]) -> Stop {
    let text = String::from_utf8_lossy(bytes);
    let told = problems.iter().take(5).map(|problem| {
        let at = Position::of(&text, problem.span.start);
        format!("{file}:{}:{}: {}", at.line, at.column, problem.message)
    });
    let help = problems.first().map_or("", |problem| problem.help.as_str());
    Stop::fault(told.collect::<Vec<_>>().join("; "), help)
}

/// A handoff that names its stage is of the stage that the task stands in.
fn stands_there(signal: &Signal, state: &State, stage: &Stage) -> Result<(), Stop> {
    let (id, said) = (&signal.task_id, signal.stage.as_ref());
    match said.filter(|said| **said != stage.name) {
        Some(said) => {
            let message =
                format!("this hands over stage `{said}`, and `{id}` is {}", state.standing);
            Err(Stop::denied(message, format!("see where it stands: `orch status {id}`")))
        }
        None => Ok(()),
    }
}

/// A bundle is of the branch that it names (R001-36).
fn on_its_branch(signal: &Signal, branch: Option<&str>) -> Result<(), Stop> {
    let head = signal.bundle.as_ref().map(|bundle| bundle.head.as_str());
    match (head, branch) {
        (Some(head), Some(branch)) if head != branch => {
            let message = format!("this bundle is of the branch `{head}`, and this is `{branch}`");
            let word = RepoPath::from(head).in_shell();
            Err(Stop::denied(message, format!("go there first: `git switch {word}`")))
        }
        _ => Ok(()),
    }
}

/// Tells that there is nothing to do; refuses if the file says something else than what was handed off:
/// it would be lost without a word.
fn same_as_sealed(desk: &Desk, signal: Signal, done: &Delivery) -> Result<(), Stop> {
    let mut records = desk.ledger().records.iter();
    let record = records.find(|record| record.sequence() == done.sequence);
    let Some(Payload::Handoff(held)) = record.map(|record| &record.payload) else {
        return Ok(());
    };
    let id = signal.task_id.clone();
    let mut wanted = held.clone();
    signal.tell(&mut wanted);
    let [held, wanted] = [held, &wanted].map(|handoff| json!(handoff));
    let keys = [&held, &wanted].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    let differing: BTreeSet<&str> =
        keys.filter(|key| held.get(*key) != wanted.get(*key)).map(String::as_str).collect();
    if differing.is_empty() {
        say(format!("stage {} is handed off already, to {}", done.stage, done.to));
        return Ok(());
    }
    let differing = differing.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!(
        "stage `{}` is handed off already, and this says something else: {differing}",
        done.stage
    );
    let help = format!(
        "see what was said: `orch handoff show {id}`; to say this instead: `orch handoff reject \
         {id}`, `orch run start {id}`, and import it again"
    );
    Err(Stop::denied(message, help))
}

/// Only a run that goes on can be handed off.
fn must_run(state: &State, stage: &Stage) -> Result<(), Stop> {
    if state.active_run().is_some() {
        return Ok(());
    }
    let id = &state.task.task_id;
    if let Some(done) = already_sealed(state, stage) {
        let message = format!("stage `{}` is handed off already, with other files", done.stage);
        let help = format!(
            "take that back: `git add` what changed, `orch handoff reject {id}`, then `orch run \
             start {id}`"
        );
        return Err(Stop::denied(message, help));
    }
    let message = format!("no run of stage `{}` goes on: `{id}` is {}", stage.name, state.standing);
    Err(Stop::denied(message, format!("begin it: `orch run start {id}`")))
}

/// Every file that is claimed must be sealed, and every checksum the one of Git's blob.
fn compare(file: &str, signal: &Signal, sealed: &[(Artifact, Node)]) -> Result<(), Stop> {
    for said in &signal.artifacts {
        let held = sealed.iter().find(|(artifact, _)| artifact.path == said.path);
        let Some((artifact, _)) = held else {
            let message = format!("`{}` is not among what this stage hands over", said.path);
            let help = "change it on this branch, or name a file that was";
            return Err(Stop::denied(message, help));
        };
        let Some(checksum) = said.checksum else { continue };
        if artifact.checksum != checksum {
            let (path, found) = (&said.path, artifact.checksum);
            let message = format!("{file} says {checksum} of `{path}`, which holds {found}");
            return Err(Stop::denied(message, "ask its source to hand off again"));
        }
    }
    Ok(())
}

/// Names the artifacts by the stage's globs where the file does not. Files that it claims without a
/// checksum are some of those to be sealed, not all: the stage's own rule collects them.
fn named(stage: &Stage, signal: &Signal) -> Result<Vec<(ArtifactName, RepoPath)>, Stop> {
    let mut named = Vec::new();
    for claim in &signal.artifacts {
        let Some(name) = claim.name.clone().or_else(|| produced_as(stage, &claim.path)) else {
            let message = format!("stage `{}` produces nothing like `{}`", stage.name, claim.path);
            return Err(Stop::fault(message, "give the artifact a `name`, or mend the path"));
        };
        if claim.checksum.is_some() {
            named.push((name, claim.path.clone()));
        }
    }
    Ok(named)
}

fn produced_as(stage: &Stage, path: &RepoPath) -> Option<ArtifactName> {
    let mut matching = stage.produces.iter().filter(|(_, produce)| produce.glob.matches(path));
    matching.next().map(|(name, _)| name.clone())
}
