//! What stops more than one task, and what is owed for it: incidents, halts, debts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Tasks;
use crate::record::kind::HaltTopic;
use crate::record::{Home, Payload};
use crate::report::runs::closed_at;
use crate::report::{Debt, DebtKind, debts as owed};
use crate::world::World;

/// Incidents.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Incidents {
    /// How many were ever opened.
    pub opened: u64,
    /// How many of them were closed.
    pub closed: u64,
    /// From their opening to their close, on average, in seconds; none if none was closed.
    pub mean_seconds: Option<f64>,
    /// Those that are open, by how bad they are, in the policy's words.
    pub open: Vec<Severe>,
}

/// Open incidents that are equally bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Severe {
    /// How bad, as their first entry says.
    pub severity: String,
    /// How many.
    pub count: u64,
}

/// Halts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Halts {
    /// How many were ever pulled.
    pub pulled: u64,
    /// Those that stand, by who pulled them.
    pub standing: Vec<Pulled>,
}

/// Halts that stand, pulled by the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pulled {
    /// Who pulled them; none where that can't be read.
    pub topic: Option<HaltTopic>,
    /// How many.
    pub count: u64,
}

/// What is owed and late (R000-48, R000-51).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Debts {
    /// Incidents' written reports.
    pub reports: u64,
    /// Incidents' post-mortems.
    pub postmortems: u64,
    /// Decisions about what was escalated.
    pub decisions: u64,
}

/// Gives how many incidents there were, and which are open.
pub(super) fn incidents(world: &World) -> Incidents {
    let all = world.ledgers.values().filter_map(|ledger| Some((ledger, ledger.incident()?)));
    let all: Vec<_> = all.collect();
    let mut open: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, state) in all.iter().filter(|(_, state)| state.closed.is_none()) {
        *open.entry(&state.incident.severity).or_default() += 1;
    }
    let lasted = all.iter().filter_map(|(ledger, state)| {
        Some(closed_at(ledger)?.since(state.opened_at).num_seconds().max(0))
    });
    let lasted: Vec<i64> = lasted.collect();
    let closed = lasted.len() as u64;
    let open = open.into_iter();
    Incidents {
        opened: all.len() as u64,
        closed,
        mean_seconds: (closed > 0).then(|| lasted.iter().sum::<i64>() as f64 / closed as f64),
        open: open.map(|(name, count)| Severe { severity: name.to_owned(), count }).collect(),
    }
}

/// Gives how many halts there were, and which stand.
pub(super) fn halts(world: &World) -> Halts {
    let pulled = world.ledgers.iter().filter(|(home, ledger)| {
        let first = ledger.records.first().map(|record| &record.payload);
        matches!((home, first), (Home::Halt(_), Some(Payload::Halt(_))))
    });
    let stand = |topic: Option<HaltTopic>| {
        let halts = world.survey.halts.iter().filter(|halt| halt.stands_at(world.at));
        let count = halts.filter(|halt| halt.topic == topic).count() as u64;
        (count > 0).then_some(Pulled { topic, count })
    };
    let topics = [HaltTopic::Risk, HaltTopic::Compliance, HaltTopic::Runtime].map(Some);
    let standing = topics.into_iter().chain([None]).filter_map(stand).collect();
    Halts { pulled: pulled.count() as u64, standing }
}

/// Gives what is late, by the times that the policy gives.
pub(super) fn debts(world: &World, tasks: &Tasks<'_>) -> Debts {
    let own = |debt: &Debt| tasks.open().any(|(_, state)| state.task.task_id == debt.about);
    let all: Vec<Debt> = owed(world).into_iter().filter(|debt| debt.overdue).collect();
    let count = |kind: DebtKind| all.iter().filter(move |debt| debt.kind == kind);
    Debts {
        reports: count(DebtKind::Report).count() as u64,
        postmortems: count(DebtKind::Postmortem).count() as u64,
        decisions: count(DebtKind::Decision).filter(|debt| own(debt)).count() as u64,
    }
}
