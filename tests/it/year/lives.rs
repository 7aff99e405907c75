//! What a team did in a year: who failed, who was sent back, what was stopped, and what is left open.

use super::ledger::{Artifact, Files, Ledger, YEAR, date, digest, listed, moment, run_id};
use crate::support::Random;

/// Everything written so far.
pub(crate) struct Year {
    pub(crate) files: Files,
    random: Random,
    data: Vec<(i64, String, Artifact)>,
    incidents: usize,
    decisions: usize,
}

/// A stage of the strategy template, as far as the generator must know it.
struct Stage {
    name: &'static str,
    agent: &'static str,
    lane: &'static str,
    to: &'static str,
    /// What it makes: a name, a path around the task's id, and a text around a number.
    makes: &'static [(&'static str, &'static str, &'static str)],
    /// Which of it, and of other tasks', it consumes.
    takes: &'static [&'static str],
    /// The conditions of its gate, with what they saw.
    conditions: &'static [(&'static str, &'static str)],
}

const STRATEGY: [Stage; 5] = [
    Stage {
        name: "strategy",
        agent: "strategy_developer",
        lane: "B",
        to: "quant_engineer",
        makes: &[
            ("documentation", "docs/strategies/{}.md", "# Take "),
            ("strategy_code", "strategies/{}/{}.py", "take = "),
        ],
        takes: &[],
        conditions: &[],
    },
    Stage {
        name: "backtest",
        agent: "quant_engineer",
        lane: "C",
        to: "independent_auditor",
        makes: &[(
            "backtest_results",
            "research/reports/{}.json",
            "{\"trades\": 42, \"max_drawdown\": 0.12}\n",
        )],
        takes: &["strategy_code", "validated_data"],
        conditions: &[
            ("backtest_results.trades >= 30", "backtest_results.trades = 42"),
            ("backtest_results.max_drawdown <= 0.2", "backtest_results.max_drawdown = 0.12"),
        ],
    },
    Stage {
        name: "audit",
        agent: "independent_auditor",
        lane: "D",
        to: "deployment_agent",
        makes: &[],
        takes: &["backtest_results", "documentation"],
        conditions: &[],
    },
    Stage {
        name: "deploy_paper",
        agent: "deployment_agent",
        lane: "E",
        to: "deployment_agent",
        makes: &[("paper_results", "deploy/paper/{}.json", "{\"days\": 20}\n")],
        takes: &["audit_pass"],
        conditions: &[],
    },
    Stage {
        name: "deploy_live",
        agent: "deployment_agent",
        lane: "E",
        to: "orchestrator",
        makes: &[("live_release", "deploy/live/{}.json", "{\"live\": true}\n")],
        takes: &["audit_pass", "paper_results"],
        conditions: &[],
    },
];

const DATA: Stage = Stage {
    name: "validate",
    agent: "data_engineer",
    lane: "A",
    to: "orchestrator",
    makes: &[("validated_data", "data/manifests/{}.json", "{\"rows\": 8760}\n")],
    takes: &[],
    conditions: &[],
};

/// A task under way.
struct Life {
    id: String,
    ledger: Ledger,
    /// What it has, by the names of the evidence; the latest counts.
    has: Vec<Artifact>,
    entered: Vec<(&'static str, u32)>,
    /// How often it was begun anew.
    take: usize,
    /// Whether an audit found what no handoff has answered.
    owes_an_answer: bool,
}

impl Year {
    /// Tells a year with so many tasks, always the same for the same seed.
    pub(crate) fn told(seed: u64, tasks: usize) -> Self {
        let random = Random::new(seed);
        let files = Files::new();
        let mut year = Year { files, random, data: Vec::new(), incidents: 0, decisions: 0 };
        let policy = include_str!("../../../templates/strategy.yaml");
        year.files.insert(".orch/policy.yaml".into(), policy.into());
        let length = 340 * 86_400;
        for index in 0..tasks {
            let share = i64::try_from(index).unwrap() * length / i64::try_from(tasks).unwrap();
            let at = share + year.between(0, 36_000);
            if index % 4 == 0 {
                year.data_task(index, at);
            } else {
                year.strategy_task(index, at);
            }
            if index % 25 == 24 {
                year.drill(at);
            }
        }
        year
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.random.below(usize::try_from(to - from).unwrap())).unwrap()
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.random.below(many) == 0
    }

