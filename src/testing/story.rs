//! Worlds made of a few lines: what agents did, in short form; what can be derived is filled in.
//!
//! A story is a YAML list. `done: {until: STAGE}` brings the task `strat-001` honestly up to a
//! stage, `data: {}` the data it consumes; `run`, `handoff`, `gate` and every other kind adds an
//! entry, its payload drafted as the commands would and then overlaid with what the story says
//! (`task:` names another task, `entry:` overlays the envelope); `write`, `remove`, `rename`, `link` and `edit` change
//! files; `decision` adds a person's decision, whose `changes` lists paths alone; `wait: 31d` moves
//! the clock; `policy: [from, to]` edits the policy; `on: BRANCH` changes the branch; `propose:
//! BRANCH` makes everything above agreed and everything below proposed; `bootstrap: BRANCH` proposes
//! everything above, the first policy with it. `by: EMAIL` makes the proposal a range of one commit, made by
//! that address. `meanwhile: [ITEMS]` tells what landed beside the proposal; `occasion: verification` has everything replayed. `halt`, `incident`, `incident_step` and
//! `postmortem` go to `halts/halt-001` and `incidents/inc-001`, other kinds where `in:` says.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::derived::{actor, decide, overlay, run_id};
use crate::diagnostic::{Finding, Report, Severity};
use crate::draft::{self, Author};
use crate::guard;
use crate::ledger::State;
use crate::policy::{POLICY_PATH, Stage};
use crate::record::kind::{Artifact, Verdict};
use crate::record::{Home, Payload, yaml};
use crate::snapshot::{Memory, Mode, Occasion, Proposal, Repository as _, Side, Step};
use crate::source::{Digest, Moment, RepoPath, StageName, TaskId};
use crate::world::{self, Focus, LedgerView, Terms, World};

/// Tells a story and has the guard judge what it proposes.
pub(crate) fn story(text: &str) -> Findings {
    let teller = told(text);
    super::parts::verify(&teller);
    let report = teller.judge().unwrap_or_else(|fault| panic!("{fault}: {}", fault.help));
    Findings { report }
}

/// Tells a story, for tests that go on by themselves.
pub(super) fn told(text: &str) -> Teller {
    let mut teller = Teller::new();
    let node = yaml::read(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"));
    teller.tell_all(node.to_json());
    teller
}

/// What the guard said to a story.
pub(crate) struct Findings {
    pub(crate) report: Report,
}

impl Findings {
    /// Fails unless exactly these checks spoke, notes apart.
    #[track_caller]
    pub(crate) fn expect(&self, checks: &[&str]) {
        let found =
            self.report.findings.iter().filter(|finding| finding.severity != Severity::Note);
        let mut names: Vec<&str> = found.map(|finding| finding.check).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names, checks, "{:#?}", self.report.findings);
    }

    /// Gives the findings of one check, in stories where others may speak too.
    pub(crate) fn of(&self, check: &str) -> Vec<&Finding> {
        self.report.findings.iter().filter(|finding| finding.check == check).collect()
    }

    /// Gives the text that the finding at an index underlines.
    #[track_caller]
    pub(crate) fn underlined(&self, index: usize) -> &str {
        let place = &self.report.findings[index].place;
        let span = place.span.expect("a finding with a span");
        &self.report.texts[&place.path][span.start..span.end]
    }
}

pub(super) type Files = BTreeMap<RepoPath, (Mode, Vec<u8>)>;

/// Tells a story: the files as they are, and as they were when the proposal began.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) files: Files,
    agreed: Option<Files>,
    landed: Option<Files>,
    pub(super) branch: Option<String>,
    occasion: Occasion,
    maker: Option<String>,
    pub(super) clock: Moment,
}

const PATH: &str = "a canonical path";

