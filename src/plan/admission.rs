//! What may run beside what runs: limits of agents and kinds of tasks, and scopes that stay apart.

use super::Item;
use crate::policy::{Policy, Scope};
use crate::record::kind::Priority;
use crate::source::{AgentName, TaskId};

/// What runs at once, under a policy.
#[derive(Debug)]
pub struct Admission<'p> {
    policy: &'p Policy,
    parallel: usize,
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    task: TaskId,
    agent: AgentName,
    group: Option<String>,
    scope: Scope,
}

/// Why a task may not run beside those that do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// As many run as may.
    Full,
    /// Its agent, and the backup, have as many tasks as they may.
    Agent(AgentName),
    /// As many of its kind run as may (R002-44).
    Group(String),
    /// It could change the same file as this task; the two globs, its own first (R002-37).
    Scope(TaskId, String, String),
    /// It has no stage that an agent could do.
    NoStage,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Full => f.write_str("as many run as may"),
            Refusal::Agent(agent) => write!(f, "{agent} has as many tasks as it may"),
            Refusal::Group(group) => write!(f, "as many tasks of group {group} run as may"),
            Refusal::Scope(task, own, its) => {
                write!(f, "its scope `{own}` touches `{its}` of {task}")
            }
            Refusal::NoStage => f.write_str("no agent could do it"),
        }
    }
}

impl<'p> Admission<'p> {
    /// Takes how many tasks may run at once, at least one.
    pub fn new(policy: &'p Policy, parallel: usize) -> Self {
        Admission { policy, parallel: parallel.max(1), running: Vec::new() }
    }

    /// Lets a task run beside those that do, and gives who does it: its agent, or the backup where
    /// that one is busy; refuses it otherwise.
    pub fn admit(&mut self, item: &Item) -> Result<AgentName, Refusal> {
        if self.running.len() >= self.parallel {
            return Err(Refusal::Full);
        }
        let agent = self.may_run(item)?;
        self.enter(item, agent.clone());
        Ok(agent)
    }

    /// Counts a task that runs already, whether it would be let in or not.
    pub fn enter(&mut self, item: &Item, agent: AgentName) {
        let (task, group) = (item.task.task_id.clone(), limited_group(item).cloned());
        self.running.push(Running { task, agent, group, scope: item.scope.clone() });
    }

    /// Counts a task no longer.
    pub fn leave(&mut self, task: &TaskId) {
        self.running.retain(|running| running.task != *task);
    }

    fn may_run(&self, item: &Item) -> Result<AgentName, Refusal> {
        let agent = self.free_agent(item)?;
        if let Some(group) = limited_group(item).filter(|group| self.is_full(group)) {
            return Err(Refusal::Group(group.clone()));
        }
        for running in &self.running {
            if let Some((own, its)) = item.scope.meeting(&running.scope) {
                return Err(Refusal::Scope(running.task.clone(), own.into(), its.into()));
            }
        }
        Ok(agent)
    }

    fn free_agent(&self, item: &Item) -> Result<AgentName, Refusal> {
        let named = item.stage.as_ref().zip(item.agent.as_ref());
        let (stage, agent) = named.ok_or(Refusal::NoStage)?;
        if self.is_free(agent) {
            return Ok(agent.clone());
        }
        let stage = self.policy.stage(&item.task.workflow, stage).filter(|_| !item.assigned);
        let backup = stage.and_then(|stage| self.policy.backup_for(&item.task, stage, agent));
        let free = backup.filter(|backup| self.is_free(backup));
        free.cloned().ok_or_else(|| Refusal::Agent(agent.clone()))
    }

    fn is_free(&self, agent: &AgentName) -> bool {
        let limit = self.policy.agents.get(agent).map_or(1, |known| known.limit * known.batch);
        self.running.iter().filter(|running| running.agent == *agent).count() < limit
    }

    fn is_full(&self, group: &str) -> bool {
        let same = |running: &&Running| running.group.as_deref() == Some(group);
        let count = self.running.iter().filter(same).count();
        self.policy.fleet.limit(group).is_some_and(|limit| count >= limit)
    }
}

/// An emergency neither waits for others of its kind nor takes their places (R002-44).
fn limited_group(item: &Item) -> Option<&String> {
    item.group.as_ref().filter(|_| item.task.priority != Priority::Emergency)
}
