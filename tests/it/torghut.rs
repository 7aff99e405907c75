//! The torghut template: a candidate goes all the way round the loop, and no other.

use crate::support::{Said, Team, TestRepo};

const CANDIDATE: &str = "cand-sma-001";

/// Paths and what stands there.
type Files = &'static [(&'static str, &'static str)];

/// Where each stage's agent works, and what it writes there.
const STAGES: [(&str, &str, Files); 12] = [
    ("research-intake", "researcher", &[("research/candidates/sma.json", "{\"idea\": 1}\n")]),
    (
        "candidate-build",
        "builder",
        &[
            ("services/torghut/strategies/sma.py", "buy = 1\n"),
            ("services/torghut/tests/test_sma.py", "assert True\n"),
        ],
    ),
    (
        "backtest-robustness",
        "tester",
        &[
            ("research/backtests/sma.json", "{\"trades\": 42}\n"),
            ("research/robustness/sma.json", "{\"folds\": 5}\n"),
        ],
    ),
    ("gate-evaluation", "gatekeeper", &[]),
    (
        "promotion-prerequisites",
        "releaser",
        &[("argocd/applications/torghut/promotion/sma.json", "{\"complete\": true}\n")],
    ),
    (
        "rollback-readiness",
        "reliability",
        &[("ops/torghut/rollback/sma.json", "{\"to\": \"v1\"}\n")],
    ),
    (
        "policy-dry-run",
        "reliability",
        &[("ops/torghut/dry-runs/sma.json", "{\"violations\": 0}\n")],
    ),
    (
        "shadow-paper",
        "releaser",
        &[("argocd/applications/torghut/shadow/sma.json", "{\"days\": 20}\n")],
    ),
    ("live-ramp", "releaser", &[("argocd/applications/torghut/live/sma.json", "{\"part\": 1}\n")]),
    (
        "continuous-monitoring",
        "reliability",
        &[("ops/torghut/monitoring/sma.json", "{\"breaches\": 0}\n")],
    ),
    (
        "incident-recovery",
        "reliability",
        &[("ops/torghut/recovery/sma.json", "{\"safe\": true}\n")],
    ),
    ("audit-evidence", "reliability", &[("ops/torghut/evidence/sma.json", "{\"entries\": 9}\n")]),
];

/// A team that works by the template, and how often it has gone through a stage.
struct Loop {
    team: Team,
    round: usize,
}

impl Loop {
    fn begin() -> Self {
        let team = Team::over(TestRepo::new());
        team.orch("owner", &["init", "--template", "torghut", "--hooks"]);
        team.commit("Begin with orch");
        let open = ["task", "open", CANDIDATE, "--workflow", "full_loop", "--title", "SMA"];
        team.orch("coordinator", &open);
        team.commit("Open the candidate");
        Loop { team, round: 0 }
    }

    /// Does a stage's work on its branch: R001-22 gives that its name.
    fn work(&mut self, stage: &str) {
        let (_, agent, files) = STAGES.iter().find(|(name, ..)| *name == stage).unwrap();
        self.team.orch(agent, &["run", "start", CANDIDATE]);
        let branch = self.team.repo.git(&["branch", "--show-current"]);
        assert!(branch.starts_with("codex/torghut-v3-"), "{branch}");
        self.round += 1;
        for (path, text) in *files {
            let text = text.replace("1}", &format!("{}}}", self.round));
            self.team.repo.write(path, text);
        }
        if files.is_empty() {
            let tests = ["lookahead", "leakage", "overfitting", "reproducibility"];
            let tests = tests.map(|test| format!("{test}=PASS"));
            let tests = tests.iter().flat_map(|test| ["--test", test.as_str()]);
            let report = ["audit", "report", CANDIDATE, "--verdict", "PASS"].into_iter();
            self.team.orch(agent, &report.chain(tests).collect::<Vec<_>>());
        } else {
            self.team.orch(agent, &["handoff", "create", CANDIDATE]);
        }
        self.team.commit(stage);
    }

