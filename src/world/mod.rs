//! Base and head joined: every ledger the change touches, what is new in it, and the facts it
//! speaks of. A world is a value; the checks only look at it.

mod build;
mod decisions;
mod document;
mod doubles;
mod ended;
mod evidence;
mod facts;
mod files;
mod focus;
mod folders;
mod freezes;
mod gate;
mod hashed;
mod here;
mod history;
mod kept;
mod ledgers;
mod many;
mod months;
mod present;
mod process;
mod seals;
mod spoken;
mod survey;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use build::{Terms, build};
pub use decisions::{EntryName, Settlement, entry_name, is_a_persons};
pub use document::document;
pub use ended::ended;
pub use evidence::{inputs_of, missing_inputs, seen_by_a_person, to_be_covered};
pub use facts::{Fact, Facts, Known, Seen, lane_state};
pub use focus::Focus;
pub use folders::Folders;
pub use freezes::{OpenIncident, StandingHalt};
pub use gate::{Evaluation, evaluate};
pub use here::RunHere;
pub use history::{Erased, Rewritten};
pub use ledgers::{LedgerView, known_ids, ledger_at, records_since, touches_landed, works};
pub use many::each;
pub use present::{stale, unreadable};
pub use process::Process;
pub use seals::{Seal, Unproved};
pub use survey::{Live, Survey};
pub use whole::{Sums, Verification, Whole};

use crate::diagnostic::Place;
use crate::keys::Signers;
use crate::ledger::{Escalated, IncidentState, State};
use crate::policy::{Policy, Scope, Stage};
use crate::record::kind::{Decision, Finding, Run, RunStatus};
use crate::record::{Home, Payload, Problem, Record, belongs_to_orch};
use crate::snapshot::{Change, Occasion, Side};
use crate::source::{Digest, LaneName, Moment, RepoPath, Span, StageName, TaskId};

/// Everything the checks look at.
#[derive(Debug)]
pub struct World {
    /// The moment as of which is judged.
    pub at: Moment,
    /// How the proposal got here.
    pub occasion: Occasion,
    /// Where the change starts: HEAD for a commit, the merge base for a range.
    pub base: Side,
    /// The branch it is proposed on, if known.
    pub branch: Option<String>,
    /// The policy that was agreed.
    pub policy: Arc<Policy>,
    /// What is wrong with the policy and the keys at head, if the change touches them.
    pub policy_problems: Vec<(RepoPath, Problem)>,
    /// Whose keys are whose, as it was agreed.
    pub signers: Signers,
    /// Whether the change brings the first policy: nothing was agreed before it.
    pub bootstrap: bool,
    /// What differs between base and head, sorted by path.
    pub changes: Vec<Change>,
    /// The ledgers that the change touches, and those they depend on.
    pub ledgers: BTreeMap<Home, LedgerView>,
    /// The signatures that the change brings or leaves, by the records that they sign.
    pub seals: BTreeMap<RepoPath, Seal>,
    /// Files among the records that are none, with what is wrong.
    pub unreadable: Vec<(RepoPath, Problem)>,
    /// Records that had landed although nobody could read them, and that the change touches.
    pub unreadable_landed: BTreeSet<RepoPath>,
    /// Records that a commit of the range, or of a verified history, edited or dropped.
    pub erased: Vec<Erased>,
    /// Entries of one's own that the merge about to be made puts behind those that landed.
    pub moved: BTreeSet<RepoPath>,
    /// The commit that a verification was to start from, if what is verified does not descend from it.
    pub rewritten: Option<Rewritten>,
    /// Ledgers of the change whose id another folder has already, at REV or in the change itself.
    pub doubles: Vec<(Home, RepoPath)>,
    /// What is true of all open tasks at REV.
    pub survey: Arc<Survey>,
    /// What a verification knows of the ledgers that are not among these.
    pub whole: Arc<Whole>,
    /// Evidence that is in quarantine at last, with the task whose ledger says so.
    pub quarantined: Vec<(TaskId, Digest)>,
    /// What people have decided about entries in dispute.
    pub settled: BTreeMap<EntryName, Settlement>,
    /// Decisions that a landed one has taken the place of, by their ids.
    pub withdrawn: BTreeSet<String>,
    /// Every decision at head, where a committed log of them is to be compared; else none.
    pub decisions: Option<Vec<Record>>,
    /// What the change does to the way people work.
    pub process: Process,
    /// What stands at the paths that records speak of.
    pub facts: Facts,
    here: here::Here,
}

