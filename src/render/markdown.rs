//! For a pull request or the summary of a job: the verdict and a table of what was found.
//!
//! Whatever the repository says stands in code spans, in which no service looks for mentions, links
//! or references; outside of them stand words of letters alone. What could end a code span, a cell
//! or a line, or begin HTML, is an entity between two spans, where it means nothing but itself.

use super::{Verdict, summary, text};
use crate::diagnostic::{Finding, Report};
use crate::source::many;

/// GitHub refuses a comment of more than 65,536 characters as a whole; this leaves room for words
/// around the table.
const ROOM: usize = 60_000;

/// Gives the verdict, what was judged, and the table.
pub(super) fn verdict(verdict: &Verdict<'_>) -> String {
    let report = verdict.report;
    let mut output = format!("**{}**: {}\n\n", summary::word(report), summary::counts(report));
    output.push_str(&judged(verdict));
    if report.findings.is_empty() {
        return output;
    }
    output.push_str("\n| check | place | message | what to do |\n|---|---|---|---|\n");
    let mut left = 0;
    for finding in &report.findings {
        let row = row(finding, report);
        if output.len() + row.len() <= ROOM {
            output.push_str(&row);
        } else {
            left += 1;
        }
    }
    if left > 0 {
        let more = many(left, "finding");
        output.push_str(&format!("\nThere is no room here for {more} more.\n"));
    }
    output
}

/// Names the branch and the two sides. A branch too long to be one is left out.
fn judged(verdict: &Verdict<'_>) -> String {
    let sides = format!("from {} to {}", code(&verdict.base), code(&verdict.head));
    match &verdict.branch {
        Some(branch) if branch.len() < 1000 => {
            format!("Branch {}, {sides}.\n", code(branch))
        }
        _ => format!("Judged {sides}.\n"),
    }
}

fn row(finding: &Finding, report: &Report) -> String {
    let check = format!("{} {}", summary::severity(finding.severity), code(finding.check));
    let place = code(&summary::place(&finding.place, report));
    let mut message = cell(&finding.message);
    for related in &finding.related {
        message.push_str("; see ");
        message.push_str(&code(&summary::place(&related.place, report)));
        message.push_str(": ");
        message.push_str(&cell(&related.message));
    }
    let help: Vec<String> = finding.help.lines().map(cell).collect();
    format!("| {check} | {place} | {message} | {} |\n", help.join(" "))
}

/// A part of a cell, before it is written.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Stands in a code span.
    Code(String),
    /// Letters and what belongs between words, as it is.
    Plain(String),
}

/// Gives a sentence as the inside of a cell. Where it has something between backticks, as ours do,
/// that is one span, so that a command can be copied.
pub(super) fn cell(text: &str) -> String {
    parted(text, words)
}

/// Gives a sentence as the inside of a cell of a file that people and agents read, in which nobody is
/// told of a mention: its words are plain, with what Markdown would act upon escaped. What stands
/// between backticks is a span, and so is a word with an `@`, which some agents take for a file to read.
pub(super) fn plain(text: &str) -> String {
    parted(text, |word| {
        vec![match word.contains('@') {
            true => Part::Code(word.to_owned()),
            false => Part::Plain(escaped(word)),
        }]
    })
}

/// Escapes what Markdown and HTML act upon within a cell.
fn escaped(word: &str) -> String {
    let mut written = String::with_capacity(word.len());
    for (at, character) in word.char_indices() {
        let inside = || {
            let after = word[at + 1..].chars().next();
            let before = word[..at].chars().next_back();
            [before, after].iter().all(|beside| beside.is_some_and(char::is_alphanumeric))
        };
        match character {
            // Within a word an underscore is only itself.
            '_' if inside() => written.push('_'),
            '*' | '_' | '[' | ']' | '~' | '$' => written.extend(['\\', character]),
            _ => {
                written.push_str(entity(character).unwrap_or(&word[at..at + character.len_utf8()]))
            }
        }
    }
    written
}

