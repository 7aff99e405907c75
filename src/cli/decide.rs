//! `orch decide`: an immutable record of a person's choice, which may open guarded files.

use std::collections::BTreeSet;

use super::Stop;
use super::context::{Context, View, readable_policy};
use super::escalate::said;
use super::ledger::{Writer, Writing};
use super::lock::Lock;
use super::output::{id, say};
use super::task::word;
use crate::draft::Author;
use crate::policy::{self, Process};
use crate::record::kind::{Decision, DecisionStatus, Finding, PathChange, Position, Runbook};
use crate::record::{self, Envelope, Payload, RecordPath};
use crate::snapshot::{Node, Repository as _, Side};
use crate::source::{AgentName, Digest, RepoPath, TaskId};
use crate::world::{Settlement, World, entry_name};

/// Record a person's decision.
#[derive(Debug, clap::Args)]
#[command(after_help = "Writes .orch/decisions/YYYY-MM-DD-SLUG.yaml. `--changes` names a staged \
                        file that the decision lets change,\nsuch as the policy; commit both on a \
                        branch `orch/…`. `--resolves` settles an escalation, whose\npositions are \
                        taken over.\nExamples: orch decide --title 'Shorter audits' --context \
                        'They go stale' --decision 'Two weeks' --changes .orch/policy.yaml\n          \
                        orch decide --resolves strat-001/7 --finding upheld --title 'Lookahead' \
                        --context 'Both were heard' --decision 'It is mended'")]
pub(super) struct Decide {
    /// What was decided, in a few words
    #[arg(long)]
    title: String,
    /// What made it necessary
    #[arg(long)]
    context: String,
    /// What was chosen
    #[arg(long)]
    decision: String,
    /// Why
    #[arg(long)]
    rationale: Option<String>,
    /// An entry it settles, as TASK/SEQUENCE; may be given several times
    #[arg(long, value_name = "ENTRY", value_parser = entry)]
    resolves: Vec<String>,
    /// What became of a disputed finding of an audit: upheld or overturned
    #[arg(long, requires = "resolves", value_parser = word::<Finding>)]
    finding: Option<Finding>,
    /// One side of it, as AGENT: STATEMENT; those of a settled escalation are taken over
    #[arg(long, value_name = "POSITION", value_parser = said)]
    position: Vec<(AgentName, String)>,
    /// What mattered; may be given several times
    #[arg(long, value_name = "TEXT")]
    driver: Vec<String>,
    /// What was possible; may be given several times
    #[arg(long, value_name = "TEXT")]
    option: Vec<String>,
    /// What follows from it, also for the audit if a finding is overturned; may be given several times
    #[arg(long, value_name = "TEXT")]
    consequence: Vec<String>,
    /// How it will be seen to be kept
    #[arg(long, value_name = "TEXT")]
    confirmation: Option<String>,
    /// A decision that it replaces, by its id; may be given several times
    #[arg(long, value_name = "ID")]
    supersedes: Vec<String>,
    /// The task it is about
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    task: Option<TaskId>,
    /// A staged file that it lets change; may be given several times
    #[arg(long, value_name = "PATH", value_parser = path)]
    changes: Vec<RepoPath>,
    #[command(flatten)]
    writing: Writing,
}

/// The same decision twice is one; another one of the same title wants another.
fn said_already(path: &RepoPath, bytes: &[u8], payload: &Payload) -> Result<(), Stop> {
    let place = RecordPath::parse(path).map_err(|rule| Stop::fault(rule, "choose a title"))?;
    if record::parse(&place, bytes).is_ok_and(|known| known.payload == *payload) {
        say(format!("{path} says this already"));
        return Ok(());
    }
    let help = "say in the title what is different";
    Err(Stop::denied(format!("{path} is another decision of this day and title"), help))
}

fn entry(text: &str) -> Result<String, String> {
    entry_name(text).map(|_| text.to_owned()).ok_or_else(|| "write TASK/SEQUENCE".into())
}

