//! What every format says in the same words: the verdict, the counts, where a finding is.

use super::text;
use crate::diagnostic::{Examined, Place, Related, Report, Severity};
use crate::source::many;

/// Gives the verdict in one word.
pub(super) fn word(report: &Report) -> &'static str {
    if report.refused() { "refused" } else { "passed" }
}

/// Gives the verdict and the counts on one line.
pub(super) fn line(report: &Report) -> String {
    format!("{}: {}", word(report), counts(report))
}

/// Says how many findings there are of each severity, and what was looked at.
pub(super) fn counts(report: &Report) -> String {
    let found: Vec<String> = SEVERITIES
        .map(|weight| (report.count(weight), severity(weight)))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| many(count, word))
        .collect();
    let examined = examined(report.examined);
    match found.is_empty() {
        true => examined,
        false => format!("{} ({examined})", found.join(", ")),
    }
}

/// Every severity, the heaviest first.
pub(super) const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Note];

/// Gives the word for a severity.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Says what was looked at, and plainly so if that is nothing (attack 121).
pub(super) fn examined(examined: Examined) -> String {
    if examined == Examined::default() {
        return "nothing was examined, no record, no changed path and no task".to_owned();
    }
    let Examined { records, paths, tasks } = examined;
    let parts = [many(records, "record"), many(paths, "path"), many(tasks, "task")];
    format!("{} examined", parts.join(", "))
}

/// Gives a place on one line: the file, and line and column if they are known; nothing for the
/// repository as a whole.
pub(super) fn place(place: &Place, report: &Report) -> String {
    let path = text::path(&place.path);
    match report.position(place) {
        Some(at) => format!("{path}:{}:{}", at.line, at.column),
        None => path,
    }
}

/// Gives a related place on one line, with what is there.
pub(super) fn related(related: &Related, report: &Report) -> String {
    format!("{}: {}", place(&related.place, report), text::one_line(&related.message))
}
