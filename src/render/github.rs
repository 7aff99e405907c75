//! For GitHub's runner: workflow commands, which it shows beside the lines of a change.
//!
//! A runner acts upon what a step prints, so whatever the repository says is first made visible on
//! one line and then escaped as the runner wants it (attack 117).

use super::{Verdict, summary, text};
use crate::diagnostic::{Finding, Report, Severity};
use crate::source::many;

/// GitHub shows so many annotations of each kind for one step, and drops the rest silently.
const SHOWN: usize = 10;

/// Gives a command for each finding that GitHub would show, says how many more there are, and ends
/// with the summary.
pub(super) fn verdict(verdict: &Verdict<'_>) -> String {
    let report = verdict.report;
    let mut output = String::new();
    let mut left = 0;
    for severity in summary::SEVERITIES {
        let found = report.findings.iter().filter(|finding| finding.severity == severity);
        output.extend(found.take(SHOWN).map(|finding| command(finding, report) + "\n"));
        left += report.count(severity).saturating_sub(SHOWN);
    }
    output.push_str(&summary::line(report));
    if left > 0 {
        let more = many(left, "finding");
        output.push_str(&format!("; {more} more than GitHub shows, `--format human` tells all"));
    }
    output + "\n"
}

fn command(finding: &Finding, report: &Report) -> String {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = String::new();
    if !finding.place.path.as_bytes().is_empty() {
        properties = format!("file={},", property(&text::path(&finding.place.path)));
    }
    if let Some(at) = report.position(&finding.place) {
        properties.push_str(&format!("line={},col={},", at.line, at.column));
    }
    let mut lines = vec![text::one_line(&finding.message)];
    lines.extend(finding.help.lines().map(text::one_line));
    lines.extend(finding.related.iter().map(|other| summary::related(other, report)));
    format!("::{word} {properties}title={}::{}", property(finding.check), data(&lines.join("\n")))
}

/// Escapes what a runner reads behind the command; it undoes just this.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes what stands between the command's name and its message.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sample::{self, Hostile};
    use super::*;
    use crate::source::path::unprintable;

    /// What stands before the message, the properties with their values, and the message, as the
    /// runner reads them: an independent reading of its parser.
    fn read(line: &str) -> (String, Vec<(String, String)>, String) {
        let (head, data) = line[2..].split_once("::").expect("a command ends with `::`");
        let (word, properties) = head.split_once(' ').expect("ours have properties");
        let undo = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
        let properties = properties.split(',').map(|pair| {
            let (name, value) = pair.split_once('=').expect("a name and a value");
            let value = undo(value).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
            (name.to_owned(), value)
        });
        (word.to_owned(), properties.collect(), undo(data).replace("%25", "%"))
    }

    #[test]
    fn every_finding_is_a_command() {
        insta::assert_snapshot!(verdict(&sample::verdict(&sample::report())), @r##"
        ::error file=.orch/tasks/2026-11/strat-001/0003-handoff.yaml,line=8,col=17,title=checksum-mismatch::`strategy_code` is sealed with another checksum than `strategies/pine_v6/sweep.pine` has%0Aseal it again: `orch handoff create strat-001`%0Astrategies/pine_v6/sweep.pine: hashes to sha256:60303ae2…
        ::warning file=research/reports/sweep.json,title=lane-violation::lane B does not own this file%0Aleave it to lane C, or have the policy changed
        ::notice file=.orch/policy.yaml,title=branch-name::the branch is not known, so its name was not checked
        refused: 1 error, 1 warning, 1 note (3 records, 5 paths, 1 task examined)
        "##);
    }

    #[test]
    fn what_github_would_drop_is_counted() {
        let mut report = sample::report();
        let error = report.findings[0].clone();
        report.findings.extend(vec![error; 11]);
        let told = verdict(&sample::verdict(&report));
        assert_eq!(told.matches("::error ").count(), 10);
        assert_eq!(told.matches("::warning ").count() + told.matches("::notice ").count(), 2);
        let last = told.lines().last().expect("a summary");
        insta::assert_snapshot!(last, @r#"refused: 12 errors, 1 warning, 1 note (3 records, 5 paths, 1 task examined); 2 findings more than GitHub shows, `--format human` tells all"#);
    }

    #[test]
    fn a_finding_about_the_whole_repository_names_no_file() {
        let mut report = sample::report();
        report.findings.truncate(1);
        report.findings[0].place = crate::diagnostic::Place::file("".into());
        let told = verdict(&sample::verdict(&report));
        assert!(told.starts_with("::error title=checksum-mismatch::"), "{told}");
    }

    proptest! {
        /// Attack 117: whatever the repository says, only our own commands begin a line, and the
        /// runner reads back from them what was meant.
        #[test]
        fn only_our_own_commands_are_given(hostile in sample::hostile()) {
            let report = hostile.report();
            let told = verdict(&sample::verdict(&report));
            prop_assert!(told.ends_with('\n') && !told.contains("##["), "{}", told);
            let lines: Vec<&str> = told.lines().collect();
            prop_assert_eq!(lines.len(), 2, "{}", told);
            prop_assert!(!lines.iter().any(|line| line.contains(unprintable)), "{}", told);
            prop_assert!(lines[1].starts_with("refused: 1 error ("), "{}", told);

            let (word, properties, message) = read(lines[0]);
            prop_assert_eq!(word.as_str(), "error");
            let value = |name: &str| {
                properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
            };
            let Hostile { message: said, .. } = &hostile;
            let path = text::path(&report.findings[0].place.path);
            prop_assert_eq!(value("file"), Some(path.as_str()).filter(|path| !path.is_empty()));
            prop_assert_eq!(value("title"), Some("text-unsafe"));
            let expected = ["file", "line", "col", "title"];
            prop_assert!(properties.iter().all(|(name, _)| expected.contains(&name.as_str())));
            let said = text::one_line(said);
            prop_assert_eq!(message.split('\n').next(), Some(said.as_str()));
        }
    }
}
