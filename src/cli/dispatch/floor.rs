//! The floor: who works now, what may begin beside them, and what is merged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use super::GLANCE;
use super::bench::Shop;
use super::board::Board;
use super::stage::{Done, Order, Report, Worker};
use crate::cli::Stop;
use crate::cli::context::{Context, View};
use crate::cli::plan::{Which, items, why_held};
use crate::cli::signals::Signals;
use crate::draft;
use crate::plan::{Item, Stands, first_wave};
use crate::policy::Policy;
use crate::source::{AgentName, TaskId};

/// How often it is asked whether a halt stands.
const WATCH: Duration = Duration::from_secs(1);

/// Where a plan is run.
pub(super) struct Floor<'f> {
    pub(super) context: &'f Context,
    pub(super) shop: &'f Shop,
    pub(super) signals: &'f Signals,
    pub(super) coordinator: AgentName,
    pub(super) parallel: usize,
    /// The branch that work is merged into.
    pub(super) branch: String,
}

/// What an agent is called for: a task, and those that share the call.
struct Call<'i> {
    lead: &'i Item,
    along: Vec<TaskId>,
    agent: AgentName,
}

/// Adds a task to a call of the same agent for the same stage, if the policy lets it do so many
/// together (R002-32); else makes a call of its own.
fn call<'i>(calls: &mut Vec<Call<'i>>, policy: &Policy, item: &'i Item, agent: AgentName) {
    let batch = policy.agents.get(&agent).map_or(1, |known| known.batch);
    let alike =
        |lead: &Item| (&lead.task.workflow, &lead.stage) == (&item.task.workflow, &item.stage);
    let mut open = calls.iter_mut().filter(|call| call.along.len() + 1 < batch);
    match open.find(|call| call.agent == agent && alike(call.lead)) {
        Some(call) => call.along.push(item.task.task_id.clone()),
        None => calls.push(Call { lead: item, along: Vec::new(), agent }),
    }
}

/// A task that somebody works on.
#[derive(Clone)]
struct Flight {
    agent: AgentName,
    stop: Arc<AtomicBool>,
}

/// What is known between two looks at the repository.
pub(super) struct Sight {
    pub(super) policy: Arc<Policy>,
    items: Vec<Item>,
    /// The commit that branches start from.
    pub(super) base: String,
    /// Something landed since.
    stale: bool,
}

impl Floor<'_> {
    /// Runs every task that `takes` picks, as far as it comes.
    pub(super) fn run(&self, board: &Board, takes: impl Fn(&Item) -> bool) -> Result<(), Stop> {
        let (sender, receiver) = channel();
        let ended = std::thread::scope(|scope| {
            let mut shift = Shift::new(self, board, sender);
            let ended = shift.work(scope, &receiver, &takes);
            // Whatever went wrong here, nobody is left working.
            shift.rest_all();
            while !shift.flights.is_empty() {
                shift.collect(&receiver);
            }
            ended
        });
        self.shop.close();
        let well = board.end();
        ended?;
        match self.signals.caught() {
            Some(signal) => Err(Stop::Interrupted(signal)),
            None if well => Ok(()),
            None => Err(Stop::Refused),
        }
    }

    fn look(&self, takes: &impl Fn(&Item) -> bool) -> Result<Sight, Stop> {
        let context = self.context.by_now();
        let view = View::of_all(&context, false)?;
        let mut items = items(&context, &view, &Which::default())?;
        items.retain(takes);
        let base = view.head().ok_or_else(|| {
            Stop::fault("nothing is committed yet", "commit the policy and the tasks first")
        })?;
        Ok(Sight { policy: view.policy(), items, base, stale: false })
    }
}

/// One run of the floor.
pub(super) struct Shift<'s> {
    pub(super) floor: &'s Floor<'s>,
    pub(super) board: &'s Board,
    sender: Sender<Report>,
    flights: BTreeMap<TaskId, Flight>,
    /// Tasks that are not tried again by this dispatch.
    pub(super) aside: BTreeSet<TaskId>,
    /// How often the work on a task was returned.
    pub(super) returned: BTreeMap<TaskId, u32>,
    watched: Instant,
    /// What repository the last watch saw.
    seen: Vec<String>,
}

impl<'s> Shift<'s> {
    fn new(floor: &'s Floor<'s>, board: &'s Board, sender: Sender<Report>) -> Self {
        let (flights, aside, returned) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let (watched, seen) = (Instant::now(), Vec::new());
        Shift { floor, board, sender, flights, aside, returned, watched, seen }
    }