fn parted(text: &str, words: impl Fn(&str) -> Vec<Part>) -> String {
    let text = text::one_line(text);
    let pieces: Vec<&str> = text.split('`').collect();
    let mut parts = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let quoted = at % 2 == 1 && at + 1 < pieces.len();
        if quoted && !piece.is_empty() {
            parts.push(Part::Code((*piece).to_owned()));
            continue;
        }
        // A backtick without a partner, or without anything in between, is only itself.
        if at % 2 == 1 {
            parts.push(Part::Code("`".repeat(1 + usize::from(quoted))));
        }
        for (at, word) in piece.split(' ').enumerate() {
            if at > 0 {
                parts.push(Part::Plain(" ".to_owned()));
            }
            parts.extend(words(word));
        }
    }
    written(parts)
}

/// Gives a text that is no sentence as the inside of a cell.
pub(super) fn code(text: &str) -> String {
    written(vec![Part::Code(text::one_line(text))])
}

/// Takes a word as it is if it has nothing but letters, and what ends a part of a sentence.
fn words(word: &str) -> Vec<Part> {
    let bare = word.trim_end_matches([',', ';', ':', '.']);
    let plain = |letter: char| letter.is_alphabetic() || letter == '\'';
    // With a full stop behind it, `www` is all that some readers need for a link.
    if bare.chars().all(plain) && !bare.eq_ignore_ascii_case("www") {
        return vec![Part::Plain(word.to_owned())];
    }
    vec![Part::Code(bare.to_owned()), Part::Plain(word[bare.len()..].to_owned())]
}

/// Writes parts behind each other. Two spans that touch would be read as one with other ends, so they
/// are made one.
fn written(parts: Vec<Part>) -> String {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        match (joined.last_mut(), part) {
            (_, Part::Code(text) | Part::Plain(text)) if text.is_empty() => {}
            (Some(Part::Code(before)), Part::Code(text)) => before.push_str(&text),
            (_, part) => joined.push(part),
        }
    }
    let mut cell = String::new();
    for part in joined {
        match part {
            Part::Plain(text) => cell.push_str(&text),
            // What was joined may begin a runner's command that its parts did not.
            Part::Code(text) => cell.push_str(&spans(&text::one_line(&text))),
        }
    }
    cell
}

/// Gives what stands for a character that could end a span or a cell, or begin HTML.
fn entity(character: char) -> Option<&'static str> {
    Some(match character {
        '`' => "&#96;",
        '|' => "&#124;",
        '<' => "&lt;",
        '>' => "&gt;",
        '&' => "&amp;",
        // In a table, some readers take a backslash for one that escapes what follows.
        '\\' => "&#92;",
        _ => return None,
    })
}

