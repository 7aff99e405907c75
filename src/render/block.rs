//! A part of somebody else's text file that is ours: what stands between two marked lines.

use std::fmt;

/// The lines that a part begins and ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// The first line.
    pub begin: &'static str,
    /// The last line.
    pub end: &'static str,
}

/// Why nobody can tell which part of a file is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarksFault {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do next.
    pub help: String,
}

impl fmt::Display for MarksFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A code fence that is open.
struct Fence {
    character: char,
    length: usize,
    /// It stands in a list or a quotation, whose lines begin further right.
    nested: bool,
}

impl Fence {
    /// Reads a line that opens a fence: of three and more, behind up to three spaces, in a list or a
    /// quotation too.
    fn opened(line: &str) -> Option<Self> {
        let inner = line.trim_start_matches(|c: char| " >-*+.)".contains(c) || c.is_ascii_digit());
        let before = &line[..line.len() - inner.len()];
        let nested = !before.trim().is_empty();
        let character = inner.chars().next().filter(|first| "`~".contains(*first))?;
        let length = inner.len() - inner.trim_start_matches(character).len();
        let words = &inner[length..];
        let opens = length >= 3
            && (nested || before.len() <= 3)
            && !(character == '`' && words.contains('`'));
        opens.then_some(Fence { character, length, nested })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let inner = match self.nested {
            true => line.trim_start_matches([' ', '>']),
            false => line.trim_start_matches(' '),
        };
        let length = inner.len() - inner.trim_start_matches(self.character).len();
        (self.nested || line.len() - inner.len() <= 3)
            && length >= self.length
            && inner[length..].trim().is_empty()
    }
}

/// Tells of each line of a text whether it belongs to a code fence, and whether the text ends in one that
/// nobody closed. What follows such a one is not taken for code.
fn fenced(text: &str) -> (Vec<bool>, bool) {
    let lines: Vec<&str> = text.lines().collect();
    let mut code = vec![false; lines.len()];
    let (mut at, mut unclosed) = (0, false);
    while at < lines.len() {
        if let Some(fence) = Fence::opened(lines[at]) {
            match (at + 1..lines.len()).find(|&end| fence.is_closed_by(lines[end])) {
                Some(end) => {
                    code[at..=end].fill(true);
                    at = end;
                }
                None => unclosed = true,
            }
        }
        at += 1;
    }
    (code, unclosed)
}

/// Gives a text in which `body` stands between the marked lines: in place of what stood there, else
/// behind everything. All else stays as it is, byte for byte, and the part ends its lines as the text
/// does. Refuses a text in which the lines don't stand exactly once, one behind the other. Within a code
/// fence they are an example, and one that nobody closed leaves no place behind everything.
pub fn with_block(text: &str, marks: Marks, body: &str) -> Result<String, MarksFault> {
    let (code, unclosed) = fenced(text);
    let lines_of = |mark: &str| {
        let mut at = 0;
        let mut found = Vec::new();
        for (line, code) in text.split_inclusive('\n').zip(&code) {
            if !code && line.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']) == mark {
                found.push(at..at + line.trim_end_matches(['\r', '\n']).len());
            }
            at += line.len();
        }
        found
    };
    let (begins, ends) = (lines_of(marks.begin), lines_of(marks.end));
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let block = [marks.begin, "\n", body.trim_end(), "\n", marks.end].concat();
    let block = block.replace("\r\n", "\n").replace('\n', ending);
    match (begins.as_slice(), ends.as_slice()) {
        ([], []) if unclosed => Err(MarksFault {
            message: "a code fence in it is never closed".to_owned(),
            help: format!(
                "close it, or write `{}` and `{}` where it belongs",
                marks.begin, marks.end
            ),
        }),
        ([], []) => {
            let gap = match text {
                "" => String::new(),
                _ if text.ends_with('\n') => ending.to_owned(),
                _ => ending.repeat(2),
            };
            Ok(format!("{text}{gap}{block}{ending}"))
        }
        ([begin], [end]) if begin.end < end.start => {
            let before = &text[..begin.end - text[begin.clone()].trim_start().len()];
            Ok(format!("{before}{block}{}", &text[end.end..]))
        }
        _ => Err(unclear(marks, (begins.len(), ends.len()))),
    }
}

