//! For programs: one object on one line, the contract of design section 5.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::{Verdict, text};
use crate::diagnostic::{Examined, Finding, Place, Report, Severity};
use crate::source::path::unprintable;
use crate::source::{RepoPath, TaskId};

/// The version of the object; it rises when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// A report of `orch guard` or `orch verify`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "orch report"))]
struct ReportJson<'a> {
    /// The version of this object.
    #[cfg_attr(test, schemars(extend("const" = VERSION)))]
    version: u32,
    /// Whether anything was refused.
    verdict: Outcome,
    /// What the proposal was compared with: a commit, `index` or `nothing`.
    base: &'a str,
    /// What was proposed: a commit, `index` or `nothing`.
    head: &'a str,
    /// The branch it was proposed on; null if that is not known.
    branch: Option<&'a str>,
    /// What does not hold, sorted by path, place and check.
    findings: Vec<FindingJson<'a>>,
    /// How many findings there are of each severity.
    counts: Counts,
    /// What was looked at.
    examined: Examined,
    /// How long the look took, in milliseconds.
    elapsed_ms: u64,
}

/// Whether anything was refused.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// Nothing was refused.
    Pass,
    /// Something was refused.
    Fail,
}

/// One thing that does not hold.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Finding"))]
struct FindingJson<'a> {
    /// The check's name; `orch explain` tells more.
    check: &'a str,
    /// How much it weighs; only an error refuses.
    severity: Severity,
    /// What is wrong.
    message: &'a str,
    /// What to do next.
    help: &'a str,
    /// The file, from the top of the repository; bytes that are no printable text are escaped.
    /// Empty if it is about the repository as a whole.
    #[cfg_attr(test, schemars(with = "String"))]
    path: &'a RepoPath,
    /// The line, from 1; null for a file as a whole.
    line: Option<usize>,
    /// The column in characters, from 1; null for a file as a whole.
    column: Option<usize>,
    /// The task it is about; null if it is about none.
    task_id: Option<&'a TaskId>,
    /// Other places that explain it.
    related: Vec<RelatedJson<'a>>,
}

/// A second place that explains a finding.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Related"))]
struct RelatedJson<'a> {
    /// The file, from the top of the repository.
    #[cfg_attr(test, schemars(with = "String"))]
    path: &'a RepoPath,
    /// The line, from 1; null for a file as a whole.
    line: Option<usize>,
    /// The column in characters, from 1; null for a file as a whole.
    column: Option<usize>,
    /// What is there.
    message: &'a str,
}

/// How many findings there are of each severity.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Counts {
    /// Findings that refuse.
    error: usize,
    /// Findings that pass and say so.
    warning: usize,
    /// What was not looked at, or was assumed.
    note: usize,
}

/// Gives the verdict as one object on one line.
pub(super) fn verdict(verdict: &Verdict<'_>) -> String {
    let report = verdict.report;
    line(&ReportJson {
        version: VERSION,
        verdict: if report.refused() { Outcome::Fail } else { Outcome::Pass },
        base: &verdict.base,
        head: &verdict.head,
        branch: verdict.branch.as_deref(),
        findings: report.findings.iter().map(|found| finding(found, report)).collect(),
        counts: Counts {
            error: report.count(Severity::Error),
            warning: report.count(Severity::Warning),
            note: report.count(Severity::Note),
        },
        examined: report.examined,
        elapsed_ms: verdict.elapsed_ms,
    })
}

fn finding<'a>(finding: &'a Finding, report: &Report) -> FindingJson<'a> {
    let (line, column) = line_and_column(report, &finding.place);
    let related = finding.related.iter().map(|related| {
        let (line, column) = line_and_column(report, &related.place);
        RelatedJson { path: &related.place.path, line, column, message: &related.message }
    });
    FindingJson {
        check: finding.check,
        severity: finding.severity,
        message: &finding.message,
        help: &finding.help,
        path: &finding.place.path,
        line,
        column,
        task_id: finding.task.as_ref(),
        related: related.collect(),
    }
}

fn line_and_column(report: &Report, place: &Place) -> (Option<usize>, Option<usize>) {
    report.position(place).map(|at| (at.line, at.column)).unzip()
}

/// Gives a value as JSON on one line that a terminal and a CI log can be trusted with.
pub fn line(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Visible::default());
    value.serialize(&mut serializer).expect("plain structs with text keys are JSON");
    String::from_utf8(bytes).expect("JSON is UTF-8") + "\n"
}

/// Gives a value as JSON on several lines, as trustworthy as [`line()`].
pub fn pretty(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("what is printed has text keys only");
    let mut bytes = Vec::new();
    for line in text.lines() {
        // Outside of its strings JSON has nothing that is escaped.
        write_visible(&mut bytes, &mut String::new(), line).expect("a vector takes all");
        bytes.push(b'\n');
    }
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// Writes compact JSON in which invisible characters are `\u` escapes (attacks 116 and 117); what
/// a parser reads back is the same.
#[derive(Default)]
struct Visible {
    /// What was written of the string so far. A path comes letter by letter, and only what stands
    /// before a `[` tells whether it would begin a command.
    before: String,
}

impl Formatter for Visible {
    fn begin_string<W>(&mut self, writer: &mut W) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        self.before.clear();
        writer.write_all(b"\"")
    }

    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        write_visible(writer, &mut self.before, fragment)
    }
}