impl Teller {
    fn new() -> Self {
        let policy = include_str!("../../templates/strategy.yaml");
        let mut files = Files::new();
        files.insert(POLICY_PATH.into(), (Mode::File, policy.into()));
        Teller {
            files,
            agreed: None,
            landed: None,
            branch: None,
            occasion: Occasion::Commit,
            maker: None,
            clock: "2026-11-21T10:00:00Z".parse().expect("a moment"),
        }
    }

    fn tell_all(&mut self, items: Value) {
        let Value::Array(items) = items else { panic!("a story is a list") };
        for item in items {
            let Value::Object(item) = item else { panic!("{item} is no item") };
            for (word, value) in item {
                self.tell(&word, value);
            }
        }
    }

    /// Tells what landed after the proposal began: it is agreed, but the proposal has not seen it.
    fn meanwhile(&mut self, items: Value) {
        let agreed = self.agreed.clone().expect("`propose` comes first");
        let proposed = std::mem::replace(&mut self.files, agreed);
        self.tell_all(items);
        self.landed = Some(std::mem::replace(&mut self.files, proposed));
    }

    pub(super) fn tell(&mut self, word: &str, value: Value) {
        match word {
            "data" => self.data(),
            "done" => self.done(&text(&value, "until")),
            "write" => self.each(value, |files, path, text| {
                files.insert(path, (Mode::File, text.into_bytes()));
            }),
            "link" => self.each(value, |files, path, target| {
                files.insert(path, (Mode::Symlink, target.into_bytes()));
            }),
            "submodule" => self.each(value, |files, path, commit| {
                files.insert(path, (Mode::Submodule, commit.into_bytes()));
            }),
            "rename" => self.each(value, |files, path, to| {
                let file = files.remove(&path).expect("a file to rename");
                files.insert(to.as_str().into(), file);
            }),
            "remove" => self.each(value, |files, path, _| {
                files.remove(&path).expect("a file to remove");
            }),
            "edit" => self.edit(value),
            "policy" => self.edit(json!({ POLICY_PATH: value })),
            "wait" => self.wait(value.as_str().expect("a duration such as 31d")),
            "by" => self.maker = value.as_str().map(str::to_owned),
            "on" => self.branch = value.as_str().map(str::to_owned),
            "meanwhile" => self.meanwhile(value),
            "occasion" => {
                self.occasion = match value.as_str() {
                    Some("range") => Occasion::Range,
                    Some("merge") => Occasion::Merge,
                    Some("verification") => Occasion::Verification,
                    _ => Occasion::Commit,
                };
            }
            "propose" => {
                self.agreed = Some(self.files.clone());
                self.branch = value.as_str().map(str::to_owned);
            }
            "bootstrap" => {
                self.agreed = Some(Files::new());
                self.branch = value.as_str().map(str::to_owned);
            }
            "decision" => {
                let Value::Object(said) = value else { panic!("decision: {value} is no map") };
                let sides = (&mut self.files, self.agreed.as_ref());
                decide(sides, said, self.clock, self.branch.as_deref());
            }
            kind => match super::aside::home(kind, &value) {
                Some(home) => self.aside(&home, kind, value),
                None => self.entry(kind, value),
            },
        }
    }

    fn each(&mut self, value: Value, act: impl Fn(&mut Files, RepoPath, String)) {
        let Value::Object(pairs) = value else { panic!("{value} is no map of paths") };
        for (path, value) in pairs {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            act(&mut self.files, path.as_str().into(), text);
        }
    }

    fn edit(&mut self, value: Value) {
        let Value::Object(pairs) = value else { panic!("{value} is no map of paths") };
        for (path, change) in pairs {
            let (_, bytes) = self.files.get_mut(&RepoPath::from(path.as_str())).expect(PATH);
            let text = String::from_utf8(bytes.clone()).expect("text to edit");
            let [from, to] = [0, 1].map(|index| change[index].as_str().expect("[from, to]"));
            assert!(text.contains(from), "{path} does not hold {from:?}:\n{text}");
            *bytes = text.replacen(from, to, 1).into_bytes();
        }
    }

