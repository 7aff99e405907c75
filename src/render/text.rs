//! Text that a terminal or a CI log can be trusted with, and lines broken to fit.

use std::borrow::Cow;
use std::ops::Range;

use crate::source::RepoPath;
use crate::source::path::unprintable;

/// Gives the text on one line, with everything a reader could not see escaped (attack 116).
pub(super) fn one_line(text: &str) -> String {
    escaped(text, |_| false)
}

/// Gives the text with its own line breaks kept and everything else as [`one_line`] does.
pub(super) fn lines(text: &str) -> String {
    text.lines().map(one_line).collect::<Vec<_>>().join("\n")
}

/// Gives text of several lines that a terminal and a CI log can be trusted with: what a reader could
/// not see is escaped, but for line breaks and tabs, and what a runner takes for a command too.
pub fn harmless(text: &str) -> String {
    disarm(escaped(text, |character| matches!(character, '\n' | '\t')))
}

/// Gives text that is told within a line of orch's own as [`harmless`] does, its line breaks shown as
/// `\n`: a text of a record must not pass for another line (attack 116).
pub fn in_one_line(text: &str) -> String {
    let text = harmless(text.strip_suffix('\n').unwrap_or(text));
    if text.contains('\n') { text.replace('\n', "\\n") } else { text }
}

/// Gives a path on one line; bytes that are no text are escaped.
pub(super) fn path(path: &RepoPath) -> String {
    one_line(&path.to_string())
}

/// Gives the text with every character as [`shown`] gives it, but for those that stay.
fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.bytes().position(|byte| !matches!(byte, b' '..=b'~') || byte == b'[')
    {
        let at = text.len() - rest.len() + end;
        let Some(character) = text[at..].chars().next() else { break };
        safe.push_str(&rest[..end]);
        match stays(character) {
            true => safe.push(character),
            false => safe.push_str(&shown(text, at, character)),
        }
        rest = &text[at + character.len_utf8()..];
    }
    safe + rest
}

/// Gives what stands for the character at `at`: itself, or an escape that can be read.
fn shown(text: &str, at: usize, character: char) -> Cow<'_, str> {
    match character {
        '\t' => "\\t".into(),
        '\r' => "\\r".into(),
        '\n' => "\\n".into(),
        '[' if opens_command(&text[..at]) => "\\u{5b}".into(),
        _ if unprintable(character) => character.escape_unicode().to_string().into(),
        _ => text[at..at + character.len_utf8()].into(),
    }
}

/// Tells whether a `[` behind this text would begin a command to a CI runner, which some look for
/// anywhere in a line: `##[`, `##vso[`, `##teamcity[` (attack 117).
pub(super) fn opens_command(before: &str) -> bool {
    before.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).ends_with("##")
}

/// Escapes what a CI runner takes for a command at the beginning of a line, `::` behind any
/// spaces, wherever wrapping may have put it (attack 117).
pub(super) fn disarm(output: String) -> String {
    if !output.contains("::") {
        return output;
    }
    let mut safe = String::with_capacity(output.len());
    for line in output.split_inclusive('\n') {
        let text = line.trim_start();
        if text.starts_with("::") {
            safe.push_str(&line[..line.len() - text.len()]);
            safe.push_str("\\u{3a}");
            safe.push_str(&text[1..]);
        } else {
            safe.push_str(line);
        }
    }
    safe
}

/// Gives the columns a text takes, at most: characters that may be wide count as two.
fn width(text: &str) -> usize {
    text.chars().map(|character| if character < '\u{1100}' { 1 } else { 2 }).sum()
}

