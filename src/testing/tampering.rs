//! Whatever is done to the bytes of a record that has landed, the guard refuses it.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::story::{Files, Teller, told};
use crate::checks;
use crate::diagnostic::Report;
use crate::policy::{POLICY_PATH, Policy};
use crate::record::is_record_path;
use crate::snapshot::Mode;
use crate::source::RepoPath;
use crate::world::{self, Focus, Terms};

/// A whole strategy, from data to live, with every shelf of records.
const LANDED: &str = "
- done: {until: end}
- message:
    from: orchestrator
    to: founder
    type: request
    task_id: strat-001
    payload: {ask: go live}
    status: pending
    timestamp: 2026-11-21T10:30:00Z
- task: {task_id: strat-002}
- pause: {task: strat-002, cause: person, reason: wait for the market}
- write:
    .orch/decisions/2026-11-21-choice.yaml: |
      decision:
        id: 2026-11-21-choice
        title: A choice
        status: accepted
        date: 2026-11-21
        decision_makers: [founder]
        context: there were two ways
        outcome: the first
      entry: {recorded_at: '2026-11-21T10:00:00Z', actor: founder}
    .orch/halts/halt-001/0001-halt.yaml: |
      halt: {topic: risk.kill_switch, scope: 'task:strat-002', reason: losses}
      entry: {sequence: 1, recorded_at: '2026-11-21T10:00:00Z', actor: founder}
    .orch/incidents/inc-001/0001-incident.yaml: |
      incident: {trigger: losses, class: loss, severity: high, tasks: [strat-002]}
      entry: {sequence: 1, recorded_at: '2026-11-21T10:00:00Z', actor: founder}
- propose: orch/tidy
";

/// What someone does to a file's bytes.
#[derive(Debug, Clone)]
enum Deed {
    Flip { at: usize, bits: u8 },
    DropLine(usize),
    SwapLines(usize, usize),
    Truncate(usize),
    Append(Vec<u8>),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (any::<usize>(), 1..=u8::MAX).prop_map(|(at, bits)| Deed::Flip { at, bits }),
        2 => any::<usize>().prop_map(Deed::DropLine),
        2 => any::<(usize, usize)>().prop_map(|(one, other)| Deed::SwapLines(one, other)),
        1 => any::<usize>().prop_map(Deed::Truncate),
        1 => prop::collection::vec(any::<u8>(), 1..9).prop_map(Deed::Append),
    ]
}

fn done(deed: &Deed, bytes: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    match deed {
        Deed::Flip { at, bits } => {
            let mut bytes = bytes.to_vec();
            let at = at % bytes.len().max(1);
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bits);
            bytes
        }
        Deed::DropLine(line) => {
            let at = line % lines.len().max(1);
            lines.splice(at..lines.len().min(at + 1), []);
            lines.concat()
        }
        Deed::SwapLines(one, other) => {
            if let count @ 1.. = lines.len() {
                lines.swap(one % count, other % count);
            }
            lines.concat()
        }
        Deed::Truncate(length) => bytes[..length % bytes.len().max(1)].to_vec(),
        Deed::Append(more) => [bytes, more].concat(),
    }
}

/// What has landed, with the policy read once.
struct Landed {
    teller: Teller,
    paths: Vec<RepoPath>,
    policy: Arc<Policy>,
}

impl Landed {
    fn new() -> Self {
        let teller = told(LANDED);
        let paths = teller.files.keys().filter(|path| is_record_path(path)).cloned().collect();
        let policy = &teller.files[&RepoPath::from(POLICY_PATH)].1;
        let policy = Policy::parse(policy, &checks::names()).expect("the template's policy");
        Landed { paths, policy: Arc::new(policy), teller }
    }

    /// Judges these files as a proposal; gives the paths of which one check speaks.
    fn judge(&self, files: Files) -> (Report, BTreeSet<RepoPath>) {
        let mut teller = self.teller.clone();
        teller.files = files;
        let repository = teller.repository();
        let proposal = teller.proposed(&repository);
        let policy = Arc::clone(&self.policy);
        let terms = Terms {
            policy,
            signers: Default::default(),
            policy_problems: vec![],
            at: teller.clock,
            focus: Focus::Tasks(vec![]),
            bootstrap: false,
        };
        let world = world::build(&repository, &proposal, terms).expect("a world, never a fault");
        let report = checks::run(&world);
        let spoken = report.findings.iter().filter(|finding| finding.check == "record-modified");
        let paths = spoken.map(|finding| finding.place.path.clone()).collect();
        (report, paths)
    }
}

/// The story that is tampered with has nothing wrong by itself.
#[test]
fn what_landed_is_clean() {
    let landed = Landed::new();
    assert!(landed.paths.len() > 25, "{:?}", landed.paths);
    let (report, _) = landed.judge(landed.teller.files.clone());
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
}

/// Attacks 31 and 79 to 82, for every file and any deed: 300 worlds with five deeds each.
#[test]
fn no_landed_record_can_be_changed() {
    let landed = Landed::new();
    let mut runner = TestRunner::new(Config::with_cases(300));
    let deeds = prop::collection::vec((any::<prop::sample::Index>(), deed()), 5);
    let outcome = runner.run(&deeds, |deeds| {
        let mut files = landed.teller.files.clone();
        for (index, deed) in deeds {
            let (_, bytes) = files.get_mut(index.get(&landed.paths)).expect("a record");
            *bytes = done(&deed, bytes);
        }
        let before = &landed.teller.files;
        let changed = files.iter().filter(|(path, file)| before.get(*path) != Some(file));
        let changed: BTreeSet<RepoPath> = changed.map(|(path, _)| path.clone()).collect();
        let (report, spoken) = landed.judge(files);
        prop_assert_eq!(report.refused(), !changed.is_empty());
        prop_assert_eq!(spoken, changed);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// The same for every file as a whole: deleted, renamed, linked, made a program.
#[test]
fn no_landed_record_can_be_moved() {
    let landed = Landed::new();
    for path in &landed.paths {
        for mode in [None, Some(Mode::Symlink), Some(Mode::Executable), Some(Mode::Submodule)] {
            let mut files = landed.teller.files.clone();
            let (_, bytes) = files.remove(path).expect("a record");
            let place = if mode.is_none() { "docs/gone.yaml".into() } else { path.clone() };
            files.insert(place, (mode.unwrap_or(Mode::File), bytes));
            let (report, spoken) = landed.judge(files);
            assert_eq!(spoken.into_iter().collect::<Vec<_>>(), vec![path.clone()], "{mode:?}");
            assert!(report.refused());
        }
    }
}
