//! The checks: one file each, as plain data in one slice, and the loop over them.
//!
//! To add one: a new file, and two lines here, `mod x;` and `&x::CHECK`. Everything else
//! (`orch explain`, the README's table, the policy's `checks`) comes from the slice.

mod record_invalid;
mod record_misplaced;
mod record_modified;
mod chain_broken;
mod chain_forked;
mod duplicate_submission;
mod timestamp_invalid;
mod text_unsafe;
mod conflict_markers;
mod checksum_mismatch;
mod artifact_missing;
mod artifact_irregular;
mod artifact_empty;
mod artifact_undelivered;
mod handoff_stale;
mod lane_violation;
mod lane_overlap;
mod lane_unknown;
mod path_unowned;
mod branch_name;
mod branch_reused;
mod branch_protected;
mod run_name_too_long;
mod scope_violation;
mod run_id_mismatch;
mod stage_skipped;
mod stage_already_active;
mod evidence_missing;
mod evidence_stale;
mod gate_missing;
mod gate_contradicted;
mod gate_unauthorized;
mod dependency_open;
mod dependency_cycle;
mod task_paused;
mod task_blocked;
mod evidence_quarantined;
mod halt_standing;
mod handoff_misdirected;
mod gatekeeper_missing;
mod audit_expired;
mod audit_outdated;
mod self_audit;
mod audit_session_shared;
mod audit_incomplete;
mod audit_contradictory;
mod retry_forbidden;
mod retry_exhausted;
mod retry_too_soon;
mod pause_owed;
mod agent_unknown;
mod identity_mismatch;
mod approval_missing;
mod sign_off_missing;
mod policy_change_undecided;
mod policy_invalid;
mod signature_invalid;
mod signature_missing;
mod escalation_overdue;
mod decisions_log_outdated;
mod incident_report_overdue;
mod postmortem_overdue;
mod process_change_untold;
mod emergency_unjustified;
mod again;
mod each;
mod reliance;

pub use dependency_cycle::in_circles;
pub use dependency_open::{Awaited, awaited};
pub use each::each;

use crate::diagnostic::{Examined, Finding, Place, Related, Report, Severity};
use crate::record::{Home, Record};
use crate::snapshot::Change;
use crate::source::TaskId;
use crate::world::{LedgerView, Seen, Step, World};

/// Every check, by group, in the order in which they are told.
pub static ALL: &[&Check] = &[
    &record_invalid::CHECK,
    &record_misplaced::CHECK,
    &record_modified::CHECK,
    &chain_broken::CHECK,
    &chain_forked::CHECK,
    &duplicate_submission::CHECK,
    &timestamp_invalid::CHECK,
    &text_unsafe::CHECK,
    &conflict_markers::CHECK,
    &checksum_mismatch::CHECK,
    &artifact_missing::CHECK,
    &artifact_irregular::CHECK,
    &artifact_empty::CHECK,
    &artifact_undelivered::CHECK,
    &handoff_stale::CHECK,
    &lane_violation::CHECK,
    &scope_violation::CHECK,
    &lane_overlap::CHECK,
    &lane_unknown::CHECK,
    &path_unowned::CHECK,
    &branch_name::CHECK,
    &branch_reused::CHECK,
    &branch_protected::CHECK,
    &run_name_too_long::CHECK,
    &run_id_mismatch::CHECK,
    &stage_skipped::CHECK,
    &stage_already_active::CHECK,
    &evidence_missing::CHECK,
    &evidence_stale::CHECK,
    &gate_missing::CHECK,
    &gate_contradicted::CHECK,
    &gate_unauthorized::CHECK,
    &dependency_open::CHECK,
    &dependency_cycle::CHECK,
    &task_paused::CHECK,
    &task_blocked::CHECK,
    &evidence_quarantined::CHECK,
    &halt_standing::CHECK,
    &handoff_misdirected::CHECK,
    &gatekeeper_missing::CHECK,
    &audit_expired::CHECK,
    &audit_outdated::CHECK,
    &self_audit::CHECK,
    &audit_session_shared::CHECK,
    &audit_incomplete::CHECK,
    &audit_contradictory::CHECK,
    &retry_forbidden::CHECK,
    &retry_exhausted::CHECK,
    &retry_too_soon::CHECK,
    &pause_owed::CHECK,
    &agent_unknown::CHECK,
    &identity_mismatch::CHECK,
    &signature_missing::CHECK,
    &signature_invalid::CHECK,
    &approval_missing::CHECK,
    &sign_off_missing::CHECK,
    &policy_change_undecided::CHECK,
    &policy_invalid::CHECK,
    &escalation_overdue::CHECK,
    &incident_report_overdue::CHECK,
    &postmortem_overdue::CHECK,
    &decisions_log_outdated::CHECK,
    &process_change_untold::CHECK,
    &emergency_unjustified::CHECK,
];

/// A check, as data.
#[derive(Debug)]
pub struct Check {
    /// Its name: the offence, in kebab case.
    pub name: &'static str,
    /// The table it stands in.
    pub group: Group,
    /// What it promises, in one sentence.
    pub title: &'static str,
    /// No policy can lower it.
    pub mandatory: bool,
    /// How much it weighs, if the policy does not say otherwise.
    pub severity: Severity,
    /// Why it is there and what to do, in Markdown, with a bad and a good example.
    pub explain: &'static str,
    /// What it looks at.
    pub run: Run,
}