    pub(super) fn repository(&self) -> Memory {
        let mut memory = Memory::default();
        memory.set(Side::Index, &self.files);
        let base = self.agreed.as_ref().unwrap_or(&self.files);
        memory.set(Memory::commit(1), base);
        memory.set(Memory::commit(2), self.landed.as_ref().unwrap_or(base));
        if let (Some(maker), Side::Commit(commit)) = (&self.maker, Memory::commit(3)) {
            memory.set(Memory::commit(3), &self.files);
            memory.set_maker(commit, maker);
        }
        memory
    }

    pub(super) fn proposal(&self, repository: &Memory, agreed: Side, base: Side) -> Proposal {
        Proposal {
            agreed,
            base,
            head: Side::Index,
            parents: Vec::new(),
            tips: Vec::new(),
            branch: self.branch.clone(),
            occasion: self.occasion,
            changes: repository.changes(base, Side::Index).expect("memory"),
            steps: Vec::new(),
        }
    }

    /// What the guard is asked about.
    pub(super) fn proposed(&self, repository: &Memory) -> Proposal {
        if self.occasion == Occasion::Verification {
            let all = self.proposal(repository, Side::Nothing, Side::Nothing);
            return Proposal { changes: Vec::new(), ..all };
        }
        let staged = self.proposal(repository, Memory::commit(2), Memory::commit(1));
        match (&self.maker, Memory::commit(3), Memory::commit(1)) {
            (Some(_), head @ Side::Commit(commit), Side::Commit(parent)) => Proposal {
                head,
                occasion: Occasion::Range,
                steps: vec![Step { commit, parents: vec![parent] }],
                ..staged
            },
            _ => staged,
        }
    }

    pub(super) fn judge(&self) -> Result<Report, crate::snapshot::Fault> {
        let repository = self.repository();
        let proposal = self.proposed(&repository);
        let bootstrap = self.agreed.as_ref().is_some_and(Files::is_empty);
        guard::guard(&repository, &proposal, self.clock, bootstrap)
    }

    /// The world as it is now, for drafting.
    pub(super) fn world(&self, task: &TaskId) -> World {
        self.world_through(Focus::Tasks(vec![task.clone()]))
    }

    pub(super) fn world_through(&self, focus: Focus) -> World {
        let repository = self.repository();
        let proposal = self.proposal(&repository, Side::Index, Side::Index);
        let policy = super::compiled(&self.files[&POLICY_PATH.into()].1);
        let (policy_problems, bootstrap, at) = (Vec::new(), false, self.clock);
        let signers = Default::default();
        let terms = Terms { policy, signers, policy_problems, bootstrap, at, focus };
        world::build(&repository, &proposal, terms).expect("a world to draft in")
    }

    fn entry(&mut self, kind: &str, value: Value) {
        let Value::Object(mut said) = value else { panic!("{kind}: {value} is no map") };
        let named = said.remove("task").or_else(|| said.get("task_id").cloned());
        let task =
            named.map_or("strat-001".to_owned(), |id| id.as_str().expect("an id").to_owned());
        let task: TaskId = task.parse().expect("an id");
        let envelope_said = said.remove("entry").unwrap_or(json!({}));
        self.wait("1m");
        let world = self.world(&task);
        let ledger = world.ledgers.get(&Home::Task(task.clone()));
        let state = ledger.and_then(LedgerView::state);
        let mut payload = self.draft(kind, &world, state, &said, &task);
        let own_inputs = said.contains_key("inputs") && !said.contains_key("run_id");
        overlay(&mut payload, said);
        if let Some(state) = state.filter(|_| kind == "run" && own_inputs) {
            payload["run_id"] = json!(run_id(state, &payload));
        }
        let author = Author {
            actor: actor(kind, &payload).parse().expect("a name"),
            session: Some(format!("session-of-{}", actor(kind, &payload))),
            branch: self.branch.clone(),
            at: self.clock,
        };
        let envelope = draft::envelope(ledger, &world.policy, &author);
        let mut envelope = serde_json::to_value(&envelope).expect("JSON");
        let Value::Object(envelope_said) = envelope_said else { panic!("entry is no map") };
        overlay(&mut envelope, envelope_said);
        let month = ledger.map_or_else(
            || self.clock.month(),
            |ledger| ledger.folder.folder().file_name().to_string(),
        );
        let sequence = envelope["sequence"].as_u64().unwrap_or(1);
        let path = format!(".orch/tasks/{month}/{task}/{sequence:04}-{kind}.yaml");
        let document = json!({ kind: payload, "entry": envelope });
        let text = serde_yaml::to_string(&document).expect("YAML");
        self.files.insert(path.as_str().into(), (Mode::File, text.into_bytes()));
    }

