//! `orch log`: what everybody did, from the ledgers of any commit; or the log of decisions; or what
//! this machine wrote down, and its archive.

mod archive;
mod follow;
mod local;

use std::path::PathBuf;

use super::Stop;
use super::context::{Context, readable_policy, unknown_agent};
use super::files::write_output;
use super::ledger::Writing;
use super::output::{id, json, say, say_lines};
use super::since::since;
use crate::record::{Home, Payload, Record, RecordPath, decisions_log, did_you_mean};
use crate::render::{Format, one_line};
use crate::report::told;
use crate::snapshot::{GitRepository, Side};
use crate::source::id::IdFault;
use crate::source::{AgentName, Moment, TaskId};
use crate::world;

/// Tell what everybody did, from the ledgers of a commit.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With --agent, only what that agent did; ORCH_AGENT alone leaves out nothing.\n\
                  --activity reads logs/agent_activity.log, which every command that writes on this machine \
                  appends to. --archive moves what that log and orch's own hold of yesterday and before \
                  into DIR, a file and a checksum for each day in UTC: run it nightly.\nExamples: orch \
                  log --task strat-001; orch log --since 24h --agent quant_engineer; orch log --follow; \
                  orch log --archive storage/audit --weekly; orch log --decisions --output \
                  docs/runbooks/decisions_log.md"
)]
pub(super) struct Log {
    /// The commit; by default what is staged
    rev: Option<String>,
    /// The log of decisions, in Markdown
    #[arg(long, conflicts_with_all = ["task", "since", "kind", "follow", "activity"])]
    decisions: bool,
    /// Of this task, incident or halt alone
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    task: Option<TaskId>,
    /// Only what was written at or after this moment, in RFC 3339, or so long ago: 24h
    #[arg(long, value_name = "MOMENT")]
    since: Option<String>,
    /// Only entries of this kind, such as gate; of the activity log, only this action
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Go on telling what comes, until Ctrl-C; in JSON, an entry a line
    #[arg(long, conflicts_with = "output")]
    follow: bool,
    /// What this machine wrote down, from logs/agent_activity.log
    #[arg(long, conflicts_with = "rev")]
    activity: bool,
    /// Move what the logs of this machine hold of days that are over into a folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["rev", "decisions", "task", "since", "kind",
        "follow", "activity", "output"])]
    archive: Option<PathBuf>,
    /// Join the archive's days of weeks that are over, a file a week
    #[arg(long, requires = "archive")]
    weekly: bool,
    /// Tell what would be archived, but write nothing
    #[arg(long, requires = "archive")]
    dry_run: bool,
    /// Write it to a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
struct Asked {
    task: Option<TaskId>,
    by: Option<AgentName>,
    since: Option<Moment>,
    kind: Option<String>,
}

impl Asked {
    /// Tells by its path whether a record may be asked for.
    fn may_be(&self, path: &RecordPath) -> bool {
        let own = |id: &TaskId| {
            path.home.id().is_some_and(|known| known.as_str().eq_ignore_ascii_case(id.as_str()))
        };
        self.task.as_ref().is_none_or(own) && self.kind.as_ref().is_none_or(|k| *k == path.word)
    }

    /// Refuses an agent that the policy does not have, for one of whom nothing is found.
    fn known_agent(&self, repository: &GitRepository) -> Result<(), Stop> {
        let Some(by) = &self.by else { return Ok(()) };
        match readable_policy(repository, Side::Index)? {
            Some(policy) if !policy.agents.contains_key(by) => {
                Err(unknown_agent(&policy, by.as_str(), ""))
            }
            _ => Ok(()),
        }
    }

    fn is(&self, record: &Record) -> bool {
        self.by.as_ref().is_none_or(|by| record.entry.actor == *by)
            && self.since.is_none_or(|since| record.entry.recorded_at >= since)
    }
}

