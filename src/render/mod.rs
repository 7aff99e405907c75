//! Verdicts as text: a report goes in, a string comes out, and nothing is printed here.
//!
//! One file a format. Whatever the repository says is made harmless for a terminal and for a CI
//! log on the way (attacks 116 and 117).

mod block;
mod board;
mod error;
mod excerpt;
mod exposition;
mod format;
mod github;
mod html;
mod human;
mod json;
mod junit;
mod markdown;
mod numbers;
mod overview;
mod picture;
#[cfg(test)]
mod sample;
mod sarif;
mod sarif_log;
mod summary;
mod text;
mod uri;

pub use block::{Marks, MarksFault, with_block};
pub use board::{board, duration, more_done};
pub use error::{CANNOT_LOOK, Failure, render_failure};
pub use exposition::{open_metrics, prometheus};
pub use format::{Format, FormatFault, MeasuresFormat, ReportFormat};
pub use html::page;
pub use json::{line as json_line, pretty};
pub use numbers::numbers;
pub use overview::overview;
pub use text::{harmless, in_one_line as one_line};

use crate::diagnostic::Report;
use crate::snapshot::{Proposal, Side};

/// What the reader's terminal can show; only the human format looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences may be written at all.
    pub colour: bool,
    /// Columns to fill; fewer than 40 are taken as 40.
    pub width: usize,
    /// Whether lines are drawn with Unicode; the repository's own text is shown as it is.
    pub unicode: bool,
    /// Whether to tell in sentences what a picture would show, for screen readers.
    pub narrated: bool,
}

impl Default for Style {
    /// Gives what is safe for a file or a log: no colours, 100 columns, drawn lines.
    fn default() -> Self {
        Style { colour: false, width: 100, unicode: true, narrated: false }
    }
}

/// A report together with what was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// What was found.
    pub report: &'a Report,
    /// What the proposal was compared with: a commit, `index` or `nothing`.
    pub base: String,
    /// What was proposed, in the same words.
    pub head: String,
    /// The branch it was proposed on, if that is known.
    pub branch: Option<String>,
    /// How long the look took.
    pub elapsed_ms: u64,
}

impl<'a> Verdict<'a> {
    /// Takes a report and the proposal it judges.
    pub fn new(report: &'a Report, proposal: &Proposal, elapsed_ms: u64) -> Self {
        Verdict {
            report,
            base: side(proposal.base),
            head: side(proposal.head),
            branch: proposal.branch.clone(),
            elapsed_ms,
        }
    }
}

fn side(side: Side) -> String {
    match side {
        Side::Nothing => "nothing".to_owned(),
        Side::Index => "index".to_owned(),
        Side::Commit(oid) => oid.to_string(),
    }
}

/// Gives a verdict as text that ends with a newline. Nothing is refused.
pub fn render(verdict: &Verdict<'_>, format: ReportFormat, style: Style) -> String {
    match format {
        ReportFormat::Human => human::verdict(verdict, style),
        ReportFormat::Json => json::verdict(verdict),
        ReportFormat::Sarif => sarif::verdict(verdict),
        ReportFormat::Github => github::verdict(verdict),
        ReportFormat::Markdown => markdown::verdict(verdict),
        ReportFormat::Junit => junit::verdict(verdict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Memory, Occasion};

    #[test]
    fn sides_are_named_as_git_names_them() {
        let report = Report::default();
        let proposal = Proposal {
            agreed: Memory::commit(1),
            base: Memory::commit(1),
            head: Side::Index,
            branch: None,
            occasion: Occasion::Commit,
            changes: Vec::new(),
            parents: Vec::new(),
            tips: Vec::new(),
            steps: Vec::new(),
        };
        let verdict = Verdict::new(&report, &proposal, 7);
        assert_eq!((verdict.base.len(), verdict.head.as_str()), (40, "index"));
        assert_eq!(side(Side::Nothing), "nothing");
    }
}
