//! The order of a plan: waves of tasks that may run at once, and how long all of it takes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{Admission, Item, Refusal, Stands};
use crate::policy::Policy;
use crate::source::{AgentName, TaskId};

/// What may run now, what after it, and how long that takes.
#[derive(Debug)]
pub struct Plan<'i> {
    /// The tasks in the order in which they may begin. All of a wave may run at once; a wave follows
    /// when the one before it is done. Tasks that run already, or wait for a gate, are in the first.
    pub waves: Vec<Wave<'i>>,
    /// Tasks that can't be planned: something stands in their way, or in the way of what they wait
    /// for.
    pub held: Vec<&'i Item>,
    /// The chain of tasks, one waiting for the other, that takes longest (the whole plan can't be
    /// done in less).
    pub critical_path: Vec<&'i TaskId>,
    /// How long the tasks of the plan take one after the other.
    pub one_by_one: TimeDelta,
    /// How long they take as planned.
    pub as_planned: TimeDelta,
}

/// Tasks that may run at once: no two could change the same file, and no limit is passed.
#[derive(Debug, Default)]
pub struct Wave<'i> {
    /// The tasks, the most urgent first.
    pub tasks: Vec<Placed<'i>>,
}

/// A task in a wave.
#[derive(Debug)]
pub struct Placed<'i> {
    /// The task.
    pub item: &'i Item,
    /// Who does its next stage.
    pub agent: Option<AgentName>,
    /// How it relates to others (R002-6, R002-7).
    pub kind: Kind,
    /// Why it runs no earlier, where that is not for the tasks it depends on.
    pub because: Option<Refusal>,
}

/// How a task relates to others (R002-6, R002-7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It depends on no task.
    Independent,
    /// It depends on others, and runs beside tasks whose scopes stay apart from its own.
    DomainSpecific,
    /// It runs alone behind what it depends on, or behind a task whose scope touches its own.
    Sequential,
}

/// Plans open tasks. `parallel` is how many may run at once.
///
/// A task waits for those that it depends on, and for those of earlier phases that it stands behind.
pub fn plan<'i>(policy: &Policy, items: &'i [Item], parallel: usize) -> Plan<'i> {
    let graph = Waiting::of(items);
    let mut waves = Vec::new();
    let mut done: BTreeSet<&TaskId> = BTreeSet::new();
    let mut left: Vec<&Item> = graph.planned().collect();
    let mut because: BTreeMap<&TaskId, Refusal> = BTreeMap::new();
    while !left.is_empty() {
        let may_begin = left.iter().copied().filter(|item| graph.may_begin(item, &done));
        let wave = wave(policy, may_begin, parallel, &mut because);
        if wave.tasks.is_empty() {
            break;
        }
        done.extend(wave.tasks.iter().map(|placed| &placed.item.task.task_id));
        left.retain(|item| !done.contains(&item.task.task_id));
        waves.push(wave);
    }
    let planned = |item: &&Item| done.contains(&item.task.task_id);
    Plan {
        held: items.iter().filter(|item| !planned(item)).collect(),
        critical_path: graph.critical_path(),
        one_by_one: items.iter().filter(planned).map(|item| item.expected).sum(),
        as_planned: graph.duration(policy, parallel),
        waves,
    }
}

/// Gives what runs, and what may begin beside it now: the first wave of the [`plan`], at less cost.
pub fn first_wave<'i>(policy: &Policy, items: &'i [Item], parallel: usize) -> Vec<Placed<'i>> {
    let graph = Waiting::of(items);
    let done = BTreeSet::new();
    let may_begin = graph.planned().filter(|item| graph.may_begin(item, &done));
    wave(policy, may_begin, parallel, &mut BTreeMap::new()).tasks
}

/// Lets in what may run at once, the first come first; remembers why others are not let in.
fn wave<'i>(
    policy: &Policy,
    may_begin: impl Iterator<Item = &'i Item>,
    parallel: usize,
    because: &mut BTreeMap<&'i TaskId, Refusal>,
) -> Wave<'i> {
    let mut admission = Admission::new(policy, parallel);
    let mut wave = Wave::default();
    for item in may_begin {
        match begin(&mut admission, item) {
            Ok(agent) => {
                let because = because.remove(&item.task.task_id);
                wave.tasks.push(Placed { item, agent, kind: Kind::Sequential, because });
            }
            Err(refusal) => drop(because.insert(&item.task.task_id, refusal)),
        }
    }
    wave.settle();
    wave
}

/// Lets a task begin, or go on. What only waits for the coordinator keeps nobody busy.
fn begin(admission: &mut Admission<'_>, item: &Item) -> Result<Option<AgentName>, Refusal> {
    match item.stands {
        Stands::Running => {
            if let Some(agent) = &item.agent {
                admission.enter(item, agent.clone());
            }
            Ok(item.agent.clone())
        }
        Stands::Delivered | Stands::Finished => Ok(item.agent.clone()),
        Stands::Ready | Stands::Waits | Stands::Held(_) => admission.admit(item).map(Some),
    }
}

impl Wave<'_> {
    /// Tells each task how it relates to the others, once all are there.
    fn settle(&mut self) {
        let alone = self.tasks.len() == 1;
        for placed in &mut self.tasks {
            let displaced = matches!(placed.because, Some(Refusal::Scope(..)));
            placed.kind = match placed.item.task.depends_on.is_empty() {
                _ if displaced => Kind::Sequential,
                true => Kind::Independent,
                false if alone => Kind::Sequential,
                false => Kind::DomainSpecific,
            };
        }
    }
}

