//! The same numbers, counted a second time: over the raw lines of the files, by other rules than orch's and
//! without its library.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Counts by a key in words.
pub(crate) type Counts = BTreeMap<String, i64>;

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Count {
    /// `tasks`, `closed`, `completed`, `handoffs`, `runs`, `run_seconds`, `active_runs`, `messages` that
    /// wait, `gates` that wait, `blocked`, `pending` audits, `PASS`, `FAIL`; `incidents`, of which
    /// `open_incidents`; `halts`, of which `standing_halts` in the end; `deployed`, `deployments_failed` and
    /// `rolled_back`; all `entries`; `stalled` tasks, of which nothing was heard for a day; `slow` runs, of more than five minutes; `lead_seconds` of completed tasks.
    pub(crate) plain: Counts,
    /// By workflow, stage, lane and result: how many runs ended so.
    pub(crate) stages: Counts,
    /// The same: how many seconds they took.
    pub(crate) stage_seconds: Counts,
    /// By agent: how many runs ended.
    pub(crate) agents: Counts,
    /// By workflow, stage and class.
    pub(crate) failures: Counts,
    /// By workflow, stage and class.
    pub(crate) retries: Counts,
    /// By workflow and stage: open tasks that could be taken up.
    pub(crate) queues: Counts,
    /// From stage to stage: how often.
    pub(crate) handovers: Counts,
    /// From stage to stage: how many seconds.
    pub(crate) handover_seconds: Counts,
    /// By state: how many seconds tasks stood there.
    pub(crate) states: Counts,
    /// By day and what happened: `2024-03-01 opened`.
    pub(crate) days: Counts,
}

fn add(counts: &mut Counts, key: impl Into<String>, more: i64) {
    *counts.entry(key.into()).or_default() += more;
}

/// One entry, as lines.
struct Entry {
    kind: String,
    text: String,
    at: i64,
    day: String,
}

impl Entry {
    fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let kind = name.split_once('-').unwrap().1.to_owned();
        let mut entry = Entry { kind, text, at: 0, day: String::new() };
        let moment = entry.field("recorded_at").unwrap();
        entry.day = moment[..10].to_owned();
        entry.at = seconds(&moment);
        entry
    }

    /// Gives the value of a key that is indented by two, once in the file.
    fn field(&self, key: &str) -> Option<String> {
        let start = format!("  {key}: ");
        let mut found = self.text.lines().filter_map(|line| line.strip_prefix(&start));
        found.next().map(|value| value.trim_matches('"').to_owned())
    }

    fn of(&self, key: &str) -> String {
        self.field(key).unwrap_or_else(|| panic!("{key} is missing:\n{}", self.text))
    }
}

