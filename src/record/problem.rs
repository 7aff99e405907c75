//! What is wrong with a text, before it is known which record it is.

use crate::source::Span;

/// A place in a text that does not hold, for the check that speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The check that refuses it: `record-invalid`, `conflict-markers`, `text-unsafe`.
    pub check: &'static str,
    /// The bytes to underline.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    /// Makes a `record-invalid` problem.
    pub fn invalid(span: Span, message: String, help: impl Into<String>) -> Self {
        Problem { check: "record-invalid", span, message, help: help.into() }
    }
}

/// Gives ` (did you mean …?)` for the nearest of the known words, or nothing.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}
