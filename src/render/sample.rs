//! Reports made by hand, which every format's tests share.

use super::Verdict;
use crate::diagnostic::{Examined, Finding, Place, Related, Report, Severity};
use crate::source::Span;

/// Where the sample's handoff lies.
const HANDOFF: &str = ".orch/tasks/2026-11/strat-001/0003-handoff.yaml";

const TEXT: &str = "\
handoff:
  from: strategy_developer
  to: quant_engineer
  task_id: strat-001
  artifacts:
    - name: strategy_code
      path: strategies/pine_v6/sweep.pine
      checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
";

/// One finding of each severity: with a span, without one, and with nothing to do.
pub(super) fn report() -> Report {
    let checksum = TEXT.find("sha256:").expect("the sample holds a checksum");
    let mismatch = Finding {
        check: "checksum-mismatch",
        severity: Severity::Error,
        place: Place::at(HANDOFF.into(), Span::new(checksum, TEXT.len() - 1)),
        message: "`strategy_code` is sealed with another checksum than \
                  `strategies/pine_v6/sweep.pine` has"
            .into(),
        help: "seal it again: `orch handoff create strat-001`".into(),
        task: Some("strat-001".parse().expect("a task's id")),
        related: vec![Related {
            place: Place::file("strategies/pine_v6/sweep.pine".into()),
            message: "hashes to sha256:60303ae2…".into(),
        }],
    };
    let lane = Finding {
        check: "lane-violation",
        severity: Severity::Warning,
        place: Place::file("research/reports/sweep.json".into()),
        message: "lane B does not own this file".into(),
        help: "leave it to lane C, or have the policy changed".into(),
        task: None,
        related: Vec::new(),
    };
    let mut note = finding("branch-name", "the branch is not known, so its name was not checked");
    note.severity = Severity::Note;
    Report {
        findings: vec![mismatch, lane, note],
        texts: [(HANDOFF.into(), TEXT.to_owned())].into(),
        examined: Examined { records: 3, paths: 5, tasks: 1 },
    }
}

/// An error about the policy as a whole, without help.
pub(super) fn finding(check: &'static str, message: &str) -> Finding {
    Finding {
        check,
        severity: Severity::Error,
        place: Place::file(".orch/policy.yaml".into()),
        message: message.to_owned(),
        help: String::new(),
        task: None,
        related: Vec::new(),
    }
}

/// A report of one file with one finding in it.
pub(super) fn pointing(text: &str, span: Span) -> Report {
    let mut finding = finding("text-unsafe", "text");
    finding.place.span = Some(span);
    Report {
        texts: [(finding.place.path.clone(), text.to_owned())].into(),
        findings: vec![finding],
        examined: Examined { records: 1, paths: 1, tasks: 0 },
    }
}

/// A verdict on a report, with every other field filled.
pub(super) fn verdict(report: &Report) -> Verdict<'_> {
    Verdict {
        report,
        base: "1111111111111111111111111111111111111111".into(),
        head: "index".into(),
        branch: Some("feature/strat-001-strategy".into()),
        elapsed_ms: 12,
    }
}
