//! Who does which task, how many at once, and with what program (R002-3 to R002-5, R002-43, R002-44).

use std::collections::BTreeMap;

use super::glob::first_fault;
use super::model::{self, Model};
use super::stages::unknown_agent;
use super::terms::Problems;
use super::{ORCHESTRATOR, PathSet, Policy, Scope, Stage, StageKind, Workflow};
use crate::record::did_you_mean;
use crate::record::kind::Task;
use crate::source::{AgentName, LaneName, RepoPath, TaskId, WorkflowName};

/// A fleet's agents: who is selected for a task, the limits of its kinds of tasks, its phases.
#[derive(Debug, Clone)]
pub struct Fleet {
    selection: Vec<Selection>,
    limits: BTreeMap<String, usize>,
    /// The phases of a larger plan, in order.
    pub phases: Vec<String>,
    /// The program of agents that have none of their own, with its arguments.
    pub command: Vec<String>,
    /// How many agents may work at once on one machine, if the policy says so.
    pub parallel: Option<usize>,
}

/// Who does the tasks that a glob matches.
#[derive(Debug, Clone)]
pub struct Selection {
    tasks: PathSet,
    /// Who does them.
    pub primary: AgentName,
    /// Who does them when the first is busy, or did not finish in time.
    pub backup: Option<AgentName>,
    /// The kind of task.
    pub group: Option<String>,
    /// The workflow of such tasks in lists that name none.
    pub workflow: Option<WorkflowName>,
}

impl Fleet {
    /// Compiles what a policy without problems says.
    pub(super) fn new(
        selection: Vec<model::Selection>,
        groups: BTreeMap<String, model::Group>,
        phases: Vec<String>,
        dispatch: model::Dispatch,
    ) -> Self {
        let selection = selection.into_iter().map(|rule| Selection {
            tasks: PathSet::of_valid(vec![rule.task]),
            primary: rule.primary,
            backup: rule.backup,
            group: rule.group,
            workflow: rule.workflow,
        });
        let limits = groups.into_iter().map(|(name, group)| (name, group.limit));
        Fleet {
            selection: selection.collect(),
            limits: limits.collect(),
            phases,
            command: dispatch.command,
            parallel: dispatch.parallel,
        }
    }

    /// Gives the first rule that matches a task's id, or its title in snake case.
    pub fn select(&self, id: &TaskId, title: &str) -> Option<&Selection> {
        let words = [id.to_string(), snake_case(title)];
        let paths = words.map(|word| RepoPath::from(word.as_str()));
        self.selection.iter().find(|rule| paths.iter().any(|path| rule.tasks.contains(path)))
    }

    /// Gives how many tasks of a kind may run at once; none if the policy does not limit them.
    pub fn limit(&self, group: &str) -> Option<usize> {
        self.limits.get(group).copied()
    }

    /// Gives where a phase stands in the plan's order; none for one that the policy does not order.
    pub fn phase(&self, phase: &str) -> Option<usize> {
        self.phases.iter().position(|known| known == phase)
    }
}

/// Writes a title as an identifier: `Map all ML components` becomes `map_all_ml_components`.
fn snake_case(title: &str) -> String {
    let lower = title.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

impl Policy {
    /// Gives who does a stage of a task, if nobody was assigned: whom the selection names for the
    /// task, in a work stage of a lane in which that agent works; else the stage's own agent.
    pub fn agent_for<'p>(&'p self, task: &Task, stage: &'p Stage) -> &'p AgentName {
        self.selected(task, stage).map_or(&stage.agent, |rule| &rule.primary)
    }

    /// Gives who takes over from an agent: the selection's backup, else the agent's own; only one that
    /// works in the stage's lane, and is not that agent itself.
    pub fn backup_for<'p>(
        &'p self,
        task: &Task,
        stage: &'p Stage,
        agent: &AgentName,
    ) -> Option<&'p AgentName> {
        let rule = self.selected(task, stage);
        // When the backup is itself late, the first may try again.
        let chosen = rule.and_then(|rule| match rule.primary == *agent {
            true => rule.backup.as_ref(),
            false => Some(&rule.primary),
        });
        let own = self.agents.get(agent).and_then(|known| known.backup.as_ref());
        chosen.or(own).filter(|backup| *backup != agent && self.works_in(backup, stage))
    }

    /// Gives the rule of selection that counts for a stage of a task.
    fn selected(&self, task: &Task, stage: &Stage) -> Option<&Selection> {
        let rule =
            self.fleet.select(&task.task_id, &task.title).filter(|_| stage.kind == StageKind::Work);
        rule.filter(|rule| self.works_in(&rule.primary, stage))
    }

    fn works_in(&self, agent: &AgentName, stage: &Stage) -> bool {
        self.agents.get(agent).is_some_and(|agent| agent.lanes.contains(&stage.lane))
    }

    /// Gives the globs of the files that a stage in a lane may change for a task of that scope: those
    /// that speak of the lane; all that the lane owns, if none does.
    pub fn scope_in(&self, scope: &[String], lane: &LaneName) -> Vec<String> {
        let owns = self.lanes.get(lane).map(|lane| lane.owns.as_slice()).unwrap_or_default();
        let whole = Scope::new(owns).ok();
        let speaks = |glob: &&String| {
            let glob = Scope::new(std::slice::from_ref(*glob)).ok();
            glob.zip(whole.as_ref()).is_some_and(|(glob, whole)| glob.meets(whole))
        };
        let spoken: Vec<String> = scope.iter().filter(speaks).cloned().collect();
        if spoken.is_empty() { owns.to_vec() } else { spoken }
    }

    /// Gives whom a stage of a task hands off to: the agent of the stage behind it; `orchestrator`
    /// behind the last.
    pub fn receiver(&self, task: &Task, stage: &Stage) -> AgentName {
        let workflow = self.workflows.get(&task.workflow);
        let next = workflow.and_then(|workflow| workflow.stage(stage.next.first()?));
        next.map(|next| self.agent_for(task, next).clone())
            .unwrap_or_else(|| ORCHESTRATOR.parse().expect("a word that is a name"))
    }

    /// Gives the program that does an agent's stages by itself, with its arguments; empty if there is
    /// none, as for people.
    pub fn command_of(&self, agent: &AgentName) -> &[String] {
        match self.agents.get(agent) {
            Some(known) if !known.command.is_empty() => &known.command,
            Some(known) if !known.human => &self.fleet.command,
            _ => &[],
        }
    }
}

