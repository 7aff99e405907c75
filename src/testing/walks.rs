//! Random walks: several actors say whatever they like, the guard keeps what it accepts, and a naive
//! reader of the records, who knows neither the fold nor the checks, finds every promise kept.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::story::{Teller, told};
use crate::record::kind::{FailureClass, Gate, GateVerdict, Outcome, Run, RunStatus, Verdict};
use crate::record::{Home, Payload, Record, RecordPath, parse, yaml};
use crate::snapshot::Mode;
use crate::source::{Digest, Moment, RepoPath, RunId};

/// What somebody may try, as items of a story. `@write` makes what the stage that runs produces.
const TRIES: &[&[(&str, &str)]] = &[
    &[("run", "{}")],
    &[("run", "{}")],
    &[("run", "{}")],
    &[("run", "{stage: deploy_paper}")],
    &[("run", "{stage: deploy_live}")],
    &[("run", "{stage: strategy}")],
    &[("run", "{run_id: r0123456789}")],
    &[("run", "{attempt: 1}")],
    &[("run", "{status: failed, failure: {class: transient, reason: network}}")],
    &[("run", "{status: failed, failure: {class: deterministic, reason: bug}}")],
    &[
        ("run", "{status: failed, failure: {class: policy, reason: limit}}"),
        ("pause", "{cause: repeated_failures, reason: limit}"),
    ],
    &[("@write", "1"), ("handoff", "{}")],
    &[("@write", "2"), ("handoff", "{}")],
    &[("@write", "3"), ("handoff", "{status: partial}")],
    &[("handoff", "{}")],
    &[("gate", "{}")],
    &[("gate", "{}")],
    &[("gate", "{}")],
    &[("gate", "{verdict: pass, conditions: [], reasons: []}")],
    &[("audit_report", "{}")],
    &[("audit_report", "{}")],
    &[("audit_report", "{covers: []}")],
    &[
        (
            "audit_report",
            "{verdict: FAIL, issues: [{id: issue-001, severity: major, category: other, \
             description: d, location: general, remediation: r}]}",
        ),
        ("failure_response", "{}"),
    ],
    &[("approval", "{stage: deploy_live}")],
    &[("approval", "{stage: deploy_live, approver: orchestrator}")],
    &[("rejection", "{handoff: 3, reason: mismatch}")],
    &[("rejection", "{handoff: 6, reason: mismatch}")],
    &[("rejection", "{handoff: 9, reason: format}")],
    &[("pause", "{cause: person, reason: r}")],
    &[("resume", "{approver: founder, sign_off: s}")],
    &[("resume", "{approver: orchestrator, sign_off: s}")],
    &[("block", "{reason: r}")],
    &[("unblock", "{reason: r}")],
    &[("assignment", "{agent: ml_engineer, reason: person}")],
    &[("update", "{version: '2.0'}")],
    &[("write", "{strategies/sma.py: forged}")],
    &[("write", "{'research/reports/sma.json':'{\"trades\": 99, \"max_drawdown\": 0.0}'}")],
    &[("wait", "10m")],
    &[("wait", "20d")],
    &[("@halt", "'stage:backtest'")],
    &[("@halt", "all")],
    &[("@unhalt", "founder")],
    &[("@unhalt", "founder"), ("run", "{}")],
    &[("close", "{outcome: completed, reason: r}")],
];

/// Where walks begin.
const STARTS: &[&str] = &["strategy", "backtest", "audit", "deploy_paper", "deploy_live"];

fn start(index: usize) -> Teller {
    let mut teller = told("- data: {}\n- task: {depends_on: [data-001]}\n");
    teller.tell("done", json!({ "until": STARTS[index] }));
    teller
}

