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
