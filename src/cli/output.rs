//! Words out: the only file with `println`.

use std::io::{IsTerminal as _, Write as _};

use super::context::Context;
use super::pager;
use crate::render::{self, Failure, Format, FormatFault, MeasuresFormat, ReportFormat, Style};
use crate::snapshot::Fault;
use crate::source::Moment;
use crate::source::id::IdFault;
use crate::source::moment::MomentFault;

/// Why a command stopped before its end.
#[derive(Debug)]
pub enum Stop {
    /// Something was refused, and has been told: exit code 1.
    Refused,
    /// The command itself refuses, and this is why: exit code 1.
    Denied(Fault),
    /// A step of an agent is blocked, and it has been told why: exit code 2, as harnesses ask.
    Blocked,
    /// A signal of this number ended it, after it had told what became of its work: exit code
    /// 128 and the number, as shells count.
    Interrupted(u8),
    /// It could not look, or was asked in the wrong way: exit code 2.
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

impl Stop {
    /// Takes what could not be done and what to do next.
    pub(super) fn fault(message: impl Into<String>, help: impl Into<String>) -> Self {
        Stop::Fault(Fault::new(message, help))
    }

    /// Takes what is refused and what to do next.
    pub(super) fn denied(message: impl Into<String>, help: impl Into<String>) -> Self {
        Stop::Denied(Fault::new(message, help))
    }

    /// Gives why, in words.
    pub(super) fn in_words(&self) -> String {
        match self {
            Stop::Refused | Stop::Blocked => "it was refused".into(),
            Stop::Interrupted(signal) => format!("signal {signal} ended it"),
            Stop::Denied(fault) | Stop::Fault(fault) => fault.to_string(),
        }
    }

    /// Tells why, on standard error, and gives the exit code.
    pub(super) fn tell(&self, context: &Context) -> u8 {
        let (failure, code) = match self {
            Stop::Refused => return 1,
            Stop::Blocked => return 2,
            Stop::Interrupted(signal) => return 128 + signal,
            Stop::Denied(fault) => (Failure { code: "refused", ..Failure::from(fault) }, 1),
            Stop::Fault(fault) => (Failure::from(fault), 2),
        };
        let drawn = render::render_failure(&failure, context.error_format(), error_style());
        show_error(drawn.trim_end());
        code
    }
}

/// Prints one line to standard output. What stands in the records may have been written to deceive: a
/// line break in it is shown as `\n`, so that it can't pass for a line of orch's own, and nothing that
/// a reader could not see gets to the terminal.
pub(super) fn say(text: impl AsRef<str>) {
    show(render::one_line(text.as_ref()));
}

/// Prints several lines to standard output, made harmless as well: only for text whose line breaks are
/// orch's own, or that is a whole document.
pub(super) fn say_lines(text: impl AsRef<str>) {
    show(render::harmless(text.as_ref()));
}

/// Prints what was drawn or serialised to standard output, as it is. A reader that has gone away ends
/// the process quietly, as it does for Git; one that can take no more ends it with exit code 2.
pub(super) fn show(text: impl AsRef<str>) {
    if pager::takes(text.as_ref()) {
        return;
    }
    let Err(error) = written(text.as_ref()) else { return };
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    complain(format!("what was to be told can't be written: {error}"));
    std::process::exit(2);
}

/// Prints as [`show`] does, and tells whether it could: for a command that has something to do, or to
/// answer for, whether anybody reads it or not.
pub(super) fn offer(text: impl AsRef<str>) -> bool {
    written(text.as_ref()).is_ok()
}

fn written(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let ending = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    write!(out, "{text}{ending}").and_then(|()| out.flush())
}

/// Prints to standard error, as [`say`] does to standard output; nobody listening is no reason to
/// fail.
pub(super) fn complain(text: impl AsRef<str>) {
    show_error(render::one_line(text.as_ref()));
}

/// Prints several lines to standard error, as [`say_lines`] does to standard output.
pub(super) fn complain_lines(text: impl AsRef<str>) {
    show_error(render::harmless(text.as_ref()));
}

/// Prints what was drawn to standard error, as it is.
pub(super) fn show_error(text: impl AsRef<str>) {
    let _nobody_listens = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
}

/// Gives how to draw on standard output.
pub(super) fn style() -> Style {
    drawn(std::io::stdout().is_terminal())
}

fn error_style() -> Style {
    drawn(std::io::stderr().is_terminal())
}

/// Tells whether somebody watches standard error where a line can be written over.
pub(super) fn is_watched() -> bool {
    std::io::stderr().is_terminal() && std::env::var("TERM").is_ok_and(|name| name != "dumb")
}

fn drawn(terminal: bool) -> Style {
    Style { colour: is_coloured(terminal, |name| std::env::var(name).ok()), ..Style::default() }
}

/// Tells whether colours may be written: `NO_COLOR` forbids them, else `CLICOLOR_FORCE` asks for them wherever
/// the text goes; else a terminal has them, unless `CLICOLOR=0` or `TERM=dumb` says that it shall not. So does
/// clap decide about help and usage.
fn is_coloured(terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let is = |name, value: &str| set(name).is_some_and(|found| found == value);
    match (set("NO_COLOR"), set("CLICOLOR_FORCE")) {
        (Some(_), _) => false,
        (None, Some(forced)) if forced != "0" => true,
        _ => terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb"),
    }
}

/// Parses `--format`, with the words that are known in the error.
pub(super) fn format(text: &str) -> Result<Format, String> {
    text.parse().map_err(|fault: FormatFault| fault.to_string())
}

/// Parses `--format` of a command that CI services read, likewise.
pub(super) fn report_format(text: &str) -> Result<ReportFormat, String> {
    text.parse().map_err(|fault: FormatFault| fault.to_string())
}

/// Parses `--format` of a command that monitoring reads, likewise.
pub(super) fn measures_format(text: &str) -> Result<MeasuresFormat, String> {
    text.parse().map_err(|fault: FormatFault| fault.to_string())
}

/// Parses an id or a name, with its rule in the error.
pub(super) fn id<T: std::str::FromStr<Err = IdFault>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|fault: IdFault| fault.to_string())
}

