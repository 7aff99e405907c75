//! `orch report`: the whole of the work on one page, in short, or as JSON.

use std::path::{Path, PathBuf};

use super::Stop;
use super::board::{place_of, refuse_sealed};
use super::context::{Context, View};
use super::files::write_output;
use super::output::{json, say, say_lines};
use crate::record::RecordPath;
use crate::render::{self, Format};
use crate::report::Overview;
use crate::report::overview::Terms;
use crate::snapshot::Repository as _;
use crate::source::{CLOCK_TOLERANCE, Moment, RepoPath};
use crate::world;

/// Show the whole of the work: on one page, in short, or as JSON.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The page needs nothing but itself: no script, no font, no network. It shows the board, \
                  what is owed,\nwhat was there to see before something went live, charts, what waits for \
                  what, decisions, who acted,\nand each task's time line. It is of one commit alone; what \
                  goes on on other branches is in `orch status`.\nThe same commit and the same `--at` give \
                  the same bytes. Nothing is staged.\nExample: orch report --html report.html\n         \
                  orch report HEAD --markdown >> \"$GITHUB_STEP_SUMMARY\""
)]
pub(super) struct Report {
    /// The commit; by default HEAD and what is staged
    rev: Option<String>,
    /// Write it to a file, as one page for a browser
    #[arg(long, value_name = "FILE", conflicts_with_all = ["markdown", "format", "output"])]
    html: Option<PathBuf>,
    /// In short, as Markdown for a job's summary or a pull request; so it is by default
    #[arg(long, conflicts_with = "format")]
    markdown: bool,
    /// Write the Markdown to a file
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    output: Option<PathBuf>,
    /// As of another moment, such as 2026-11-21T14:30:00Z
    #[arg(long, value_name = "TIME", value_parser = super::output::moment)]
    at: Option<Moment>,
    /// So many closed tasks have a time line, those that ended last; open ones have one anyway
    #[arg(long, value_name = "N", default_value_t = 50)]
    tasks: usize,
    /// human (Markdown) or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

impl Report {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::at(context, self.rev.as_deref(), self.at.unwrap_or(context.at()))?;
        let records = world::records_since(&view.repository, view.proposal.head, None, |_| true)?;
        let last = records.last().map(|record| record.entry.recorded_at);
        if let Some(last) = last.filter(|last| last.since(view.world.at) > CLOCK_TOLERANCE) {
            let message = format!("{} is before {last}, when something was written", view.world.at);
            let help = "give a later moment with `--at`, or an earlier commit; or set this machine's clock";
            return Err(Stop::fault(message, help));
        }
        let terms = Terms {
            commit: view.commit(),
            staged: !view.proposal.changes.is_empty(),
            records: &records,
            unreadable: files_of_records(&view)?.saturating_sub(records.len()),
            closed: self.tasks,
        };
        let mut overview = Overview::of(&view.world, terms);
        overview.measures.uncounted = view.uncounted()?;
        match (&self.html, &self.output, self.format) {
            (Some(file), ..) => write(context, &view, file, &render::page(&overview)),
            (_, Some(file), _) => write(context, &view, file, &render::overview(&overview)),
            (_, _, Format::Json) => {
                json(&overview);
                Ok(())
            }
            (_, _, Format::Human) => {
                say_lines(render::overview(&overview));
                Ok(())
            }
        }
    }
}

/// Counts the files that stand where records do.
fn files_of_records(view: &View) -> Result<usize, Stop> {
    let files = view.repository.list(view.proposal.head, &RepoPath::from(".orch"))?;
    Ok(files.iter().filter(|(path, _)| RecordPath::parse(path).is_ok()).count())
}

/// Writes a file that is nobody's: no record, nothing of Git's, and nothing that a handoff has sealed.
fn write(context: &Context, view: &View, file: &Path, text: &str) -> Result<(), Stop> {
    let place = place_of(context, file, "a report")?;
    refuse_sealed(view, file, &place)?;
    write_output(&place, text)?;
    say(format!("wrote {}", file.display()));
    Ok(())
}