/// Tries something as one proposal; keeps it if the guard has nothing against it.
fn attempt(teller: &mut Teller, items: &[(&str, &str)]) -> bool {
    let mut proposed = teller.clone();
    proposed.tell("propose", json!("feature/strat-001-walk"));
    for (word, said) in items {
        let said = yaml::read(format!("[{said}]").as_bytes()).expect("a story's words").to_json();
        let said = said[0].clone();
        match *word {
            "@write" => write_products(&mut proposed, &said),
            "@halt" => halt(&mut proposed, said.as_str().unwrap_or("all")),
            "@unhalt" => unhalt(&mut proposed),
            word => proposed.tell(word, said),
        }
    }
    let accepted = proposed.judge().is_ok_and(|report| !report.refused());
    if accepted {
        *teller = proposed;
    }
    accepted
}

/// Writes what the stage that runs produces, each time something else.
fn write_products(teller: &mut Teller, number: &Value) {
    let stage = teller.state().and_then(|state| Some(state.active_run()?.stage.to_string()));
    let files = match stage.as_deref() {
        Some("strategy") => json!({
            "strategies/sma.py": format!("code {number}"), "docs/strategies/sma.md": "about",
        }),
        Some("backtest") => json!({
            "research/reports/sma.json": format!("{{\"trades\": 4{number}, \"max_drawdown\": 0.1}}"),
        }),
        Some("deploy_paper") => {
            json!({ "deploy/paper/sma.json": format!("{{\"pnl\": {number}}}") })
        }
        _ => return,
    };
    teller.tell("write", files);
}

fn put(teller: &mut Teller, path: &str, text: &str) {
    teller.files.insert(path.into(), (Mode::File, text.as_bytes().to_vec()));
}

/// Pulls the kill switch, as long as none was ever pulled, with the incident that looks into it.
fn halt(teller: &mut Teller, scope: &str) {
    let at = teller.clock;
    let entry = |actor: &str| format!("{{sequence: 1, recorded_at: '{at}', actor: {actor}}}");
    if teller.files.contains_key(&RepoPath::from(HALT)) {
        return;
    }
    let incident = "incident: {trigger: t, class: c, severity: critical}";
    let founder = entry("founder");
    put(
        teller,
        ".orch/incidents/inc-001/0001-incident.yaml",
        &format!("{incident}\nentry: {founder}\n"),
    );
    let halt = format!(
        "halt: {{topic: risk.kill_switch, scope: '{scope}', reason: r, incident: inc-001}}\n\
         entry: {founder}\n"
    );
    put(teller, HALT, &halt);
}

const HALT: &str = ".orch/halts/h-001/0001-halt.yaml";
const LIFT: &str = ".orch/halts/h-001/0002-resume.yaml";

fn unhalt(teller: &mut Teller) {
    let Some((_, bytes)) = teller.files.get(&RepoPath::from(HALT)).cloned() else { return };
    let (previous, at) = (Digest::of(&bytes), teller.clock);
    let lift = format!(
        "resume: {{approver: founder, sign_off: s, incident: inc-001}}\n\
         entry: {{sequence: 2, previous: {previous}, recorded_at: '{at}', actor: founder}}\n"
    );
    put(teller, LIFT, &lift);
}

fn record(path: &RepoPath, bytes: &[u8]) -> Option<Record> {
    parse(&RecordPath::parse(path).ok()?, bytes).ok()
}

/// When the halt stood, and for what.
struct Halted {
    from: Moment,
    until: Option<Moment>,
    scope: String,
}

impl Halted {
    fn covers(&self, stage: &str, at: Moment) -> bool {
        let named = self.scope == "all" || self.scope == format!("stage:{stage}");
        named && at > self.from && self.until.is_none_or(|until| at < until)
    }
}

/// The task's records in order, and when the halt stood, for what.
fn read(teller: &Teller) -> (Vec<Record>, Option<Halted>) {
    let all = teller.files.iter().filter_map(|(path, (_, bytes))| record(path, bytes));
    let mut own: Vec<Record> = all
        .filter(|r| matches!(&r.path.home, Home::Task(id) if id.as_str() == "strat-001"))
        .collect();
    own.sort_by_key(Record::sequence);
    let file = |path: &str| {
        let path = RepoPath::from(path);
        teller.files.get(&path).and_then(|(_, bytes)| record(&path, bytes))
    };
    let halt = file(HALT).map(|pulled| {
        let Payload::Halt(halt) = &pulled.payload else { panic!("a halt") };
        let lifted = file(LIFT).map(|lifted| lifted.entry.recorded_at);
        Halted { from: pulled.entry.recorded_at, until: lifted, scope: halt.scope.clone() }
    });
    (own, halt)
}