fn path(text: &str) -> Result<RepoPath, String> {
    RepoPath::canonical(text).map_err(|fault| fault.to_string())
}

impl Decide {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        let settled: Vec<TaskId> =
            self.resolves.iter().filter_map(|e| Some(entry_name(e)?.0)).collect();
        let focus: Vec<&TaskId> = settled.iter().chain(&self.task).collect();
        let view = View::within(context, repository, &focus)?;
        let author = context.author(&view.policy(), view.proposal.branch.clone())?;
        let policy = view.policy();
        if let Some(settlement) = self.settled_by(&view.world) {
            return self.again(settlement);
        }
        if !policy.is_person(&author.actor) {
            let people = policy.agents_who(|agent| agent.human).into_iter();
            let names: Vec<String> = people.map(|name| format!("`{name}`")).collect();
            let message = format!("`{}` is no person, and only people decide", author.actor);
            return Err(Stop::denied(message, format!("ask {}", names.join(" or "))));
        }
        let decision = self.decision(&view, &author)?;
        let id = decision.id.clone();
        let envelope = Envelope {
            sequence: None,
            previous: None,
            recorded_at: author.at,
            actor: author.actor.clone(),
            session: author.session.clone(),
            branch: author.branch.clone(),
            policy: Some(view.policy().digest),
        };
        let decision_payload: Payload = decision.into();
        let path = RepoPath::from(format!(".orch/decisions/{id}.yaml").as_str());
        if let Some(node) = view.repository.node(Side::Index, &path)? {
            return said_already(&path, &view.repository.read(node.oid)?, &decision_payload);
        }
        let place = RecordPath::parse(&path).map_err(|rule| Stop::fault(rule, "choose a title"))?;
        let text = policy::write(policy.schemas.as_ref(), &place, &decision_payload, &envelope);
        let mut writer = Writer::new(context, &view, author);
        writer.push(record::parse(&place, text.as_bytes()), text)?;
        if writer.commit(self.writing)?.is_foreseen() {
            return Ok(());
        }
        for (task, _) in self.resolves.iter().filter_map(|text| entry_name(text)) {
            say(format!("`{task}` goes on: orch next"));
        }
        say("next: git commit");
        Ok(())
    }

    fn decision(&self, view: &View, author: &Author) -> Result<Decision, Stop> {
        let day = author.at.day();
        let id = format!("{day}-{}", slug(&self.title)?);
        Ok(Decision {
            id,
            title: self.title.clone(),
            status: DecisionStatus::Accepted,
            date: day,
            decision_makers: vec![author.actor.clone()],
            consulted: Vec::new(),
            informed: Vec::new(),
            context: self.context.clone(),
            drivers: self.driver.clone(),
            options: self.option.clone(),
            positions: self.positions(&view.world),
            outcome: self.outcome(),
            consequences: self.consequence.clone(),
            confirmation: self.confirmation.clone(),
            finding: self.finding,
            resolves: self.resolves.clone(),
            supersedes: self.supersedes.clone(),
            runbooks: self.runbooks(view)?,
            changes: self.changed(view)?,
            task_id: self.task.clone(),
        })
    }

    /// Gives how all of it is settled already, unless this takes the place of that.
    fn settled_by<'w>(&self, world: &'w World) -> Option<&'w Settlement> {
        let names: Option<Vec<_>> = self.resolves.iter().map(|text| entry_name(text)).collect();
        let settled = names?.into_iter().map(|name| world.settled.get(&name));
        let known = settled.collect::<Option<Vec<_>>>()?.into_iter().next()?;
        (!self.supersedes.contains(&known.id())).then_some(known)
    }

    /// The same submission twice gives one record; another one needs to say what it replaces.
    fn again(&self, known: &Settlement) -> Result<(), Stop> {
        if (known.finding, &known.outcome) == (self.finding, &self.outcome()) {
            say(format!("this is settled already, by {}", known.path));
            return Ok(());
        }
        let message = format!("this is settled already, and otherwise, by {}", known.path);
        let help = format!("if this takes its place: `--supersedes {}`", known.id());
        Err(Stop::denied(message, help))
    }

    fn outcome(&self) -> String {
        match &self.rationale {
            Some(why) => format!("{}, because {why}", self.decision),
            None => self.decision.clone(),
        }
    }

    /// The positions of what is settled, and those that were told now.
    fn positions(&self, world: &World) -> Vec<Position> {
        let escalations = self.resolves.iter().filter_map(|text| {
            let (task, sequence) = entry_name(text)?;
            let mut known = world.task(&task)?.escalations.iter();
            known.find(|known| known.sequence == sequence)
        });
        let heard = escalations.flat_map(|known| known.escalation.positions.iter().cloned());
        let told = self.position.iter().map(|(agent, statement)| Position {
            agent: agent.clone(),
            statement: statement.clone(),
            evidence: Vec::new(),
        });
        heard.chain(told).collect()
    }

    /// What the runbooks hold that go with a change of how people work, as is staged (R003-43). The
    /// policy that is brought may name more of them than the one that was agreed.
    fn runbooks(&self, view: &View) -> Result<Vec<Runbook>, Stop> {
        let brought = readable_policy(&view.repository, Side::Index)?;
        let named = brought.iter().map(|policy| &policy.process);
        let processes: Vec<&Process> = named.chain([&view.world.policy.process]).collect();
        let told = |path: &RepoPath| processes.iter().any(|process| process.is_told_of(path));
        if !self.changes.iter().any(told) {
            return Ok(Vec::new());
        }
        let paths: BTreeSet<&RepoPath> =
            processes.iter().flat_map(|process| &process.runbooks).collect();
        let mut runbooks = Vec::new();
        for path in paths {
            let staged = digest(view, view.repository.node(Side::Index, path)?)?;
            runbooks.extend(staged.map(|checksum| Runbook { path: path.clone(), checksum }));
        }
        Ok(runbooks)
    }

    /// What each file that the decision opens then holds: what is staged of it.
    fn changed(&self, view: &View) -> Result<Vec<PathChange>, Stop> {
        let mut changes = Vec::new();
        for path in &self.changes {
            let node = view.repository.node(Side::Index, path)?;
            if node == view.repository.node(view.proposal.base, path)? {
                let message = format!("nothing of `{path}` is staged to be changed");
                return Err(Stop::fault(
                    message,
                    format!("stage the change first: `git add {}`", path.in_shell()),
                ));
            }
            let replaces = digest(view, view.repository.node(view.proposal.base, path)?)?;
            let checksum = digest(view, node)?;
            changes.push(PathChange { path: path.clone(), checksum, replaces });
        }
        Ok(changes)
    }
}

/// Gives what a file holds, if it is there.
fn digest(view: &View, node: Option<Node>) -> Result<Option<Digest>, Stop> {
    let bytes = node.map(|node| view.repository.read(node.oid)).transpose()?;
    Ok(bytes.map(|bytes| Digest::of(&bytes)))
}

/// The title as a file's name may hold it.
fn slug(title: &str) -> Result<String, Stop> {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    let slug: String = slug.chars().take(60).collect();
    if slug.is_empty() {
        return Err(Stop::fault("the title has no letter or digit", "name it in a few words"));
    }
    Ok(slug.trim_end_matches('-').to_owned())
}

/// Tells what a person types so that files which start the guard may change: the branch, then the title, the context and
/// the decision, then the files.
pub(super) fn to_be_typed(
    branch: &str,
    [title, context, decision]: [&str; 3],
    files: &[&str],
) -> String {
    let changes: String = files.iter().map(|file| format!(" --changes {file}")).collect();
    format!(
        "next, a person on a branch of its own: git switch -c {branch}\n  git add {}\n  orch decide --title \
         '{title}' --context '{context}' --decision '{decision}'{changes}\n  git commit -m '{title}'",
        files.join(" ")
    )
}
