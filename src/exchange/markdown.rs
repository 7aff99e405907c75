//! Markdown to blocks of letters, each with its place; the only file that knows the Markdown crate.
//!
//! Emphasis, code spans and links become plain text. A letter remembers whether it was written as
//! itself: one that was escaped never separates a label from its text.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::problem;
use crate::record::Problem;
use crate::source::Span;

/// Larger documents are refused unread, in bytes.
/// No file that is read has more bytes.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// One character of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) character: char,
    /// Written as itself: neither escaped nor in a code span.
    pub(super) plain: bool,
    /// The end of a line that goes on with the next.
    soft: bool,
    /// The offset of its first byte.
    at: usize,
}

/// A part of a document.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) kind: Kind,
    pub(super) words: Vec<Letter>,
    pub(super) span: Span,
}

/// What a block is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A heading, with its level.
    Heading(u8),
    /// A paragraph, or a block of code.
    Text,
    /// An item of a list, with its depth from 1.
    Item(usize),
    /// A table, its first row the header.
    Table(Vec<Vec<Cell>>),
}

/// A cell of a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) span: Span,
}

/// Gives the text of a document; refuses bytes that are none, and what is too large.
pub(super) fn text_of(bytes: &[u8]) -> Result<&str, Vec<Problem>> {
    let refused = |message: &str, help: &str| vec![problem(Span::default(), message, help)];
    if bytes.len() > MAX_BYTES {
        return Err(refused("this file is larger than 1 MiB", "keep data in files of its own"));
    }
    std::str::from_utf8(bytes).map_err(|_| refused("this file is not UTF-8", "save it as UTF-8"))
}

/// Reads a document with its links: an address stands behind its text, in parentheses.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    Reader::new(text, true).read(Options::empty())
}

/// Reads a document with its tables; of links only their text is kept.
pub(super) fn blocks_with_tables(text: &str) -> Vec<Block> {
    Reader::new(text, false).read(Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

struct Reader<'t> {
    text: &'t str,
    /// Whether the addresses of links are kept.
    addresses: bool,
    blocks: Vec<Block>,
    open: Option<Block>,
    depth: usize,
    /// Where the text of each open link begins, and its address.
    links: Vec<(usize, String)>,
    code: bool,
    rows: Vec<Vec<Cell>>,
    /// The end of the last piece of text: what lies between it and the next was an escape.
    end: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, addresses: bool) -> Self {
        Reader {
            text,
            addresses,
            blocks: Vec::new(),
            open: None,
            depth: 0,
            links: Vec::new(),
            code: false,
            rows: Vec::new(),
            end: 0,
        }
    }

    fn read(mut self, options: Options) -> Vec<Block> {
        for (event, range) in Parser::new_ext(self.text, options).into_offset_iter() {
            match event {
                Event::Start(tag) => self.start(tag, &range),
                Event::End(tag) => {
                    self.close_tag(tag);
                    self.end = range.end;
                }
                Event::Text(text) => self.words(&text, &range, !self.code),
                Event::Code(text) => self.words(&text, &range, false),
                // What an author commented out is for nobody.
                Event::Html(text) | Event::InlineHtml(text) if text.starts_with("<!--") => {}
                Event::Html(text) | Event::InlineHtml(text) => self.words(&text, &range, false),
                Event::SoftBreak => self.push('\n', range.start, true, true),
                Event::HardBreak => self.push('\n', range.start, true, false),
                _ => {}
            }
        }
        self.close();
        self.blocks
    }

    fn start(&mut self, tag: Tag<'_>, range: &Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => self.begin(Kind::Heading(level as u8), range),
            Tag::Paragraph | Tag::CodeBlock(_) | Tag::HtmlBlock => {
                self.code = matches!(tag, Tag::CodeBlock(_));
                match &self.open {
                    Some(item) if self.depth > 0 && !item.words.is_empty() => {
                        self.push('\n', range.start, false, false);
                    }
                    Some(_) if self.depth > 0 => {}
                    _ if self.depth > 0 => self.begin(Kind::Item(self.depth), range),
                    _ => self.begin(Kind::Text, range),
                }
            }
            Tag::List(_) => {
                self.close();
                self.depth += 1;
            }
            Tag::Item => self.begin(Kind::Item(self.depth), range),
            Tag::Table(_) => self.close(),
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            Tag::TableCell => self.begin(Kind::Text, range),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                let from = self.open.as_ref().map_or(0, |block| block.words.len());
                self.links.push((from, dest_url.into_string()));
            }
            _ => {}
        }
    }

    fn close_tag(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::CodeBlock => {
                self.code = false;
                // The last line of code and HTML has an end of its own.
                if let (Some(block), false) = (&mut self.open, tag == TagEnd::Paragraph) {
                    block.words.pop_if(|last| last.character == '\n');
                }
                if self.depth == 0 {
                    self.close();
                }
            }
            TagEnd::Heading(_) | TagEnd::Item => self.close(),
            TagEnd::List(_) => self.depth = self.depth.saturating_sub(1),
            TagEnd::Link | TagEnd::Image => self.close_link(),
            TagEnd::TableCell => {
                let cell = self.open.take();
                let cell = cell.map(|block| Cell {
                    text: text(&block.words),
                    span: place(trim(&block.words), block.span),
                });
                if let (Some(row), Some(cell)) = (self.rows.last_mut(), cell) {
                    row.push(cell);
                }
            }
            TagEnd::Table => {
                let rows = std::mem::take(&mut self.rows);
                let span = rows.first().and_then(|row| row.first()).map(|cell| cell.span);
                let span = span.unwrap_or_default();
                self.blocks.push(Block { kind: Kind::Table(rows), words: Vec::new(), span });
            }
            _ => {}
        }
    }

    /// Puts a link's address behind its text, unless the text is the address.
    fn close_link(&mut self) {
        let Some((from, address)) = self.links.pop().filter(|_| self.addresses) else { return };
        let Some(block) = &self.open else { return };
        let shown = text(&block.words[from.min(block.words.len())..]);
        if address.is_empty() || shown == address || format!("mailto:{shown}") == address {
            return;
        }
        let at = block.words.last().map_or(block.span.start, |letter| letter.at);
        for character in format!(" ({address})").chars() {
            self.push(character, at, false, false);
        }
    }

    fn begin(&mut self, kind: Kind, range: &Range<usize>) {
        self.close();
        let span = Span::new(range.start, range.end);
        self.open = Some(Block { kind, words: Vec::new(), span });
        self.end = range.start;
    }

    fn close(&mut self) {
        if let Some(block) = self.open.take().filter(|block| !block.words.is_empty()) {
            self.blocks.push(block);
        }
    }

    fn words(&mut self, words: &str, range: &Range<usize>, plain: bool) {
        let itself = self.text.get(range.clone()) == Some(words);
        let before = range.start.checked_sub(1).and_then(|at| self.text.as_bytes().get(at));
        let escaped = before == Some(&b'\\') && self.end < range.start;
        for (offset, character) in words.char_indices() {
            let at = if itself { range.start + offset } else { range.start };
            let plain = plain && itself && !(escaped && offset == 0);
            self.push(character, at, plain, false);
        }
        self.end = range.end;
    }

    fn push(&mut self, character: char, at: usize, plain: bool, soft: bool) {
        if let Some(block) = &mut self.open {
            block.words.push(Letter { character, plain, soft, at });
        }
    }
}