/// Gives seconds since the year 2000 began, by counting days.
fn seconds(moment: &str) -> i64 {
    let part = |range: std::ops::Range<usize>| moment[range].parse::<i64>().unwrap();
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut days: i64 = (2000..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let february = if leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days += months[..usize::try_from(month - 1).unwrap()].iter().sum::<i64>() + day - 1;
    days * 86_400 + part(11..13) * 3600 + part(14..16) * 60 + part(17..19)
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let Ok(listed) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn ledger(folder: &Path) -> Vec<Entry> {
    let files = sorted(folder).into_iter();
    files
        .filter(|file| file.extension().is_some_and(|end| end == "yaml"))
        .map(|f| Entry::read(&f))
        .collect()
}

/// Counts everything below a repository's top, as of its newest entry.
pub(crate) fn count(top: &Path) -> Count {
    let mut found = Count::default();
    let mut decided = BTreeMap::new();
    for file in sorted(&top.join(".orch/decisions")) {
        let text = fs::read_to_string(file).unwrap();
        let entry = Entry { kind: "decision".into(), text, at: 0, day: String::new() };
        let names = entry.of("resolves");
        decided.insert(
            names.trim_matches(['[', ']', '"']).to_owned(),
            seconds(&entry.of("recorded_at")),
        );
    }
    let months = sorted(&top.join(".orch/tasks"));
    let tasks: Vec<Vec<Entry>> =
        months.iter().flat_map(|month| sorted(month)).map(|folder| ledger(&folder)).collect();
    let aside = |shelf: &str| -> Vec<Vec<Entry>> {
        sorted(&top.join(".orch").join(shelf)).iter().map(|folder| ledger(folder)).collect()
    };
    let (incidents, halts) = (aside("incidents"), aside("halts"));
    let everything = tasks.iter().chain(&incidents).chain(&halts).flatten();
    let newest = everything.map(|entry| entry.at).max().unwrap();
    for entries in &tasks {
        Task::default().tell(entries, &decided, newest, &mut found);
    }
    for entries in &incidents {
        rollback(entries, &mut found);
    }
    for entries in &halts {
        let lifted = entries.iter().any(|entry| entry.kind == "resume");
        let ended = entries[0].field("until").is_some_and(|until| seconds(&until) <= newest);
        add(&mut found.plain, "standing_halts", i64::from(!lifted && !ended));
    }
    let entries = tasks.iter().chain(&incidents).chain(&halts).map(Vec::len).sum::<usize>();
    let entries = entries + sorted(&top.join(".orch/decisions")).len();
    add(&mut found.plain, "entries", i64::try_from(entries).unwrap());
    add(&mut found.plain, "incidents", i64::try_from(incidents.len()).unwrap());
    add(&mut found.plain, "halts", i64::try_from(halts.len()).unwrap());
    found
}

/// Counts the one run that an incident's ledger has.
fn rollback(entries: &[Entry], found: &mut Count) {
    let mut begun = 0;
    for entry in entries {
        match entry.kind.as_str() {
            "run" => begun = entry.at,
            "handoff" => {
                let key = "new_strategy rollback E delivered";
                add(&mut found.stages, key, 1);
                add(&mut found.stage_seconds, key, entry.at - begun);
                add(&mut found.agents, "deployment_agent", 1);
                add(&mut found.plain, "rolled_back", 1);
            }
            _ => {}
        }
    }
    let open = entries.iter().all(|entry| entry.kind != "close");
    add(&mut found.plain, "open_incidents", i64::from(open));
}

/// The policy's `stalled_after`, in seconds.
const STALLED_AFTER: i64 = 24 * 3600;

/// A task as a reader would follow it with a pencil.
#[derive(Default)]
struct Task {
    workflow: String,
    /// `ready`, `running`, `gate`, `finished` or `closed`.
    stands: &'static str,
    stage: String,
    stopped: bool,
    disputed: bool,
    opened: i64,
    /// Stage, lane, agent, id and second of the run that goes on.
    run: Option<(String, String, String, String, i64)>,
    any_run: bool,
    failed: BTreeMap<String, String>,
    handed: Option<(String, i64)>,
    asked: bool,
    waiting: Vec<String>,
}

impl Task {
    fn tell(
        mut self,
        entries: &[Entry],
        decided: &BTreeMap<String, i64>,
        newest: i64,
        found: &mut Count,
    ) {
        let id = entries[0].of("task_id");
        for (index, entry) in entries.iter().enumerate() {
            self.entry(entry, found);
            let until = entries.get(index + 1).map_or(newest, |next| next.at);
            let decision = decided.get(&format!("{id}/{}", index + 1)).copied();
            let disputed = match entry.kind.as_str() {
                "escalation" => decision.unwrap_or(newest).min(until) - entry.at,
                _ => 0,
            };
            self.disputed |= entry.kind == "escalation" && decision.is_none();
            if self.stands != "closed" {
                let state = if self.stopped { "blocked" } else { self.stands };
                add(&mut found.states, state, until - entry.at - disputed);
                add(&mut found.states, "blocked", disputed);
            }
        }
        let rested = newest - entries.last().unwrap().at;
        let stalled = self.stands != "closed" && rested > STALLED_AFTER;
        add(&mut found.plain, "stalled", i64::from(stalled));
        self.last(found);
    }

    /// Counts where it stands in the end.
    fn last(&self, found: &mut Count) {
        let open = self.stands != "closed";
        add(&mut found.plain, "active_runs", i64::from(self.run.is_some()));
        if !open {
            return;
        }
        let stopped = self.stopped || self.disputed;
        add(&mut found.plain, "blocked", i64::from(stopped));
        add(&mut found.plain, "gates", i64::from(self.stands == "gate"));
        add(&mut found.plain, "messages", i64::try_from(self.waiting.len()).unwrap());
        let due = self.stage == "audit" && (self.stands == "ready" || self.stands == "running");
        add(&mut found.plain, "pending", i64::from(due || self.asked));
        if self.stands == "ready" && !stopped {
            add(&mut found.queues, format!("{} {}", self.workflow, self.stage), 1);
        }
    }

    fn happened(found: &mut Count, entry: &Entry, what: &str, more: i64) {
        add(&mut found.days, format!("{} {what}", entry.day), more);
    }

    fn entry(&mut self, entry: &Entry, found: &mut Count) {
        match entry.kind.as_str() {
            "task" => {
                self.workflow = entry.of("workflow");
                self.opened = entry.at;
                let first = if self.workflow == "data_refresh" { "validate" } else { "strategy" };
                (self.stage, self.stands) = (first.into(), "ready");
                add(&mut found.plain, "tasks", 1);
                Task::happened(found, entry, "opened", 1);
            }
            "run" => self.run_entry(entry, found),
            "handoff" => {
                self.ends("delivered", entry, found);
                add(&mut found.plain, "handoffs", 1);
                Task::happened(found, entry, "handoffs", 1);
            }
            "audit_report" => {
                let verdict = entry.of("verdict");
                self.ends("delivered", entry, found);
                self.asked = false;
                let what = if verdict == "PASS" { "audits_passed" } else { "audits_failed" };
                Task::happened(found, entry, what, 1);
                add(&mut found.plain, verdict, 1);
            }
            "gate" => {
                let deployed = i64::from(self.stage.starts_with("deploy"));
                add(&mut found.plain, "deployed", deployed);
                match entry.field("next_stage") {
                    Some(next) => (self.stage, self.stands) = (next, "ready"),
                    None => self.stands = "finished",
                }
            }
            "rejection" => (self.stands, self.handed) = ("ready", None),
            "failure_response" => {
                (self.stage, self.stands, self.handed) = (entry.of("returns_to"), "ready", None);
            }
            "block" | "pause" => self.stopped = true,
            "unblock" | "resume" => self.stopped = false,
            "audit_request" => self.asked = true,
            "message" if entry.of("type") == "request" => self.waiting.push(entry.of("to")),
            "message" => self.waiting.retain(|to| *to != entry.of("from")),
            "close" => self.close(entry, found),
            _ => {}
        }
    }

    fn run_entry(&mut self, entry: &Entry, found: &mut Count) {
        let (stage, id) = (entry.of("stage"), entry.of("run_id"));
        if entry.of("status") == "failed" {
            let failure = entry.of("failure");
            let class =
                failure.split("class: ").nth(1).unwrap().split(',').next().unwrap().to_owned();
            add(&mut found.failures, format!("{} {stage} {class}", self.workflow), 1);
            self.failed.insert(id, class);
            add(&mut found.plain, "deployments_failed", i64::from(stage.starts_with("deploy")));
            Task::happened(found, entry, "failed_runs", 1);
            self.ends("failed", entry, found);
            (self.stage, self.stands) = (stage, "ready");
            return;
        }
        if let Some(class) = self.failed.remove(&id) {
            add(&mut found.retries, format!("{} {stage} {class}", self.workflow), 1);
        }
        if let Some((from, at)) = self.handed.take().filter(|(from, _)| *from != stage) {
            add(&mut found.handovers, format!("{from} {stage}"), 1);
            add(&mut found.handover_seconds, format!("{from} {stage}"), entry.at - at);
        }
        Task::happened(found, entry, "runs", 1);
        self.any_run = true;
        self.run = Some((stage.clone(), entry.of("lane"), entry.of("agent"), id, entry.at));
        (self.stage, self.stands) = (stage, "running");
    }

    /// Ends the run that goes on.
    fn ends(&mut self, result: &str, entry: &Entry, found: &mut Count) {
        let Some((stage, lane, agent, _, begun)) = self.run.take() else { return };
        let key = format!("{} {stage} {lane} {result}", self.workflow);
        add(&mut found.stages, key.clone(), 1);
        add(&mut found.stage_seconds, key, entry.at - begun);
        add(&mut found.agents, agent, 1);
        add(&mut found.plain, "runs", 1);
        add(&mut found.plain, "run_seconds", entry.at - begun);
        add(&mut found.plain, "slow", i64::from(entry.at - begun > 300));
        if result == "delivered" {
            self.handed = Some((stage, entry.at));
            self.stands = "gate";
        }
    }

    fn close(&mut self, entry: &Entry, found: &mut Count) {
        self.ends("abandoned", entry, found);
        let completed = entry.of("outcome") == "completed";
        add(&mut found.plain, "closed", 1);
        add(&mut found.plain, "completed", i64::from(completed));
        Task::happened(found, entry, "closed", 1);
        if completed {
            Task::happened(found, entry, "completed", 1);
        }
        if completed && self.any_run {
            Task::happened(found, entry, "lead_seconds", entry.at - self.opened);
            add(&mut found.plain, "lead_seconds", entry.at - self.opened);
        }
        self.stands = "closed";
    }
}