/// An audit, as far as a deployment relies on it.
struct Audited {
    sequence: u32,
    verdict: Verdict,
    date: Moment,
    covers: BTreeSet<(RepoPath, Digest)>,
}

/// What a naive reader keeps in mind while reading a ledger from its first entry.
#[derive(Default)]
struct Reader {
    active: Option<RunId>,
    frozen: BTreeSet<&'static str>,
    tries: BTreeMap<RunId, u32>,
    handed_off: BTreeSet<RunId>,
    gated: BTreeSet<RunId>,
    sealed: BTreeMap<String, (u32, Vec<(RepoPath, Digest)>)>,
    audit: Option<Audited>,
    approved: bool,
    closed: bool,
}

impl Reader {
    fn read(&mut self, record: &Record, halt: Option<&Halted>) {
        assert!(!self.closed, "nothing follows a close");
        let at = record.entry.recorded_at;
        let rests = |stage: &str| {
            let halted = halt.is_some_and(|halt| halt.covers(stage, at));
            assert!(!halted, "no transition of {stage} under a halt (R003-12)");
        };
        match &record.payload {
            Payload::Run(run) if run.status == RunStatus::InProgress => {
                rests(run.stage.as_str());
                self.begin(run, at);
            }
            Payload::Run(run) => self.go_on(run),
            Payload::Handoff(handoff) => {
                rests(handoff.stage.as_str());
                assert_eq!(self.active.take().as_ref(), Some(&handoff.run_id));
                let once = self.handed_off.insert(handoff.run_id.clone());
                assert!(once, "no second handoff of a run (R001-18)");
                let files = handoff.artifacts.iter().map(|a| (a.path.clone(), a.checksum));
                let sealed = (record.sequence(), files.collect());
                self.sealed.insert(handoff.stage.to_string(), sealed);
            }
            Payload::AuditReport(report) => {
                rests("audit");
                assert!(self.active.take().is_some(), "an audit is a run");
                let covers = report.covers.iter().map(|a| (a.path.clone(), a.checksum)).collect();
                let (sequence, verdict, date) = (record.sequence(), report.verdict, report.date);
                self.audit = Some(Audited { sequence, verdict, date, covers });
            }
            Payload::Gate(gate) => {
                rests(gate.stage.as_str());
                self.promote(gate);
            }
            other => self.direct(other),
        }
    }

    fn begin(&mut self, run: &Run, at: Moment) {
        assert!(self.active.is_none(), "one active stage (R001-11)");
        assert!(self.frozen.is_empty(), "no run while {:?}", self.frozen);
        let tries = self.tries.entry(run.run_id.clone()).or_default();
        *tries += 1;
        assert!(*tries <= 5, "no retry over the cap (R001-15)");
        if run.stage.as_str().starts_with("deploy") {
            self.may_deploy(at);
        }
        assert!(run.stage.as_str() != "deploy_live" || self.approved, "a person approved");
        self.active = Some(run.run_id.clone());
    }

    fn go_on(&mut self, run: &Run) {
        assert_eq!(self.active.as_ref(), Some(&run.run_id), "only what goes on goes on");
        if run.status == RunStatus::Failed {
            self.active = None;
            let class = run.failure.as_ref().map(|failure| failure.class);
            if class == Some(FailureClass::Policy) {
                self.frozen.insert("a pause is owed");
            }
        }
    }