    fn work<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        receiver: &Receiver<Report>,
        takes: &impl Fn(&Item) -> bool,
    ) -> Result<(), Stop>
    where
        's: 'scope,
    {
        let mut sight = self.floor.look(takes)?;
        loop {
            if self.floor.signals.caught().is_some() {
                self.rest_all();
            } else {
                let mut began = self.begin(scope, &sight);
                if sight.stale && self.flights.len() < self.floor.parallel {
                    sight = self.floor.look(takes)?;
                    began |= self.begin(scope, &sight);
                }
                if self.flights.is_empty() && !began {
                    self.tell_what_is_left(&sight);
                    return Ok(());
                }
                self.watch()?;
            }
            if self.flights.is_empty() {
                return Ok(());
            }
            for (task, done) in self.collect(receiver) {
                self.settle(&mut sight, &task, done)?;
            }
            self.board.beat(self.flights.len(), sight.items.len());
        }
    }

    /// Lets everything begin that may run beside what runs; gives whether anything did.
    fn begin<'scope>(&mut self, scope: &'scope Scope<'scope, '_>, sight: &Sight) -> bool
    where
        's: 'scope,
    {
        if self.flights.len() >= self.floor.parallel {
            return false;
        }
        let items: Vec<Item> = sight.items.iter().map(|item| self.as_it_stands(item)).collect();
        let mut began = self.go_on(scope, sight);
        let mut calls = Vec::new();
        for placed in first_wave(&sight.policy, &items, self.floor.parallel) {
            let task = &placed.item.task.task_id;
            let Some(agent) = placed.agent.filter(|_| placed.item.stands == Stands::Ready) else {
                continue;
            };
            if sight.policy.command_of(&agent).is_empty() {
                self.board.note(&format!("{task}  waits: the policy gives {agent} no `command`"));
                self.aside.insert(task.clone());
                continue;
            }
            self.board.begins(placed.item, &agent);
            call(&mut calls, &sight.policy, placed.item, agent);
        }
        began |= !calls.is_empty();
        for Call { lead, along, agent } in calls {
            let task = lead.task.task_id.clone();
            let (base, branch) = (sight.base.clone(), lead.branch.clone());
            let order = Order { task, along, agent, base, branch };
            self.launch(scope, order, Arc::clone(&sight.policy));
        }
        began
    }

    /// Goes on with what an earlier dispatch left behind its agent's work: only the coordinator's part
    /// is to be done.
    fn go_on<'scope>(&mut self, scope: &'scope Scope<'scope, '_>, sight: &Sight) -> bool
    where
        's: 'scope,
    {
        let left = sight.items.iter().filter(|item| {
            let task = &item.task.task_id;
            matches!(item.stands, Stands::Delivered | Stands::Finished)
                && self.is_left(task)
                && !self.flights.contains_key(task)
                && !self.aside.contains(task)
        });
        let left: Vec<TaskId> = left.map(|item| item.task.task_id.clone()).collect();
        for task in &left {
            let agent = self.floor.coordinator.clone();
            let (task, along, base) = (task.clone(), Vec::new(), sight.base.clone());
            let order = Order { task, along, agent, base, branch: None };
            self.launch(scope, order, Arc::clone(&sight.policy));
        }
        !left.is_empty()
    }

    /// Tells whether an earlier dispatch left a worktree of a task.
    fn is_left(&self, task: &TaskId) -> bool {
        self.floor.shop.folder(task).join(".git").exists()
    }

    /// A task as this dispatch knows it: somebody works on it here, or left off.
    fn as_it_stands(&self, item: &Item) -> Item {
        let task = &item.task.task_id;
        let mut item = item.clone();
        match self.flights.get(task) {
            // What waits for it waits on.
            _ if self.aside.contains(task) => item.stands = Stands::Held(Vec::new()),
            Some(flight) => {
                item.stands = Stands::Running;
                item.agent = Some(flight.agent.clone());
            }
            // An earlier dispatch left its worktree: what it began is gone on with.
            None if self.is_left(task)
                && !matches!(item.stands, Stands::Delivered | Stands::Finished) =>
            {
                item.stands = Stands::Ready;
                item.assigned = true;
            }
            None => {}
        }
        item
    }

    fn launch<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        order: Order,
        policy: Arc<Policy>,
    ) where
        's: 'scope,
    {
        let stop = Arc::<AtomicBool>::default();
        let flight = Flight { agent: order.agent.clone(), stop: Arc::clone(&stop) };
        for task in std::iter::once(&order.task).chain(&order.along) {
            self.flights.insert(task.clone(), flight.clone());
        }
        let (sender, floor) = (self.sender.clone(), self.floor);
        scope.spawn(move || {
            let (context, shop, coordinator) = (floor.context, floor.shop, &floor.coordinator);
            let (stop, notes) = (&*stop, &sender);
            let worker = Worker { context, shop, policy: &policy, coordinator, stop, notes };
            for report in worker.carry_out(&order) {
                // Nobody listens any more only when the dispatch itself has failed.
                let _told = sender.send(report);
            }
        });
    }

    /// Gives what has come to an end since, and waits a little for it.
    fn collect(&mut self, receiver: &Receiver<Report>) -> Vec<Report> {
        let first = receiver.recv_timeout(GLANCE).ok();
        let all: Vec<Report> = first.into_iter().chain(receiver.try_iter()).collect();
        for (task, done) in &all {
            if let (Some(flight), Done::Rests) = (self.flights.get(task), done) {
                self.board.rests(task, &flight.agent);
            }
            match done {
                Done::Note(text) => self.board.note(&format!("{task}  {text}")),
                _ => drop(self.flights.remove(task)),
            }
        }
        all
    }

    fn rest_all(&self) {
        self.flights.values().for_each(|flight| flight.stop.store(true, Ordering::SeqCst));
    }

    /// Looks whether a halt stands, and lets those rest whom it stops (R003-12).
    fn watch(&mut self) -> Result<(), Stop> {
        if self.watched.elapsed() < WATCH || self.flights.is_empty() {
            return Ok(());
        }
        self.watched = Instant::now();
        let context = self.floor.context.by_now();
        let repository = context.repository()?;
        let tips = repository.branches()?.into_iter().map(|branch| branch.tip.to_string());
        let staged = repository.git_dir().join("index").metadata().and_then(|data| data.modified());
        let seen = tips.chain([format!("{staged:?}")]).collect();
        if seen == self.seen {
            return Ok(());
        }
        self.seen = seen;
        let tasks: Vec<&TaskId> = self.flights.keys().collect();
        let view = View::of(&context, &tasks)?;
        let halts = view.world.survey.halts.iter().filter(|halt| halt.stands_at(context.at()));
        for halt in halts {
            for (task, flight) in &self.flights {
                let Ok((_, state)) = view.task(task) else { continue };
                let stage = draft::due_stage(&view.world.policy, state);
                let (name, lane) = (stage.map(|stage| &stage.name), stage.map(|stage| &stage.lane));
                if halt.covers(&view.world, state, name, lane)
                    && !flight.stop.swap(true, Ordering::SeqCst)
                {
                    self.board.note(&format!(
                        "{task}  halt `{}` stands for {}: {} is asked to rest",
                        halt.id, halt.scope, flight.agent
                    ));
                }
            }
        }
        Ok(())
    }

    /// Tells why the rest can't begin. What waits for nobody but itself never will.
    fn tell_what_is_left(&self, sight: &Sight) {
        let left: Vec<&Item> =
            sight.items.iter().filter(|item| !self.aside.contains(&item.task.task_id)).collect();
        let stuck = in_circles(&left);
        for item in &left {
            let (task, why) = (&item.task.task_id, why_held(item));
            match stuck.contains(task) {
                true => self.board.failed(task, &format!("it waits in a circle: {why}")),
                false => self.board.note(&format!("{task}  {why}")),
            }
        }
    }
}

/// Gives the tasks of those left that wait for each other: prerequisites are free of circles, but a task
/// may stand in a phase behind one that needs it.
fn in_circles<'i>(left: &[&'i Item]) -> BTreeSet<&'i TaskId> {
    let held = |item: &&&Item| matches!(item.stands, Stands::Held(_));
    let mut open: Vec<&Item> = left.iter().filter(|item| !held(item)).copied().collect();
    loop {
        let ids: BTreeSet<&TaskId> = open.iter().map(|item| &item.task.task_id).collect();
        let before = open.len();
        open.retain(|item| {
            let mut waits = item.waits_for.iter().chain(&item.behind).peekable();
            waits.peek().is_some() && waits.all(|other| ids.contains(other))
        });
        if open.len() == before {
            return ids;
        }
    }
}

impl Sight {
    /// Takes in that a stage of a task landed.
    pub(super) fn landed(&mut self, task: &TaskId, closed: bool) {
        self.stale = true;
        if closed {
            self.items.retain(|item| item.task.task_id != *task);
        }
        // Until the next look, what it does next is not known.
        for item in self.items.iter_mut().filter(|item| item.task.task_id == *task) {
            item.stands = Stands::Waits;
        }
    }
}
