//! The line that a finding points at, with the line before it, ready to be drawn.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::Style;
use super::text::{self, Row};
use crate::source::{Position, RepoPath, Span};

/// A line or two of a file, escaped and cut to fit, and the part of it to underline.
///
/// It is a source of its own for miette, because the offsets of what is shown are not those of
/// the file; line numbers and the place in the frame are the file's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    name: String,
    first_line: usize,
    text: String,
    marked: SourceSpan,
}

impl Excerpt {
    /// Takes any span, even one that lies behind the end or inside a character; a span over
    /// several lines is underlined on its first.
    pub(super) fn new(path: &RepoPath, file: &str, span: Span, style: Style) -> Self {
        let position = Position::of(file, span.start);
        let start = floor(file, span.start);
        let line_start = file[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = line_at(file, line_start);
        let mark_start = (start - line_start).min(line.len());
        let mark_end = ceil(line, span.end.saturating_sub(line_start)).max(mark_start);

        let gutter = position.line.to_string().len() + 5;
        let room = style.width.max(super::human::NARROWEST) - gutter;
        let ellipsis = if style.unicode { "…" } else { "..." };
        let Row { text: shown, marked } =
            text::row(line, mark_start..mark_end, room - 2 * ellipsis.len(), ellipsis);

        let mut text = String::new();
        let mut first_line = position.line;
        if let Some(before) = line_before(file, line_start) {
            let row = text::row(before, 0..0, room - ellipsis.len(), ellipsis);
            text = row.text + "\n";
            first_line -= 1;
        }
        let marked = SourceSpan::from((text.len() + marked.start, marked.len()));
        text.push_str(&shown);
        text.push('\n');
        let name = format!("{}:{}:{}", text::path(path), position.line, position.column);
        Excerpt { name, first_line, text, marked }
    }

    /// Gives the part to underline.
    pub(super) fn marked(&self) -> SourceSpan {
        self.marked
    }
}

/// Gives the line that begins at `start`, without what ends it.
fn line_at(file: &str, start: usize) -> &str {
    let line = file[start..].split('\n').next().unwrap_or_default();
    line.strip_suffix('\r').unwrap_or(line)
}

/// Gives the line before the one that begins at `start`, unless there is none or it is blank.
fn line_before(file: &str, start: usize) -> Option<&str> {
    let end = start.checked_sub(1)?;
    let before = file[..end].rfind('\n').map_or(0, |newline| newline + 1);
    Some(line_at(file, before)).filter(|line| !line.trim().is_empty())
}

fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn ceil(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

impl SourceCode for Excerpt {
    /// Gives the whole excerpt, whatever is asked for: it has been cut already.
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            self.text.as_bytes(),
            SourceSpan::from((0, self.text.len())),
            self.first_line - 1,
            0,
            self.text.matches('\n').count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(file: &str, start: usize, end: usize) -> (String, String, String) {
        let style = Style { width: 40, ..Style::default() };
        let excerpt = Excerpt::new(&"a.yaml".into(), file, Span::new(start, end), style);
        let (from, len) = (excerpt.marked.offset(), excerpt.marked.len());
        let marked = excerpt.text[from..from + len].to_owned();
        (excerpt.name, excerpt.text, marked)
    }

    #[test]
    fn a_span_over_lines_is_marked_on_its_first() {
        let found = excerpt("one: 1\r\ntwo:\r\n  - x\r\n", 11, 20);
        assert_eq!(found, ("a.yaml:2:4".into(), "one: 1\ntwo:\n".into(), ":".into()));
    }

    #[test]
    fn spans_behind_the_end_or_inside_a_character_are_taken() {
        assert_eq!(excerpt("", 9, 12), ("a.yaml:1:1".into(), "\n".into(), String::new()));
        assert_eq!(excerpt("a\n", 2, 2), ("a.yaml:2:1".into(), "a\n\n".into(), String::new()));
        assert_eq!(excerpt("aüb", 2, 2), ("a.yaml:1:2".into(), "aüb\n".into(), "ü".into()));
        assert_eq!(excerpt("\r\nx", 0, 1), ("a.yaml:1:1".into(), "\n".into(), String::new()));
    }
}