impl Workflow {
    /// Gives the scope of a task that is opened without one.
    pub fn scope_of(&self, task: &TaskId) -> Vec<String> {
        self.scope.iter().map(|glob| glob.replace("{task_id}", task.as_str())).collect()
    }
}

/// Gives what is wrong with what a policy says of its fleet.
pub(super) fn problems(model: &Model, problems: &mut Problems<'_>) {
    selection(model, problems);
    agents(model, problems);
    for (name, group) in model.groups.iter().filter(|(_, group)| group.limit == 0) {
        let message = format!("no task of group `{name}` could ever run");
        let field = format!("groups.{name}.limit");
        problems.at(&field, message, format!("{} is too few: let one run at least", group.limit));
    }
    for (index, phase) in model.phases.iter().enumerate() {
        if model.phases[..index].contains(phase) {
            let message = format!("phase `{phase}` stands here twice");
            problems.at(&format!("phases.{index}"), message, "keep one");
        }
    }
    for (name, workflow) in &model.workflows {
        let globs: Vec<String> =
            workflow.scope.iter().map(|glob| glob.replace("{task_id}", "task-1")).collect();
        if let Some((index, fault)) = first_fault(&globs) {
            let message = format!("`{}` is no glob", workflow.scope[index]);
            problems.at(&format!("workflows.{name}.scope.{index}"), message, fault);
        }
    }
    if model.dispatch.parallel == Some(0) {
        let message = "no agent could ever work".to_owned();
        problems.at("dispatch.parallel", message, "write 1 or more, or leave it out");
    }
}

fn selection(model: &Model, problems: &mut Problems<'_>) {
    for (index, rule) in model.selection.iter().enumerate() {
        let field = format!("selection.{index}");
        if let Some((_, fault)) = first_fault(std::slice::from_ref(&rule.task)) {
            problems.at(&format!("{field}.task"), format!("`{}` is no glob", rule.task), fault);
        }
        let named = [("primary", Some(&rule.primary)), ("backup", rule.backup.as_ref())];
        for (key, agent) in named.into_iter().filter_map(|(key, agent)| Some((key, agent?))) {
            known(model, agent, &format!("{field}.{key}"), problems);
        }
        if rule.backup.as_ref() == Some(&rule.primary) {
            let message = format!("`{}` can't stand in for itself", rule.primary);
            problems.at(&format!("{field}.backup"), message, "name another agent, or none");
        }
        let workflow = rule.workflow.as_ref().filter(|name| !model.workflows.contains_key(*name));
        if let Some(workflow) = workflow {
            let names = model.workflows.keys().map(WorkflowName::as_str);
            let near = did_you_mean(workflow.as_str(), names);
            let help = near
                .map_or("add it to `workflows`".into(), |near| format!("did you mean `{near}`?"));
            let message = format!("there is no workflow `{workflow}`");
            problems.at(&format!("{field}.workflow"), message, help);
        }
        let group = rule.group.as_ref().filter(|group| !model.groups.contains_key(*group));
        if let Some(group) = group {
            let near = did_you_mean(group, model.groups.keys().map(String::as_str));
            let help = near.map_or("add it to `groups`, with a `limit`".into(), |near| {
                format!("did you mean `{near}`?")
            });
            let message = format!("there is no group `{group}`");
            problems.at(&format!("{field}.group"), message, help);
        }
    }
}

