//! `orch task open --from`: a whole list of tasks at once, as one change.

use std::collections::BTreeSet;

use super::Stop;
use super::compared::differences;
use super::context::{Context, View, unknown_agent};
use super::import::{bytes_of, unreadable};
use super::ledger::{Writer, Writing};
use super::lock::Lock;
use super::open::{is_there, workflow_of};
use super::output::say;
use crate::exchange::tasks::{self, Listed, Status};
use crate::policy::Policy;
use crate::record::Home;
use crate::record::kind::{self, AssignmentReason};
use crate::source::{AgentName, TaskId, WorkflowName, many};

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
    let done: Vec<&Listed> = listed.iter().filter(|listed| listed.status == Status::Done).collect();
    // What was never opened can't be waited for; what was is done once its ledger says so.
    let gone = done.iter().filter(|listed| view.world.task(&listed.task_id).is_none());
    let gone: BTreeSet<TaskId> = gone.map(|listed| listed.task_id.clone()).collect();
    let list = List { policy: &policy, name: file.to_owned(), workflow, gone: &gone };
    let (mut opened, mut there) = (0, 0);
    let mut notes = Vec::new();
    let mut writer = Writer::new(context, &view, author.clone());
    for listed in listed.iter().filter(|listed| !gone.contains(&listed.task_id)) {
        if let Some(state) = view.world.task(&listed.task_id) {
            notes.extend(differences(&policy, state, listed, &list.needed(listed)));
            there += usize::from(listed.status != Status::Done);
            continue;
        }
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
    let foreseen = opened > 0 && writer.commit(writing)?.is_foreseen();
    let others = [(there, "open already"), (done.len(), "done, says the list")];
    let others = others.iter().filter(|(count, _)| *count > 0);
    let others: String = others.map(|(count, what)| format!(", {count} {what}")).collect();
    let how = if foreseen { "would be opened" } else { "opened" };
    say(format!("{} {how}{others}", many(opened, "task")));
    for note in notes {
        say(format!("note: {note}"));
    }
    match opened {
        _ if foreseen => {}
        0 => say("next: orch plan"),
        _ => say("next: git commit, then orch plan"),
    }
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

/// A list, and what is known to its tasks.
struct List<'l> {
    policy: &'l Policy,
    name: String,
    workflow: Option<&'l WorkflowName>,
    /// What the list calls done, and no ledger knows.
    gone: &'l BTreeSet<TaskId>,
}

impl List<'_> {
    /// Gives what a task of the list waits for.
    fn needed(&self, listed: &Listed) -> Vec<TaskId> {
        listed.depends_on.iter().filter(|id| !self.gone.contains(*id)).cloned().collect()
    }

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
        if let Some(text) = &listed.estimate {
            super::task::time(text)
                .map_err(|help| Stop::fault(format!("{place}: `{text}` is no time"), help))?;
        }
        let task = kind::Task {
            task_id: id.clone(),
            title: listed.title.clone(),
            workflow: name.clone(),
            version: None,
            requestor: actor.clone(),
            priority: listed.priority.unwrap_or_default(),
            depends_on: self.needed(listed),
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
        let block = match &listed.status {
            Status::Blocked(reason) => {
                let reason = reason.clone().unwrap_or_else(|| format!("blocked in {}", self.name));
                Some(kind::Block { reason })
            }
            Status::Open | Status::Done => None,
        };
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