/// Writes a fragment with what must be escaped, behind what was written of its string before.
fn write_visible<W: ?Sized + io::Write>(
    writer: &mut W,
    before: &mut String,
    fragment: &str,
) -> io::Result<()> {
    for character in fragment.chars() {
        let command = character == '[' && text::opens_command(before);
        before.push(character);
        if !command && !unprintable(character) {
            writer.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())?;
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(writer, "\\u{unit:04x}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Failure, Format, Style, render_failure, sample};
    use super::*;
    use crate::diagnostic::Related;
    use crate::snapshot::Fault;
    use crate::source::Span;

    fn schema<T: schemars::JsonSchema>() -> serde_json::Value {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        let schema = settings.into_generator().into_root_schema_for::<T>();
        serde_json::to_value(schema).expect("a schema is JSON")
    }

    /// Writes the schemas of what is printed, and fails if that changed anything.
    #[test]
    fn schemas_are_current() {
        crate::testing::golden_schemas(&[
            ("schemas/report.schema.json".into(), schema::<ReportJson<'_>>()),
            ("schemas/error.schema.json".into(), schema::<Failure>()),
        ]);
    }

    fn assert_valid(schema: &serde_json::Value, text: &str) {
        let value = serde_json::from_str(text).expect("one JSON object");
        let validator = jsonschema::validator_for(schema).expect("a schema");
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }

    /// Attack 116, on several lines: nothing is hidden, and a parser reads what was there.
    #[test]
    fn pretty_json_hides_nothing() {
        let value = serde_json::json!({"title": "a\u{202e}b\u{7f}", "list": ["##[error]", 1]});
        let text = pretty(&value);
        assert!(text.chars().all(|letter| letter == '\n' || !unprintable(letter)), "{text:?}");
        assert!(!text.contains("##["), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn output_keeps_to_its_schema() {
        let schema_of_report = schema::<ReportJson<'_>>();
        let empty = Report::default();
        for report in [&sample::report(), &empty] {
            let mut about = sample::verdict(report);
            assert_valid(&schema_of_report, &verdict(&about));
            about.branch = None;
            assert_valid(&schema_of_report, &verdict(&about));
        }
        let failure = Failure::from(&Fault::new("no repository here", "make one: `git init`"));
        let text = render_failure(&failure, Format::Json, Style::default());
        assert_valid(&schema::<Failure>(), &text);
    }

    #[test]
    fn a_report_is_one_object_on_one_line() {
        let mut report = sample::report();
        report.findings.truncate(1);
        let text = verdict(&sample::verdict(&report));
        assert_eq!(text.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        insta::assert_snapshot!(serde_json::to_string_pretty(&value).expect("JSON"), @r#"
        {
          "base": "1111111111111111111111111111111111111111",
          "branch": "feature/strat-001-strategy",
          "counts": {
            "error": 1,
            "note": 0,
            "warning": 0
          },
          "elapsed_ms": 12,
          "examined": {
            "paths": 5,
            "records": 3,
            "tasks": 1
          },
          "findings": [
            {
              "check": "checksum-mismatch",
              "column": 17,
              "help": "seal it again: `orch handoff create strat-001`",
              "line": 8,
              "message": "`strategy_code` is sealed with another checksum than `strategies/pine_v6/sweep.pine` has",
              "path": ".orch/tasks/2026-11/strat-001/0003-handoff.yaml",
              "related": [
                {
                  "column": null,
                  "line": null,
                  "message": "hashes to sha256:60303ae2…",
                  "path": "strategies/pine_v6/sweep.pine"
                }
              ],
              "severity": "error",
              "task_id": "strat-001"
            }
          ],
          "head": "index",
          "verdict": "fail",
          "version": 1
        }
        "#);
    }

    #[test]
    fn nothing_found_is_a_pass() {
        insta::assert_snapshot!(verdict(&sample::verdict(&Report::default())), @r#"{"version":1,"verdict":"pass","base":"1111111111111111111111111111111111111111","head":"index","branch":"feature/strat-001-strategy","findings":[],"counts":{"error":0,"warning":0,"note":0},"examined":{"records":0,"paths":0,"tasks":0},"elapsed_ms":12}"#);
    }

    /// Attacks 116 and 117: hidden text is visible in the bytes, and the same once read.
    #[test]
    fn hidden_characters_are_escaped_and_read_back() {
        let mut report = sample::pointing("a: b", Span::new(3, 4));
        let message = "\u{1b}\u{9b}\u{7f}\u{202e}\u{e0041} ##[error] \"ü\"\n::x";
        report.findings[0].message = message.into();
        report.findings[0].place.path = RepoPath::from_git(&b"a\xff\x1b"[..]);
        let text = verdict(&sample::verdict(&report));
        assert!(!text.trim_end().contains(unprintable) && !text.contains("##["), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let finding = &value["findings"][0];
        assert_eq!(finding["message"], message);
        assert_eq!(finding["path"], "a\\xff\\u{1b}");
        assert_eq!(finding["line"], serde_json::Value::Null);
    }

    /// Attack 117: a file's name is no command either.
    #[test]
    fn a_path_is_no_command() {
        let mut report = sample::pointing("a: b", Span::new(3, 4));
        let finding = &mut report.findings[0];
        finding.place.path = RepoPath::from("a##[error]b");
        finding.related =
            vec![Related { place: Place::file("##vso[task]".into()), message: "here".into() }];
        let text = verdict(&sample::verdict(&report));
        assert!(!text.contains("##[") && !text.contains("##vso["), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["findings"][0]["path"], "a##[error]b");
        assert_eq!(value["findings"][0]["related"][0]["path"], "##vso[task]");
    }
}