fn agents(model: &Model, problems: &mut Problems<'_>) {
    for (name, agent) in &model.agents {
        let field = format!("agents.{name}");
        if let Some(backup) = &agent.backup {
            known(model, backup, &format!("{field}.backup"), problems);
            if backup == name {
                let message = format!("`{name}` can't stand in for itself");
                problems.at(&format!("{field}.backup"), message, "name another agent, or none");
            }
        }
        for (key, count) in [("limit", agent.limit), ("batch", agent.batch)] {
            if count == Some(0) {
                let message = format!("`{name}` could never have a task");
                problems.at(&format!("{field}.{key}"), message, "write 1 or more, or leave it out");
            }
        }
        if agent.human && !agent.command.is_empty() {
            let message = format!("`{name}` is a person, whom no program stands for");
            problems.at(&format!("{field}.command"), message, "leave out `command` or `human`");
        }
    }
}

fn known(model: &Model, agent: &AgentName, field: &str, problems: &mut Problems<'_>) {
    if !model.agents.contains_key(agent) {
        unknown_agent(model, agent, field, problems);
    }
}

#[cfg(test)]
mod tests {
    use super::snake_case;
    use crate::policy::Policy;
    use crate::record::kind::Task;
    use crate::testing::strategy_problems as problems_of;

    const AGENTS: &str = "  data_engineer: {lanes: [A]}";

    fn policy(selection: &str) -> Policy {
        let text = include_str!("../../templates/strategy.yaml");
        let more = format!("selection: [{selection}]\ngroups: {{find: {{limit: 5}}}}\nversion: 1");
        let text = text.replace("version: 1", &more);
        Policy::parse(text.as_bytes(), &crate::checks::names()).expect("a policy")
    }

    fn task(id: &str, title: &str) -> Task {
        let value = serde_json::json!({
            "task_id": id, "title": title, "workflow": "new_strategy", "requestor": "founder",
        });
        serde_json::from_value(value).expect("a task")
    }

    #[test]
    fn titles_are_matched_as_identifiers() {
        assert_eq!(
            snake_case("Create production_orchestrator.py"),
            "create_production_orchestrator_py"
        );
        assert_eq!(snake_case("  ML: find  ALL! "), "ml_find_all");
    }

    /// R002-3 to R002-5: by the title or by the id; the first rule counts.
    #[test]
    fn the_first_rule_that_fits_selects() {
        let policy = policy(
            "{task: 'find_*', primary: ml_engineer, backup: strategy_developer, group: find}, \
             {task: 'DISC-*', primary: strategy_developer}",
        );
        let workflow = policy.workflows.values().find(|w| w.stages[0].name.as_str() == "strategy");
        let stages = &workflow.expect("a workflow").stages;
        let who = |id: &str, title: &str| policy.agent_for(&task(id, title), &stages[0]).as_str();
        assert_eq!(who("x-1", "Find all parts"), "ml_engineer");
        assert_eq!(who("DISC-1", "Find all parts"), "ml_engineer");
        assert_eq!(who("DISC-1", "Map"), "strategy_developer");
        assert_eq!(who("x-1", "Refine"), "strategy_developer");
        // In another lane, and in an audit, the stage's own agent stays.
        let find = task("x-1", "Find all parts");
        assert_eq!(policy.agent_for(&find, &stages[1]).as_str(), "quant_engineer");
        assert_eq!(policy.agent_for(&find, &stages[2]).as_str(), "independent_auditor");
        assert_eq!(policy.fleet.limit("find"), Some(5));
        assert_eq!(policy.fleet.limit("other"), None);
        let backup = |agent: &str| {
            policy
                .backup_for(&find, &stages[0], &agent.parse().expect("a name"))
                .map(|b| b.as_str())
        };
        assert_eq!(backup("ml_engineer"), Some("strategy_developer"));
        assert_eq!(backup("strategy_developer"), Some("ml_engineer"));
    }

    #[test]
    fn what_names_nobody_is_refused_with_the_nearest_word() {
        let with = |text: &str| problems_of("version: 1", &format!("version: 1\n{text}"));
        let rule = |rest: &str| with(&format!("selection: [{{task: 'x*', primary: {rest}}}]"));
        assert!(rule("ml_enginer")[0].contains("did you mean `ml_engineer`?"));
        assert!(rule("founder, backup: founder")[0].contains("stand in for itself"));
        assert!(rule("founder, group: x")[0].contains("there is no group `x`"));
        assert!(with("selection: [{task: '[', primary: founder}]")[0].contains("no glob"));
        assert!(with("groups: {a: {limit: 0}}")[0].contains("could ever run"));
        assert!(with("phases: [a, b, a]")[0].contains("twice"));
        assert!(with("dispatch: {parallel: 0}")[0].contains("could ever work"));
        let agent =
            |more: &str| problems_of(AGENTS, &format!("  data_engineer: {{lanes: [A], {more}}}"));
        assert!(agent("backup: nobody")[0].contains("there is no agent `nobody`"));
        assert!(agent("limit: 0")[0].contains("could never have a task"));
        assert!(agent("human: true, command: [sh]")[0].contains("is a person"));
    }
}