    fn open(&mut self, id: String, workflow: &str, depends_on: Option<&str>, at: i64) -> Life {
        let mut ledger = Ledger::task(&id, at);
        let depends = depends_on.map(|other| format!("  depends_on: [{other}]\n"));
        let body = format!(
            "  task_id: {id}\n  title: Task {id}\n  workflow: {workflow}\n  version: \"1.0\"\n  \
             requestor: orchestrator\n{}",
            depends.unwrap_or_default()
        );
        ledger.say(&mut self.files, "task", "orchestrator", &body);
        Life { id, ledger, has: Vec::new(), entered: Vec::new(), take: 0, owes_an_answer: false }
    }

    fn data_task(&mut self, index: usize, at: i64) {
        let id = format!("data-{index:04}");
        let mut life = self.open(id.clone(), "data_refresh", None, at);
        self.pauses(&mut life);
        if !self.stage(&mut life, &DATA, None) {
            return;
        }
        life.ledger.wait(60);
        self.close(&mut life, "completed");
        let made = life.has.pop().unwrap();
        self.data.push((life.ledger.now, id, made));
    }

    fn strategy_task(&mut self, index: usize, at: i64) {
        let ready = self.data.iter().rev().find(|(done, ..)| *done < at).cloned();
        let Some((_, data, manifest)) = ready else { return };
        let id = format!("strat-{index:04}");
        let mut life = self.open(id, "new_strategy", Some(&data), at);
        life.has.push(manifest);
        let mut next = 0;
        while next < STRATEGY.len() {
            self.pauses(&mut life);
            if self.one_in(40) {
                // It rests where it stands.
                return;
            }
            if STRATEGY[next].name == "audit" && self.one_in(3) {
                self.request(&mut life);
            }
            if STRATEGY[next].name == "deploy_live" {
                self.approve(&mut life);
            }
            let behind = STRATEGY.get(next + 1).map(|stage| stage.name);
            let before = life.take;
            if !self.stage(&mut life, &STRATEGY[next], behind) {
                return;
            }
            next = if life.take > before { 0 } else { next + 1 };
        }
        life.ledger.wait(600);
        self.close(&mut life, "completed");
        if self.one_in(8) {
            self.incident(&life.id, life.ledger.now + 7200);
        }
    }

    fn pauses(&mut self, life: &mut Life) {
        let wait = self.between(120, 20_000);
        life.ledger.wait(wait);
        if self.one_in(12) {
            let files = &mut self.files;
            life.ledger.say(files, "block", "orchestrator", "  reason: The vendor is late\n");
            life.ledger.wait(wait * 2);
            life.ledger.say(files, "unblock", "orchestrator", "  reason: It came\n");
            life.ledger.wait(60);
        }
        if self.one_in(15) {
            self.dispute(life);
        }
        if self.one_in(6) {
            self.message(life);
        }
    }

    fn message(&mut self, life: &mut Life) {
        let said = |life: &Life, (from, to): (&str, &str), kind: &str, status: &str| {
            format!(
                "  from: {from}\n  to: {to}\n  type: {kind}\n  task_id: {}\n  payload: {{words: \
                 Which fees}}\n  status: {status}\n  timestamp: \"{}\"\n",
                life.id,
                moment(life.ledger.now)
            )
        };
        let body = said(life, ("quant_engineer", "data_engineer"), "request", "pending");
        life.ledger.say(&mut self.files, "message", "quant_engineer", &body);
        life.ledger.wait(300);
        if !self.one_in(4) {
            let body = said(life, ("data_engineer", "quant_engineer"), "response", "completed");
            life.ledger.say(&mut self.files, "message", "data_engineer", &body);
            life.ledger.wait(60);
        }
    }

