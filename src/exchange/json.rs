//! JSON as other tools write it, made readable for the reader of YAML: tabs between its values, and
//! characters spelled as two escapes, which JSON allows and YAML does not.

use std::borrow::Cow;

use crate::record::Problem;
use crate::source::Span;

/// A document, and where it is shorter than what was given.
pub(super) struct Plain<'b> {
    bytes: Cow<'b, [u8]>,
    /// Offsets behind which two bytes are gone.
    cuts: Vec<usize>,
}

impl<'b> Plain<'b> {
    /// Takes a document; one that is no JSON stays as it is.
    pub(super) fn of(bytes: &'b [u8]) -> Self {
        let strange = bytes.contains(&b'\t') || bytes.windows(3).any(|part| part == b"\\ud");
        let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
        if !strange || !is_json() {
            return Plain { bytes: Cow::Borrowed(bytes), cuts: Vec::new() };
        }
        let (mut plain, mut cuts) = (Vec::with_capacity(bytes.len()), Vec::new());
        let (mut at, mut quoted) = (0, false);
        while let Some(byte) = bytes.get(at).copied() {
            let taken = match (byte, quoted) {
                (b'\\', true) => match pair(&bytes[at..]) {
                    Some(character) => {
                        let escape = format!("\\U{:08X}", u32::from(character));
                        plain.extend_from_slice(escape.as_bytes());
                        cuts.push(plain.len());
                        12
                    }
                    None => {
                        plain.extend_from_slice(&bytes[at..bytes.len().min(at + 2)]);
                        2
                    }
                },
                (b'\t', false) => {
                    plain.push(b' ');
                    1
                }
                _ => {
                    quoted ^= byte == b'"';
                    plain.push(byte);
                    1
                }
            };
            at += taken;
        }
        Plain { bytes: Cow::Owned(plain), cuts }
    }

    /// Gives the document.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Puts problems where they stand in what was given.
    pub(super) fn restored(&self, mut problems: Vec<Problem>) -> Vec<Problem> {
        for problem in &mut problems {
            let before = |at: usize| at + 2 * self.cuts.iter().filter(|cut| **cut <= at).count();
            problem.span = Span::new(before(problem.span.start), before(problem.span.end));
        }
        problems
    }
}

/// Reads one character that is spelled as two escapes, `\ud83d\ude00`.
fn pair(bytes: &[u8]) -> Option<char> {
    let half = |at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let halves = [half(0)?, half(6)?];
    char::decode_utf16(halves).next()?.ok().filter(|character| u32::from(*character) > 0xFFFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::yaml;

    #[test]
    fn json_of_other_tools_is_read() {
        let text =
            "{\n\t\"a\":\t\"x\\ty \\ud83d\\ude00\\ud83d\\ude80\",\n\t\"b\": [\"\\\"\\u00e9\", z]}";
        let good = text.replace(", z]", "]");
        let plain = Plain::of(good.as_bytes());
        let read = yaml::read(plain.bytes()).expect("JSON");
        let meant: serde_json::Value = serde_json::from_str(&good).expect("JSON");
        assert_eq!(read.to_json(), meant);
        assert_eq!(Plain::of(text.as_bytes()).bytes(), text.as_bytes(), "that is no JSON");

        let span = read.locate("b.0");
        let problem = Problem::invalid(span, "x".into(), "y");
        let span = plain.restored(vec![problem])[0].span;
        assert_eq!(&good[span.start..span.end], "\"\\\"\\u00e9\"");
    }
}
