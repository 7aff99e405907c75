//! A quote that is not closed: where it opens, which is where somebody mends it.

use super::{NOT_YAML, Problem};
use crate::source::Span;

/// Gives the fault behind a fault of syntax, if that is a quote that opens further up and is not closed on its
/// line: a reader only stumbles where the next one stands, many lines below.
pub(super) fn left_open(text: &str, problem: &Problem) -> Option<Problem> {
    let stumbled = problem.message.starts_with(NOT_YAML) && problem.message.contains("quote");
    let before = text.get(..problem.span.start).filter(|_| stumbled)?;
    let whole = &text[..text[before.len()..].find('\n').map_or(text.len(), |at| before.len() + at)];
    let mut offset = 0;
    for line in whole.split_inclusive('\n') {
        if let Some(at) = in_line(line.trim_end_matches('\n')).map(|at| offset + at) {
            let message =
                format!("{NOT_YAML}: the quote that opens here is not closed on its line");
            let help = "close it; within single quotes write `''` for one, and within double quotes `\\\"`";
            return Some(Problem::invalid(Span::new(at, at + 1), message, help));
        }
        offset += line.len();
    }
    None
}

/// Gives where a quote stands in a line that opens a scalar and is not closed.
fn in_line(line: &str) -> Option<usize> {
    let (mut open, mut before) = (None, ' ');
    let mut rest = line.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match (open, c) {
            (Some((_, '"')), '\\') => drop(rest.next()),
            (Some((_, '\'')), '\'') if rest.next_if(|(_, next)| *next == '\'').is_some() => {}
            (Some((_, quote)), c) if c == quote => open = None,
            (Some(_), _) => {}
            (None, '#') if before.is_whitespace() => return None,
            // Within a plain word, a quote is a letter.
            (None, '"' | '\'') if before.is_whitespace() || "[{,:".contains(before) => {
                open = Some((at, c));
            }
            _ => {}
        }
        before = c;
    }
    open.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::super::read;

    /// The line that is at fault is named, and not one far below it.
    #[test]
    fn an_open_quote_is_told_where_it_opens() {
        for (text, place) in [
            ("project: \"lab\nagents:\n  a: {}\n", 9),
            ("a: {title: 'Audits, owns: [x]}\n# a person's\nb: 'c'\n", 11),
            ("# it's fine\na: [\"x]\nb: [\"y\"]\n", 16),
            ("a: it's\nb: 'c\n", 11),
            ("a: 'it''s\n", 3),
        ] {
            let problem = read(text.as_bytes()).expect_err("refused").remove(0);
            assert!(
                problem.message.contains("not closed on its line"),
                "{text}: {}",
                problem.message
            );
            assert_eq!(problem.span.start, place, "{text}");
        }
        let problem = read(b"a: \"x\" y\n").expect_err("refused").remove(0);
        assert!(!problem.message.contains("not closed"), "{}", problem.message);
    }
}
