//! What people have decided about entries of ledgers: decisions lie beside the ledgers they settle.

use std::collections::{BTreeMap, BTreeSet};

use super::World;
use super::ledgers::{self, LedgerView};
use crate::policy::Policy;
use crate::record::kind::{Decision, DecisionStatus, Finding};
use crate::record::{Payload, Record, RecordPath};
use crate::snapshot::{Fault, Occasion, Proposal, Repository, Side};
use crate::source::{AgentName, Moment, RepoPath, TaskId};

/// An entry of a task's ledger, as decisions name it.
pub type EntryName = (TaskId, u32);

/// How an entry was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The decision's file.
    pub path: RepoPath,
    /// What became of a disputed finding, if it says.
    pub finding: Option<Finding>,
    /// What was chosen, and why.
    pub outcome: String,
    /// When it was recorded.
    pub at: Moment,
}

impl Settlement {
    /// Gives the decision's id: its file's name without the ending.
    pub fn id(&self) -> String {
        let name = self.path.file_name().to_string();
        name.strip_suffix(".yaml").map(str::to_owned).unwrap_or(name)
    }
}

/// Reads `task/sequence`; gives none if it names no entry.
pub fn entry_name(text: &str) -> Option<EntryName> {
    let (task, sequence) = text.split_once('/')?;
    Some((task.parse().ok()?, sequence.parse().ok().filter(|sequence| *sequence > 0)?))
}

/// Tells whether a decision holds and was made by people alone, one of whom wrote it down.
pub fn is_a_persons(policy: &Policy, decision: &Decision, actor: &AgentName) -> bool {
    decision.status == DecisionStatus::Accepted
        && decision.decision_makers.contains(actor)
        && decision.decision_makers.iter().all(|name| policy.is_person(name))
}

/// Reads what people decided since the first of the disputes that anybody may ask about; decisions
/// are not looked at where there is none.
pub(super) fn settled(
    repository: &dyn Repository,
    proposal: &Proposal,
    world: &World,
) -> Result<BTreeMap<EntryName, Settlement>, Fault> {
    let states = world.ledgers.values().filter_map(LedgerView::state);
    let here = states.flat_map(|state| &state.escalations).map(|escalated| escalated.at);
    let elsewhere = world.survey.escalations.iter().map(|(_, escalated)| escalated.at);
    let Some(first) = here.chain(elsewhere).min() else { return Ok(BTreeMap::new()) };
    let sides = [proposal.agreed, proposal.head];
    settled_since(repository, sides, &world.policy, &first.day())
}

/// Gives the decisions that a landed one has taken the place of, by their ids: they decide nothing
/// any more, wherever they come from. Looked at only where a new decision opens a file.
pub(super) fn withdrawn(
    repository: &dyn Repository,
    proposal: &Proposal,
    world: &World,
) -> Result<BTreeSet<String>, Fault> {
    let opens = |record: &Record| matches!(&record.payload, Payload::Decision(decision) if !decision.changes.is_empty());
    let mut withdrawn = BTreeSet::new();
    if !world.steps().any(|step| step.policy.is_some() && opens(step.record)) {
        return Ok(withdrawn);
    }
    for (path, node) in repository.list(proposal.agreed, &RepoPath::from(".orch/decisions"))? {
        let Ok(record) = ledgers::read_one(repository, &path, node)? else { continue };
        if let Payload::Decision(decision) = record.payload
            && is_a_persons(&world.policy, &decision, &record.entry.actor)
        {
            withdrawn.extend(decision.supersedes);
        }
    }
    Ok(withdrawn)
}

/// Reads every decision at head, if a log of them is committed and the change may make it stale.
pub(super) fn to_be_logged(
    repository: &dyn Repository,
    proposal: &Proposal,
    world: &World,
) -> Result<Option<Vec<Record>>, Fault> {
    let Some(log) = &world.policy.decisions_log else { return Ok(None) };
    let touched = world.occasion == Occasion::Verification
        || world
            .changes
            .iter()
            .any(|change| change.path == *log || change.path.is_below(".orch/decisions"));
    if !touched {
        return Ok(None);
    }
    let shelf = RepoPath::from(".orch/decisions");
    Ok(Some(ledgers::read(repository, proposal.head, &shelf)?.records))
}

/// The tasks that new decisions speak of.
pub(super) fn tasks_of(view: &LedgerView) -> Vec<TaskId> {
    let decisions = view.records.iter().filter_map(|record| match &record.payload {
        Payload::Decision(decision) => Some(decision),
        _ => None,
    });
    let tasks = decisions.flat_map(|decision| {
        let settled = decision.resolves.iter().filter_map(|text| entry_name(text));
        settled.map(|(task, _)| task).chain(decision.task_id.clone())
    });
    tasks.collect()
}

/// Tells whether a decision names another, by its id, as one that it replaces.
fn replaces(decision: &Decision, known: &Settlement) -> bool {
    decision.supersedes.contains(&known.id())
}

/// Gives what the decisions of some sides settle, as far as they are of `since` (a day) or later:
/// no older one can settle what was disputed since.
fn settled_since(
    repository: &dyn Repository,
    sides: [Side; 2],
    policy: &Policy,
    since: &str,
) -> Result<BTreeMap<EntryName, Settlement>, Fault> {
    let mut settled = BTreeMap::new();
    let mut decisions = Vec::new();
    for side in sides {
        for (path, node) in repository.list(side, &RepoPath::from(".orch/decisions"))? {
            let later = path.file_name().to_string().get(..10).is_some_and(|day| day >= since);
            if !later || RecordPath::parse(&path).is_err() {
                continue;
            }
            let Ok(record) = ledgers::read_one(repository, &path, node)? else { continue };
            let Payload::Decision(decision) = &record.payload else { continue };
            if is_a_persons(policy, decision, &record.entry.actor) {
                decisions.push((path, record));
            }
        }
    }
    decisions.sort_by_cached_key(|(path, record)| (record.entry.recorded_at, path.clone()));
    for (path, record) in &decisions {
        if let Payload::Decision(decision) = &record.payload {
            for name in decision.resolves.iter().filter_map(|text| entry_name(text)) {
                let (path, finding) = (path.clone(), decision.finding);
                let (outcome, at) = (decision.outcome.clone(), record.entry.recorded_at);
                let new = Settlement { path, finding, outcome, at };
                match settled.get(&name) {
                    // A later decision takes the place of an earlier one only if it says so.
                    Some(known) if !replaces(decision, known) => {}
                    _ => drop(settled.insert(name, new)),
                }
            }
        }
    }
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_named_by_task_and_sequence() {
        let (task, sequence) = entry_name("strat-001/7").expect("an entry");
        assert_eq!((task.as_str(), sequence), ("strat-001", 7));
        for text in ["strat-001", "strat-001/", "strat-001/0", "/7", "strat-001/7/8", "1/7"] {
            assert_eq!(entry_name(text), None, "{text}");
        }
    }
}