fn unclear(marks: Marks, counts: (usize, usize)) -> MarksFault {
    let Marks { begin, end } = marks;
    let message = match counts {
        (1, 0) => format!("the line `{end}` is missing behind `{begin}`"),
        (0, 1) => format!("the line `{begin}` is missing before `{end}`"),
        (1, 1) => format!("the line `{end}` stands before `{begin}`"),
        _ => format!("the lines `{begin}` and `{end}` stand more than once"),
    };
    let help = format!("keep one `{begin}` and one `{end}` behind it, or remove both");
    MarksFault { message, help }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MARKS: Marks = Marks { begin: "<!-- b -->", end: "<!-- e -->" };

    fn put(text: &str, body: &str) -> String {
        with_block(text, MARKS, body).expect("the marks are clear")
    }

    #[test]
    fn it_is_appended_once_and_then_replaced() {
        assert_eq!(put("", "x\n"), "<!-- b -->\nx\n<!-- e -->\n");
        let once = put("# Ours", "x");
        assert_eq!(once, "# Ours\n\n<!-- b -->\nx\n<!-- e -->\n");
        assert_eq!(put(&once, "x"), once);
        let around = format!("{once}\n\n  after, without an end");
        assert_eq!(put(&around, "y\nz\n"), around.replace("\nx\n", "\ny\nz\n"));
        assert_eq!(put("<!-- b -->\n<!-- e -->", "x"), "<!-- b -->\nx\n<!-- e -->");
    }

    #[test]
    fn lines_end_as_those_around_them() {
        let text = "# Ours\r\n\r\n<!-- b -->\r\nold\r\n<!-- e -->\r\nafter\r\n";
        let new = "# Ours\r\n\r\n<!-- b -->\r\nx\r\ny\r\n<!-- e -->\r\nafter\r\n";
        assert_eq!(put(text, "x\ny\n"), new);
        assert_eq!(put("a\r\n", "x\n"), "a\r\n\r\n<!-- b -->\r\nx\r\n<!-- e -->\r\n");
        assert_eq!(put(new, "x\ny"), new);
    }

    #[test]
    fn unclear_marks_are_refused() {
        for (text, why) in [
            ("<!-- b -->\nx\n", "the line `<!-- e -->` is missing"),
            ("x\n<!-- e -->\n", "the line `<!-- b -->` is missing"),
            ("<!-- e -->\n<!-- b -->\n", "stands before"),
            ("<!-- b -->\n<!-- b -->\n<!-- e -->\n", "more than once"),
            ("<!-- b -->\n<!-- e -->\n<!-- e -->\n", "more than once"),
        ] {
            let fault = with_block(text, MARKS, "x").expect_err(text);
            assert!(fault.message.contains(why) && !fault.help.is_empty(), "{fault:?}");
        }
        // Marks within a line are words about them.
        assert!(put("see <!-- b -->\n", "x").starts_with("see <!-- b -->\n\n<!-- b -->\n"));
    }

    /// What stands in a code fence is an example, whatever the fence is made of.
    #[test]
    fn marks_in_code_are_none() {
        let marks = "<!-- b -->\nMINE\n<!-- e -->\n";
        for (open, close) in [
            ("```", "```"),
            ("~~~", "~~~~"),
            ("````md", "`````  "),
            ("   ```", "  ```"),
            ("- ```", "  ```"),
            ("> ```", "> ```"),
        ] {
            let example = format!("{open}\n{marks}{close}\n");
            assert_eq!(put(&example, "x"), format!("{example}\n<!-- b -->\nx\n<!-- e -->\n"));
            let both = format!("{example}{marks}");
            assert_eq!(put(&both, "x"), format!("{example}{}", marks.replace("MINE", "x")));
            let windows = example.replace('\n', "\r\n");
            assert!(put(&windows, "x").starts_with(&windows));
        }
        for outer in ["~~~\n```\n~~~\n", "```\n~~~\n````\n", "``` a`b\n", "    ```\n"] {
            let both = format!("{outer}{marks}");
            assert_eq!(put(&both, "x"), both.replace("MINE", "x"), "{outer}");
        }
        let shorter = format!("````\n```\n{marks}````\n");
        assert!(put(&shorter, "x").starts_with(&shorter));
        let open = with_block("```\nx\n", MARKS, "x").expect_err("never closed");
        assert!(open.message.contains("never closed"), "{open:?}");
        assert_eq!(
            put(&format!("```\n{marks}"), "x"),
            format!("```\n{}", marks.replace("MINE", "x"))
        );
    }

    proptest! {
        /// Whatever stands around the part stays, and saying the same again changes nothing.
        #[test]
        fn all_else_stays(before in "\\PC{0,20}(\\r?\\n\\PC{0,9}){0,3}", body in "[a-z\\n]{0,12}") {
            let once = put(&before, &body);
            prop_assert!(once.starts_with(&before));
            prop_assert_eq!(put(&once, &body), once.clone());
            let (one, other) = (put(&once, "one"), put(&once, "other"));
            prop_assert_eq!(one.replace("one", ""), other.replace("other", ""));
        }
    }
}
