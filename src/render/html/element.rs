//! Elements of a page. Whatever is put into one as words is escaped: no other way leads in.

use crate::render::text::one_line;
use crate::source::markup::in_xml;

/// The most that is shown of what a record says in one place, in characters.
const LONGEST: usize = 240;

/// An element with its attributes and all that is in it. Well-formed as XML, and HTML as well.
#[derive(Debug, Clone)]
pub(super) struct Element {
    name: &'static str,
    attributes: String,
    inner: String,
}

/// Begins an element.
pub(super) fn element(name: &'static str) -> Element {
    Element { name, attributes: String::new(), inner: String::new() }
}

impl Element {
    /// Adds an attribute.
    pub(super) fn with(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        let value = in_xml(&one_line(value.as_ref()));
        self.attributes.push_str(&format!(" {name}=\"{value}\""));
        self
    }

    /// Adds a class.
    pub(super) fn class(self, class: &'static str) -> Self {
        self.with("class", class)
    }

    /// Adds words of the page's own, or names that have no letters to deceive with.
    pub(super) fn words(mut self, words: impl AsRef<str>) -> Self {
        self.inner.push_str(&in_xml(&one_line(words.as_ref())));
        self
    }

    /// Adds what a record says: cut where it is too long, and kept from turning the words around it.
    pub(super) fn said(self, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        let short: String = text.chars().take(LONGEST).collect();
        let cut = if short.len() < text.len() { "…" } else { "" };
        self.put(element("bdi").words(format!("{short}{cut}")))
    }

    /// Adds a sentence in which what stands between backticks is something to type; of a record's too.
    pub(super) fn prose(self, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        let short: String = text.chars().take(2 * LONGEST).collect();
        let pieces: Vec<&str> = short.split('`').collect();
        let mut sentence = element("bdi");
        for (at, piece) in pieces.iter().enumerate() {
            sentence = match at % 2 == 1 && at + 1 < pieces.len() {
                true => sentence.put(element("code").words(piece)),
                // A backtick without a partner is only itself.
                false if at % 2 == 1 => sentence.words(format!("`{piece}")),
                false => sentence.words(piece),
            };
        }
        let cut = if short.len() < text.len() { "…" } else { "" };
        self.put(sentence.words(cut))
    }

    /// Adds an element.
    pub(super) fn put(mut self, child: Element) -> Self {
        child.write(&mut self.inner);
        self
    }

    /// Adds elements, one after the other.
    pub(super) fn put_all(self, children: impl IntoIterator<Item = Element>) -> Self {
        children.into_iter().fold(self, Element::put)
    }

    /// Adds a picture that is whole already, drawn with its own words escaped.
    pub(super) fn picture(mut self, svg: &str) -> Self {
        self.inner.push_str(svg.trim_end());
        self
    }

    /// Adds a text of the program's own as it is, such as a style sheet.
    pub(super) fn fixed(mut self, text: &'static str) -> Self {
        self.inner.push_str(text);
        self
    }

    /// Ends the line, where lines are kept as they are.
    pub(super) fn line(mut self) -> Self {
        self.inner.push('\n');
        self
    }

    fn write(&self, out: &mut String) {
        let Element { name, attributes, inner } = self;
        let line = if BLOCKS.contains(name) { "\n" } else { "" };
        // HTML closes these by itself; of all others it wants to see the end.
        let whole = match VOID.contains(name) {
            true => format!("<{name}{attributes}/>{line}"),
            false => format!("<{name}{attributes}>{inner}</{name}>{line}"),
        };
        out.push_str(&whole);
    }
}

/// Elements that have no end tag.
const VOID: [&str; 2] = ["meta", "br"];

/// Elements that end their line, for those who read the source.
const BLOCKS: [&str; 14] = [
    "meta", "title", "style", "head", "header", "main", "footer", "section", "table", "tr", "ul",
    "li", "article", "details",
];

impl std::fmt::Display for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        self.write(&mut out);
        f.write_str(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        let hostile = "</title><script>alert(1)</script>\u{202e}&\"'";
        let whole = element("p").with("title", hostile).said(hostile).to_string();
        assert!(!whole.contains("<script") && !whole.contains('\u{202e}'), "{whole}");
        let document = roxmltree::Document::parse(&whole).expect("XML");
        let shown = hostile.replace('\u{202e}', "\\u{202e}");
        assert_eq!(document.root_element().attribute("title"), Some(shown.as_str()));
        assert_eq!(
            document.root_element().first_element_child().and_then(|bdi| bdi.text()),
            Some(shown.as_str())
        );
    }

    #[test]
    fn backticks_hold_what_is_typed() {
        let whole = element("p").prose("type `orch <x>`, then ` wait").to_string();
        assert_eq!(whole, "<p><bdi>type <code>orch &lt;x&gt;</code>, then ` wait</bdi></p>");
    }

    #[test]
    fn long_texts_are_cut() {
        let whole = element("p").said("ä".repeat(10_000)).to_string();
        assert_eq!(whole.chars().filter(|letter| *letter == 'ä').count(), LONGEST);
        assert!(whole.ends_with("…</bdi></p>"), "{whole}");
        assert!(!element("p").said("ä".repeat(LONGEST)).to_string().contains('…'));
    }
}