/// Writes text in code spans, with entities between them for what a span can't hold.
fn spans(text: &str) -> String {
    let mut written = String::new();
    let mut open = false;
    for character in text.chars() {
        let entity = entity(character).unwrap_or_default();
        if open != entity.is_empty() {
            written.push('`');
            open = !open;
        }
        match entity {
            "" => written.push(character),
            entity => written.push_str(entity),
        }
    }
    if open {
        written.push('`');
    }
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sample;
    use super::*;
    use crate::source::path::unprintable;

    #[test]
    fn findings_are_rows_of_a_table() {
        insta::assert_snapshot!(verdict(&sample::verdict(&sample::report())), @r##"
        **refused**: 1 error, 1 warning, 1 note (3 records, 5 paths, 1 task examined)

        Branch `feature/strat-001-strategy`, from `1111111111111111111111111111111111111111` to `index`.

        | check | place | message | what to do |
        |---|---|---|---|
        | error `checksum-mismatch` | `.orch/tasks/2026-11/strat-001/0003-handoff.yaml:8:17` | `strategy_code` is sealed with another checksum than `strategies/pine_v6/sweep.pine` has; see `strategies/pine_v6/sweep.pine`: hashes to `sha256:60303ae2…` | seal it again: `orch handoff create strat-001` |
        | warning `lane-violation` | `research/reports/sweep.json` | lane B does not own this file | leave it to lane C, or have the policy changed |
        | note `branch-name` | `.orch/policy.yaml` | the branch is not known, so its name was not checked |  |
        "##);
    }

    #[test]
    fn nothing_found_needs_no_table() {
        insta::assert_snapshot!(verdict(&sample::verdict(&Report::default())), @r##"
        **passed**: nothing was examined, no record, no changed path and no task

        Branch `feature/strat-001-strategy`, from `1111111111111111111111111111111111111111` to `index`.
        "##);
    }

    #[test]
    fn what_a_service_acts_upon_stands_in_code() {
        let of = |text: &str| cell(text);
        assert_eq!(of("ask @ada, see #1 or GH-1"), "ask `@ada`, see `#1` or `GH-1`");
        assert_eq!(of("http://x.y www. [a](b) :x:"), "`http://x.y` `www`. `[a](b)` `:x`:");
        assert_eq!(of("run `orch next --now`; it's ok."), "run `orch next --now`; it's ok.");
        assert_eq!(of("a|b <script> &amp;"), "`a`&#124;`b` &lt;`script`&gt; &amp;`amp`;");
        assert_eq!(of("x` and"), "x&#96; and");
        assert_eq!(of("x ``"), "x &#96;&#96;");
        assert_eq!(of("a-1`b`\n"), "`a-1b`&#92;`n`");
        assert_eq!(of("##`[error]`"), "`##`&#92;`u{5b}error]`");
    }

    #[test]
    fn plain_words_stay_plain() {
        assert_eq!(
            plain("Map \"quoted\", p99 < 100 ms (50%)"),
            "Map \"quoted\", p99 &lt; 100 ms (50%)"
        );
        assert_eq!(plain("strat-001: do_it, _so_ *now*"), "strat-001: do_it, \\_so\\_ \\*now\\*");
        assert_eq!(plain("a | [b](c) `d e` \\"), "a &#124; \\[b\\](c) `d e` &#92;");
        assert_eq!(
            plain("see @secret.md\n<!-- x -->"),
            "see `@secret.md`&#92;`n`&lt;`!--` x --&gt;"
        );
    }

    /// A service that refuses what is too long would show nothing at all.
    #[test]
    fn a_table_that_is_too_long_is_cut_and_says_so() {
        let mut report = sample::report();
        let long = report.findings[0].clone();
        report.findings.extend(vec![long; 400]);
        report.findings[0].message = "x".repeat(100_000);
        let told = verdict(&sample::verdict(&report));
        assert!(told.len() < 65_536, "{}", told.len());
        let rows = told.lines().filter(|line| line.starts_with("| ")).count() - 1;
        let more = format!("There is no room here for {} findings more.\n", 403 - rows);
        assert!(rows > 100 && told.ends_with(&more), "{rows}");
    }

    /// Gives what stands outside of code spans, in a text that has none with several backticks.
    fn outside(line: &str) -> String {
        line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
    }

    proptest! {
        /// Attacks 116 and 117: whatever the repository says, the rows have their cells, and nothing
        /// of it is anything but code, words, and entities.
        #[test]
        fn whatever_comes_is_code_or_words(hostile in sample::hostile()) {
            let report = hostile.report();
            let told = verdict(&hostile.verdict(&report));
            prop_assert!(told.ends_with('\n') && !told.contains('<'), "{}", told);
            prop_assert!(!told.contains("``") && !told.contains("##["), "{}", told);
            let lines: Vec<&str> = told.lines().collect();
            prop_assert_eq!(lines.len(), 7, "{}", told);
            for line in &lines {
                prop_assert!(!line.contains(unprintable), "{line:?}");
                prop_assert_eq!(line.matches('`').count() % 2, 0, "{}", line);
            }
            let row = lines[6];
            prop_assert_eq!(row.matches('|').count(), 5, "{}", row);
            let mut rest = outside(row) + &outside(lines[2]);
            for entity in ["&#96;", "&#124;", "&lt;", "&gt;", "&amp;", "&#92;"] {
                rest = rest.replace(entity, " ");
            }
            let word = |letter: char| letter.is_alphabetic() || " |,;:.'".contains(letter);
            prop_assert!(rest.chars().all(word), "{:?} in {}", rest, told);
        }
    }
}