    fn dispute(&mut self, life: &mut Life) {
        let due = moment(life.ledger.now + 86_400);
        let body = format!(
            "  level: 1\n  trigger: What a trade costs\n  positions:\n    - {{agent: quant_engineer, \
             statement: Ten points}}\n    - {{agent: strategy_developer, statement: Five points}}\n  \
             due_at: \"{due}\"\n"
        );
        life.ledger.say(&mut self.files, "escalation", "orchestrator", &body);
        life.ledger.wait(3600);
        self.decisions += 1;
        let (month, day) = date(life.ledger.now / 86_400);
        let (day, number) = (format!("{YEAR}-{month:02}-{day:02}"), self.decisions);
        let id = format!("{day}-costs-{number}");
        let text = format!(
            "decision:\n  id: {id}\n  title: Costs {number}\n  status: accepted\n  date: \"{day}\"\n  \
             decision_makers: [founder]\n  context: Two views\n  outcome: Ten points\n  resolves: \
             [\"{}/{}\"]\nentry:\n  recorded_at: \"{}\"\n  actor: founder\n  session: of-founder\n",
            life.id,
            life.ledger.sequence(),
            moment(life.ledger.now)
        );
        self.files.insert(format!(".orch/decisions/{id}.yaml"), text);
        life.ledger.wait(60);
    }

    fn request(&mut self, life: &mut Life) {
        let mut body = "  name: Task\n  version: \"1.0\"\n  artifacts:\n".to_owned();
        for artifact in life.latest(&["backtest_results", "documentation"]) {
            body.push_str(&format!("    {}: \"{}\"\n", artifact.name, artifact.path));
        }
        body.push_str("  requestor: orchestrator\n");
        life.ledger.say(&mut self.files, "audit_request", "orchestrator", &body);
        life.ledger.wait(60);
    }

    fn approve(&mut self, life: &mut Life) {
        let covers = listed("covers", &life.latest(&["audit_pass", "paper_results"]));
        let body = format!(
            "  stage: deploy_live\n  approver: founder\n  statement: Results look right\n{covers}"
        );
        life.ledger.say(&mut self.files, "approval", "founder", &body);
        life.ledger.wait(60);
    }

    fn close(&mut self, life: &mut Life, outcome: &str) {
        let body = format!("  outcome: {outcome}\n  reason: So it ended\n");
        life.ledger.say(&mut self.files, "close", "orchestrator", &body);
    }

    /// Does a stage up to its gate. Gives whether the task goes on; if the stage, or one before it, is to
    /// be done once more, its `take` has risen.
    fn stage(&mut self, life: &mut Life, stage: &Stage, next: Option<&str>) -> bool {
        let entered = life.enter(stage.name);
        let inputs = life.latest(stage.takes);
        let id = run_id(&life.id, stage.name, &inputs, entered);
        if !self.runs(life, stage, &id, &inputs) {
            return false;
        }
        let wait = self.between(30, 14_000);
        life.ledger.wait(wait);
        let made = match stage.name {
            "audit" => match self.report(life, stage) {
                Some(report) => vec![report],
                None => return true,
            },
            _ => self.hand_over(life, stage, &id),
        };
        if self.one_in(80) {
            // It waits for its gate to this day.
            return false;
        }
        let wait = self.between(30, 3_000);
        life.ledger.wait(wait);
        if stage.name == "backtest" && self.one_in(10) {
            let body = format!(
                "  handoff: {}\n  artifacts: [backtest_results]\n  reason: format\n",
                life.ledger.sequence()
            );
            life.ledger.say(&mut self.files, "rejection", stage.to, &body);
            life.take += 1;
            life.ledger.wait(60);
            return self.again(life, stage, next);
        }
        let mut body = format!("  stage: {}\n", stage.name);
        if let Some(next) = next {
            body.push_str(&format!("  next_stage: {next}\n"));
        }
        body.push_str(&format!("  run_id: {id}\n  verdict: pass\n  evaluated_by: orchestrator\n"));
        body.push_str(&listed("evidence", &made));
        for (index, (expression, observed)) in stage.conditions.iter().enumerate() {
            let key = if index == 0 { "  conditions:\n" } else { "" };
            body.push_str(&format!(
                "{key}    - {{expression: \"{expression}\", observed: \"{observed}\", result: true}}\n"
            ));
        }
        life.ledger.say(&mut self.files, "gate", "orchestrator", &body);
        life.has.extend(made);
        true
    }

    /// Does a stage once more whose handoff was sent back, without leaving it.
    fn again(&mut self, life: &mut Life, stage: &Stage, next: Option<&str>) -> bool {
        let before = life.take;
        let goes_on = self.stage(life, stage, next);
        life.take = before - 1;
        goes_on
    }

