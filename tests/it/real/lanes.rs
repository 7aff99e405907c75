//! A policy for a repository that never had one, and a task with a run in each of its lanes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use orch::ledger::run_id;
use orch::policy::ORCHESTRATOR;
use orch::record::kind::{Artifact, Handoff, HandoffStatus};
use orch::record::{Envelope, Payload, write};
use orch::source::{Digest, RepoPath, RunId};

use crate::support::TestRepo;

/// When the tasks were opened and their runs begun: in the past, because orch itself writes behind
/// it by the machine's clock.
const BEGUN: &str = "2025-01-01T14:00:00Z";

/// When a run that hands over does so.
const HANDED_OVER: &str = "2025-01-01T14:30:00Z";

/// Names that people give their branches, as far as patterns can say it.
pub(super) const BRANCHES: [&str; 7] = [
    "feature/{task_id}-{slug}",
    "{slug}",
    "{task_id}",
    "{slug}/{slug}",
    "{task_id}/{task_id}",
    "{task_id}/{task_id}/{task_id}",
    "{task_id}/{task_id}/{task_id}/{task_id}",
];

/// Folders as lanes. One that holds too much is split, and its own files are anyone's.
pub(super) struct Lanes {
    folders: Vec<String>,
    split: Vec<String>,
}

impl Lanes {
    /// Finds lanes for some paths: the folders at the top, and where one of them holds more than
    /// an eighth of all files, the folders in it.
    pub(super) fn of(paths: &BTreeSet<RepoPath>) -> Self {
        let paths: Vec<String> = paths
            .iter()
            .map(|path| String::from_utf8_lossy(path.as_bytes()).into_owned())
            .collect();
        let mut lanes = Lanes { folders: Vec::new(), split: Vec::new() };
        let all: Vec<&str> = paths.iter().map(String::as_str).collect();
        lanes.split("", &all, all.len() / 8);
        lanes
    }

    fn split(&mut self, folder: &str, below: &[&str], limit: usize) {
        self.split.push(folder.to_owned());
        let mut inner: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for path in below {
            if let Some(slash) = path[folder.len()..].find('/') {
                inner.entry(&path[..=folder.len() + slash]).or_default().push(path);
            }
        }
        for (name, files) in inner {
            let has_folders = files.iter().any(|path| path[name.len()..].contains('/'));
            if files.len() > limit && has_folders {
                self.split(name, &files, limit);
            } else {
                self.folders.push(name.to_owned());
            }
        }
    }

    pub(super) fn count(&self) -> usize {
        self.folders.len()
    }

    /// Gives the lane that owns a path, found without any glob; none for a shared one.
    pub(super) fn owner(&self, path: &RepoPath) -> Option<usize> {
        let path = String::from_utf8_lossy(path.as_bytes());
        self.folders.iter().position(|folder| path.starts_with(folder))
    }

    /// Gives the branch of the run in a lane.
    pub(super) fn branch(lane: usize) -> String {
        format!("feature/{}-work", task(lane))
    }

    /// Writes the policy and the tasks below the top of a working tree.
    pub(super) fn write(&self, repo: &TestRepo) {
        repo.write(".orch/policy.yaml", self.policy(&BTreeSet::new()));
        for lane in 0..self.count() {
            let folder = format!(".orch/tasks/2025-01/{}", task(lane));
            let opened = opened(lane);
            repo.write(&format!("{folder}/0002-run.yaml"), begun(lane, &opened));
            repo.write(&format!("{folder}/0001-task.yaml"), opened);
        }
    }