    /// Passes the gate behind the stage at work, to the rule's next stage or to another.
    fn pass(&self, next: Option<&str>) {
        let next: Vec<&str> = next.into_iter().flat_map(|next| ["--next", next]).collect();
        self.team.orch("coordinator", &[&["gate", CANDIDATE], &next[..]].concat());
        self.team.commit("Pass the gate");
        let branch = self.team.repo.git(&["branch", "--show-current"]);
        self.team.merge(branch.trim());
    }

    fn approve(&self) {
        let approve =
            ["approve", CANDIDATE, "--stage", "live-ramp", "--statement", "Seen and agreed"];
        self.team.orch("owner", &approve);
        self.team.commit("Approve the ramp");
    }

    fn start(&self, agent: &str, stage: &str) -> Said {
        self.team.try_orch(agent, &["run", "start", CANDIDATE, "--stage", stage])
    }
}

/// R001-29, R001-33, R001-34: a manifest to fill in for each lane and stage lies in the lane that owns
/// them, staged; one that is there already stays.
#[test]
fn manifests_for_each_stage_are_brought_along() {
    let team = Team::over(TestRepo::new());
    let folder = "docs/torghut/design-system/v3/full-loop/templates";
    let own = format!("{folder}/e-live-ramp.yaml");
    team.repo.write(&own, "ours: true\n");
    let told = team.orch("owner", &["init", "--template", "torghut", "--hooks"]);
    assert!(told.contains("the guard passes"), "{told}");
    let staged = team.repo.git(&["ls-files", folder]);
    assert_eq!(staged.lines().count(), 12, "{staged}");
    for (stage, ..) in &STAGES {
        assert!(staged.contains(&format!("-{stage}.yaml")) || own.contains(stage), "{stage}");
    }
    assert_eq!(team.read(&own), "ours: true\n");
    let intake = team.read(&format!("{folder}/a-research-intake.yaml"));
    assert!(intake.contains("name: torghut-v3-orchestration-playbook-impl-v1"), "{intake}");
    team.orch("owner", &["init", "--template", "torghut", "--force"]);
    assert!(team.read(&own).contains("stage: live-ramp"));
    team.commit("Begin with orch");
    let plain = Team::new();
    assert!(plain.repo.git(&["ls-files", "docs"]).is_empty());
}

/// R001-1 to R001-22, R001-37: twelve stages in six lanes, the loop live → watched → live, the way
/// from an incident to its evidence; a stage that is left out and an edge that is none are refused.
#[test]
fn a_candidate_goes_round_the_loop() {
    let mut all = Loop::begin();
    let skipped = all.start("builder", "candidate-build");
    assert!(skipped.checks().contains(&"stage-skipped"), "{skipped:#?}");
    for (stage, ..) in &STAGES[..8] {
        all.work(stage);
        if *stage == "backtest-robustness" {
            let forbidden = ["gate", CANDIDATE, "--next", "shadow-paper"];
            let said = all.team.try_orch("coordinator", &forbidden);
            assert!(said.checks().contains(&"stage-skipped"), "{said:#?}");
        }
        all.pass(None);
    }
    let unapproved = all.start("releaser", "live-ramp");
    assert!(unapproved.checks().contains(&"approval-missing"), "{unapproved:#?}");
    all.approve();
    all.work("live-ramp");
    all.pass(None);
    all.work("continuous-monitoring");
    all.pass(Some("live-ramp"));
    all.work("live-ramp");
    all.pass(None);
    all.work("continuous-monitoring");
    all.pass(Some("incident-recovery"));
    all.work("incident-recovery");
    let edges = all.team.try_orch("coordinator", &["gate", CANDIDATE, "--next", "live-ramp"]);
    assert!(edges.checks().contains(&"stage-skipped"), "{edges:#?}");
    all.pass(None);
    all.work("audit-evidence");
    all.pass(None);
    let close = ["task", "close", CANDIDATE, "--outcome", "completed", "--reason", "Evidence kept"];
    all.team.orch("coordinator", &close);
    all.team.commit("Close the candidate");
    all.team.verify().passed();
}