    /// Runs until a run ends well. Gives whether it did.
    fn runs(&mut self, life: &mut Life, stage: &Stage, id: &str, inputs: &[Artifact]) -> bool {
        let mut attempt = 1;
        loop {
            let begun = life.begin(stage, id, attempt, inputs);
            life.ledger.say(&mut self.files, "run", stage.agent, &begun);
            let wait = self.between(20, 9_000);
            life.ledger.wait(wait);
            if self.one_in(60) {
                return false;
            }
            if self.one_in(70) {
                self.close(life, "abandoned");
                return false;
            }
            if !self.one_in(6) {
                return true;
            }
            let (class, reason) = *self.random.pick(&[
                ("transient", "network"),
                ("transient", "network"),
                ("deterministic", "exit_code"),
                ("spec", "usage"),
                ("policy", "not_permitted"),
            ]);
            let failed = life.failed(stage, id, attempt, (class, reason));
            life.ledger.say(&mut self.files, "run", stage.agent, &failed);
            life.ledger.wait(400);
            if class == "transient" && attempt < 4 {
                attempt += 1;
                continue;
            }
            let body = "  cause: repeated_failures\n  reason: It failed\n";
            life.ledger.say(&mut self.files, "pause", stage.agent, body);
            let wait = self.between(600, 40_000);
            life.ledger.wait(wait);
            if self.one_in(10) {
                return false;
            }
            let body = "  approver: founder\n  sign_off: It is mended\n";
            life.ledger.say(&mut self.files, "resume", "founder", body);
            life.ledger.wait(60);
            attempt = 1;
        }
    }

    fn hand_over(&mut self, life: &mut Life, stage: &Stage, id: &str) -> Vec<Artifact> {
        let mut made = Vec::new();
        for (name, path, text) in stage.makes {
            let path = path.replace("{}", &life.id);
            let text = match text.ends_with('\n') {
                true => format!("{}{}", text.trim_end(), " ".repeat(life.take) + "\n"),
                false => format!("{text}{}\n", life.take),
            };
            made.push(Artifact::of(name, &path, &text));
            self.files.insert(path, text);
        }
        made.sort();
        let artifacts = listed("artifacts", &made);
        let answers = match std::mem::take(&mut life.owes_an_answer) {
            true => "  resolves: [issue-001]\n",
            false => "",
        };
        let body = format!(
            "  from: {}\n  to: {}\n  task_id: {}\n  stage: {}\n  run_id: {id}\n  status: \
             complete\n{artifacts}{answers}  message: Ready\n",
            stage.agent, stage.to, life.id, stage.name
        );
        life.ledger.say(&mut self.files, "handoff", stage.agent, &body);
        made
    }

    /// Reports an audit. Gives the evidence of one that passed; one that failed sends the task back.
    fn report(&mut self, life: &mut Life, stage: &Stage) -> Option<Artifact> {
        let fails = self.one_in(4);
        let verdict = if fails { "FAIL" } else { "PASS" };
        let names = ["backtest_results", "documentation", "strategy_code", "validated_data"];
        let covers = listed("covers", &life.latest(&names));
        let issues = "  issues:\n    - {id: issue-001, severity: critical, category: lookahead, \
                      description: It looks ahead, location: general, remediation: Use close[1]}\n";
        let issues_of =
            if fails { issues.replace("close[1]", "the close before") } else { String::new() };
        let body = format!(
            "  name: Task {}\n  version: \"1.0\"\n  auditor: {}\n  verdict: {verdict}\n  date: \
             \"{}\"\n{covers}  tests:\n    - {{name: anti_bias, verdict: {verdict}}}\n    - {{name: \
             full_audit, verdict: PASS}}\n{issues_of}",
            life.id,
            stage.agent,
            moment(life.ledger.now)
        );
        let path = life.ledger.say(&mut self.files, "audit_report", stage.agent, &body);
        if !fails {
            let checksum = digest(&self.files[&path]);
            return Some(Artifact { name: "audit_pass".into(), path, checksum });
        }
        let body =
            format!("  task_id: {}\n  verdict: FAIL\n  returns_to: strategy\n{issues_of}", life.id);
        life.ledger.say(&mut self.files, "failure_response", stage.agent, &body);
        life.take += 1;
        life.owes_an_answer = true;
        None
    }

