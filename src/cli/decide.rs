//! `orch decide`: an immutable record of a person's choice, which may open guarded files.

use super::Stop;
use super::context::{Context, View};
use super::ledger::{Writer, Writing};
use super::lock::Lock;
use super::output::{id, say};
use crate::record::kind::{Decision, DecisionStatus, PathChange};
use crate::record::{self, Envelope, RecordPath};
use crate::snapshot::{Repository as _, Side};
use crate::source::{Digest, RepoPath, TaskId};

/// Record a person's decision.
#[derive(Debug, clap::Args)]
#[command(after_help = "Writes .orch/decisions/YYYY-MM-DD-SLUG.yaml. `--changes` names a staged \
                        file that the decision lets change,\nsuch as the policy; commit both on a \
                        branch `orch/…`.\nExample: orch decide --title 'Shorter audits' --context \
                        'They go stale' --decision 'Two weeks' --changes .orch/policy.yaml")]
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
    #[arg(long, value_name = "ENTRY")]
    resolves: Vec<String>,
    /// The task it is about
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    task: Option<TaskId>,
    /// A staged file that it lets change; may be given several times
    #[arg(long, value_name = "PATH", value_parser = path)]
    changes: Vec<RepoPath>,
    #[command(flatten)]
    writing: Writing,
}

fn path(text: &str) -> Result<RepoPath, String> {
    RepoPath::canonical(text).map_err(|fault| fault.to_string())
}

impl Decide {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        let view = View::within(context, repository, &[])?;
        let author = context.author(&view.policy(), view.proposal.branch.clone())?;
        let policy = view.policy();
        if !policy.is_person(&author.actor) {
            let people = policy.agents_who(|agent| agent.human).into_iter();
            let names: Vec<String> = people.map(|name| format!("`{name}`")).collect();
            let message = format!("`{}` is no person, and only people decide", author.actor);
            return Err(Stop::denied(message, format!("ask {}", names.join(" or "))));
        }
        let day = author.at.day();
        let id = format!("{day}-{}", slug(&self.title)?);
        let outcome = match &self.rationale {
            Some(why) => format!("{}, because {why}", self.decision),
            None => self.decision.clone(),
        };
        let decision = Decision {
            id: id.clone(),
            title: self.title.clone(),
            status: DecisionStatus::Accepted,
            date: day,
            decision_makers: vec![author.actor.clone()],
            consulted: Vec::new(),
            informed: Vec::new(),
            context: self.context.clone(),
            drivers: Vec::new(),
            options: Vec::new(),
            positions: Vec::new(),
            outcome,
            consequences: Vec::new(),
            confirmation: None,
            finding: None,
            resolves: self.resolves.clone(),
            supersedes: Vec::new(),
            changes: self.changed(&view)?,
            task_id: self.task.clone(),
        };
        let envelope = Envelope {
            sequence: None,
            previous: None,
            recorded_at: author.at,
            actor: author.actor.clone(),
            session: author.session.clone(),
            branch: author.branch.clone(),
            policy: Some(view.policy().digest),
        };
        let text = record::write(&decision.into(), &envelope);
        let path = RepoPath::from(format!(".orch/decisions/{id}.yaml").as_str());
        let place = RecordPath::parse(&path).map_err(|rule| Stop::fault(rule, "choose a title"))?;
        let mut writer = Writer::new(context, &view, author);
        writer.push(record::parse(&place, text.as_bytes()), text)?;
        writer.commit(self.writing)?;
        say("next: git commit");
        Ok(())
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
                    format!("stage the change first: `git add {path}`"),
                ));
            }
            let bytes = node.map(|node| view.repository.read(node.oid)).transpose()?;
            let checksum = bytes.map(|bytes| Digest::of(&bytes));
            changes.push(PathChange { path: path.clone(), checksum });
        }
        Ok(changes)
    }
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
