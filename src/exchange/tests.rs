//! What is written in any form reads back as the same.

use proptest::prelude::*;

use super::*;
use crate::record::kind::Artifact;

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z ]{1,12}",
        "[-+>#=~|*_`\\[\\]<>&!:.,)(0-9a-z \n\\\\/]{1,14}",
        "\\PC{1,8}",
        Just("Key Findings".to_owned()),
        Just("[file paths]".to_owned()),
        Just("message: x\n\n- y".to_owned()),
        Just("\u{26a0}\u{fe0f} <script>&amp;\t\u{202e}".to_owned()),
    ]
}

fn list() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(words(), 0..3)
}

fn label() -> impl Strategy<Value = Option<String>> {
    let taken = vec!["From", "sealed", "Status", "message", "artifacts", "bundle", "Resolves"];
    let taken = prop::sample::select(taken).prop_map(str::to_owned);
    prop::option::of(prop_oneof![words(), taken])
}

fn notes() -> impl Strategy<Value = Vec<Note>> {
    let note = (label(), label(), words());
    let note = note.prop_map(|(section, label, text)| Note { section, label, text });
    prop::collection::vec(note, 0..4)
}

fn made() -> impl Strategy<Value = Vec<String>> {
    let path = prop_oneof![Just("src/a.py:26-40"), Just("src/b, c.md"), Just("two files, new")];
    prop::collection::vec(path.prop_map(str::to_owned), 0..3)
}

prop_compose! {
    fn handoff()(
        message in words(),
        lists in prop::collection::vec(list(), 8),
        made in made(),
        results in prop::option::of(words()),
        output in prop::option::of(words()),
        notes in notes(),
        bundled in any::<bool>(),
        repository in words(),
        status in prop::sample::select(&[
            HandoffStatus::Complete, HandoffStatus::Blocked, HandoffStatus::Partial,
        ][..]),
    ) -> Handoff {
        let mut lists = lists.into_iter();
        let mut list = || lists.next().expect("eight lists");
        let id = |text: &str| text.to_owned();
        Handoff {
            from: "code-archaeologist".parse().expect("a name"),
            to: "backend-developer".parse().expect("a name"),
            task_id: "ORCH-001".parse().expect("an id"),
            stage: "discovery".parse().expect("a name"),
            run_id: "r3f9c2a71b0".parse().expect("an id"),
            status,
            artifacts: vec![Artifact {
                name: "analysis".parse().expect("a name"),
                path: RepoPath::canonical("docs/as it *is*, as_x.md").expect("a path"),
                checksum: Digest::of(b"x"),
            }],
            message,
            next_steps: list(),
            resolves: list(),
            deliverables: said(Deliverables {
                created_or_modified: made,
                test_results: results,
                key_findings: list(),
            }),
            context: said(Context {
                prerequisites_met: list(),
                known_issues: list(),
                recommended_actions: list(),
            }),
            changes: said(Changes {
                output_location: output,
                dependencies_added: list(),
                configuration: list(),
            }),
            bundle: bundled.then(|| Bundle {
                repository,
                base: id("main"),
                head: id("feature/ORCH-001_x"),
                candidate_id: "ORCH-001".parse().expect("an id"),
                stage: "discovery".parse().expect("a name"),
                artifact_path: RepoPath::canonical("docs/_a_.md").expect("a path"),
            }),
            notes,
        }
    }
}

#[track_caller]
fn same(text: &str, form: Form, meant: &Signal) {
    let read_back = read(text.as_bytes(), None).unwrap_or_else(|p| panic!("{form}: {p:?}\n{text}"));
    assert_eq!(&read_back, meant, "{form}:\n{text}");
    assert_eq!(read(text.as_bytes(), Some(form)).as_ref(), Ok(meant));
}

const SIGNAL: &str = "\
Seen in a log.

# Agent Handoff Signal