    fn incident(&mut self, task: &str, at: i64) {
        self.incidents += 1;
        let id = format!("inc-{:03}", self.incidents);
        let mut ledger = Ledger::aside("incidents", &id, at);
        let files = &mut self.files;
        let body = format!(
            "  trigger: Drawdown of 31 %\n  class: live_emergency\n  severity: critical\n  procedure: \
             live_emergency\n  tasks: [{task}]\n  lanes: [F]\n  steps:\n    - {{step: rollback, owner: \
             deployment_agent}}\n"
        );
        ledger.say(files, "incident", "founder", &body);
        ledger.wait(600);
        let run = run_id(&id, "rollback", &[], 1);
        let body = format!(
            "  stage: rollback\n  run_id: {run}\n  attempt: 1\n  agent: deployment_agent\n  lane: E\n  \
             branch: feature/{id}-rollback\n  status: in_progress\n  task_id: {task}\n"
        );
        ledger.say(files, "run", "deployment_agent", &body);
        ledger.wait(240);
        let body = format!(
            "  from: deployment_agent\n  to: orchestrator\n  task_id: {task}\n  stage: rollback\n  \
             run_id: {run}\n  status: complete\n  message: Nothing is live\n"
        );
        ledger.say(files, "handoff", "deployment_agent", &body);
        ledger.wait(60);
        let step = |step: &str| format!("  step: {step}\n  outcome: Done\n");
        ledger.say(files, "incident_step", "orchestrator", &step("rollback"));
        ledger.wait(600);
        ledger.say(files, "incident_step", "founder", &step("report"));
        ledger.wait(3600);
        let body =
            "  summary: It fell\n  root_cause: No stop holds over a gap\n  actions: [Test gaps]\n";
        ledger.say(files, "postmortem", "founder", body);
        ledger.wait(60);
        if self.incidents.is_multiple_of(5) {
            // It stays open to this day.
            return;
        }
        ledger.say(files, "close", "founder", "  outcome: completed\n  reason: It is safe\n");
    }

    /// Pulls the kill switch for what nobody works on, and lifts it, most of the time.
    fn drill(&mut self, at: i64) {
        self.incidents += 1;
        let id = format!("drill-{:03}", self.incidents);
        let mut ledger = Ledger::aside("halts", &id, at);
        let body = "  topic: risk.kill_switch\n  scope: workflow:model_update\n  reason: A drill\n  \
                    until: \"2024-12-31T23:59:59Z\"\n";
        ledger.say(&mut self.files, "halt", "founder", body);
        ledger.wait(900);
        if !self.one_in(3) {
            let body = "  approver: founder\n  sign_off: All at rest\n";
            ledger.say(&mut self.files, "resume", "founder", body);
        }
    }
}

impl Life {
    fn latest(&self, names: &[&str]) -> Vec<Artifact> {
        let mut found = Vec::new();
        for name in names {
            found.extend(self.has.iter().rev().find(|known| known.name == *name).cloned());
        }
        found.sort();
        found
    }

    fn enter(&mut self, stage: &'static str) -> u32 {
        match self.entered.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, times)) => {
                *times += 1;
                *times
            }
            None => {
                self.entered.push((stage, 1));
                1
            }
        }
    }

    fn begin(&self, stage: &Stage, id: &str, attempt: u32, inputs: &[Artifact]) -> String {
        let body = self.run(stage, id, attempt, "in_progress");
        body + &listed("inputs", inputs)
    }

    fn failed(&self, stage: &Stage, id: &str, attempt: u32, why: (&str, &str)) -> String {
        let (class, reason) = why;
        let body = self.run(stage, id, attempt, "failed");
        let after = moment(self.ledger.now + 300);
        let retry = format!("  retry_after: \"{after}\"\n");
        let retry = if class == "transient" { retry } else { String::new() };
        format!("{body}  failure: {{class: {class}, reason: {reason}}}\n  exit_code: 1\n{retry}")
    }

    fn run(&self, stage: &Stage, id: &str, attempt: u32, status: &str) -> String {
        format!(
            "  stage: {}\n  run_id: {id}\n  attempt: {attempt}\n  agent: {}\n  lane: {}\n  branch: \
             feature/{}-{}\n  status: {status}\n",
            stage.name, stage.agent, stage.lane, self.id, stage.name
        )
    }
}