/// What a check looks at. The loop is the runner's; the decision is the check's.
#[derive(Debug)]
pub enum Run {
    /// Each new entry, with the state before it. These checks also decide what the commands
    /// allow, and what is suggested.
    EachStep(fn(&World, &Step<'_>) -> Vec<Objection>),
    /// Each changed path.
    EachChange(fn(&World, &Change) -> Vec<Objection>),
    /// The world as a whole.
    World(fn(&World) -> Vec<Objection>),
}

/// The tables of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Records and their chains.
    Records,
    /// Artifacts and their digests.
    Artifacts,
    /// Who owns what.
    Lanes,
    /// Names of branches and runs.
    Branches,
    /// The order of stages.
    Flow,
    /// The gatekeeper.
    Audit,
    /// When a failure may be tried again.
    Retry,
    /// Who may say what.
    Authority,
    /// Disputes and emergencies, and what they owe.
    Governance,
}

/// What a check has against something; the runner makes it a finding.
#[derive(Debug, Clone)]
pub struct Objection {
    place: Place,
    message: String,
    help: String,
    task: Option<TaskId>,
    related: Vec<Related>,
    severity: Option<Severity>,
    for_now: bool,
}

impl Objection {
    /// Takes where it is, what is wrong, and what to do next.
    pub fn new(place: Place, message: impl Into<String>, help: impl Into<String>) -> Self {
        Objection {
            place,
            message: message.into(),
            help: help.into(),
            task: None,
            related: Vec::new(),
            severity: None,
            for_now: false,
        }
    }

    /// Names the task it is about.
    pub fn task(mut self, task: &TaskId) -> Self {
        self.task = Some(task.clone());
        self
    }

    /// Adds a place that explains it.
    pub fn related(mut self, place: Place, message: impl Into<String>) -> Self {
        self.related.push(Related { place, message: message.into() });
        self
    }

    /// Makes it one that ledgers of other parts of a verification may take back.
    pub fn for_now(mut self) -> Self {
        self.for_now = true;
        self
    }

    /// Makes it a note: something that could not be looked at, not something that is wrong.
    pub fn note(mut self) -> Self {
        self.severity = Some(Severity::Note);
        self
    }
}

/// Runs every check over a world and gives what they found, sorted, under the policy's severities.
pub fn run(world: &World) -> Report {
    let steps: Vec<Step<'_>> = world.steps().collect();
    let found = each(&steps, |step| objections(world, step));
    told(world, &steps, found).0
}

/// Does the same with one part of a verification, on this thread alone; tells too whether the other parts
/// may take back some of it.
pub fn run_part(world: &World) -> (Report, bool) {
    let steps: Vec<Step<'_>> = world.steps().collect();
    let found = steps.iter().map(|step| objections(world, step)).collect();
    told(world, &steps, found)
}

fn told(world: &World, steps: &[Step<'_>], found: Vec<Found>) -> (Report, bool) {
    let (mut report, mut for_now) = (Report::default(), false);
    let mut add = |check, objections: Vec<Objection>, task| {
        for_now |= objections.iter().any(|objection| objection.for_now);
        add(&mut report, world, check, objections, task);
    };
    for (step, found) in steps.iter().zip(found) {
        for (check, objections) in found {
            add(check, objections, step.task_id());
        }
    }
    for check in ALL {
        match check.run {
            Run::EachStep(_) => {}
            Run::EachChange(run) => {
                for change in &world.changes {
                    add(check, run(world, change), None);
                }
            }
            Run::World(run) => add(check, run(world), None),
        }
    }
    let tasks = world.ledgers.keys().filter(|home| matches!(home, Home::Task(_)));
    report.examined =
        Examined { records: steps.len(), paths: world.changes.len(), tasks: tasks.count() };
    report.settle();
    (report, for_now)
}

/// What checks have against one entry.
type Found = Vec<(&'static Check, Vec<Objection>)>;

/// Gives what the checks of entries have against one.
fn objections(world: &World, step: &Step<'_>) -> Found {
    let told = ALL.iter().filter_map(|check| match check.run {
        Run::EachStep(run) => Some((*check, run(world, step))),
        Run::EachChange(_) | Run::World(_) => None,
    });
    told.filter(|(_, found)| !found.is_empty()).collect()
}

/// Gives what the checks of entries have against one that is not written yet: the entry is judged
/// as the next of its ledger. This is how the suggestions know what is allowed.
pub fn judge(world: &World, ledger: &LedgerView, record: &Record) -> Report {
    let step = Step {
        ledger,
        record,
        previous: ledger.records.last(),
        before: ledger.state(),
        incident: ledger.incident(),
        seen: Seen::Head,
        at: world.at,
        policy: Some(&*world.policy),
    };
    let mut report = Report::default();
    for (check, objections) in objections(world, &step) {
        add(&mut report, world, check, objections, step.task_id());
    }
    report.settle();
    report
}

fn add(
    report: &mut Report,
    world: &World,
    check: &Check,
    objections: Vec<Objection>,
    task: Option<&TaskId>,
) {
    let Some(severity) = world.policy.severity(check.name, check.severity) else { return };
    report.findings.extend(objections.into_iter().map(|objection| Finding {
        check: check.name,
        severity: objection.severity.unwrap_or(severity),
        place: objection.place,
        message: objection.message,
        help: objection.help,
        task: objection.task.or_else(|| task.cloned()),
        related: objection.related,
    }));
}

/// Gives the check of a name.
pub fn find(name: &str) -> Option<&'static Check> {
    ALL.iter().find(|check| check.name == name).copied()
}

/// Gives every check's name and whether it is mandatory, for the policy's `checks`.
pub fn names() -> Vec<(&'static str, bool)> {
    ALL.iter().map(|check| (check.name, check.mandatory)).collect()
}
