//! For services that keep what analysers find: SARIF 2.1.0, one run.
//!
//! What a viewer shows of it has been made visible before it became JSON, so that nothing is hidden
//! from someone who reads the alert and not the file (attack 116).

use std::collections::BTreeMap;

use super::sarif_log::{
    ArtifactLocation, Driver, Invocation, Location, Log, Message, PhysicalLocation, Properties,
    Region, ResultObject, Rule, Run, Tool,
};
use super::{Verdict, json, summary, text, uri};
use crate::checks;
use crate::diagnostic::{Finding, Place, Related, Report, Severity};
use crate::source::{Digest, Position};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The top of a repository, by the name that services know it by.
const TOP: &str = "%SRCROOT%";

/// The name of our fingerprints; it changes when what they are made of does.
const FINGERPRINT: &str = "orchFinding/v1";

/// Gives the verdict as one object on one line.
pub(super) fn verdict(verdict: &Verdict<'_>) -> String {
    let report = verdict.report;
    let mut names: Vec<&'static str> = report.findings.iter().map(|found| found.check).collect();
    names.sort_unstable();
    names.dedup();
    let mut seen = BTreeMap::new();
    let results = report.findings.iter().map(|finding| {
        let digest = Digest::of(identity(finding).as_bytes()).hex();
        let count = seen.entry(digest.clone()).and_modify(|count| *count += 1).or_insert(1_usize);
        // Two that differ in nothing but their line are told apart by their order.
        result(finding, report, &names, format!("{digest}:{count}"))
    });
    json::line(&Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            results: results.collect(),
            tool: Tool {
                driver: Driver {
                    name: "orch",
                    version: env!("CARGO_PKG_VERSION"),
                    rules: names.iter().map(|name| rule(name)).collect(),
                },
            },
            invocations: [Invocation { execution_successful: true }],
            // Positions of ours count characters.
            column_kind: "unicodeCodePoints",
            properties: properties(verdict),
        }],
    })
}

fn properties<'a>(verdict: &'a Verdict<'_>) -> Properties<'a> {
    let report = verdict.report;
    let count = |severity| (summary::severity(severity), report.count(severity));
    Properties {
        verdict: if report.refused() { "fail" } else { "pass" },
        base: &verdict.base,
        head: &verdict.head,
        branch: verdict.branch.as_deref().map(text::one_line),
        counts: summary::SEVERITIES.map(count).into(),
        examined: report.examined,
    }
}

fn rule(name: &'static str) -> Rule {
    let check = checks::find(name);
    let title = check.map_or(name, |check| check.title);
    let why = check.map_or("", |check| check.explain.split("```").next().unwrap_or_default());
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    let help = format!("{why} `orch explain {name}` shows examples.");
    Rule { id: name, short_description: message(title), help: message(help.trim_start()) }
}