/// Breaks lines at spaces so that they fit into `room` columns. A word is never broken, nor is a
/// command between backticks, so that both can be copied.
pub(super) fn wrap(text: &str, room: usize) -> String {
    let mut wrapped = String::with_capacity(text.len());
    for line in text.lines() {
        let mut used = 0;
        for word in words(line) {
            let wide = width(word);
            if used > 0 && used + 1 + wide > room {
                wrapped.push('\n');
                used = 0;
            } else if used > 0 {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += wide;
        }
        wrapped.push('\n');
    }
    wrapped.pop();
    wrapped
}

fn words(line: &str) -> Vec<&str> {
    let (mut words, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, character) in line.char_indices() {
        match character {
            '`' => quoted = !quoted && line[at + 1..].contains('`'),
            ' ' if !quoted => {
                words.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&line[start..]);
    words
}

/// One line as it is shown, with the bytes of it that show what was marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// The text, escaped and cut to fit.
    pub(super) text: String,
    /// The bytes of `text` to underline.
    pub(super) marked: Range<usize>,
}

/// Lays out a line in about `room` columns. What is marked keeps a third of the room in front of
/// it, so that a line of a megabyte still shows the place that matters.
pub(super) fn row(line: &str, mark: Range<usize>, room: usize, ellipsis: &str) -> Row {
    let fits = Part::of(line, 0..line.len(), room).whole;
    let before = Part::until(line, mark.start, if fits { room } else { room / 3 });
    let room = room.saturating_sub(before.width);
    let value = Part::of(line, mark.clone(), room);
    let after = Part::of(line, mark.end..line.len(), room.saturating_sub(value.width));

    let mut text = if before.whole { String::new() } else { ellipsis.to_owned() };
    text.push_str(&before.text);
    let start = text.len();
    text.push_str(&value.text);
    let marked = start..text.len();
    if value.whole {
        text.push_str(&after.text);
    }
    if !(value.whole && after.whole) {
        text.push_str(ellipsis);
    }
    Row { text, marked }
}

/// As much of a line as fits.
struct Part {
    text: String,
    width: usize,
    whole: bool,
}

impl Part {
    /// Takes the beginning of `range` that fits.
    fn of(line: &str, range: Range<usize>, room: usize) -> Part {
        let from = range.start;
        let characters = line[range].char_indices();
        let pieces = characters.map(|(at, character)| shown(line, from + at, character));
        let (pieces, width, whole) = fitting(pieces, room);
        Part { text: pieces.concat(), width, whole }
    }

    /// Takes the end of what stands before `end` that fits.
    fn until(line: &str, end: usize, room: usize) -> Part {
        let characters = line[..end].char_indices().rev();
        let pieces = characters.map(|(at, character)| shown(line, at, character));
        let (mut pieces, width, whole) = fitting(pieces, room);
        pieces.reverse();
        Part { text: pieces.concat(), width, whole }
    }
}

fn fitting<'a>(
    pieces: impl Iterator<Item = Cow<'a, str>>,
    room: usize,
) -> (Vec<Cow<'a, str>>, usize, bool) {
    let (mut taken, mut used) = (Vec::new(), 0);
    for piece in pieces {
        let wide = width(&piece);
        if used + wide > room {
            return (taken, used, false);
        }
        used += wide;
        taken.push(piece);
    }
    (taken, used, true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_can_not_be_seen_is_escaped() {
        assert_eq!(
            one_line("a\u{202e}b\u{200b}\x1b[31m\u{9b}"),
            "a\\u{202e}b\\u{200b}\\u{1b}[31m\\u{9b}"
        );
        assert_eq!(one_line("a\n::error\t\r"), "a\\n::error\\t\\r");
        assert_eq!(lines("one\r\ntwo\u{7}\nthree"), "one\ntwo\\u{7}\nthree");
    }

    /// Attack 117: what a runner would take for a command.
    #[test]
    fn commands_to_a_runner_are_disarmed() {
        assert_eq!(
            one_line("x ##[error]y ##vso[a] [b] #[c]"),
            "x ##\\u{5b}error]y ##vso\\u{5b}a] [b] #[c]"
        );
        assert_eq!(disarm("a\n  ::error::b\nc::d\n".into()), "a\n  \\u{3a}:error::b\nc::d\n");
    }

    /// Attacks 116 and 117, for whatever a command prints of the records.
    #[test]
    fn text_of_several_lines_is_harmless() {
        assert_eq!(harmless("a\n\tb\u{1b}[2J\r\n"), "a\n\tb\\u{1b}[2J\\r\n");
        assert_eq!(harmless("x\n::error::y ##[z]\n"), "x\n\\u{3a}:error::y ##\\u{5b}z]\n");
        assert_eq!(harmless("größe: 戦略 — ✓\n"), "größe: 戦略 — ✓\n");
    }

    #[test]
    fn lines_break_at_spaces_but_not_in_commands() {
        let text = "seal it again: `orch handoff create strat-001`, then commit";
        assert_eq!(wrap(text, 30), "seal it again:\n`orch handoff create strat-001`,\nthen commit");
        assert_eq!(wrap("an odd ` is no quote", 8), "an odd `\nis no\nquote");
        assert_eq!(wrap("a\n\nb", 8), "a\n\nb");
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_marked() {
        let line = format!("{}VALUE{}", "a".repeat(500), "b".repeat(500));
        let row = row(&line, 500..505, 30, "…");
        assert_eq!(row.text, "…aaaaaaaaaaVALUEbbbbbbbbbbbbbbb…");
        assert_eq!(&row.text[row.marked], "VALUE");
    }

    proptest! {
        /// Attack 116: wherever the mark is, it stands over the same characters when shown.
        #[test]
        fn marks_stay_right(before in ".*", value in ".*", after in ".*") {
            let line = format!("{before}{value}{after}").replace('[', "(");
            let row = row(&line, before.len()..before.len() + value.len(), usize::MAX, "…");
            prop_assert_eq!(&row.text, &one_line(&line));
            prop_assert_eq!(&row.text[row.marked.clone()], one_line(&value.replace('[', "(")));
            prop_assert!(!row.text.contains(unprintable));
        }

        #[test]
        fn rows_fit(before in ".*", value in ".*", after in ".*", room in 0_usize..50) {
            let line = format!("{before}{value}{after}");
            let row = row(&line, before.len()..before.len() + value.len(), room, "");
            prop_assert!(width(&row.text) <= room);
            prop_assert!(row.text.get(row.marked).is_some());
        }
    }
}
