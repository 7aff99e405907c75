//! Who did how much, and when they were last seen.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::policy::Policy;
use crate::record::kind::RunStatus;
use crate::record::{Payload, Record};
use crate::source::{AgentName, Moment};

/// One of those who act, by what the records say in their name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// Their name.
    pub agent: AgentName,
    /// Whether the policy calls them a person.
    pub human: bool,
    /// Whether the policy knows them.
    pub known: bool,
    /// Records that they wrote.
    pub entries: usize,
    /// Runs that they began.
    pub runs: usize,
    /// Of those, runs that failed.
    pub failed: usize,
    /// Handoffs that they made.
    pub handoffs: usize,
    /// Gates that they evaluated.
    pub gates: usize,
    /// Audits that they reported.
    pub audits: usize,
    /// Approvals that they gave.
    pub approvals: usize,
    /// What else they put their name to: sign-offs that let something go on, and decisions.
    pub sign_offs: usize,
    /// From how many contexts they wrote.
    pub sessions: usize,
    /// When they wrote last; none if they never did.
    pub last_seen: Option<Moment>,
}

/// Counts what everybody did, the last seen first; behind them those of the policy who never acted.
pub fn actors(policy: &Policy, records: &[Record]) -> Vec<Actor> {
    let mut all: BTreeMap<&AgentName, Actor> =
        policy.agents.keys().map(|name| (name, Actor::of(policy, name))).collect();
    let mut sessions: BTreeMap<&AgentName, BTreeSet<&str>> = BTreeMap::new();
    for record in records {
        let name = &record.entry.actor;
        all.entry(name).or_insert_with(|| Actor::of(policy, name)).count(record);
        sessions.entry(name).or_default().extend(record.entry.session.as_deref());
    }
    for (name, actor) in &mut all {
        actor.sessions = sessions.get(name).map_or(0, BTreeSet::len);
    }
    let mut all: Vec<Actor> = all.into_values().collect();
    all.sort_by_key(|actor| (std::cmp::Reverse(actor.last_seen), actor.agent.clone()));
    all
}

impl Actor {
    fn of(policy: &Policy, name: &AgentName) -> Self {
        Actor {
            agent: name.clone(),
            human: policy.is_person(name),
            known: policy.agents.contains_key(name),
            entries: 0,
            runs: 0,
            failed: 0,
            handoffs: 0,
            gates: 0,
            audits: 0,
            approvals: 0,
            sign_offs: 0,
            sessions: 0,
            last_seen: None,
        }
    }

    fn count(&mut self, record: &Record) {
        self.entries += 1;
        self.last_seen = self.last_seen.max(Some(record.entry.recorded_at));
        match &record.payload {
            Payload::Run(run) if run.status == RunStatus::InProgress => self.runs += 1,
            Payload::Run(run) if run.status == RunStatus::Failed => self.failed += 1,
            Payload::Handoff(_) => self.handoffs += 1,
            Payload::Gate(_) => self.gates += 1,
            Payload::AuditReport(_) => self.audits += 1,
            Payload::Approval(_) => self.approvals += 1,
            Payload::Resume(_) | Payload::Decision(_) => self.sign_offs += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;

    /// Who did nothing is told, too, behind those who did.
    #[test]
    fn everybody_is_counted() {
        let world = world("- data: {}\n- task: {}\n- run: {}\n");
        let records: Vec<Record> =
            world.ledgers.values().flat_map(|ledger| ledger.records.clone()).collect();
        let all = actors(&world.policy, &records);
        let of = |name: &str| all.iter().find(|actor| actor.agent == name).expect("in the policy");
        let developer = of("strategy_developer");
        assert_eq!((developer.runs, developer.entries, developer.human), (1, 1, false));
        let engineer = of("data_engineer");
        assert_eq!((engineer.runs, engineer.handoffs, engineer.gates), (1, 1, 0));
        assert_eq!(all[0].agent, "strategy_developer", "the last seen first");
        let founder = of("founder");
        assert_eq!((founder.entries, founder.last_seen, founder.human), (0, None, true));
        assert_eq!(all.iter().map(|actor| actor.entries).sum::<usize>(), records.len());
    }
}
