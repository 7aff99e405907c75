//! `orch task open --from`: a whole list of tasks at once, as one change.

use std::collections::BTreeSet;

use super::Stop;
use super::context::{Context, View, unknown_agent};
use super::import::{bytes_of, unreadable};
use super::ledger::{Writer, Writing};
use super::lock::Lock;
use super::open::{is_there, workflow_of};
use super::output::say;
use crate::exchange::tasks::{self, Listed};
use crate::policy::Policy;
use crate::record::Home;
use crate::record::kind::{self, AssignmentReason};
use crate::source::{AgentName, TaskId, WorkflowName};

/// How far a task of a list has come.
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// It is done, so it is not opened.
    Done,
    /// It waits for something that the list does not say.
    Blocked,
    /// Whoever had it in hand starts anew, on the record.
    Open,
}

/// What a task of a list becomes: its first entries.
struct Wanted {
    task: kind::Task,
    assignment: Option<kind::Assignment>,
    block: Option<kind::Block>,
}

/// Opens the tasks of a list that are not done and not open yet, all or none.
pub(super) fn open(
    context: &Context,
    file: &str,
    workflow: Option<&WorkflowName>,
    writing: Writing,
) -> Result<(), Stop> {
    let listed = read(context, file)?;
    let repository = context.repository()?;
    let _lock = Lock::take(&repository)?;
    let ids: Vec<&TaskId> = listed.iter().map(|listed| &listed.task_id).collect();
    let view = View::within(context, repository, &ids)?;
    let policy = view.policy();
    let author = context.author(&policy, view.proposal.branch.clone())?;
    let done: BTreeSet<TaskId> = listed
        .iter()
        .filter(|listed| stage(listed) == Stage::Done)
        .map(|listed| listed.task_id.clone())
        .collect();
    let list = List { policy: &policy, name: file.to_owned(), workflow, done: &done };
    let (mut opened, mut there) = (0, 0);
    let mut writer = Writer::new(context, &view, author.clone());
    for listed in listed.iter().filter(|listed| !done.contains(&listed.task_id)) {
        let Wanted { task, assignment, block } = list.wanted(listed, &author.actor)?;
        if is_there(&view, &task)? {
            there += 1;
            continue;
        }
        let home = Home::Task(task.task_id.clone());
        writer.add(&home, task)?;
        assignment.map_or(Ok(()), |assignment| writer.add(&home, assignment))?;
        block.map_or(Ok(()), |block| writer.add(&home, block))?;
        opened += 1;
    }
    if opened > 0 {
        writer.commit(writing)?;
    }
    let others = [(there, "open already"), (done.len(), "done, says the list")];
    let others = others.iter().filter(|(count, _)| *count > 0);
    let others: String = others.map(|(count, what)| format!(", {count} {what}")).collect();
    say(format!("{opened} tasks opened{others}"));
    say("next: git commit, then orch plan");
    Ok(())
}

fn read(context: &Context, file: &str) -> Result<Vec<Listed>, Stop> {
    let bytes = bytes_of(context, file)?;
    let listed = tasks::read(&bytes).map_err(|problems| unreadable(file, &bytes, &problems))?;
    if listed.is_empty() {
        let help = "write YAML, JSON, or a Markdown table with a column `Task ID`";
        return Err(Stop::fault(format!("{file} lists no task"), help));
    }
    Ok(listed)
}

fn stage(listed: &Listed) -> Stage {
    let word = listed.status.as_deref().unwrap_or_default().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|known| word.contains(known));
    match () {
        () if says(&["not done", "incomplete"]) => Stage::Open,
        () if says(&["complete", "done", "✅", "closed"]) => Stage::Done,
        () if says(&["blocked", "🚫", "⛔"]) => Stage::Blocked,
        () => Stage::Open,
    }
}

/// A list, and what is known to its tasks.
struct List<'l> {
    policy: &'l Policy,
    name: String,
    workflow: Option<&'l WorkflowName>,
    done: &'l BTreeSet<TaskId>,
}

impl List<'_> {
    fn wanted(&self, listed: &Listed, actor: &AgentName) -> Result<Wanted, Stop> {
        let id = &listed.task_id;
        let place = format!("{}:{}", self.name, listed.line);
        let rule = self.policy.fleet.select(id, &listed.title);
        let selected = rule.and_then(|rule| rule.workflow.as_ref());
        let name = listed.workflow.as_ref().or(self.workflow).or(selected).ok_or_else(|| {
            let help = "add a column or key `workflow`, say `--workflow NAME` for all, or give the \
                        policy's `selection` one";
            Stop::fault(format!("{place}: `{id}` names no workflow"), help)
        })?;
        let (name, workflow) = workflow_of(self.policy, name)?;
        let scope = match listed.scope.is_empty() {
            true => workflow.scope_of(id),
            false => listed.scope.clone(),
        };
        if let Some(text) = listed.estimate.as_ref().filter(|text| super::task::time(text).is_err())
        {
            let help = "write a number and s, m, h or d, such as `30m`";
            return Err(Stop::fault(format!("{place}: `{text}` is no time"), help));
        }
        let task = kind::Task {
            task_id: id.clone(),
            title: listed.title.clone(),
            workflow: name.clone(),
            version: None,
            requestor: actor.clone(),
            priority: listed.priority.unwrap_or_default(),
            depends_on: without(&listed.depends_on, self.done),
            scope,
            phase: listed.phase.clone(),
            week: listed.week,
            estimate: listed.estimate.clone(),
            success_criteria: listed.success_criteria.clone(),
            deadline: listed.deadline.clone(),
        };
        let due = self.policy.agent_for(&task, workflow.first());
        let assigned = listed.assigned_to.as_ref().filter(|agent| *agent != due);
        let assignment = assigned.map(|agent| self.assignment(agent, due, &place)).transpose()?;
        let block = (stage(listed) == Stage::Blocked)
            .then(|| kind::Block { reason: format!("blocked in {}", self.name) });
        Ok(Wanted { task, assignment, block })
    }

    /// Gives a task to whom the list names; refuses one whom the policy does not know, with the
    /// nearest name.
    fn assignment(
        &self,
        agent: &AgentName,
        due: &AgentName,
        place: &str,
    ) -> Result<kind::Assignment, Stop> {
        if !self.policy.agents.contains_key(agent) {
            return Err(unknown_agent(self.policy, agent.as_str(), &format!("{place}: ")));
        }
        Ok(kind::Assignment {
            agent: agent.clone(),
            previous_agent: Some(due.clone()),
            reason: AssignmentReason::Person,
            message: Some(format!("named in {}", self.name)),
        })
    }
}

fn without(ids: &[TaskId], done: &BTreeSet<TaskId>) -> Vec<TaskId> {
    ids.iter().filter(|id| !done.contains(*id)).cloned().collect()
}
