//! `orch handoff verify`: artifacts against what they were sealed as, or are claimed to be, and what
//! a receiver would miss (R000-59, R002-36).

use super::Stop;
use super::context::{Context, View};
use super::export::entry_of;
use super::import::{form, read};
use super::output::{complain, json, say};
use super::seal::sealed_digest;
use super::told::must_be_there;
use crate::exchange::{Form, Signal};
use crate::ledger::State;
use crate::render::Format;
use crate::snapshot::{GitRepository, Mode, Repository as _, Side};
use crate::source::{Digest, RepoPath, TaskId, many};
use crate::world::{self, Fact, Seen};

/// Hold the artifacts of a task's live handoffs, or those of a file, against Git.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 if one is not as it was sealed. A FILE is in any form that `orch \
                        handoff import` reads.\nWhat the receiver should know and is not told \
                        is noted; with --complete it is refused.\nExample: orch handoff verify \
                        strat-001"
)]
pub(super) struct Verify {
    /// The task, or a file with a handoff; `-` reads standard input
    #[arg(value_name = "TASK|FILE")]
    of: String,
    /// Refuse a handoff that leaves out what the receiver should know, too
    #[arg(long)]
    complete: bool,
    /// Read the file as yaml, message, markdown, bundle or json, whatever it looks like
    #[arg(long = "as", value_name = "FORM", value_parser = form)]
    form: Option<Form>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

/// How one artifact stands against its seal.
#[derive(serde::Serialize)]
pub(super) struct Held {
    pub(super) stage: String,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) sealed: Digest,
    pub(super) found: Option<Digest>,
    pub(super) holds: bool,
    /// Whether it can be read as what its name says.
    #[serde(skip)]
    pub(super) readable: bool,
}

/// Tells whether a file's name says that it is JSON or YAML.
fn is_named(path: &RepoPath) -> bool {
    [".json", ".yaml", ".yml"].iter().any(|ending| path.as_bytes().ends_with(ending.as_bytes()))
}

/// Gives how the artifacts of a task's live handoffs stand against their seals, in order.
pub(super) fn held(view: &View, state: &State) -> Vec<Held> {
    let live = state.live_deliveries();
    live.flat_map(|delivery| delivery.artifacts.iter().map(move |artifact| (delivery, artifact)))
        .map(|(delivery, artifact)| {
            let fact = view.world.facts.get(Seen::Head, &artifact.path);
            Held {
                stage: delivery.stage.to_string(),
                name: artifact.name.to_string(),
                path: artifact.path.to_string(),
                sealed: artifact.checksum,
                found: fact.digest(),
                holds: fact.digest() == Some(artifact.checksum),
                readable: match fact {
                    Fact::File { document: Some(bytes), .. } if is_named(&artifact.path) => {
                        world::document(&artifact.path, bytes).is_some()
                    }
                    _ => true,
                },
            }
        })
        .collect()
}

/// Gives the artifacts that differ on disk from what is staged: nobody has judged those.
pub(super) fn unstaged(view: &View, held: &[Held]) -> Result<Vec<RepoPath>, Stop> {
    let mut arguments = vec!["diff", "--name-only", "-z", "--"];
    arguments.extend(held.iter().map(|held| held.path.as_str()));
    if held.is_empty() || view.repository.work_dir().is_none() {
        return Ok(Vec::new());
    }
    let listed = view.repository.run_git(&arguments)?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(RepoPath::from).collect())
}

impl Verify {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self.of.parse::<TaskId>() {
            Ok(id) if self.form.is_none() && !self.is_file(context) => self.of_task(context, &id),
            Ok(id) if self.form.is_none() => {
                // A file may be called as a task is: the task is meant, if there is one.
                match View::of(context, &[&id])?.task(&id) {
                    Ok(_) => self.of_task(context, &id),
                    Err(_) => self.of_file(context),
                }
            }
            _ => self.of_file(context),
        }
    }

    fn is_file(&self, context: &Context) -> bool {
        context.directory().join(&self.of).is_file()
    }

    fn of_task(&self, context: &Context, id: &TaskId) -> Result<(), Stop> {
        let view = View::of(context, &[id])?;
        let (ledger, state) = view.task(id)?;
        let held = held(&view, state);
        self.tell(&held, |one| {
            let word = word(one.holds, one.found);
            (one.holds, format!("{word}  {} ({}, stage {})", one.path, one.name, one.stage))
        });
        for path in unstaged(&view, &held)? {
            complain(format!(
                "{path} differs on disk from what is staged, which is what was judged"
            ));
        }
        if held.iter().any(|held| !held.holds) {
            complain(format!("next: orch handoff reject {id}"));
            return Err(Stop::Refused);
        }
        let last = state.live_deliveries().last();
        let last = last.and_then(|delivery| entry_of(ledger, delivery.sequence));
        last.map_or(Ok(()), |(_, handoff)| self.completeness(&Signal::of(handoff)))
    }

    fn of_file(&self, context: &Context) -> Result<(), Stop> {
        let signal = read(context, &self.of, self.form)?;
        let repository = context.repository()?;
        let held = claimed(&repository, &signal)?;
        self.tell(&held, |one| {
            (one.holds, format!("{}  {}", word(one.holds, one.found), one.path))
        });
        must_be_there(&repository, &signal.deliverables.created_or_modified, &[])?;
        if held.iter().any(|held| !held.holds) {
            complain("next: ask its source to hand off again");
            return Err(Stop::Refused);
        }
        self.completeness(&signal)
    }

    /// Prints how artifacts stand: as JSON, or each with a word and what it is called.
    fn tell<T: serde::Serialize>(&self, held: &[T], line: impl Fn(&T) -> (bool, String)) {
        if self.format == Format::Json {
            return json(&held);
        }
        let lines: Vec<(bool, String)> = held.iter().map(line).collect();
        for (_, line) in &lines {
            say(line);
        }
        let broken = lines.iter().filter(|(holds, _)| !holds).count();
        say(format!("{}, {broken} not as sealed", many(held.len(), "artifact")));
    }

    /// Names what the receiver is not told (R002-36).
    fn completeness(&self, signal: &Signal) -> Result<(), Stop> {
        let missing = signal.missing();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!("the handoff says nothing of {}", missing.join(", "));
        if self.complete {
            let help = "have its sender say it: `orch handoff create --help` lists the flags, and \
                        `none` is an answer";
            return Err(Stop::denied(message, help));
        }
        complain(format!("note: {message}"));
        Ok(())
    }
}

fn word(holds: bool, found: Option<Digest>) -> &'static str {
    match (holds, found) {
        (true, _) => "holds",
        (false, Some(_)) => "CHANGED",
        (false, None) => "MISSING",
    }
}

/// How a file stands against what a handoff in another form claims of it.
#[derive(serde::Serialize)]
struct Claimed {
    path: String,
    /// What it is said to hold, if anything.
    claimed: Option<Digest>,
    found: Option<Digest>,
    holds: bool,
}

/// Gives how the files that a handoff claims stand against the blobs that are staged.
fn claimed(repository: &GitRepository, signal: &Signal) -> Result<Vec<Claimed>, Stop> {
    let mut held = Vec::new();
    for claim in &signal.artifacts {
        let node = repository.node(Side::Index, &claim.path)?;
        let node = node.filter(|node| matches!(node.mode, Mode::File | Mode::Executable));
        let found = node.map(|node| sealed_digest(repository, node)).transpose()?;
        held.push(Claimed {
            path: claim.path.to_string(),
            claimed: claim.checksum,
            found,
            holds: found.is_some() && claim.checksum.is_none_or(|said| found == Some(said)),
        });
    }
    Ok(held)
}