    fn promote(&mut self, gate: &Gate) {
        assert!(self.active.is_none() && self.frozen.is_empty(), "nothing moves");
        let once = self.gated.insert(gate.run_id.clone());
        assert!(once, "no second promotion (R001-19)");
        if gate.verdict == GateVerdict::Pass && gate.stage.as_str() == "audit" {
            let passed = self.audit.as_ref().map(|audit| audit.verdict);
            assert_eq!(passed, Some(Verdict::Pass), "the gatekeeper (R000-13)");
        }
        self.approved &= gate.verdict == GateVerdict::Pass;
    }

    /// What those say who direct the work.
    fn direct(&mut self, payload: &Payload) {
        match payload {
            Payload::Rejection(_) | Payload::FailureResponse(_) => {
                (self.active, self.approved) = (None, false);
            }
            Payload::Approval(approval) => {
                assert_eq!(approval.approver.as_str(), "founder", "only a person approves");
                self.approved = true;
            }
            Payload::Pause(_) => {
                self.frozen.remove("a pause is owed");
                self.frozen.insert("paused");
            }
            Payload::Resume(resume) => {
                assert_eq!(resume.approver.as_str(), "founder", "only a person resumes (R001-17)");
                self.frozen.remove("paused");
                self.tries.clear();
            }
            Payload::Block(_) => drop(self.frozen.insert("blocked")),
            Payload::Unblock(_) => drop(self.frozen.remove("blocked")),
            Payload::Close(close) => {
                assert!(close.outcome != Outcome::Completed || self.gated.len() >= 5);
                self.closed = true;
            }
            _ => {}
        }
    }

    /// R000-13 to R000-17: behind the latest audit, which passed, is young, and covers what stands.
    fn may_deploy(&self, at: Moment) {
        let Audited { sequence, verdict, date, covers } =
            self.audit.as_ref().expect("an audit (R000-13)");
        assert_eq!(*verdict, Verdict::Pass, "an audit that passed (R000-13)");
        assert!(at.since(*date) <= chrono::TimeDelta::days(30), "a young audit (R000-16)");
        for stage in ["strategy", "backtest"] {
            let (sealed, files) = self.sealed.get(stage).expect("handed off before the audit");
            assert!(sealed < sequence, "the audit came after what it covers (R000-17)");
            assert!(files.iter().all(|file| covers.contains(file)), "it covers all (R000-17)");
        }
    }
}

/// Walks a few thousand ways from one start; counts what was accepted, so that a guard that refuses
/// everything does not pass for a good one.
#[track_caller]
fn walk(from: usize, cases: u32) {
    let begin = start(from);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let seed = [u8::try_from(from).expect("few starts"); 32];
    let random = proptest::test_runner::TestRng::from_seed(
        proptest::test_runner::RngAlgorithm::ChaCha,
        &seed,
    );
    let mut runner = TestRunner::new_with_rng(config, random);
    let (tried, accepted) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let steps = prop::collection::vec(0..TRIES.len(), 6..12);
    let walked = runner.run(&steps, |steps| {
        let mut teller = begin.clone();
        for step in &steps {
            tried.set(tried.get() + 1);
            if attempt(&mut teller, TRIES[*step]) {
                accepted.set(accepted.get() + 1);
            }
        }
        let (records, halt) = read(&teller);
        let mut reader = Reader::default();
        for record in &records {
            reader.read(record, halt.as_ref());
        }
        Ok(())
    });
    walked.unwrap_or_else(|error| panic!("{error}"));
    let (tried, accepted) = (tried.get(), accepted.get());
    eprintln!("{cases} walks from {}: {accepted} of {tried} steps were accepted", STARTS[from]);
    assert!(accepted * 5 > tried, "{accepted} of {tried}: the walks hardly move");
}

#[test]
fn walks_from_the_first_stage_keep_every_promise() {
    walk(0, CASES);
}

#[test]
fn walks_from_the_backtest_keep_every_promise() {
    walk(1, CASES);
}

#[test]
fn walks_from_the_audit_keep_every_promise() {
    walk(2, CASES);
}

#[test]
fn walks_from_paper_keep_every_promise() {
    walk(3, CASES);
}

#[test]
fn walks_from_the_last_stage_keep_every_promise() {
    walk(4, CASES);
}

const CASES: u32 = 400;