- **From:** code-archaeologist
- **To:** backend-developer
- **Task ID:** ORCH-001
- **Status:** \u{2705} partial
- Due: Friday

## Deliverables

1. **Created/Modified**: `src/a.py:3`, docs/b.md
2. Key Findings:
   - one: *two*
   - [three](https://example.org/x)
3. Coverage: `a: b`
   and more <!-- not this -->

## Rollback plan
Revert: the commit

# After
- Known Issues: not of the signal
";

/// R002-9 to R002-14: labels, lists and marks as people write them.
#[test]
fn a_signal_is_read_as_it_is_meant() {
    let signal = read(SIGNAL.as_bytes(), None).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(signal.status, HandoffStatus::Partial);
    assert_eq!(signal.deliverables.created_or_modified, ["src/a.py:3", "docs/b.md"]);
    let findings = ["one: two", "three (https://example.org/x)"];
    assert_eq!(signal.deliverables.key_findings, findings);
    let notes: Vec<_> = signal
        .notes
        .iter()
        .map(|note| (note.section.as_deref(), note.label.as_deref(), note.text.as_str()))
        .collect();
    assert_eq!(
        notes,
        [
            (None, Some("Due"), "Friday"),
            (Some("deliverables"), Some("Coverage"), "a: b and more"),
            (Some("Rollback plan"), Some("Revert"), "the commit"),
        ]
    );
    assert_eq!(
        signal.missing(),
        ["test_results", "prerequisites_met", "known_issues", "recommended_actions"]
    );
}

/// R000-27: the fields of a handoff stand in the payload of a message that is one.
#[test]
fn a_message_may_be_a_handoff() {
    let zeros = "0".repeat(64);
    let text = format!(
        "message:\n  from: a\n  to: b\n  type: handoff\n  task_id: strat-001\n  payload:\n    \
         artifacts: [{{path: x.md, checksum: 'sha256:{zeros}'}}]\n    message: Done\n  status: \
         in_progress\n  timestamp: 2026-01-15T14:30:00Z\n"
    );
    let signal = read(text.as_bytes(), None).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(signal.from.as_ref().map(AgentName::as_str), Some("a"));
    assert_eq!((signal.status, signal.artifacts.len()), (HandoffStatus::Partial, 1));
    let fault = |from: &str, to: &str| {
        let text = text.replacen(from, to, 1);
        let problem = read(text.as_bytes(), None).expect_err(to).remove(0);
        text[problem.span.start..problem.span.end].to_owned()
    };
    assert_eq!(fault("type: handoff", "type: request"), "request");
    assert_eq!(fault("message: Done", "message: Done\n    to: c"), "c");
    assert_eq!(fault("message: Done", "mesage: Done"), "mesage");
    assert_eq!(fault("status: in_progress", "status: ready"), "ready");
}

proptest! {
    /// R000-27, R000-32, R002-9: no form loses anything of what the others say.
    #[test]
    fn every_form_reads_back_as_the_same(handoff in handoff()) {
        let meant = Signal::of(&handoff);
        same(&markdown(&handoff), Form::Markdown, &meant);
        same(&yaml(&handoff), Form::Yaml, &meant);
        same(&message(&handoff, "2026-11-21T10:00:00Z".parse().expect("a moment")), Form::Message, &meant);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, form) in FORMS {
            let _ = read(&bytes, Some(form));
        }
        let _ = read(&bytes, None);
    }

    #[test]
    fn no_markdown_makes_a_reader_panic(
        text in "(## Agent Handoff Signal\n)?(\\*\\*(From|Task|Status)\\*\\*: |### Artifacts\n|- Sealed: |\
                 [-#*|>`:\\[\\]<&a-z\u{e9}  \n]{1,6}){0,20}"
    ) {
        if let Err(problems) = read(text.as_bytes(), Some(Form::Markdown)) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(text.get(problem.span.start..problem.span.end).is_some());
            }
        }
    }
}
