//! For CI services that show tests: JUnit's XML, with a test for each check that spoke.
//!
//! A check that only warned passes, and says so in its output. Where no check spoke there is one
//! test all the same, because many services take a suite without tests for a mistake.

use std::collections::BTreeMap;

use super::{Verdict, summary, text};
use crate::diagnostic::{Examined, Finding, Report, Severity};
use crate::source::markup::in_xml;

/// What the tests are grouped under.
const SUITE: &str = "orch";

/// Gives the verdict as one document.
pub(super) fn verdict(verdict: &Verdict<'_>) -> String {
    let report = verdict.report;
    let mut spoke: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        spoke.entry(finding.check).or_default().push(finding);
    }
    let failures = spoke.values().filter(|found| refuses(found)).count();
    let skipped = usize::from(spoke.is_empty() && report.examined == Examined::default());
    let mut cases: String = spoke.iter().map(|(check, found)| case(check, found, report)).collect();
    if spoke.is_empty() {
        cases = silent(report);
    }
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\"", spoke.len().max(1));
    let seconds = format!("{}.{:03}", verdict.elapsed_ms / 1000, verdict.elapsed_ms % 1000);
    let output = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"{SUITE}\" {counts} time=\"{seconds}\">\n\
         <testsuite name=\"{SUITE}\" {counts} skipped=\"{skipped}\" time=\"{seconds}\">\n\
         {}{cases}</testsuite>\n</testsuites>\n",
        properties(verdict)
    );
    // A line of the text may begin as a runner's command does.
    text::disarm(output)
}

fn properties(verdict: &Verdict<'_>) -> String {
    let report = verdict.report;
    let count = |severity| report.count(severity).to_string();
    let mut all = vec![
        ("verdict", summary::word(report).to_owned()),
        ("base", verdict.base.clone()),
        ("head", verdict.head.clone()),
        ("branch", verdict.branch.clone().unwrap_or_default()),
    ];
    all.extend(summary::SEVERITIES.map(|weight| (summary::severity(weight), count(weight))));
    all.push(("examined", summary::examined(report.examined)));
    let lines = all.iter().map(|(name, value)| {
        format!("<property name=\"{name}\" value=\"{}\"/>\n", in_xml(&text::one_line(value)))
    });
    format!("<properties>\n{}</properties>\n", lines.collect::<String>())
}

fn refuses(found: &[&Finding]) -> bool {
    found.iter().any(|finding| finding.severity == Severity::Error)
}

/// Gives the test of a check, with all that it found in one text: many services read only the first
/// failure of a test.
fn case(check: &str, found: &[&Finding], report: &Report) -> String {
    let told: Vec<String> = found.iter().map(|finding| told(finding, report)).collect();
    let body = in_xml(&told.join("\n\n"));
    let open = format!("<testcase classname=\"{SUITE}\" name=\"{check}\">\n");
    let error = found.iter().find(|finding| finding.severity == Severity::Error);
    let inside = match error {
        Some(error) => {
            let message = in_xml(&text::one_line(&error.message));
            format!("<failure type=\"{check}\" message=\"{message}\">{body}</failure>\n")
        }
        None => format!("<system-out>{body}</system-out>\n"),
    };
    open + &inside + "</testcase>\n"
}

fn told(finding: &Finding, report: &Report) -> String {
    let mut lines = vec![summary::severity(finding.severity).to_owned()];
    let place = summary::place(&finding.place, report);
    if !place.is_empty() {
        lines[0] = format!("{}: {place}", lines[0]);
    }
    lines.push(text::one_line(&finding.message));
    if !finding.help.is_empty() {
        lines.push(format!("help: {}", text::lines(&finding.help)));
    }
    let related = finding.related.iter();
    lines.extend(related.map(|other| format!("see: {}", summary::related(other, report))));
    lines.join("\n")
}

