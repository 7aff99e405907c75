//! The plain part of the dialect, which is nearly all that orch and people write, read in one pass.
//!
//! What is read here, the YAML crate reads the same, places and all: a property in the tests holds it
//! to that. Whatever is not plain gives none, and is left to the crate: several lines of text in one
//! value, escapes, tabs, odd keys, and all that is wrong.

#[cfg(test)]
mod tests;

use bstr::ByteSlice as _;

use super::{MAX_DEPTH, MAX_NODES, Node, Pair, Value, plain};
use crate::source::Span;

/// Reads a document of lines such as `key: value`, `- item` and `key: [a, b]`; none if there is more in it.
pub(super) fn read(text: &str) -> Option<Node> {
    if text.bytes().any(|byte| matches!(byte, b'\t' | b'\r')) {
        return None;
    }
    let mut quick = Quick { text, at: 0, nodes: 0 };
    let first = quick.line()?;
    let node = quick.block(first, 0)?;
    quick.line().is_none().then_some(node)
}

struct Quick<'t> {
    text: &'t str,
    /// Where the next line begins.
    at: usize,
    nodes: usize,
}

/// A line that holds something, or what is left of it.
#[derive(Clone, Copy)]
struct Line {
    /// The column of its content.
    indent: usize,
    /// Where the content begins and where the line ends.
    start: usize,
    end: usize,
}

impl<'t> Quick<'t> {
    /// Gives the next line with content, without stepping behind it.
    fn line(&mut self) -> Option<Line> {
        loop {
            let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
            let length = rest.as_bytes().find_byte(b'\n').unwrap_or(rest.len());
            let indent = rest.bytes().take_while(|byte| *byte == b' ').count();
            let content = indent < length && rest.as_bytes()[indent] != b'#';
            if content {
                let (start, end) = (self.at + indent, self.at + length);
                return Some(Line { indent, start, end });
            }
            self.at += (length + 1).min(rest.len());
        }
    }

    fn step_behind(&mut self, line: Line) {
        self.at = (line.end + 1).min(self.text.len());
    }

