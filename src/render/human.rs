//! For people: a picture a finding, then one line that says how it ended.

use super::picture::Picture;
use super::{Style, Verdict, summary, text};
use crate::diagnostic::{Examined, Finding, Related, Report};

/// A terminal narrower than this is drawn for as if it were this wide.
pub(super) const NARROWEST: usize = 40;

/// Gives every finding with its picture, and the summary.
pub(super) fn verdict(verdict: &Verdict<'_>, style: Style) -> String {
    let report = verdict.report;
    let pictures = report.findings.iter().map(|found| finding(found, report, style) + "\n");
    let drawn: String = pictures.collect();
    text::disarm(drawn + &summary(report, style) + "\n")
}

fn finding(finding: &Finding, report: &Report, style: Style) -> String {
    let mut drawn = Picture::of(finding, report, style).draw(style);
    for related in &finding.related {
        drawn.push_str(&see(related, report, style));
    }
    drawn
}

/// Gives a related place on a line of its own, below the help and in line with it.
fn see(related: &Related, report: &Report, style: Style) -> String {
    let line = summary::related(related, report);
    let room = style.width.max(NARROWEST) - 8;
    let wrapped = text::wrap(&line, room).replace('\n', "\n        ");
    format!("   {} {wrapped}\n", paint("see:", "36", style))
}

fn summary(report: &Report, style: Style) -> String {
    let colour = match (report.refused(), report.examined == Examined::default()) {
        (true, _) => "1;31",
        (false, true) => "1;33",
        (false, false) => "1;32",
    };
    let word = format!("{}:", summary::word(report));
    format!("{} {}", paint(&word, colour, style), summary::counts(report))
}