/// One new entry, with the state of its task before it.
#[derive(Debug, Clone, Copy)]
pub struct Step<'w> {
    /// The ledger it belongs to.
    pub ledger: &'w LedgerView,
    /// The entry.
    pub record: &'w Record,
    /// The entry before it, if there is one.
    pub previous: Option<&'w Record>,
    /// Where the task stood before; none before a `task` entry, and in ledgers of no task.
    pub before: Option<&'w State>,
    /// Where the incident stood before, in an incident's ledger.
    pub incident: Option<&'w IncidentState>,
    /// Where what the entry says can be seen.
    pub seen: Seen,
    /// The moment as of which it is judged.
    pub at: Moment,
    /// The policy, for entries that are proposed; none for landed ones, which are replayed by
    /// their entries alone.
    pub policy: Option<&'w Policy>,
}

impl<'w> Step<'w> {
    /// Gives the task's id; none outside a task's ledger.
    pub fn task_id(&self) -> Option<&'w TaskId> {
        match &self.record.path.home {
            Home::Task(id) => Some(id),
            _ => None,
        }
    }

    /// Gives the policy's idea of a stage of this task's workflow, for a proposed entry.
    pub fn stage(&self, name: &StageName) -> Option<&'w Stage> {
        self.policy?.stage(&self.before?.task.workflow, name)
    }

    /// Gives what the entry lets its task wait for.
    pub fn awaits(&self) -> &'w [TaskId] {
        match &self.record.payload {
            Payload::Task(task) => &task.depends_on,
            Payload::Update(update) => update.depends_on.as_deref().unwrap_or_default(),
            _ => &[],
        }
    }

    /// Gives the run that this entry begins; none if it ends one, or is about something else.
    pub fn begun(&self) -> Option<&'w Run> {
        match &self.record.payload {
            Payload::Run(run) if run.status == RunStatus::InProgress => Some(run),
            _ => None,
        }
    }

    /// Gives the entries of the ledger before this one, latest first.
    pub fn earlier(&self) -> impl Iterator<Item = &'w Record> + use<'w> {
        let own = self.record.sequence();
        self.ledger.records.iter().rev().filter(move |record| record.sequence() < own)
    }

    /// Points at a field of the payload, such as `artifacts.0.checksum`.
    pub fn field(&self, field: &str) -> Place {
        Place::at(self.record.repo_path().clone(), self.record.field(field))
    }

    /// Points at a field of the envelope, such as `previous`.
    pub fn envelope(&self, field: &str) -> Place {
        Place::at(self.record.repo_path().clone(), self.record.envelope_field(field))
    }

    /// Points at the record as a whole: its kind's word.
    pub fn heading(&self) -> Place {
        Place::at(self.record.repo_path().clone(), self.record.heading())
    }
}

impl World {
    /// Gives the option by which `git restore` finds a file as it was before the change, and a blank behind it: nothing
    /// where that is HEAD.
    pub fn source(&self) -> String {
        match (self.occasion, self.base) {
            (Occasion::Commit | Occasion::Merge, _) => String::new(),
            (Occasion::Range, Side::Commit(base)) => format!("--source={base:.12} "),
            _ => "--source=REV ".to_owned(),
        }
    }