    fn draft(
        &self,
        kind: &str,
        world: &World,
        state: Option<&State>,
        said: &Map<String, Value>,
        task: &TaskId,
    ) -> Value {
        if kind == "task" {
            return json!({
                "task_id": task, "title": "A strategy", "workflow": "new_strategy",
                "requestor": "orchestrator", "version": "1.0",
            });
        }
        let policy = &world.policy;
        let known =
            state.and_then(|state| Some((state, policy.workflows.get(&state.task.workflow)?)));
        let Some((state, workflow)) = known else { return json!({}) };
        let said_stage =
            said.get("stage").and_then(Value::as_str).and_then(|stage| stage.parse().ok());
        let stage = said_stage
            .and_then(|stage: StageName| workflow.stage(&stage))
            .or_else(|| draft::next_stage(workflow, state))
            .unwrap_or_else(|| workflow.first());
        let payload: Payload = match kind {
            "run"
                if said.get("status").is_some_and(|status| status != "in_progress")
                    && state.active_run().is_some() =>
            {
                return self.follow_up(world, state, said);
            }
            "run" => {
                let mut run = draft::run(world, state, stage);
                run.branch = self.branch.clone();
                run.into()
            }
            "handoff" => {
                let artifacts = self.artifacts(stage, state);
                let run = draft::run_to_end(world, state, stage);
                draft::handoff(&world.policy, state, stage, run, stage.agent.clone(), artifacts)
                    .into()
            }
            "gate" => {
                let coordinator = "orchestrator".parse().expect("a name");
                draft::gate(world, state, stage, coordinator, None).into()
            }
            "audit_report" => {
                let failed = said.get("verdict").is_some_and(|verdict| verdict == "FAIL");
                let verdict = if failed { Verdict::Fail } else { Verdict::Pass };
                self.audit_report(policy, state, stage, verdict)
            }
            "approval" => {
                let founder = "founder".parse().expect("a name");
                draft::approval(world, state, stage, founder, "Go".into()).into()
            }
            "failure_response" => {
                return json!({
                    "task_id": task, "verdict": "FAIL", "returns_to": stage.on_fail,
                    "issues": state.issues,
                });
            }
            "escalation" => {
                let due = self.clock.plus(policy.escalation.decision_due);
                return json!({ "due_at": due });
            }
            _ => return json!({}),
        };
        serde_json::to_value(&payload).expect("JSON")
    }

    /// What the stage's globs match, by the rules that the command follows.
    fn artifacts(&self, stage: &Stage, state: &State) -> Vec<Artifact> {
        let files: Vec<RepoPath> = self.files.keys().cloned().collect();
        let agreed = self.agreed.clone().unwrap_or_default();
        let changed = self.files.iter().filter(|(path, file)| agreed.get(*path) != Some(file));
        let changed = changed.map(|(path, _)| path.clone()).collect();
        let collected = draft::collect(stage, state, &files, &changed, &BTreeMap::new());
        let collected = collected.unwrap_or_default();
        collected
            .into_iter()
            .map(|(name, path)| {
                let checksum = Digest::of(&self.files[&path].1);
                Artifact { name, path, checksum }
            })
            .collect()
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{value} has no {key}")).to_owned()
}
