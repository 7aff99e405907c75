//! The words that `--format` takes.

use std::fmt;
use std::str::FromStr;

/// The shape of what a command tells, as `--format` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Pictures for people.
    #[default]
    Human,
    /// JSON (design, section 5).
    Json,
}

impl Format {
    /// Every format with its word, in the order in which help lists them.
    pub const ALL: &[(&str, Format)] = &[("human", Format::Human), ("json", Format::Json)];

    /// Gives the word that names this format.
    pub fn word(self) -> &'static str {
        word(Self::ALL, self)
    }
}

/// The shape of a report, which CI services read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReportFormat {
    /// Pictures for people.
    #[default]
    Human,
    /// One JSON object on one line (design, section 5).
    Json,
    /// SARIF 2.1.0, for services that keep and show what analysers find.
    Sarif,
    /// Workflow commands, which GitHub shows beside the lines of a change.
    Github,
    /// A table, for a pull request or the summary of a job.
    Markdown,
    /// JUnit's XML, which most CI services show as tests.
    Junit,
}

impl ReportFormat {
    /// Every format with its word, in the order in which help lists them.
    pub const ALL: &[(&str, ReportFormat)] = &[
        ("human", ReportFormat::Human),
        ("json", ReportFormat::Json),
        ("sarif", ReportFormat::Sarif),
        ("github", ReportFormat::Github),
        ("markdown", ReportFormat::Markdown),
        ("junit", ReportFormat::Junit),
    ];

    /// Gives the word that names this format.
    pub fn word(self) -> &'static str {
        word(Self::ALL, self)
    }

    /// Tells whether the output is one document, so that several can't stand behind each other.
    pub fn is_one_document(self) -> bool {
        matches!(self, ReportFormat::Sarif | ReportFormat::Junit)
    }
}

/// The shape of what was measured, which monitoring reads too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MeasuresFormat {
    /// A table for people.
    #[default]
    Human,
    /// One JSON object.
    Json,
    /// The text format 0.0.4 of Prometheus.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl MeasuresFormat {
    /// Every format with its word, in the order in which help lists them.
    pub const ALL: &[(&str, MeasuresFormat)] = &[
        ("human", MeasuresFormat::Human),
        ("json", MeasuresFormat::Json),
        ("prometheus", MeasuresFormat::Prometheus),
        ("openmetrics", MeasuresFormat::OpenMetrics),
    ];
}

fn word<T: PartialEq>(all: &[(&'static str, T)], format: T) -> &'static str {
    all.iter().find(|(_, known)| *known == format).map_or("human", |(word, _)| word)
}

fn named<T: Copy>(all: &[(&'static str, T)], text: &str) -> Result<T, FormatFault> {
    let found = all.iter().find(|(word, _)| *word == text);
    let words = || FormatFault { words: all.iter().map(|(word, _)| *word).collect() };
    found.map(|(_, format)| *format).ok_or_else(words)
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for ReportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a text names no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatFault {
    words: Vec<&'static str>,
}

impl fmt::Display for FormatFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a format is one of {}", self.words.join(", "))
    }
}

impl std::error::Error for FormatFault {}

impl FromStr for Format {
    type Err = FormatFault;

    /// Takes one of the words, in lower case; anything else is refused.
    fn from_str(text: &str) -> Result<Self, FormatFault> {
        named(Self::ALL, text)
    }
}

impl FromStr for MeasuresFormat {
    type Err = FormatFault;

    /// Takes one of the words, in lower case; anything else is refused.
    fn from_str(text: &str) -> Result<Self, FormatFault> {
        named(Self::ALL, text)
    }
}

impl FromStr for ReportFormat {
    type Err = FormatFault;

    /// Takes one of the words, in lower case; anything else is refused.
    fn from_str(text: &str) -> Result<Self, FormatFault> {
        named(Self::ALL, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_and_written_by_their_words() {
        for (word, format) in Format::ALL {
            assert_eq!(word.parse(), Ok(*format));
            assert_eq!(format.to_string(), *word);
        }
        for (word, format) in ReportFormat::ALL {
            assert_eq!(word.parse(), Ok(*format));
            assert_eq!(format.to_string(), *word);
        }
        for (word, format) in MeasuresFormat::ALL {
            assert_eq!(word.parse(), Ok(*format));
        }
        let told = |fault: FormatFault| fault.to_string();
        assert_eq!(
            "JSON".parse::<Format>().map_err(told),
            Err("a format is one of human, json".into())
        );
        assert_eq!(
            "xml".parse::<ReportFormat>().map_err(told),
            Err("a format is one of human, json, sarif, github, markdown, junit".into())
        );
    }
}
