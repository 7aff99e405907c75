//! `orch log`: what everybody did, from the ledgers of any commit; or the log of decisions.

use std::path::PathBuf;

use super::Stop;
use super::context::Context;
use super::ledger::write_whole;
use super::output::{json, say, say_lines};
use super::story::told;
use crate::record::{Home, Record, decisions_log};
use crate::render::{Format, one_line};
use crate::snapshot::Side;
use crate::world;

/// Tell what everybody did, from the ledgers of a commit.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch log --decisions --output docs/runbooks/decisions_log.md")]
pub(super) struct Log {
    /// The commit; by default what is staged
    rev: Option<String>,
    /// The log of decisions, in Markdown
    #[arg(long)]
    decisions: bool,
    /// Write it to a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

impl Log {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let side = match &self.rev {
            Some(rev) => Side::Commit(repository.resolve(rev)?),
            None => Side::Index,
        };
        let records = world::every_record(&repository, side)?;
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
                write_whole(&context.directory().join(file), &text)?;
                say(format!("wrote {}", file.display()));
            }
            None => say_lines(text),
        }
        Ok(())
    }
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