/// Parses a moment, with its form in the error.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    text.parse().map_err(|fault: MomentFault| fault.to_string())
}

/// Prints columns of words, each as wide as its widest.
pub(super) fn table(rows: &[Vec<String>]) {
    let one_line = |row: &Vec<String>| row.iter().map(|word| render::one_line(word)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(one_line).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |word: &String| word.chars().count();
    let mut widths = vec![0; columns];
    for row in &rows {
        for (widest, word) in widths.iter_mut().zip(row) {
            *widest = width(word).max(*widest);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let start = text.len();
        for (word, widest) in row.iter().zip(&widths) {
            text.push_str(word);
            text.extend(std::iter::repeat_n(' ', widest + 2 - width(word)));
        }
        text.truncate(start + text[start..].trim_end().len());
        text.push('\n');
    }
    show(text);
}

/// Prints many lines at once, each as [`say`] does: a write for each would cost more than the list.
pub(super) fn say_each(lines: impl IntoIterator<Item = String>) {
    let lines = lines.into_iter().map(|line| render::one_line(&line) + "\n");
    let text: String = lines.collect();
    if !text.is_empty() {
        show(text);
    }
}

/// Prints a value as one JSON document.
pub(super) fn json(value: &impl serde::Serialize) {
    show(render::pretty(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_where_they_are_wanted() {
        type Row<'r> = (&'r [(&'r str, &'r str)], bool, bool);
        let rows: [Row<'_>; 9] = [
            (&[], true, true),
            (&[], false, false),
            (&[("NO_COLOR", "1")], true, false),
            (&[("NO_COLOR", "")], true, true),
            (&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], false, true),
            (&[("CLICOLOR_FORCE", "0")], false, false),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true, false),
            (&[("CLICOLOR", "0")], true, false),
            (&[("TERM", "dumb")], true, false),
        ];
        for (set, terminal, expected) in rows {
            let variable = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(is_coloured(terminal, variable), expected, "{set:?} {terminal}");
        }
    }
}
