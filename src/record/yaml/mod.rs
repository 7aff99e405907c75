//! YAML text to a tree of values, each with its place; the only file that knows the YAML crate's
//! reader.
//!
//! The dialect is narrow on purpose (attacks 110 to 116): one document of maps, lists and scalars.
//! Duplicate keys, anchors, aliases, tags, directives, several documents, a byte-order mark and
//! characters that a reader can't see are problems with a place, never something read silently.
//! A plain scalar is a number or a boolean in one spelling only; all else is text.

mod quick;
mod quote;

use serde_yaml::granit_parser::{
    Event, Marker, Parser, ScalarStyle, ScanError, Span as YamlSpan, options,
};

use super::problem::Problem;
use super::text;
use crate::source::Span;

/// A value and the bytes it stands on.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it is.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What YAML can say here.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Text, quoted or plain.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order written.
    Map(Vec<Pair>),
}

/// A key of a map and what it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The key's text.
    pub key: String,
    /// Where the key is.
    pub key_span: Span,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// Gives the pair of a map with this key.
    pub fn pair(&self, key: &str) -> Option<&Pair> {
        match &self.value {
            Value::Map(pairs) => pairs.iter().find(|pair| pair.key == key),
            _ => None,
        }
    }

    /// Gives the same data as JSON, without places.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(value) => value.as_str().into(),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(pairs) => pairs
                .iter()
                .map(|pair| (pair.key.clone(), pair.value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// Gives the place of a field such as `artifacts.0.checksum`, or of the deepest part of the
    /// way there that exists.
    pub fn locate(&self, field: &str) -> Span {
        let mut node = self;
        for step in field.split('.') {
            let next = match &node.value {
                Value::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
                _ => node.pair(step).map(|pair| &pair.value),
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node.span
    }
}

const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 20_000;

/// Reads one document; gives its tree, or the problems that keep it from being one.
pub fn read(bytes: &[u8]) -> Result<Node, Vec<Problem>> {
    let text = text::plain(bytes)?;
    if let Some(tree) = quick::read(text) {
        return Ok(tree);
    }
    let problem = match Reader::new(text).document() {
        Ok(tree) => return Ok(tree),
        Err(problem) => problem,
    };
    Err(vec![quote::left_open(text, &problem).unwrap_or(problem)])
}

const NOT_YAML: &str = "this is not YAML";

/// Gives every scalar of a text with its place, whatever a reader can see of it.
pub(super) fn scalars(text: &str) -> Vec<(Span, String)> {
    let mut reader = Reader::new(text);
    let mut scalars = Vec::new();
    while let Ok((event, span)) = reader.next() {
        match event {
            Event::Scalar(text, ..) => scalars.push((place(span), text.into_owned())),
            Event::StreamEnd => break,
            _ => {}
        }
    }
    scalars
}

struct Reader<'text> {
    parser: Parser<'text, serde_yaml::granit_parser::StrInput<'text>>,
    nodes: usize,
}

impl<'text> Reader<'text> {
    fn new(text: &'text str) -> Self {
        let options = options! { disallow_directives: true, emit_comments: false };
        Reader { parser: Parser::new_from_str_with_options(text, options), nodes: 0 }
    }

    fn next(&mut self) -> Result<(Event<'text>, YamlSpan), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(syntax(&error)),
            None => Ok((Event::StreamEnd, YamlSpan::empty(Marker::new(0, 1, 0)))),
        }
    }

    fn document(&mut self) -> Result<Node, Problem> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(Problem::invalid(
                        place(span),
                        "a second document begins here".into(),
                        "keep one document in a file",
                    ));
                }
                Event::DocumentStart(..) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                Event::StreamEnd => break,
                _ => {}
            }
        }
        root.ok_or_else(|| {
            Problem::invalid(Span::default(), "this file is empty".into(), "restore its content")
        })
    }

    fn node(&mut self, event: Event<'text>, span: YamlSpan, depth: usize) -> Result<Node, Problem> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err(Problem::invalid(
                place(span),
                format!("this file nests over {MAX_DEPTH} deep or holds over {MAX_NODES} values"),
                "keep records small, and data in artifacts",
            ));
        }
        refuse_reference(&event, span)?;
        let start = place(span);
        match event {
            Event::Scalar(text, style, ..) => {
                let value = if style == ScalarStyle::Plain {
                    plain(&text)
                } else {
                    Value::Text(text.into_owned())
                };
                Ok(Node { span: start, value })
            }
            Event::SequenceStart(..) => self.list(start, depth),
            Event::MappingStart(..) => self.map(start, depth),
            _ => Ok(Node { span: start, value: Value::Null }),
        }
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Problem> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                let end = items.last().map_or(place(span).end, |item| item.span.end);
                return Ok(Node { span: Span::new(start.start, end), value: Value::List(items) });
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Problem> {
        let mut pairs: Vec<Pair> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                let end = pairs.last().map_or(place(span).end, |pair| pair.value.span.end);
                return Ok(Node { span: Span::new(start.start, end), value: Value::Map(pairs) });
            }
            let (key, key_span) = self.key(event, span)?;
            if pairs.iter().any(|pair| pair.key == key) {
                let message = format!("the key `{key}` stands here a second time");
                return Err(Problem::invalid(key_span, message, "keep one of the two"));
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            pairs.push(Pair { key, key_span, value });
        }
    }

    fn key(&mut self, event: Event<'text>, span: YamlSpan) -> Result<(String, Span), Problem> {
        refuse_reference(&event, span)?;
        match event {
            Event::Scalar(text, ..) if text != "<<" => Ok((text.into_owned(), place(span))),
            Event::Scalar(..) => Err(Problem::invalid(
                place(span),
                "merge keys are not read here".into(),
                "write the fields out",
            )),
            _ => Err(Problem::invalid(
                place(span),
                "a key is a plain word".into(),
                "use text as the key",
            )),
        }
    }
}