    /// Gives the new entries, ledger by ledger, in their order.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let landed = self.occasion == Occasion::Verification;
        self.ledgers.values().flat_map(move |ledger| {
            ledger.new_entries().map(move |(index, record)| {
                let recorded = record.entry.recorded_at;
                Step {
                    ledger,
                    record,
                    previous: index.checked_sub(1).map(|before| &ledger.records[before]),
                    before: ledger.before(index),
                    incident: ledger.incident_before(index),
                    seen: ledger.seen(record),
                    at: if landed { recorded } else { recorded.max(self.at) },
                    policy: (!landed).then_some(&*self.policy),
                }
            })
        })
    }

    /// Gives the new decisions of people that were not withdrawn, with their entries.
    pub fn decided(&self) -> impl Iterator<Item = (Step<'_>, &Decision)> {
        self.steps().filter_map(|step| {
            let Payload::Decision(decision) = &step.record.payload else { return None };
            let holds = is_a_persons(&self.policy, decision, &step.record.entry.actor)
                && !self.withdrawn.contains(&decision.id);
            holds.then_some((step, decision))
        })
    }

    /// Gives the state of a task as it would stand, if the world holds it.
    pub fn task(&self, id: &TaskId) -> Option<&State> {
        self.ledgers.get(&Home::Task(id.clone()))?.state()
    }

    /// Gives the states of the tasks that one depends on; what the world can't find is left out.
    pub fn dependencies<'w>(&'w self, state: &'w State) -> impl Iterator<Item = &'w State> {
        state.task.depends_on.iter().filter_map(|id| self.task(id))
    }

    /// Gives the escalations of a task that no decision has settled.
    pub fn unsettled<'w>(&'w self, state: &'w State) -> impl Iterator<Item = &'w Escalated> {
        state.escalations.iter().filter(|escalated| {
            let name = (state.task.task_id.clone(), escalated.sequence);
            !self.settled.contains_key(&name)
        })
    }

    /// Gives the issues of a task's last audit that a person found not to be valid (R000-50): nobody
    /// has to answer them.
    pub fn overturned<'w>(&'w self, state: &'w State) -> BTreeSet<&'w str> {
        let last = state.audits.last().map(|audit| audit.sequence);
        let about_it =
            state.escalations.iter().filter(|e| last.is_some() && e.escalation.about == last);
        let overturned = about_it.filter(|escalated| {
            let name = (state.task.task_id.clone(), escalated.sequence);
            self.settled.get(&name).is_some_and(|s| s.finding == Some(Finding::Overturned))
        });
        let mut issues = BTreeSet::new();
        for Escalated { escalation, .. } in overturned {
            match escalation.issues.as_slice() {
                [] => issues.extend(state.issues.iter().map(|issue| issue.id.as_str())),
                named => issues.extend(named.iter().map(String::as_str)),
            }
        }
        issues
    }

    /// Gives what stands at a path, as the entry saw it.
    pub fn fact(&self, step: &Step<'_>, path: &RepoPath) -> &Fact {
        self.facts.get(step.seen, path)
    }

    /// Gives what keeps files from being records, as far as one check speaks of it. What became of
    /// landed records is left to the check that they stay as they are.
    pub fn problems_of(&self, check: &str) -> impl Iterator<Item = (&RepoPath, &Problem)> {
        let landed = |path: &RepoPath| {
            !self.unreadable_landed.contains(path)
                && self.changes.iter().any(|c| c.path == *path && touches_landed(c))
        };
        let problems = self.unreadable.iter().filter(move |(_, problem)| problem.check == check);
        problems.filter(move |(path, _)| !landed(path)).map(|(path, problem)| (path, problem))
    }

    /// Gives the artifacts that others rely on: those of live handoffs that are agreed and that
    /// the change itself does not replace; in a verification, of all live handoffs.
    pub fn relied_on(&self) -> Vec<Live> {
        let elsewhere = |live: &&Live| !self.ledgers.contains_key(&Home::Task(live.task.clone()));
        let mut relied_on: Vec<Live> = self.survey.live.iter().filter(elsewhere).cloned().collect();
        for view in self.ledgers.values() {
            let landed = match self.occasion {
                Occasion::Verification => &view.records[..],
                _ => &view.records[..view.agreed],
            };
            relied_on
                .extend(view.state().into_iter().flat_map(|state| survey::live(state, landed)));
        }
        relied_on
    }

    /// Gives where a live artifact's digest stands in its handoff.
    pub fn place_of(&self, live: &Live) -> Span {
        let own = || {
            let view = self.ledgers.get(&Home::Task(live.task.clone()))?;
            live.place_in(&view.records)
        };
        live.checksum.or_else(own).unwrap_or_default()
    }

    /// Tells whether some handoff sealed exactly this at this path, here or in another part of a
    /// verification.
    pub fn sealed(&self, path: &RepoPath, digest: Digest) -> bool {
        if self.whole.sealed(path, digest) {
            return true;
        }
        let states = self.ledgers.values().filter_map(LedgerView::state);
        let mut artifacts = states.flat_map(|state| &state.deliveries).flat_map(|d| &d.artifacts);
        artifacts.any(|artifact| artifact.path == *path && artifact.checksum == digest)
    }

    /// Gives what each task waits for as it would stand, and what its new entries ever let it wait for.
    pub fn waits(&self) -> BTreeMap<&TaskId, BTreeSet<&TaskId>> {
        let mut waits: BTreeMap<&TaskId, BTreeSet<&TaskId>> = BTreeMap::new();
        for state in self.ledgers.values().filter_map(LedgerView::state) {
            waits.entry(&state.task.task_id).or_default().extend(&state.task.depends_on);
        }
        for step in self.steps() {
            if let Some(own) = step.task_id() {
                waits.entry(own).or_default().extend(step.awaits());
            }
        }
        waits
    }

    /// Gives the runs of this branch: those new in the change, and those active where it starts.
    pub fn runs_here(&self) -> &[RunHere] {
        &self.here.runs
    }

    /// Tells whether a run of this branch works in a lane.
    pub fn works_here(&self, lane: &LaneName) -> bool {
        self.here.lanes.contains(lane)
    }

    /// Gives the runs of this branch in a changed path's lanes, if the path lies outside of the scope
    /// of each of their tasks; none if one of them may change it, or if there are none.
    pub fn out_of_scope(&self, path: &RepoPath) -> Vec<&RunHere> {
        let owners = self.policy.lanes_of(path);
        let runs = self.here.runs.iter().zip(&self.here.scopes);
        let runs = runs.filter(|(run, _)| owners.contains(&&run.lane));
        let may = |scope: &Option<Scope>| scope.as_ref().is_none_or(|scope| scope.contains(path));
        match runs.clone().any(|(_, scope)| may(scope)) {
            true => Vec::new(),
            false => runs.map(|(run, _)| run).collect(),
        }
    }

    /// Tells whether nothing but rollbacks lets this branch change a path: then it may only go back.
    pub fn only_goes_back(&self, path: &RepoPath) -> bool {
        let owners = self.policy.lanes_of(path);
        let back = |lane: &&&LaneName| self.here.taken_back.contains(**lane);
        let work = owners.iter().filter(|lane| !back(lane)).any(|lane| self.works_here(lane));
        !self.is_free(path) && !work && owners.iter().any(|lane| back(&lane))
    }

    /// Tells whether lanes have no say in a changed path: it lies in `.orch/`, it is guarded by
    /// decisions, anyone may change it, or nobody is to blame for the change. Before the first policy nothing was agreed, and a
    /// verification looks at what has landed.
    pub fn is_free(&self, path: &RepoPath) -> bool {
        self.bootstrap
            || self.occasion == Occasion::Verification
            || belongs_to_orch(path)
            || self.policy.is_shared(path)
            || self.policy.is_guarded(path)
    }
}