    fn content(&self, line: Line) -> &'t str {
        &self.text[line.start..line.end]
    }

    /// Gives the next line if it belongs to a block of this column; none in the first place if it
    /// stands where no line may.
    fn same_column(&mut self, indent: usize) -> Option<Option<Line>> {
        match self.line() {
            Some(line) if line.indent > indent => None,
            line => Some(line.filter(|line| line.indent == indent)),
        }
    }

    fn counted(&mut self, depth: usize) -> Option<()> {
        self.nodes += 1;
        (depth <= MAX_DEPTH && self.nodes <= MAX_NODES).then_some(())
    }

    fn block(&mut self, line: Line, depth: usize) -> Option<Node> {
        match self.content(line).starts_with("- ") {
            true => self.list(line, depth),
            false => self.map(line, depth),
        }
    }

    fn list(&mut self, first: Line, depth: usize) -> Option<Node> {
        self.counted(depth)?;
        let mut items: Vec<Node> = Vec::new();
        let mut next = Some(first);
        while let Some(line) = next {
            let item = self.content(line).strip_prefix("- ")?;
            let inner = Line { indent: line.indent + 2, start: line.start + 2, ..line };
            items.push(match key(item) {
                Some(_) => self.map(inner, depth + 1)?,
                None => {
                    self.step_behind(line);
                    self.inline(inner, depth + 1)?
                }
            });
            next = self.same_column(first.indent)?;
        }
        let end = items.last()?.span.end;
        Some(Node { span: Span::new(first.start, end), value: Value::List(items) })
    }

    fn map(&mut self, first: Line, depth: usize) -> Option<Node> {
        self.counted(depth)?;
        let mut pairs: Vec<Pair> = Vec::new();
        let mut next = Some(first);
        while let Some(line) = next {
            let (key, value) = key(self.content(line))?;
            if pairs.iter().any(|pair| pair.key == key) {
                return None;
            }
            let key_span = Span::new(line.start, line.start + key.len());
            self.step_behind(line);
            let value = match value.trim_start_matches(' ') {
                "" => {
                    let below = self.line().filter(|below| below.indent > line.indent)?;
                    self.block(below, depth + 1)?
                }
                said if said.starts_with('#') => return None,
                said => {
                    let start = line.end - said.len();
                    self.inline(Line { start, ..line }, depth + 1)?
                }
            };
            pairs.push(Pair { key: key.to_owned(), key_span, value });
            next = self.same_column(first.indent)?;
        }
        let end = pairs.last()?.value.span.end;
        Some(Node { span: Span::new(first.start, end), value: Value::Map(pairs) })
    }

    /// Reads a value that ends where its line does, or before a comment.
    fn inline(&mut self, line: Line, depth: usize) -> Option<Node> {
        let text = self.content(line);
        match text.as_bytes().first()? {
            b'"' | b'\'' | b'[' | b'{' => {
                let (node, rest) = self.flow(text, depth)?;
                let blank = rest.trim_start_matches(' ');
                let over = blank.is_empty() || (blank.starts_with('#') && blank.len() < rest.len());
                over.then_some(node)
            }
            _ => {
                let text = comment(text).map_or(text, |at| &text[..at]);
                let text = text.trim_end_matches(' ');
                let safe = starts_plainly(text) && !has_colon(text);
                self.counted(depth)?;
                let span = Span::new(line.start, line.start + text.len());
                safe.then(|| Node { span, value: plain(text) })
            }
        }
    }

    /// Reads a value in quotes or brackets, or a word within brackets; gives it and what follows.
    fn flow(&mut self, text: &'t str, depth: usize) -> Option<(Node, &'t str)> {
        let start = text.as_ptr() as usize - self.text.as_ptr() as usize;
        match text.as_bytes().first()? {
            b'[' => self.flow_list(text, start, depth),
            b'{' => self.flow_map(text, start, depth),
            quote @ (b'"' | b'\'') => {
                self.counted(depth)?;
                let length = text[1..].bytes().position(|byte| byte == *quote)?;
                let (inner, rest) = (&text[1..=length], &text[length + 2..]);
                let escapes = match quote {
                    b'"' => inner.contains('\\'),
                    _ => rest.starts_with('\''),
                };
                let span = Span::new(start, start + length + 2);
                (!escapes).then(|| (Node { span, value: Value::Text(inner.to_owned()) }, rest))
            }
            _ => {
                self.counted(depth)?;
                let end = text.find([',', ']', '}']).unwrap_or(text.len());
                let word = text[..end].trim_end_matches(' ');
                let within = |c: char| c.is_alphanumeric() || " _./*@+-=<>~;()?$^%'!&|".contains(c);
                let safe = starts_plainly(word) && word.chars().all(within);
                let span = Span::new(start, start + word.len());
                safe.then(|| (Node { span, value: plain(word) }, &text[end..]))
            }
        }
    }

    fn flow_list(&mut self, text: &'t str, start: usize, depth: usize) -> Option<(Node, &'t str)> {
        self.counted(depth)?;
        let mut items: Vec<Node> = Vec::new();
        let mut rest = text[1..].trim_start_matches(' ');
        while !rest.starts_with(']') {
            let (item, behind) = self.flow(rest, depth + 1)?;
            items.push(item);
            rest = next_of(behind, ']')?;
        }
        let end = text.len() - rest.len() + 1;
        let last = items.last().map_or(start + end, |item| item.span.end);
        Some((Node { span: Span::new(start, last), value: Value::List(items) }, &text[end..]))
    }

    fn flow_map(&mut self, text: &'t str, start: usize, depth: usize) -> Option<(Node, &'t str)> {
        self.counted(depth)?;
        let mut pairs: Vec<Pair> = Vec::new();
        let mut rest = text[1..].trim_start_matches(' ');
        while !rest.starts_with('}') {
            let (key, behind) = key(rest)?;
            let at = start + text.len() - rest.len();
            let value = behind.strip_prefix(' ')?.trim_start_matches(' ');
            if pairs.iter().any(|pair| pair.key == key) {
                return None;
            }
            let key_span = Span::new(at, at + key.len());
            let (value, behind) = self.flow(value, depth + 1)?;
            pairs.push(Pair { key: key.to_owned(), key_span, value });
            rest = next_of(behind, '}')?;
        }
        let end = text.len() - rest.len() + 1;
        let last = pairs.last().map_or(start + end, |pair| pair.value.span.end);
        Some((Node { span: Span::new(start, last), value: Value::Map(pairs) }, &text[end..]))
    }
}

/// Finds the blank before a comment.
fn comment(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    bytes.find_iter(b"#").find(|at| *at > 0 && bytes[at - 1] == b' ').map(|at| at - 1)
}

/// Tells whether there is a colon that would make a key of what is before it.
fn has_colon(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.find_iter(b":").any(|at| matches!(bytes.get(at + 1), None | Some(b' ')))
}

/// Gives what follows a comma, or the bracket that closes.
fn next_of(behind: &str, bracket: char) -> Option<&str> {
    let behind = behind.trim_start_matches(' ');
    match behind.strip_prefix(',') {
        Some(next) => Some(next.trim_start_matches(' ')).filter(|next| !next.starts_with(bracket)),
        None => behind.starts_with(bracket).then_some(behind),
    }
}

/// Takes a key of plain letters and its colon off a line; gives the key and what follows the colon.
fn key(text: &str) -> Option<(&str, &str)> {
    let within = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./?".contains(byte);
    let length = text.bytes().take_while(within).count();
    let (key, rest) = text.split_at(length);
    let value = rest.strip_prefix(':').filter(|rest| rest.is_empty() || rest.starts_with(' '))?;
    let first = key.bytes().next()?;
    ((first.is_ascii_alphanumeric() || first == b'_') && length < 128).then_some((key, value))
}

/// Tells whether a plain value may begin like this, without any meaning of its own.
fn starts_plainly(text: &str) -> bool {
    let dashes = text.bytes().take_while(|byte| *byte == b'-').count();
    match text[dashes..].chars().next() {
        Some(first) if dashes > 0 => dashes < 3 && first.is_ascii_alphanumeric(),
        Some(first) => first.is_alphanumeric() || "_./($<=+~^;\\".contains(first),
        None => false,
    }
}