fn result(
    finding: &Finding,
    report: &Report,
    names: &[&'static str],
    fingerprint: String,
) -> ResultObject {
    let physical_location = physical(&finding.place, report);
    let mut lines = vec![text::one_line(&finding.message)];
    if physical_location.is_none() && !finding.place.path.as_bytes().is_empty() {
        lines[0] = format!("{}: {}", summary::place(&finding.place, report), lines[0]);
    }
    lines.extend(finding.help.lines().map(text::one_line));
    let locations =
        physical_location.map(|place| Location { physical_location: Some(place), message: None });
    ResultObject {
        rule_id: finding.check,
        rule_index: names.partition_point(|name| *name < finding.check),
        level: match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        message: message(&lines.join("\n")),
        locations: locations.into_iter().collect(),
        related_locations: finding.related.iter().map(|other| related(other, report)).collect(),
        partial_fingerprints: [(FINGERPRINT, fingerprint)].into(),
    }
}

fn related(related: &Related, report: &Report) -> Location {
    let physical_location = physical(&related.place, report);
    let told = match &physical_location {
        Some(_) => text::one_line(&related.message),
        None => summary::related(related, report),
    };
    Location { physical_location, message: Some(message(&told)) }
}

fn physical(place: &Place, report: &Report) -> Option<PhysicalLocation> {
    let artifact_location = ArtifactLocation { uri: uri::relative(&place.path)?, uri_base_id: TOP };
    let region = place.span.and_then(|span| {
        let file = report.texts.get(&place.path)?;
        let (start, end) = (Position::of(file, span.start), Position::of(file, span.end));
        Some(Region {
            start_line: start.line,
            start_column: start.column,
            end_line: end.line,
            end_column: end.column,
        })
    });
    Some(PhysicalLocation { artifact_location, region })
}

/// Gives what makes a finding the same one after lines have moved.
fn identity(finding: &Finding) -> String {
    format!("{}\0{}\0{}", finding.check, finding.place.path, finding.message)
}

/// Gives a text as a message. The standard has braces doubled, because `{0}` is a placeholder, and
/// takes `[text](address)` for a link, which nobody but us may put there.
fn message(text: &str) -> Message {
    let text = text.replace("](", "\\u{5d}(");
    Message { text: text.replace('{', "{{").replace('}', "}}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::sample;
    use super::*;
    use crate::source::Span;
    use crate::source::path::unprintable;

    const VERSION: &str = env!("CARGO_PKG_VERSION");

    fn read(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn a_run_says_who_speaks_and_what_of() {
        let value = read(&verdict(&sample::verdict(&sample::report())));
        assert_eq!((&value["$schema"], &value["version"]), (&SCHEMA.into(), &"2.1.0".into()));
        assert_eq!(value["runs"].as_array().map(Vec::len), Some(1));
        let run = &value["runs"][0];
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
        assert_eq!(run["properties"]["verdict"], "fail");
        assert_eq!(run["properties"]["branch"], "feature/strat-001-strategy");
        let driver = &run["tool"]["driver"];
        assert_eq!((&driver["name"], &driver["version"]), (&"orch".into(), &VERSION.into()));

        let rules = driver["rules"].as_array().expect("a list");
        let ids: Vec<&Value> = rules.iter().map(|rule| &rule["id"]).collect();
        assert_eq!(ids, ["branch-name", "checksum-mismatch", "lane-violation"]);
        let title = checks::find("branch-name").expect("a check").title;
        assert_eq!(rules[0]["shortDescription"]["text"], title);
        let help = rules[0]["help"]["text"].as_str().expect("a text");
        assert!(help.ends_with(" `orch explain branch-name` shows examples."), "{help}");
        let results = run["results"].as_array().expect("a list");
        let told = results.iter().map(|one| {
            let index = one["ruleIndex"].as_u64().and_then(|at| usize::try_from(at).ok());
            assert_eq!(&one["ruleId"], ids[index.expect("a number")]);
            &one["level"]
        });
        assert_eq!(told.collect::<Vec<_>>(), ["error", "warning", "note"]);
    }

    #[test]
    fn a_result_says_what_is_wrong_and_where() {
        let value = read(&verdict(&sample::verdict(&sample::report())));
        let result = &value["runs"][0]["results"][0];
        insta::assert_snapshot!(serde_json::to_string_pretty(result).expect("JSON"), @r##"
        {
          "level": "error",
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": ".orch/tasks/2026-11/strat-001/0003-handoff.yaml",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "endColumn": 88,
                  "endLine": 8,
                  "startColumn": 17,
                  "startLine": 8
                }
              }
            }
          ],
          "message": {
            "text": "`strategy_code` is sealed with another checksum than `strategies/pine_v6/sweep.pine` has\nseal it again: `orch handoff create strat-001`"
          },
          "partialFingerprints": {
            "orchFinding/v1": "61bcfb7ff59a74558f5b3bfe8fc49e2cf093e69e8478d202e8817bd41101397e:1"
          },
          "relatedLocations": [
            {
              "message": {
                "text": "hashes to sha256:60303ae2…"
              },
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "strategies/pine_v6/sweep.pine",
                  "uriBaseId": "%SRCROOT%"
                }
              }
            }
          ],
          "ruleId": "checksum-mismatch",
          "ruleIndex": 1
        }
        "##);
    }

    /// A service sees in the run itself that orch looked, and what at.
    #[test]
    fn nothing_found_is_a_run_without_results() {
        let value = read(&verdict(&sample::verdict(&Report::default())));
        let (run, empty) = (&value["runs"][0], Value::Array(Vec::new()));
        assert_eq!((&run["results"], &run["tool"]["driver"]["rules"]), (&empty, &empty));
        assert_eq!(run["properties"]["verdict"], "pass");
        assert_eq!(run["properties"]["examined"]["records"], 0);
    }

    #[test]
    fn a_file_without_a_reference_is_named_in_the_message() {
        let mut report = sample::pointing("", Span::default());
        report.findings[0].place = Place::file("../a".into());
        let value = read(&verdict(&sample::verdict(&report)));
        let result = &value["runs"][0]["results"][0];
        assert_eq!(
            (&result["message"]["text"], &result["locations"]),
            (&"../a: text".into(), &Value::Null)
        );
    }

    #[test]
    fn neither_links_nor_placeholders_come_from_the_repository() {
        assert_eq!(
            message("see [this](http://x) {0} []").text,
            "see [this\\u{{5d}}(http://x) {{0}} []"
        );
    }

    /// What is found on another line is the same finding; what is found twice is two.
    #[test]
    fn fingerprints_follow_the_finding_and_not_the_line() {
        let of = |report: &Report| -> Vec<String> {
            let value = read(&verdict(&sample::verdict(report)));
            let results = value["runs"][0]["results"].as_array().expect("a list").clone();
            let prints = results.iter().map(|one| &one["partialFingerprints"][FINGERPRINT]);
            prints.map(|print| print.as_str().expect("a text").to_owned()).collect()
        };
        let mut twice = sample::pointing("a\nb\n", Span::new(2, 3));
        let moved = sample::pointing("\n\na\nb\n", Span::new(4, 5));
        assert_eq!(of(&twice), of(&moved));
        twice.findings.push(twice.findings[0].clone());
        let prints = of(&twice);
        assert_ne!(prints[0], prints[1]);
    }

    /// Gives every text in a value, names of fields too.
    fn texts(value: &Value) -> Vec<&str> {
        match value {
            Value::String(text) => vec![text],
            Value::Array(list) => list.iter().flat_map(texts).collect(),
            Value::Object(map) => {
                let inside = map
                    .iter()
                    .flat_map(|(name, value)| std::iter::once(name.as_str()).chain(texts(value)));
                inside.collect()
            }
            _ => Vec::new(),
        }
    }

    proptest! {
        /// Attacks 116 and 117: neither the bytes nor what a parser reads from them hide anything.
        #[test]
        fn whatever_comes_is_read_as_text(hostile in sample::hostile()) {
            let report = hostile.report();
            let text = verdict(&hostile.verdict(&report));
            prop_assert_eq!(text.matches('\n').count(), 1);
            prop_assert!(text.ends_with('\n') && !text.contains("##["), "{}", text);
            let value: Value = serde_json::from_str(&text).expect("JSON");
            for text in texts(&value) {
                let hidden = |letter: char| letter != '\n' && unprintable(letter);
                prop_assert!(!text.contains(hidden), "{:?}", text);
            }
            let result = &value["runs"][0]["results"][0];
            let message = result["message"]["text"].as_str().expect("a text");
            prop_assert!(!message.contains("]("), "{}", message);
            let single = message.replace("{{", "").replace("}}", "").contains(['{', '}']);
            prop_assert!(!single, "{}", message);
        }
    }
}
