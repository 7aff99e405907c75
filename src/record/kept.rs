//! Records that were parsed before, as text that is read faster than YAML.
//!
//! Only the tree of values is kept, with its places, and the digest of the file's bytes: the typed record
//! is made of them as it is when a file is parsed, and held against the file's name as well.

use std::fmt::Write as _;

use super::yaml::{Node, Pair, Value};
use super::{Record, RecordPath, of_tree};
use crate::source::{Digest, RepoPath, Span};

/// Trees nest no deeper than this: what seems to is no tree.
const DEEPEST: usize = 64;

/// Gives the records of a ledger as text, in their order.
pub fn kept(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        word(&mut text, &record.repo_path().file_name().to_string());
        word(&mut text, &record.digest.hex());
        put(&mut text, &record.tree);
    }
    text
}

/// Reads what [`kept`] gave of the ledger in a folder; none if it is anything else.
pub fn from_kept(folder: &RepoPath, text: &str) -> Option<Vec<Record>> {
    let mut kept = Kept { text };
    let mut records = Vec::new();
    while !kept.text.is_empty() {
        let path = RecordPath::parse(&folder.join(kept.word()?)).ok()?;
        let digest = Digest::from_hex(kept.word()?)?;
        records.push(of_tree(&path, digest, kept.node(0)?).ok()?);
    }
    Some(records)
}

fn number(text: &mut String, number: impl std::fmt::Display) {
    write!(text, "{number} ").expect("text grows");
}

fn word(text: &mut String, word: &str) {
    number(text, word.len());
    text.push_str(word);
}

fn span(text: &mut String, span: Span) {
    number(text, span.start);
    number(text, span.end);
}

fn put(text: &mut String, node: &Node) {
    let letter = match &node.value {
        Value::Null => 'n',
        Value::Bool(false) => 'b',
        Value::Bool(true) => 'B',
        Value::Int(_) => 'i',
        Value::Float(_) => 'f',
        Value::Text(_) => 't',
        Value::List(_) => 'l',
        Value::Map(_) => 'm',
    };
    text.push(letter);
    span(text, node.span);
    match &node.value {
        Value::Null | Value::Bool(_) => {}
        Value::Int(value) => number(text, value),
        Value::Float(value) => number(text, value.to_bits()),
        Value::Text(value) => word(text, value),
        Value::List(items) => {
            number(text, items.len());
            items.iter().for_each(|item| put(text, item));
        }
        Value::Map(pairs) => {
            number(text, pairs.len());
            for pair in pairs {
                word(text, &pair.key);
                span(text, pair.key_span);
                put(text, &pair.value);
            }
        }
    }
}

/// What is left to be read.
struct Kept<'t> {
    text: &'t str,
}

impl<'t> Kept<'t> {
    fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        let (number, rest) = self.text.split_once(' ')?;
        self.text = rest;
        number.parse().ok()
    }

    /// Reads a place or a length: there are a hundred in each record.
    fn count(&mut self) -> Option<usize> {
        let end = self.text.bytes().take(20).position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.text.split_at_checked(end)?;
        self.text = rest.strip_prefix(' ').filter(|_| end > 0)?;
        digits.bytes().try_fold(0usize, |number, digit| {
            number.checked_mul(10)?.checked_add(usize::from(digit - b'0'))
        })
    }

    fn word(&mut self) -> Option<&'t str> {
        let length = self.count()?;
        let (word, rest) = self.text.split_at_checked(length)?;
        self.text = rest;
        Some(word)
    }

    fn span(&mut self) -> Option<Span> {
        let (start, end) = (self.count()?, self.count()?);
        Some(Span { start, end })
    }

    fn node(&mut self, depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            return None;
        }
        let (letter, rest) = self.text.split_at_checked(1)?;
        self.text = rest;
        let span = self.span()?;
        let value = match letter {
            "n" => Value::Null,
            "b" => Value::Bool(false),
            "B" => Value::Bool(true),
            "i" => Value::Int(self.number()?),
            "f" => Value::Float(f64::from_bits(self.number()?)),
            "t" => Value::Text(self.word()?.to_owned()),
            "l" => {
                let count = self.count()?;
                let mut items = Vec::with_capacity(count.min(self.text.len()));
                for _ in 0..count {
                    items.push(self.node(depth + 1)?);
                }
                Value::List(items)
            }
            "m" => {
                let count = self.count()?;
                let mut pairs = Vec::with_capacity(count.min(self.text.len()));
                for _ in 0..count {
                    pairs.push(self.pair(depth)?);
                }
                Value::Map(pairs)
            }
            _ => return None,
        };
        Some(Node { span, value })
    }

    fn pair(&mut self, depth: usize) -> Option<Pair> {
        let (key, key_span) = (self.word()?.to_owned(), self.span()?);
        Some(Pair { key, key_span, value: self.node(depth + 1)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FOLDER: &str = ".orch/tasks/2026-11/strat-001";
    const FILES: [(&str, &str); 3] = [
        (
            "0001-task.yaml",
            "task:\n  task_id: strat-001\n  title: \"Zwölf\\n und ½\"\n  workflow: w\n  requestor: a\n  \
             week: 3\n  scope: [a, \"b c\"]\nentry:\n  sequence: 1\n  recorded_at: \"2026-11-21T14:30:00Z\"\n  \
             actor: a\n",
        ),
        (
            "0002-block.yaml",
            "block: {reason: No data}\nentry:\n  sequence: 2\n  recorded_at: \"2026-11-21T14:31:00Z\"\n  \
             actor: a\n  previous: \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n",
        ),
        (
            "0003-message.yaml",
            "message:\n  from: a\n  to: b\n  type: request\n  task_id: strat-001\n  payload: {x: 1.5, y: true, z: ~, \
             w: [-1]}\n  status: pending\n  timestamp: \"2026-11-21T14:32:00Z\"\nentry:\n  sequence: 3\n  recorded_at: \"2026-11-21T14:32:00Z\"\n  actor: a\n  \
             previous: \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n",
        ),
    ];

    fn ledger() -> Vec<Record> {
        let parse = |(name, text): (&str, &str)| {
            let path = RecordPath::parse(&RepoPath::from(FOLDER).join(name)).unwrap();
            crate::record::parse(&path, text.as_bytes()).unwrap()
        };
        FILES.into_iter().map(parse).collect()
    }

    #[test]
    fn what_is_kept_is_what_was_parsed() {
        let ledger = ledger();
        assert_eq!(from_kept(&FOLDER.into(), &kept(&ledger)), Some(ledger));
    }

    proptest! {
        /// Whatever is read, nothing panics, and nothing that is cut short is a ledger.
        #[test]
        fn what_is_cut_short_is_refused(at in any::<prop::sample::Index>(), text in ".*") {
            let whole = kept(&ledger());
            let at = (0..=at.index(whole.len())).rev().find(|at| whole.is_char_boundary(*at));
            let records = from_kept(&FOLDER.into(), &whole[..at.unwrap_or_default()]);
            prop_assert!(records.is_none_or(|records| records.len() < FILES.len()));
            from_kept(&FOLDER.into(), &text);
        }
    }
}