fn refuse_reference(event: &Event<'_>, span: YamlSpan) -> Result<(), Problem> {
    let (anchor, tag) = match event {
        Event::Alias(_) | Event::UnresolvedAlias(_) => (1, false),
        Event::Scalar(_, _, anchor, tag) => (*anchor, tag.is_some()),
        Event::SequenceStart(_, anchor, tag) | Event::MappingStart(_, anchor, tag) => {
            (*anchor, tag.is_some())
        }
        _ => (0, false),
    };
    if anchor != 0 {
        let message = "anchors and aliases are not read here".into();
        return Err(Problem::invalid(place(span), message, "write the value out"));
    }
    if tag {
        let message = "tags are not read here".into();
        return Err(Problem::invalid(place(span), message, "write the plain value"));
    }
    Ok(())
}

/// The core schema's scalars, each in one spelling; `yes`, `True`, `0x1f` and `1_000` are text.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ if looks_numeric(text) => text
            .parse()
            .map(Value::Int)
            .or_else(|_| text.parse().map(Value::Float))
            .unwrap_or_else(|_| Value::Text(text.to_owned())),
        _ => Value::Text(text.to_owned()),
    }
}

fn looks_numeric(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.contains(|digit: char| digit.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'))
}

fn place(span: YamlSpan) -> Span {
    let start = span.start.byte_offset().unwrap_or_default();
    Span::new(start, span.end.byte_offset().unwrap_or(start))
}

fn syntax(error: &ScanError) -> Problem {
    let start = error.marker().byte_offset().unwrap_or_default();
    Problem::invalid(
        Span::new(start, start),
        format!("{NOT_YAML}: {}", error.info()),
        "mend the syntax here; values with `: ` or `#` need quotes",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> String {
        read(text.as_bytes()).expect_err("refused").remove(0).message
    }

    #[test]
    fn every_value_keeps_its_place() {
        let text = "handoff:\n  artifacts:\n    - path: a.py\n      checksum: \"x\"\n";
        let node = read(text.as_bytes()).expect("YAML");
        let span = node.locate("handoff.artifacts.0.path");
        assert_eq!(&text[span.start..span.end], "a.py");
        let span = node.locate("handoff.artifacts.0.checksum");
        assert_eq!(&text[span.start..span.end], "\"x\"");
    }

    #[test]
    fn scalars_have_one_spelling() {
        let node =
            read(b"[1, -2.5, 26e2, true, null, yes, True, 1_000, 0x1f, '7', 1.2.3]").expect("YAML");
        let Value::List(items) = node.value else { panic!("a list") };
        let values: Vec<_> = items.into_iter().map(|item| item.value).collect();
        let text = |word: &str| Value::Text(word.to_owned());
        assert_eq!(
            values,
            [
                Value::Int(1),
                Value::Float(-2.5),
                Value::Float(2600.0),
                Value::Bool(true),
                Value::Null,
                text("yes"),
                text("True"),
                text("1_000"),
                text("0x1f"),
                text("7"),
                text("1.2.3"),
            ]
        );
    }

    /// Attacks 110, 112, 114: what YAML parsers disagree about is refused.
    #[test]
    fn the_dialect_is_narrow() {
        assert!(fault("a: 1\na: 2\n").contains("second time"));
        assert!(fault("a: {b: 1, b: 2}\n").contains("second time"));
        assert!(fault("a: &x 1\n").contains("anchors"));
        assert!(fault("a: *x\n").contains("anchor"), "{}", fault("a: *x\n"));
        assert!(fault("a: !evil 1\n").contains("tags"));
        assert!(fault("<<: {a: 1}\n").contains("merge"));
        assert!(fault("a: 1\n---\nb: 2\n").contains("second document"));
        assert!(fault("%YAML 1.2\n---\na: 1\n").contains("not YAML"));
        assert!(fault("\u{feff}a: 1\n").contains("byte-order"));
        assert!(fault("").contains("empty"));
        assert!(read(b"a: \xff\n").is_err());
        assert!(read(b"a\0: 1\n").is_err());
    }

    /// Attack 113: size and depth are bounded.
    #[test]
    fn bombs_are_refused_early() {
        assert!(read("[".repeat(20_000).as_bytes()).is_err());
        assert!(fault(&format!("[{}]", "1,".repeat(30_000))).contains("values"));
        assert!(fault(&"a".repeat(text::MAX_BYTES + 1)).contains("1 MiB"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_yaml_like_text_makes_it_panic(text in "[a-z:\\- \n\\[\\]{}\"'|>&*!%#?,]{0,80}") {
            let _ = read(text.as_bytes());
        }
    }
}
