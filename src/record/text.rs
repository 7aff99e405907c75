//! Bytes to text that a reader can trust: UTF-8, no larger than a record may be, without the marks
//! of a merge and without characters that can't be seen.

use super::problem::Problem;
use crate::source::{Span, path::unprintable};

/// Records over this size are refused unread, in bytes.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// Gives the text, or what is wrong with it.
pub(super) fn plain(bytes: &[u8]) -> Result<&str, Vec<Problem>> {
    let text = decoded(bytes)?;
    let markers = conflict_markers(text);
    if !markers.is_empty() {
        return Err(markers);
    }
    if text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)) {
        return Ok(text);
    }
    let hidden: Vec<_> = foreign_line_ends(text).chain(invisible_characters(text)).collect();
    if hidden.is_empty() { Ok(text) } else { Err(hidden) }
}

fn decoded(bytes: &[u8]) -> Result<&str, Vec<Problem>> {
    let whole = |message: &str, help: &str| {
        Err(vec![Problem::invalid(Span::default(), message.to_owned(), help)])
    };
    if bytes.len() > MAX_BYTES {
        return whole(
            "this file is larger than 1 MiB",
            "keep records small, and data in artifacts",
        );
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return whole("this file begins with a byte-order mark", "save it as UTF-8 without one");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => whole("this file is not UTF-8", "save it as UTF-8"),
    }
}

fn conflict_markers(text: &str) -> Vec<Problem> {
    let mut offset = 0;
    let mut problems = Vec::new();
    for line in text.split_inclusive('\n') {
        let marks = |bare: &str| {
            bare.starts_with("<<<<<<< ") || bare.starts_with(">>>>>>> ") || bare == "======="
        };
        let begins = matches!(line.as_bytes()[0], b'<' | b'>' | b'=');
        if let Some(bare) = begins.then(|| line.trim_end()).filter(|bare| marks(bare)) {
            problems.push(Problem {
                check: "conflict-markers",
                span: Span::new(offset, offset + bare.len()),
                message: "a merge left its conflict markers here".into(),
                help: "records never conflict by themselves: keep the landed file as it is, and \
                       renumber your own with `orch task rebase`"
                    .into(),
            });
        }
        offset += line.len();
    }
    problems
}

/// Tells whether a record may hold this character only as an escape.
pub(super) fn hidden(character: char) -> bool {
    character != '\n' && unprintable(character)
}

/// Tells once of lines that end as they do on Windows.
fn foreign_line_ends(text: &str) -> impl Iterator<Item = Problem> {
    text.find("\r\n").into_iter().map(|at| Problem {
        check: "text-unsafe",
        span: Span::new(at, at + 1),
        message: "lines end with CR LF here, and with LF alone in every file of orch's".into(),
        help: "save it with LF, and let Git keep it so: `/.orch/** text eol=lf` in .gitattributes"
            .into(),
    })
}

fn invisible_characters(text: &str) -> impl Iterator<Item = Problem> {
    let ends_line = |at: usize| text[at..].starts_with("\r\n");
    let characters = text.char_indices();
    let hidden = characters.filter(move |(at, character)| hidden(*character) && !ends_line(*at));
    hidden.take(20).map(|(at, character)| Problem {
        check: "text-unsafe",
        span: Span::new(at, at + character.len_utf8()),
        message: format!("{} can't be seen by a reader", character.escape_unicode()),
        help: "remove the character, or write it as an escape in double quotes".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attack 116: a reader must see what is there.
    #[test]
    fn hidden_characters_are_named() {
        let problems = plain("a: x\u{202e}y\n".as_bytes()).expect_err("refused");
        assert_eq!(problems[0].check, "text-unsafe");
        assert!(problems[0].message.contains("202e"));
    }

    /// A file from Windows has one fault, not one a line.
    #[test]
    fn foreign_line_ends_are_told_once() {
        let problems = plain(b"a: 1\r\nb: 2\r\nc: 3\r\n").expect_err("refused");
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.contains("CR LF") && problems[0].help.contains("eol=lf"));
        let problems = plain(b"a: 1\r\nb: x\ry\n").expect_err("refused");
        assert_eq!(problems.len(), 2);
    }

    #[test]
    fn conflict_markers_have_their_own_name() {
        let problems =
            plain(b"a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n").expect_err("refused");
        assert_eq!(problems.len(), 3);
        assert_eq!(problems[0].check, "conflict-markers");
    }
}
