//! A policy for a repository that never had one, and a task with a run in each of its lanes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use orch::ledger::run_id;
use orch::source::{Digest, RepoPath};

use crate::support::TestRepo;

/// When the tasks were opened and their runs begun.
const BEGUN: &str = "2026-11-21T14:00:00Z";

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
        repo.write(".orch/policy.yaml", self.policy());
        for lane in 0..self.count() {
            let folder = format!(".orch/tasks/2026-11/{}", task(lane));
            let opened = opened(lane);
            repo.write(&format!("{folder}/0002-run.yaml"), begun(lane, &opened));
            repo.write(&format!("{folder}/0001-task.yaml"), opened);
        }
    }

    fn policy(&self) -> String {
        let mut agents = String::new();
        let mut lanes = String::new();
        let mut workflows = String::new();
        for (lane, folder) in self.folders.iter().enumerate() {
            let glob = quoted(&format!("{}**", escaped(folder)));
            write!(agents, "{}l{lane}", if lane == 0 { "" } else { ", " }).unwrap();
            writeln!(lanes, "  l{lane}: {{title: {glob}, owns: [{glob}]}}").unwrap();
            let stage = format!("{{name: work, agent: worker, lane: l{lane}}}");
            writeln!(workflows, "  in-l{lane}: {{stages: [{stage}]}}").unwrap();
        }
        let shared = self.split.iter().map(|folder| quoted(&format!("{}*", escaped(folder))));
        let shared: Vec<String> = shared.collect();
        format!(
            "version: 1\nproject: real\nagents:\n  coordinator: {{coordinator: true}}\n  owner: \
             {{human: true}}\n  worker: {{lanes: [{agents}]}}\nlanes:\n{lanes}shared_paths: \
             [{}]\nbranches: [\"feature/{{task_id}}-{{slug}}\"]\nprotected: \
             [main]\nworkflows:\n{workflows}",
            shared.join(", ")
        )
    }
}

/// Gives one more task of the first lane, as its path and text.
pub(super) fn another_task() -> (&'static str, String) {
    let text = opened(0).replace(&task(0), "another");
    (".orch/tasks/2026-11/another/0001-task.yaml", text)
}

fn task(lane: usize) -> String {
    format!("task-{lane}")
}

fn opened(lane: usize) -> String {
    format!(
        "task:\n  task_id: {}\n  title: Work in one lane\n  workflow: in-l{lane}\n  requestor: \
         owner\nentry:\n  sequence: 1\n  recorded_at: {BEGUN}\n  actor: coordinator\n",
        task(lane)
    )
}

fn begun(lane: usize, opened: &str) -> String {
    let id = run_id(&task(lane).parse().unwrap(), &"work".parse().unwrap(), &[], 1);
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
