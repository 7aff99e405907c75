//! What people have decided about entries of ledgers: decisions lie beside the ledgers they settle.

use std::collections::BTreeMap;

use super::ledgers;
use crate::policy::Policy;
use crate::record::kind::{Decision, DecisionStatus, Finding};
use crate::record::{Payload, RecordPath};
use crate::snapshot::{Fault, Repository, Side};
use crate::source::{AgentName, RepoPath, TaskId};

/// An entry of a task's ledger, as decisions name it.
pub type EntryName = (TaskId, u32);

/// How an entry was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The decision's file.
    pub path: RepoPath,
    /// What became of a disputed finding, if it says.
    pub finding: Option<Finding>,
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

/// Gives what the decisions of some sides settle, as far as they are of `since` (a day) or later:
/// no older one can settle what was disputed since.
pub(super) fn settled(
    repository: &dyn Repository,
    sides: [Side; 2],
    policy: &Policy,
    since: &str,
) -> Result<BTreeMap<EntryName, Settlement>, Fault> {
    let mut settled = BTreeMap::new();
    for side in sides {
        for (path, node) in repository.list(side, &RepoPath::from(".orch/decisions"))? {
            let later = path.file_name().to_string().get(..10).is_some_and(|day| day >= since);
            if !later || RecordPath::parse(&path).is_err() {
                continue;
            }
            let Ok(record) = ledgers::read_one(repository, &path, node)? else { continue };
            let Payload::Decision(decision) = &record.payload else { continue };
            if !is_a_persons(policy, decision, &record.entry.actor) {
                continue;
            }
            for name in decision.resolves.iter().filter_map(|text| entry_name(text)) {
                let (path, finding) = (path.clone(), decision.finding);
                settled.insert(name, Settlement { path, finding });
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