/// Who waits for whom.
struct Waiting<'i> {
    /// Every task, the most urgent first.
    order: Vec<&'i Item>,
    /// What each waits for, open tasks only.
    waits: BTreeMap<&'i TaskId, Vec<&'i TaskId>>,
    /// How long it takes from the beginning of each to the end of what waits for it.
    tails: BTreeMap<&'i TaskId, TimeDelta>,
    /// Tasks that can't be planned.
    held: BTreeSet<&'i TaskId>,
}

impl<'i> Waiting<'i> {
    fn of(items: &'i [Item]) -> Self {
        let waits: BTreeMap<_, _> =
            items.iter().map(|item| (&item.task.task_id, waits(item))).collect();
        let mut graph = Waiting { order: items.iter().collect(), waits, ..Waiting::empty() };
        graph.hold();
        graph.measure();
        let tails = &graph.tails;
        // What runs, runs; then the most urgent first, and of those, what the most time hangs on.
        graph.order.sort_by_key(|item| {
            let id = &item.task.task_id;
            let tail = tails.get(id).copied().unwrap_or_default();
            (item.stands != Stands::Running, item.task.priority, std::cmp::Reverse(tail), id)
        });
        graph
    }

    fn empty() -> Self {
        let (waits, tails) = (BTreeMap::new(), BTreeMap::new());
        Waiting { order: Vec::new(), waits, tails, held: BTreeSet::new() }
    }

    /// Finds the tasks that something stands in the way of, and those that wait for them.
    fn hold(&mut self) {
        let known: BTreeSet<&TaskId> = self.waits.keys().copied().collect();
        let stuck = |item: &&&Item| matches!(item.stands, Stands::Held(_));
        self.held = self.order.iter().filter(stuck).map(|item| &item.task.task_id).collect();
        loop {
            let before = self.held.len();
            for (id, waits) in &self.waits {
                if waits.iter().any(|other| self.held.contains(other) || !known.contains(other)) {
                    self.held.insert(id);
                }
            }
            if self.held.len() == before {
                return;
            }
        }
    }

    /// Walks from the tasks that nobody waits for to those that wait for nothing. A cycle, which no
    /// agreed ledger holds, is left out.
    fn measure(&mut self) {
        let mut followers: BTreeMap<&TaskId, usize> = BTreeMap::new();
        self.waits.values().flatten().for_each(|id| *followers.entry(id).or_default() += 1);
        let items: BTreeMap<&TaskId, &Item> =
            self.order.iter().map(|item| (&item.task.task_id, *item)).collect();
        let mut behind: BTreeMap<&TaskId, TimeDelta> = BTreeMap::new();
        let mut ends: Vec<&TaskId> =
            items.keys().copied().filter(|id| !followers.contains_key(id)).collect();
        while let Some(id) = ends.pop() {
            let Some(item) = items.get(id) else { continue };
            let tail = item.expected + behind.get(id).copied().unwrap_or_default();
            self.tails.insert(id, tail);
            for other in self.waits.get(id).into_iter().flatten() {
                let longest = behind.entry(other).or_default();
                *longest = tail.max(*longest);
                let left = followers.entry(other).or_default();
                *left -= 1;
                if *left == 0 {
                    ends.push(other);
                }
            }
        }
    }

    /// Gives the tasks that can be planned, the most urgent first.
    fn planned(&self) -> impl Iterator<Item = &'i Item> {
        self.order.iter().copied().filter(|item| !self.held.contains(&item.task.task_id))
    }

    fn may_begin(&self, item: &Item, done: &BTreeSet<&TaskId>) -> bool {
        let waits = self.waits.get(&item.task.task_id);
        waits.is_none_or(|waits| waits.iter().all(|other| done.contains(other)))
            // What is ready by the evidence it needs may begin before the task that made it is closed.
            || matches!(item.stands, Stands::Ready | Stands::Running) && !item.waits_for.is_empty()
            || matches!(item.stands, Stands::Running | Stands::Delivered | Stands::Finished)
    }

    fn critical_path(&self) -> Vec<&'i TaskId> {
        let tail = |id: &&TaskId| self.tails.get(*id).copied().unwrap_or_default();
        let plannable = |id: &&TaskId| !self.held.contains(id);
        let first = self.tails.keys().copied().filter(plannable);
        let Some(mut last) = first.max_by_key(tail) else { return Vec::new() };
        let mut path = vec![last];
        loop {
            let followers = self.waits.iter().filter(|(_, waits)| waits.contains(&last));
            let followers = followers.map(|(id, _)| *id).filter(plannable);
            match followers.max_by_key(tail) {
                Some(next) if !path.contains(&next) => {
                    path.push(next);
                    last = next;
                }
                _ => return path,
            }
        }
    }

    /// Plays the plan with its expected times: whenever a task ends, whatever may begin begins.
    fn duration(&self, policy: &Policy, parallel: usize) -> TimeDelta {
        let mut admission = Admission::new(policy, parallel);
        let mut done: BTreeSet<&TaskId> = BTreeSet::new();
        let mut running: Vec<(TimeDelta, &Item)> = Vec::new();
        let mut left: Vec<&Item> = self.planned().collect();
        let mut now = TimeDelta::zero();
        loop {
            left.retain(|item| {
                let begins = self.may_begin(item, &done) && begin(&mut admission, item).is_ok();
                if begins {
                    running.push((now + item.expected, item));
                }
                !begins
            });
            let Some(next) = running.iter().map(|(end, _)| *end).min() else { return now };
            now = next;
            running.retain(|(end, item)| {
                if *end <= now {
                    admission.leave(&item.task.task_id);
                    done.insert(&item.task.task_id);
                }
                *end > now
            });
        }
    }
}

/// Gives the open tasks that one waits for: those that it depends on, or those of earlier phases.
fn waits(item: &Item) -> Vec<&TaskId> {
    item.waits_for.iter().chain(&item.behind).collect()
}
