//! Where the values of a JSON text stand in it.

use std::ops::Range;

/// A value, and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    /// From its first byte to behind its last.
    pub(super) span: Range<usize>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Members: each name, where it begins, and its value.
    Object(Vec<(String, usize, Node)>),
    Array(Vec<Node>),
    Other,
}

/// Reads a text that is known to be JSON.
pub(super) fn read(text: &str) -> Node {
    Scanner { text, at: 0 }.value()
}

impl Node {
    /// Gives the last member of a name, which is the one that counts.
    pub(super) fn member(&self, name: &str) -> Option<&Node> {
        self.members().iter().rev().find(|(known, ..)| known == name).map(|(.., node)| node)
    }

    /// Gives the members of an object: each name, where it begins, and its value.
    pub(super) fn members(&self) -> &[(String, usize, Node)] {
        match &self.kind {
            Kind::Object(members) => members,
            _ => &[],
        }
    }

    /// Gives the items of a list.
    pub(super) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::Array(items) => items,
            _ => &[],
        }
    }

    /// Gives where members, or items, stand.
    pub(super) fn children(&self) -> Vec<Range<usize>> {
        match &self.kind {
            Kind::Object(members) => {
                members.iter().map(|(_, start, node)| *start..node.span.end).collect()
            }
            Kind::Array(items) => items.iter().map(|item| item.span.clone()).collect(),
            Kind::Other => Vec::new(),
        }
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn byte(&mut self) -> u8 {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.text.as_bytes()[self.at]
    }

    fn value(&mut self) -> Node {
        let kind = match self.byte() {
            b'{' => return self.object(),
            b'[' => return self.array(),
            b'"' => {
                let span = self.string();
                return Node { span, kind: Kind::Other };
            }
            _ => Kind::Other,
        };
        let rest = &self.text[self.at..];
        let end = rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
        let start = self.at;
        self.at += end;
        Node { span: start..self.at, kind }
    }

    fn object(&mut self) -> Node {
        let start = self.at;
        let mut members = Vec::new();
        self.at += 1;
        while self.byte() != b'}' {
            let name = self.string();
            let key = serde_json::from_str(&self.text[name.clone()]).expect("it was read before");
            self.byte();
            self.at += 1;
            members.push((key, name.start, self.value()));
            self.comma();
        }
        self.at += 1;
        Node { span: start..self.at, kind: Kind::Object(members) }
    }

    fn array(&mut self) -> Node {
        let start = self.at;
        let mut items = Vec::new();
        self.at += 1;
        while self.byte() != b']' {
            items.push(self.value());
            self.comma();
        }
        self.at += 1;
        Node { span: start..self.at, kind: Kind::Array(items) }
    }

    fn comma(&mut self) {
        if self.byte() == b',' {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Range<usize> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while bytes[self.at] != b'"' {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        start..self.at
    }
}