/// Gives the letters as text; lines that go on are joined.
pub(super) fn text(letters: &[Letter]) -> String {
    let character = |letter: &Letter| if letter.soft { ' ' } else { letter.character };
    trim(letters).iter().map(character).collect()
}

/// Gives the place of letters; of `block`, if there are none.
pub(super) fn place(letters: &[Letter], block: Span) -> Span {
    match (letters.first(), letters.last()) {
        (Some(first), Some(last)) => Span::new(first.at, last.at),
        _ => block,
    }
}

/// Takes blanks away from both ends, but for those that were written as escapes.
pub(super) fn trim(letters: &[Letter]) -> &[Letter] {
    let blank = |letter: &Letter| letter.plain && matches!(letter.character, ' ' | '\t' | '\n');
    let start = letters.iter().position(|letter| !blank(letter)).unwrap_or(letters.len());
    let end = letters.iter().rposition(|letter| !blank(letter)).map_or(start, |last| last + 1);
    &letters[start..end]
}

/// Parts letters at the ends of their lines.
pub(super) fn lines(letters: &[Letter]) -> impl Iterator<Item = &[Letter]> {
    let lines = letters.split(|letter| letter.character == '\n' && letter.plain);
    lines.map(trim).filter(|line| !line.is_empty())
}

/// Parts a label from its text, at the first colon with a blank or nothing behind it.
pub(super) fn labelled(letters: &[Letter]) -> (Option<&[Letter]>, &[Letter]) {
    let colon = letters.iter().enumerate().position(|(index, letter)| {
        let next = letters.get(index + 1);
        letter.plain
            && letter.character == ':'
            && next.is_none_or(|next| next.character.is_whitespace())
    });
    match colon {
        Some(at) if !trim(&letters[..at]).is_empty() => {
            (Some(trim(&letters[..at])), trim(&letters[at + 1..]))
        }
        _ => (None, trim(letters)),
    }
}

/// Gives letters as a word of this form's own; none if any was escaped, so that a text can say the
/// same word without meaning it.
pub(super) fn own_word(letters: &[Letter]) -> Option<String> {
    letters.iter().all(|letter| letter.plain).then(|| text(letters))
}