fn paint(text: &str, colour: &str, style: Style) -> String {
    if style.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sample;
    use super::*;
    use crate::source::Span;
    use crate::source::path::unprintable;

    fn drawn(report: &Report, style: Style) -> String {
        verdict(&sample::verdict(report), style)
    }

    #[test]
    fn a_report_is_drawn_for_people() {
        insta::assert_snapshot!(drawn(&sample::report(), Style::default()), @r#"
        error[checksum-mismatch]

          × `strategy_code` is sealed with another checksum than `strategies/pine_v6/sweep.pine` has
           ╭─[.orch/tasks/2026-11/strat-001/0003-handoff.yaml:8:17]
         7 │       path: strategies/pine_v6/sweep.pine
         8 │       checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
           ·                 ───────────────────────────────────┬───────────────────────────────────
           ·                                                    ╰── checksum mismatch
           ╰────
          help: seal it again: `orch handoff create strat-001`
           see: strategies/pine_v6/sweep.pine: hashes to sha256:60303ae2…

        warning[lane-violation]

          ⚠ lane B does not own this file
          ╰─▶ research/reports/sweep.json
          help: leave it to lane C, or have the policy changed

        note[branch-name]

          ☞ the branch is not known, so its name was not checked
          ╰─▶ .orch/policy.yaml

        refused: 1 error, 1 warning, 1 note (3 records, 5 paths, 1 task examined)
        "#);
    }

    #[test]
    fn a_narrow_terminal_without_unicode_gets_plain_lines() {
        let style = Style { width: 60, unicode: false, ..Style::default() };
        let mut report = sample::report();
        report.findings.truncate(1);
        insta::assert_snapshot!(drawn(&report, style), @r#"
        error[checksum-mismatch]

          x `strategy_code` is sealed with another checksum than
          | `strategies/pine_v6/sweep.pine` has
           ,-[.orch/tasks/2026-11/strat-001/0003-handoff.yaml:8:17]
         7 |       path: strategies/pine_v6/sweep.pine
         8 |       checksum: sha256:9f86d081884c7d659a2feaa0c...
           :                 ^^^^^^^^^^^^^^^^|^^^^^^^^^^^^^^^
           :                                 `-- checksum mismatch
           `----
          help: seal it again: `orch handoff create strat-001`
           see: strategies/pine_v6/sweep.pine: hashes to
                sha256:60303ae2…

        refused: 1 error (3 records, 5 paths, 1 task examined)
        "#);
    }

    #[test]
    fn a_screen_reader_gets_sentences() {
        let style = Style { narrated: true, ..Style::default() };
        let mut report = sample::report();
        report.findings.truncate(2);
        insta::assert_snapshot!(drawn(&report, style), @r#"
        `strategy_code` is sealed with another checksum than `strategies/pine_v6/sweep.pine` has
            Diagnostic severity: error
        Begin snippet for .orch/tasks/2026-11/strat-001/0003-handoff.yaml:8:17 starting at line 7, column 1

        snippet line 7:       path: strategies/pine_v6/sweep.pine
        snippet line 8:       checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
            label at line 8, columns 17 to 87: checksum mismatch
        diagnostic help: seal it again: `orch handoff create strat-001`
        diagnostic code: checksum-mismatch
           see: strategies/pine_v6/sweep.pine: hashes to sha256:60303ae2…

        lane B does not own this file
            Diagnostic severity: warning
        diagnostic help: leave it to lane C, or have the policy changed
        diagnostic code: lane-violation
        file: research/reports/sweep.json

        refused: 1 error, 1 warning (3 records, 5 paths, 1 task examined)
        "#);
    }

    #[test]
    fn the_summary_counts_what_was_found_and_examined() {
        let mut report = sample::report();
        report.findings.remove(0);
        let line = |report: &Report| summary(report, Style::default());
        insta::assert_snapshot!(
            line(&report),
            @"passed: 1 warning, 1 note (3 records, 5 paths, 1 task examined)"
        );
        report.findings.clear();
        insta::assert_snapshot!(line(&report), @"passed: 3 records, 5 paths, 1 task examined");
        let one = Examined { records: 1, paths: 0, tasks: 2 };
        insta::assert_snapshot!(
            line(&Report { examined: one, ..report }),
            @"passed: 1 record, 0 paths, 2 tasks examined"
        );
    }

    /// Attack 121: nothing found is not the same as nothing read.
    #[test]
    fn an_empty_look_says_so() {
        let mut report = Report::default();
        insta::assert_snapshot!(
            drawn(&report, Style::default()),
            @"passed: nothing was examined, no record, no changed path and no task"
        );
        report.findings.push(sample::finding("policy-invalid", "it is empty"));
        insta::assert_snapshot!(
            summary(&report, Style::default()),
            @"refused: 1 error (nothing was examined, no record, no changed path and no task)"
        );
    }

    #[test]
    fn a_finding_about_the_whole_repository_names_no_file() {
        let mut report = sample::pointing("", Span::default());
        report.findings[0].place = crate::diagnostic::Place::file("".into());
        let picture = finding(&report.findings[0], &report, Style::default());
        assert_eq!(picture, "error[text-unsafe]\n\n  × text\n");
    }

    /// Attacks 116 and 117: a message that clears the screen, paints a pass, hides or commands.
    #[test]
    fn text_of_the_repository_is_made_harmless() {
        let text = "title: \u{1b}[2J\u{202e}lla\u{200b}\u{9b}m\n";
        let mut report = sample::pointing(text, Span::new(7, text.len() - 1));
        let finding = &mut report.findings[0];
        finding.message = "bad\u{1b}[32m\npassed: 3 records\n::error::x".into();
        finding.help = "write it anew:\n::stop-commands::x\r##[add-mask]e".into();
        finding.related =
            vec![Related { place: finding.place.clone(), message: "a\n::warning::b".into() }];
        insta::assert_snapshot!(drawn(&report, Style::default()), @r#"
        error[text-unsafe]

          × bad\u{1b}[32m\npassed: 3 records\n::error::x
           ╭─[.orch/policy.yaml:1:8]
         1 │ title: \u{1b}[2J\u{202e}lla\u{200b}\u{9b}m
           ·        ─────────────────┬─────────────────
           ·                         ╰── text unsafe
           ╰────
          help: write it anew:
                \u{3a}:stop-commands::x\r##\u{5b}add-mask]e
           see: .orch/policy.yaml:1:8: a\n::warning::b

        refused: 1 error (1 record, 1 path, 0 tasks examined)
        "#);
    }

    fn uncoloured(text: &str) -> String {
        let escape = regex::Regex::new("\x1b\\[[0-9;]*m").expect("a pattern");
        escape.replace_all(text, "").into_owned()
    }

    #[test]
    fn colours_change_nothing_else() {
        let report = sample::report();
        let coloured = drawn(&report, Style { colour: true, ..Style::default() });
        assert!(coloured.contains("\x1b[1;31mrefused:\x1b[0m"), "{coloured}");
        assert_eq!(uncoloured(&coloured), drawn(&report, Style::default()));
    }

    /// Text with every kind of trouble: what is hidden, wide or moves the cursor.
    fn nasty() -> impl Strategy<Value = String> {
        let pieces =
            "[ab:\\[#\n\r\t\u{1b}\u{9b}\u{7f}\u{202e}\u{200b}\u{feff}\u{e0041}üж漢\u{301}]";
        proptest::string::string_regex(&format!("({pieces}|##\\[|::){{0,40}}")).expect("a pattern")
    }

    proptest! {
        /// Attack 116: no text, wherever it stands, gets a control or hidden character out.
        #[test]
        fn nothing_hidden_is_ever_written(
            file in nasty(), message in nasty(), help in nasty(), path in nasty(),
            start in 0_usize..60, len in 0_usize..60, width in 0_usize..120,
            (colour, unicode, narrated) in any::<(bool, bool, bool)>(),
        ) {
            let mut report = sample::pointing(&file, Span::new(start, start + len));
            let finding = &mut report.findings[0];
            finding.related = vec![Related {
                place: crate::diagnostic::Place::file(path.as_str().into()),
                message: message.clone(),
            }];
            (finding.message, finding.help) = (message, help);
            let mut output = drawn(&report, Style { colour, width, unicode, narrated });
            if colour {
                output = uncoloured(&output);
            }
            for line in output.lines() {
                prop_assert!(!line.contains(unprintable), "{line:?}");
                prop_assert!(!line.trim_start().starts_with("::"), "{line:?}");
                prop_assert!(!line.contains("##["), "{line:?}");
            }
        }

        /// The underline stands below the very characters of the span, escaped or not.
        #[test]
        fn the_underline_stays_below_its_span(
            before in "[a: ü\u{1b}\u{200b}\t]{0,12}",
            value in "[bж\u{1b}\u{202e}\r]{1,12}x",
            after in "[c \u{feff}\u{7f}]{0,12}",
        ) {
            let text = format!("first\n{before}{value}{after}\n");
            let start = 6 + before.len();
            let report = sample::pointing(&text, Span::new(start, start + value.len()));
            let style = Style { width: 400, unicode: false, ..Style::default() };
            let picture = drawn(&report, style);
            let rows: Vec<&str> = picture.lines().collect();
            let at = rows.iter().position(|row| row.starts_with(" 2 | ")).expect("the line");
            let under = rows[at + 1].chars().collect::<Vec<_>>();
            let over = rows[at].chars().enumerate().skip(5);
            let found: String = over
                .filter(|(column, _)| matches!(under.get(*column), Some('^' | '|')))
                .map(|(_, character)| character)
                .collect();
            prop_assert_eq!(found, text::one_line(&value), "{}", picture);
        }
    }
}