    /// Gives the policy, in which the worker is bound to some addresses.
    pub(super) fn policy(&self, identities: &BTreeSet<String>) -> String {
        let mut agents = String::new();
        let mut lanes = String::new();
        let mut workflows = String::new();
        for (lane, folder) in self.folders.iter().enumerate() {
            let glob = quoted(&format!("{}**", escaped(folder)));
            write!(agents, "{}l{lane}", if lane == 0 { "" } else { ", " }).unwrap();
            writeln!(lanes, "  l{lane}: {{title: {glob}, owns: [{glob}]}}").unwrap();
            let produces = format!("produces: {{work: {glob}}}");
            let stage = format!("{{name: work, agent: worker, lane: l{lane}, {produces}}}");
            writeln!(workflows, "  in-l{lane}: {{stages: [{stage}]}}").unwrap();
        }
        let shared = self.split.iter().map(|folder| quoted(&format!("{}*", escaped(folder))));
        let shared: Vec<String> = shared.collect();
        let bound: Vec<String> = identities.iter().map(|email| quoted(email)).collect();
        format!(
            "version: 1\nproject: real\nagents:\n  coordinator: {{coordinator: true}}\n  owner: \
             {{human: true}}\n  worker: {{lanes: [{agents}], identities: [{}]}}\nlanes:\n\
             {lanes}shared_paths: [{}]\nbranches: {BRANCHES:?}\nprotected: \
             [main]\nworkflows:\n{workflows}",
            bound.join(", "),
            shared.join(", ")
        )
    }

    /// Gives the record that hands a lane's work over, as its path and text.
    pub(super) fn handoff(
        lane: usize,
        artifacts: Vec<Artifact>,
        message: &str,
    ) -> (String, String) {
        let payload = Payload::Handoff(Handoff {
            from: "worker".parse().unwrap(),
            to: ORCHESTRATOR.parse().unwrap(),
            task_id: task(lane).parse().unwrap(),
            stage: "work".parse().unwrap(),
            run_id: id_of_run(lane),
            status: HandoffStatus::Complete,
            artifacts,
            message: message.to_owned(),
            next_steps: Vec::new(),
            resolves: Vec::new(),
            deliverables: None,
            context: None,
            changes: None,
            bundle: None,
            notes: Vec::new(),
        });
        let envelope = Envelope {
            sequence: Some(3),
            previous: Some(Digest::of(begun(lane, &opened(lane)).as_bytes())),
            recorded_at: HANDED_OVER.parse().unwrap(),
            actor: "worker".parse().unwrap(),
            session: Some("session-1".into()),
            branch: Some(Lanes::branch(lane)),
            policy: None,
        };
        let path = format!(".orch/tasks/2025-01/{}/0003-handoff.yaml", task(lane));
        (path, write(&payload, &envelope))
    }
}

/// Gives one more task of the first lane, as its path and text.
pub(super) fn another_task() -> (&'static str, String) {
    let text = opened(0).replace(&task(0), "another");
    (".orch/tasks/2025-01/another/0001-task.yaml", text)
}

pub(super) fn task(lane: usize) -> String {
    format!("task-{lane}")
}

fn id_of_run(lane: usize) -> RunId {
    run_id(&task(lane).parse().unwrap(), &"work".parse().unwrap(), &[], 1)
}

fn opened(lane: usize) -> String {
    format!(
        "task:\n  task_id: {}\n  title: Work in one lane\n  workflow: in-l{lane}\n  requestor: \
         owner\nentry:\n  sequence: 1\n  recorded_at: {BEGUN}\n  actor: coordinator\n",
        task(lane)
    )
}

fn begun(lane: usize, opened: &str) -> String {
    let id = id_of_run(lane);
    format!(
        "run:\n  stage: work\n  run_id: {id}\n  attempt: 1\n  agent: worker\n  lane: l{lane}\n  \
         branch: {}\n  status: in_progress\nentry:\n  sequence: 2\n  previous: {}\n  recorded_at: \
         {BEGUN}\n  actor: worker\n",
        Lanes::branch(lane),
        Digest::of(opened.as_bytes())
    )
}

/// Keeps what a name holds from meaning something in a glob.
fn escaped(name: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | '{' | '}');
    name.chars().map(|c| if special(c) { format!("[{c}]") } else { c.to_string() }).collect()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