/// Gives the one test of a report without findings; it passes only if something was looked at.
fn silent(report: &Report) -> String {
    let told = summary::counts(report);
    let inside = match report.examined == Examined::default() {
        true => format!("<skipped message=\"{told}\"/>\n"),
        false => format!("<system-out>{told}</system-out>\n"),
    };
    format!("<testcase classname=\"{SUITE}\" name=\"guard\">\n{inside}</testcase>\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::{Document, Node};

    use super::super::sample;
    use super::*;
    use crate::source::path::unprintable;

    fn elements<'a>(document: &'a Document<'_>, name: &str) -> Vec<Node<'a, 'a>> {
        document.descendants().filter(|node| node.has_tag_name(name)).collect()
    }

    #[test]
    fn every_check_that_spoke_is_a_test() {
        insta::assert_snapshot!(verdict(&sample::verdict(&sample::report())), @r##"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="orch" tests="3" failures="1" errors="0" time="0.012">
        <testsuite name="orch" tests="3" failures="1" errors="0" skipped="0" time="0.012">
        <properties>
        <property name="verdict" value="refused"/>
        <property name="base" value="1111111111111111111111111111111111111111"/>
        <property name="head" value="index"/>
        <property name="branch" value="feature/strat-001-strategy"/>
        <property name="error" value="1"/>
        <property name="warning" value="1"/>
        <property name="note" value="1"/>
        <property name="examined" value="3 records, 5 paths, 1 task examined"/>
        </properties>
        <testcase classname="orch" name="branch-name">
        <system-out>note: .orch/policy.yaml
        the branch is not known, so its name was not checked</system-out>
        </testcase>
        <testcase classname="orch" name="checksum-mismatch">
        <failure type="checksum-mismatch" message="`strategy_code` is sealed with another checksum than `strategies/pine_v6/sweep.pine` has">error: .orch/tasks/2026-11/strat-001/0003-handoff.yaml:8:17
        `strategy_code` is sealed with another checksum than `strategies/pine_v6/sweep.pine` has
        help: seal it again: `orch handoff create strat-001`
        see: strategies/pine_v6/sweep.pine: hashes to sha256:60303ae2…</failure>
        </testcase>
        <testcase classname="orch" name="lane-violation">
        <system-out>warning: research/reports/sweep.json
        lane B does not own this file
        help: leave it to lane C, or have the policy changed</system-out>
        </testcase>
        </testsuite>
        </testsuites>
        "##);
    }

    #[test]
    fn what_one_check_found_is_one_failure() {
        let mut report = sample::report();
        let mut other = report.findings[0].clone();
        other.message = "another".into();
        report.findings.push(other);
        let text = verdict(&sample::verdict(&report));
        let document = Document::parse(&text).expect("XML");
        let failures = elements(&document, "failure");
        assert_eq!(failures.len(), 1);
        let told = failures[0].text().expect("a text");
        assert!(told.contains("is sealed with another checksum") && told.contains("\nanother\n"));
        let error = |node: &&Node<'_, '_>| node.attribute("name") == Some("error");
        let properties = elements(&document, "property");
        let property = properties.iter().find(error).expect("the errors are counted");
        assert_eq!(property.attribute("value"), Some("2"));
    }

    /// Attack 121: a suite of nothing does not look as if something had passed.
    #[test]
    fn nothing_found_is_a_test_that_passes_unless_nothing_was_read() {
        let mut report = Report::default();
        let skipped = verdict(&sample::verdict(&report));
        assert!(skipped.contains("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\""));
        assert!(skipped.contains("<skipped message=\"nothing was examined"), "{skipped}");
        report.examined.records = 1;
        let passed = verdict(&sample::verdict(&report));
        assert!(!passed.contains("<skipped") && passed.contains("<testcase"), "{passed}");
    }

    proptest! {
        /// Attacks 116 and 117: an XML parser finds our own elements and nothing else, and in them
        /// just what was meant.
        #[test]
        fn only_our_own_elements_are_written(hostile in sample::hostile()) {
            let report = hostile.report();
            let text = verdict(&hostile.verdict(&report));
            prop_assert!(text.ends_with('\n'));
            for line in text.lines() {
                prop_assert!(!line.contains(unprintable) && !line.contains("##["), "{line:?}");
                prop_assert!(!line.trim_start().starts_with("::"), "{line:?}");
            }
            let document = Document::parse(&text).map_err(|fault| {
                TestCaseError::fail(format!("{fault}: {text}"))
            })?;
            let names: Vec<&str> = document
                .descendants()
                .filter(Node::is_element)
                .map(|node| node.tag_name().name())
                .filter(|name| *name != "property")
                .collect();
            prop_assert_eq!(
                names,
                ["testsuites", "testsuite", "properties", "testcase", "failure"]
            );
            let visible = |text: &str| {
                text::one_line(text).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
            };
            let failure = elements(&document, "failure")[0];
            let message = visible(&hostile.message);
            prop_assert_eq!(failure.attribute("message"), Some(message.as_str()));
            let branch = elements(&document, "property")[3].attribute("value");
            let expected = visible(&hostile.branch);
            prop_assert_eq!(branch, Some(expected.as_str()));
        }
    }
}
