//! Verdicts as text: a report goes in, a string comes out, and nothing is printed here.
//!
//! One file a format. Whatever the repository says is made harmless for a terminal and for a CI
//! log on the way (attacks 116 and 117).

mod error;
mod excerpt;
mod human;
mod json;
mod picture;
#[cfg(test)]
mod sample;
mod text;

use std::fmt;
use std::str::FromStr;

pub use error::{CANNOT_LOOK, Failure, render_failure};
pub use json::pretty;
pub use text::harmless;

use crate::diagnostic::Report;
use crate::snapshot::{Proposal, Side};

/// The shape of the output, as `--format` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Pictures for people.
    #[default]
    Human,
    /// One JSON object on one line (design, section 5).
    Json,
}

impl Format {
    /// Every format with its word, in the order in which help lists them.
    pub const ALL: &[(&str, Format)] = &[("human", Format::Human), ("json", Format::Json)];

    /// Gives the word that names this format.
    pub fn word(self) -> &'static str {
        Format::ALL.iter().find(|(_, format)| *format == self).map_or("human", |(word, _)| word)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a text names no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatFault;

impl fmt::Display for FormatFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = Format::ALL.iter().map(|(word, _)| *word).collect();
        write!(f, "a format is one of {}", words.join(", "))
    }
}

impl std::error::Error for FormatFault {}

impl FromStr for Format {
    type Err = FormatFault;

    /// Takes one of the words, in lower case; anything else is refused.
    fn from_str(text: &str) -> Result<Self, FormatFault> {
        let found = Format::ALL.iter().find(|(word, _)| *word == text);
        found.map(|(_, format)| *format).ok_or(FormatFault)
    }
}

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
pub fn render(verdict: &Verdict<'_>, format: Format, style: Style) -> String {
    match format {
        Format::Human => human::verdict(verdict, style),
        Format::Json => json::verdict(verdict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Memory, Occasion};

    #[test]
    fn formats_are_read_and_written_by_their_words() {
        for (word, format) in Format::ALL {
            assert_eq!(word.parse(), Ok(*format));
            assert_eq!(format.to_string(), *word);
        }
        assert_eq!("JSON".parse::<Format>(), Err(FormatFault));
        assert_eq!(FormatFault.to_string(), "a format is one of human, json");
    }

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
