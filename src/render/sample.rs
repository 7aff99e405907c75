//! Reports made by hand, which every format's tests share.

use proptest::prelude::*;

use super::Verdict;
use crate::diagnostic::{Examined, Finding, Place, Related, Report, Severity};
use crate::source::{RepoPath, Span};

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

/// What a hostile repository may bring into a report, wherever it can.
#[derive(Debug, Clone)]
pub(super) struct Hostile {
    /// The bytes of the path that the finding points at.
    pub(super) path: Vec<u8>,
    /// What is wrong, in words that quote the repository.
    pub(super) message: String,
    /// What to do, likewise.
    pub(super) help: String,
    /// What stands at the related place.
    pub(super) related: String,
    /// The name of the branch.
    pub(super) branch: String,
    /// The text of the file, and the part of it to underline.
    pub(super) text: (String, Span),
}

impl Hostile {
    /// Gives a report of one error, about a file that the report holds the text of.
    pub(super) fn report(&self) -> Report {
        let (text, span) = &self.text;
        let mut report = pointing(text, *span);
        let path = RepoPath::from_git(self.path.clone());
        report.texts = [(path.clone(), text.clone())].into();
        let finding = &mut report.findings[0];
        finding.place.path = path.clone();
        (finding.message, finding.help) = (self.message.clone(), self.help.clone());
        finding.related = vec![Related { place: Place::file(path), message: self.related.clone() }];
        report
    }

    /// Gives a verdict on a report, on the hostile branch.
    pub(super) fn verdict<'a>(&self, report: &'a Report) -> Verdict<'a> {
        Verdict { branch: Some(self.branch.clone()), ..verdict(report) }
    }
}

/// Pieces of text that some reader of some format acts upon.
const PIECES: &[&str] = &[
    "\n",
    "\r",
    "\r\n",
    "\t",
    "::",
    "::error::x",
    "##[",
    "##vso[",
    "%0A",
    "%0D",
    "%25",
    "%",
    ",",
    ":",
    "=",
    "<",
    ">",
    "&",
    "\"",
    "'",
    "</failure>",
    "<script>",
    "]]>",
    "<!--",
    "&#10;",
    "|",
    "\\",
    "\\|",
    "`",
    "``",
    "```\n",
    "@ada",
    "#1",
    "GH-1",
    "[a](",
    "](http://x.y)",
    "[",
    "]",
    "(",
    ")",
    "http://x.y",
    "www.x.y",
    "a@x.y",
    "{0}",
    "{",
    "}",
    "*",
    "_",
    "~~",
    "!",
    "![",
    "- ",
    "---",
    "$x$",
    ":tada:",
    "/",
    "//",
    "..",
    ".",
    "?",
    " ",
    "  ",
    "a",
    "B9",
    "error",
    "ü",
    "漢",
    "\u{1b}[2J",
    "\u{9b}",
    "\u{7f}",
    "\0",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{2028}",
    "\u{85}",
    "\u{feff}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{1fffe}",
    "\u{e0041}",
    "\u{301}",
];

/// Text made of such pieces.
fn nasty() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(PIECES);
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Whatever a hostile repository may bring; its path may be no text at all.
pub(super) fn hostile() -> impl Strategy<Value = Hostile> {
    let path = (nasty(), proptest::option::of(128_u8..)).prop_map(|(text, byte)| {
        let mut bytes = text.into_bytes();
        bytes.extend(byte);
        bytes
    });
    let text = (nasty(), 0_usize..60, 0_usize..60)
        .prop_map(|(text, start, len)| (text, Span::new(start, start + len)));
    (path, nasty(), nasty(), nasty(), nasty(), text).prop_map(
        |(path, message, help, related, branch, text)| Hostile {
            path,
            message,
            help,
            related,
            branch,
            text,
        },
    )
}