impl Log {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        if let Some(folder) = &self.archive {
            let folder = context.directory().join(folder);
            let writing = Writing { dry_run: self.dry_run };
            return archive::archive(context, &repository, &folder, self.weekly, writing);
        }
        let asked = self.asked(context)?;
        if self.activity {
            return local::tell(&repository, &asked, self.format, self.follow);
        }
        if let Some(kind) = asked.kind.as_ref().filter(|k| !Payload::WORDS.contains(&k.as_str())) {
            let near = did_you_mean(kind, Payload::WORDS.iter().copied());
            let near = near.map(|near| format!("did you mean `{near}`?"));
            let help = near.unwrap_or_else(|| format!("there are {}", Payload::WORDS.join(", ")));
            return Err(Stop::fault(format!("there is no kind of entry `{kind}`"), help));
        }
        if self.follow {
            return follow::follow(context, self.rev.as_deref(), &asked, self.format);
        }
        let records = records(&repository, self.rev.as_deref(), &asked)?;
        if let Some(task) = asked.task.as_ref().filter(|_| records.is_empty()) {
            known(&repository, self.rev.as_deref(), task)?;
        }
        if records.is_empty() {
            asked.known_agent(&repository)?;
        }
        let text = match (self.decisions, self.format) {
            (only, Format::Json) => {
                let told = records.iter().filter(|r| !only || r.path.home == Home::Decision);
                json(&told.map(as_json).collect::<Vec<_>>());
                return Ok(());
            }
            (true, Format::Human) => decisions_log(records.iter()),
            (false, Format::Human) => records.iter().map(line).collect(),
        };
        match &self.output {
            Some(file) => {
                write_output(&context.directory().join(file), &text)?;
                say(format!("wrote {}", file.display()));
            }
            None => say_lines(text),
        }
        Ok(())
    }

    fn asked(&self, context: &Context) -> Result<Asked, Stop> {
        let since = self.since.as_deref().map(|text| since(text, context.at())).transpose()?;
        let by = context.named_agent().map(str::parse).transpose();
        let by = by.map_err(|fault: IdFault| {
            Stop::fault(fault.to_string(), "name one agent of the policy, or none")
        })?;
        Ok(Asked { task: self.task.clone(), by, since, kind: self.kind.clone() })
    }
}

fn side(repository: &GitRepository, rev: Option<&str>) -> Result<Side, Stop> {
    Ok(match rev {
        Some(rev) => Side::Commit(repository.resolve(rev)?),
        None => Side::Index,
    })
}

/// Gives the entries that are asked for, by their moments.
fn records(
    repository: &GitRepository,
    rev: Option<&str>,
    asked: &Asked,
) -> Result<Vec<Record>, Stop> {
    let side = side(repository, rev)?;
    let may_be = |path: &RecordPath| asked.may_be(path);
    let mut records = world::records_since(repository, side, asked.since, may_be)?;
    records.retain(|record| asked.is(record));
    Ok(records)
}

/// Refuses an id that no ledger has.
fn known(repository: &GitRepository, rev: Option<&str>, task: &TaskId) -> Result<(), Stop> {
    let side = side(repository, rev)?;
    let ids = world::known_ids(repository, side)?;
    if ids.iter().any(|id| id.eq_ignore_ascii_case(task.as_str())) {
        return Ok(());
    }
    let help = match did_you_mean(task.as_str(), ids.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`orch task list --all` and `orch incident list --all` tell what there is".into(),
    };
    Err(Stop::fault(format!("nothing is recorded of `{task}` here"), help))
}

fn as_json(record: &Record) -> serde_json::Value {
    serde_json::json!({
        "path": record.repo_path(), "kind": record.payload.word(), "id": record.path.home.id(),
        "payload": record.payload, "entry": record.entry, "digest": record.digest,
    })
}

fn line(record: &Record) -> String {
    let id = record.path.home.id().map_or("-", |id| id.as_str());
    let (when, who) = (record.entry.recorded_at, &record.entry.actor);
    format!("{}\n", one_line(&format!("{when}  {id}  {who}  {}", told(record))))
}
