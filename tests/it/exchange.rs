//! Handoffs in the forms of other tools, in and out, and messages: nothing is lost on the way, and
//! what is not so is refused where it stands.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{CODE, DOCUMENT, Said, Team, TestRepo};

const FORMS: [&str; 4] = ["yaml", "message", "markdown", "json"];

/// The example of R000-34, with the checksums of the files that are there.
fn runbook(team: &Team) -> String {
    format!(
        "handoff:\n  from: strategy_developer\n  to: quant_engineer\n  task_id: strat-001\n  \
         artifacts:\n    - path: {CODE}\n      checksum: {}\n    - path: {DOCUMENT}\n      checksum: \
         {}\n  message: \"Strategy ready for backtesting\"\n  next_steps:\n    - Run full backtest\n    \
         - Walk-forward validation\n    - Generate performance report\n",
        team.digest(CODE),
        team.digest(DOCUMENT)
    )
}

/// A team of the controller's agents, whose policy says what their examples hand over (R002-14).
const FLEET: &str = "\
version: 1
project: fleet
agents:
  conductor: {coordinator: true}
  code-archaeologist: {lanes: [analysis]}
  backend-developer: {lanes: [code]}
  test-automator: {lanes: [tests]}
  owner: {human: true}
lanes:
  analysis: {title: Analysis, owns: ['docs/**']}
  code: {title: Code, owns: ['src/**']}
  tests: {title: Tests, owns: ['tests/**']}
branches: ['feature/{task_id}-{slug}']
protected: [main]
workflows:
  build:
    title: From discovery to tests
    stages:
      - name: discovery
        agent: code-archaeologist
        lane: analysis
        produces: {analysis: 'docs/*.md'}
      - name: implementation
        agent: backend-developer
        lane: code
        requires: [analysis]
        produces: {code: 'src/**/*.py'}
      - name: testing
        agent: test-automator
        lane: tests
        requires: [code]
";

const ANALYSIS: &str = "docs/ml_integration_analysis.md";
const ORCHESTRATOR: &str = "src/bot/live/production_orchestrator.py";
const ENGINE: &str = "src/bot/live/trading_engine.py";

/// The first example of R002-14.
const DISCOVERY: &str = "## Agent Handoff Signal

**From**: code-archaeologist
**To**: backend-developer
**Task**: ORCH-001
**Status**: COMPLETE

### Deliverables
- Analysis complete: ML pipeline architecture mapped
- Key finding: production_orchestrator.py is missing
- Dependencies identified: Need ML bridge components

### Context for Next Agent
- ML components at: src/bot/ml/
- Integration points: src/bot/live/cycles/selection.py line 26
- Use IntegratedMLPipeline class from integrated_pipeline.py

### Artifacts
- Analysis report: docs/ml_integration_analysis.md
- Dependency graph: docs/component_dependencies.png
";

/// The second one.
const IMPLEMENTATION: &str = "## Agent Handoff Signal

**From**: backend-developer
**To**: test-automator
**Task**: ORCH-001
**Status**: COMPLETE

### Deliverables
- Created: src/bot/live/production_orchestrator.py
- Methods implemented: 8 public, 12 private
- Error handling: Try/except on all ML calls

### Context for Next Agent
- Test priorities: ML fallback mechanism
- Edge cases: Model loading failures
- Performance target: <100ms strategy selection

### Artifacts
- New file: src/bot/live/production_orchestrator.py
- Updated: src/bot/live/trading_engine.py
";

/// The fleet with its task in discovery, the analysis written beside another document.
fn fleet() -> Team {
    let team = Team::over(TestRepo::new());
    team.orch("owner", &["init", "--template", "team", "--hooks"]);
    team.repo.write(".orch/policy.yaml", FLEET);
    team.repo.git(&["add", ".orch/policy.yaml"]);
    team.commit("Begin with orch");
    let open = ["task", "open", "ORCH-001", "--workflow", "build", "--title", "Create it"];
    team.orch("conductor", &open);
    team.orch("code-archaeologist", &["run", "start", "ORCH-001"]);
    team.repo.write(ANALYSIS, "# ML pipeline\n");
    team
}

/// The fleet one stage on, the code written.
fn building() -> Team {
    let team = fleet();
    assert_eq!(import(&team, "code-archaeologist", DISCOVERY, &[]).code, 0);
    team.commit("Hand over the analysis");
    team.orch("conductor", &["gate", "ORCH-001"]);
    team.commit("Pass the gate");
    team.merge("feature/ORCH-001-discovery");
    team.orch("backend-developer", &["run", "start", "ORCH-001"]);
    team.repo.write(ORCHESTRATOR, "class Orchestrator:\n    pass\n");
    team.repo.write(ENGINE, "class Engine:\n    pass\n");
    team
}

/// Imports a text from standard input.
fn import(team: &Team, agent: &str, text: &str, more: &[&str]) -> Said {
    piped(team, agent, text, &[&["handoff", "import", "-"], more].concat())
}

/// Runs orch with a text on its standard input.
fn piped(team: &Team, agent: &str, text: &str, arguments: &[&str]) -> Said {
    let mut command = team.command(agent, &format!("session-of-{agent}"), arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("orch was built");
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it listens");
    Said::from(&child.wait_with_output().expect("it ends"))
}

/// Gives what the last handoff of a task says, without its envelope.
fn said(team: &Team, task: &str) -> String {
    let record = team.read(&team.record(task, "handoff"));
    record.split("\nentry:").next().expect("there is something").to_owned()
}

/// Imports a text, exports what came of it in each form, and imports that elsewhere: the same is
/// said each time.
#[track_caller]
fn survives(team: &Team, agent: &str, task: &str, text: &str, elsewhere: fn() -> Team) {
    let done = import(team, agent, text, &[]);
    assert_eq!(done.code, 0, "{done:#?}");
    let meant = said(team, task);
    team.commit("Hand over");
    team.guard(&["--base", "main"]).passed();
    for form in FORMS {
        let exported = team.orch("", &["handoff", "export", task, "--format", form]);
        let other = elsewhere();
        let done = import(&other, agent, &exported, &[]);
        assert_eq!(done.code, 0, "{form}: {done:#?}\n{exported}");
        assert_eq!(said(&other, task), meant, "{form}:\n{exported}");
        let again = other.orch("", &["handoff", "export", task, "--format", form]);
        // A message tells when it was sent.
        let timeless = |text: &str| {
            let lines = text.lines().filter(|line| !line.contains("timestamp:"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(timeless(&again), timeless(&exported), "{form}");
    }
}

/// R000-27, R000-32, R000-33, R000-34.
#[test]
fn the_runbooks_example_survives_every_form() {
    let team = Team::written();
    survives(&team, "strategy_developer", "strat-001", &runbook(&team), Team::written);
}

/// R002-9 to R002-14: both examples, whose labels are freer than the template.
#[test]
fn the_first_signal_survives_every_form() {
    let team = fleet();
    survives(&team, "code-archaeologist", "ORCH-001", DISCOVERY, fleet);
    let said = said(&team, "ORCH-001");
    for part in [
        "key_findings:\n      - production_orchestrator.py is missing",
        "label: Integration points\n      text: src/bot/live/cycles/selection.py line 26",
        "text: Use IntegratedMLPipeline class from integrated_pipeline.py",
        "path: docs/ml_integration_analysis.md\n      checksum: sha256:",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
}

#[test]
fn the_second_signal_survives_every_form() {
    let team = building();
    survives(&team, "backend-developer", "ORCH-001", IMPLEMENTATION, building);
    let said = said(&team, "ORCH-001");
    for part in [
        "created_or_modified:\n      - src/bot/live/production_orchestrator.py",
        "label: Performance target\n      text: <100ms strategy selection",
        &format!("path: {ORCHESTRATOR}\n"),
        &format!("path: {ENGINE}\n"),
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
}

/// R002-9, R002-10: what the template leaves open is refused where it stands, and nothing is written.
#[test]
fn placeholders_are_refused_with_their_line() {
    let team = fleet();
    let before = team.state();
    for (from, to, place) in [
        ("**From**: code-archaeologist", "**From**: [Agent Name]", "-:3:11: `[Agent Name]`"),
        ("COMPLETE", "COMPLETE | BLOCKED | PARTIAL", "-:6:13: "),
        ("ORCH-001", "[Task ID]", "-:5:11: "),
        ("**To**: backend-developer\n", "", "no `**To**`"),
        ("ML pipeline architecture mapped", "[file paths]", "-:9:"),
        ("- Key finding: ", "- Created: ../x.py, ", "-:10:"),
        ("### Artifacts\n", "### Artifacts\n- Sealed: x\n", "-:19:"),
        ("### Artifacts\n", "## Agent Handoff Signal\n", "a second signal"),
    ] {
        let text = DISCOVERY.replacen(from, to, 1);
        assert_ne!(text, DISCOVERY);
        let refused = import(&team, "code-archaeologist", &text, &[]);
        assert!(refused.fault().contains(place), "{place}: {refused:#?}");
    }
    assert_eq!(team.state(), before);
}

/// R002-25: deliverables are where the handoff says, in a file that Git holds and at a line of it.
#[test]
fn deliverables_are_where_they_are_said_to_be() {
    let team = fleet();
    let with = |made: &str| {
        DISCOVERY.replacen("- Analysis complete", &format!("- Created: {made}\n- Done"), 1)
    };
    let before = team.state();
    for made in ["docs/nowhere.md", "docs/ml_integration_analysis.md:2", "src/untracked.py"] {
        let refused = import(&team, "code-archaeologist", &with(made), &[]);
        assert!(refused.denied().contains(made), "{refused:#?}");
    }
    let create = ["handoff", "create", "ORCH-001", "--created"];
    for made in ["docs/nowhere.md", "docs/ml_integration_analysis.md:1-2"] {
        let refused = team.try_orch("code-archaeologist", &[&create[..], &[made]].concat());
        assert!(refused.denied().contains(made), "{refused:#?}");
    }
    assert_eq!(team.try_orch("code-archaeologist", &[&create[..], &["a.py:0"]].concat()).code, 2);
    assert_eq!(team.state(), before);
    let done = import(&team, "code-archaeologist", &with(&format!("{ANALYSIS}:1, a report")), &[]);
    assert_eq!(done.code, 0, "{done:#?}");
    assert!(said(&team, "ORCH-001").contains(&format!("- {ANALYSIS}:1\n      - a report")));
}

/// R001-36: exactly the six keys, of the candidate that the task is, on the branch that they name.
#[test]
fn a_bundle_goes_in_and_out() {
    let team = Team::written();
    let bundle = format!(
        "repository: acme/lab\nbase: main\nhead: feature/strat-001-strategy\ncandidateId: \
         strat-001\nstage: strategy\nartifactPath: {CODE}\n"
    );
    let agent = "strategy_developer";
    for (from, to, place) in [
        ("base: main\n", "", "`base` is missing"),
        ("base: main\n", "base: main\nbranch: x\n", "-:3:1: "),
        (CODE, "README.md", "produces nothing like `README.md`"),
        (CODE, "strategies/other.py", "not among what this stage hands over"),
        ("stage: strategy", "stage: backtest", "`backtest`"),
        ("head: feature/strat-001-strategy", "head: main", "git switch main"),
    ] {
        let refused = import(&team, agent, &bundle.replacen(from, to, 1), &[]);
        assert!(refused.code != 0 && refused.err.contains(place), "{place}: {refused:#?}");
    }
    assert_eq!(import(&team, agent, &bundle, &[]).code, 0);
    let meant = said(&team, "strat-001");
    let exported = team.orch("", &["handoff", "export", "strat-001", "--format", "bundle"]);
    assert_eq!(exported, bundle);
    let json = serde_json::json!({
        "repository": "acme/lab", "base": "main", "head": "feature/strat-001-strategy",
        "candidateId": "strat-001", "stage": "strategy", "artifactPath": CODE,
    });
    for text in [exported, json.to_string(), format!("{json:#}")] {
        let other = Team::written();
        let done = import(&other, agent, &text, &[]);
        assert_eq!((done.code, said(&other, "strat-001")), (0, meant.clone()), "{done:#?}");
    }
}

/// R001-36: a handoff that carries no bundle gives the one that follows from it.
#[test]
fn a_bundle_follows_from_any_handoff() {
    let team = Team::written();
    team.orch("strategy_developer", &["handoff", "create", "strat-001"]);
    let bundle = team.orch("", &["handoff", "export", "strat-001", "--format", "bundle"]);
    for line in [
        "repository: strategies",
        "base: main",
        "head: feature/strat-001-strategy",
        "stage: strategy",
    ] {
        assert!(bundle.contains(line), "{line} is missing:\n{bundle}");
    }
}

/// R002-11 to R002-13, R002-36: the flags say what the signal does; what is left out is named.
#[test]
fn a_handoff_says_what_its_receiver_should_know() {
    let team = Team::written();
    let created = format!("{CODE}:1");
    let create = [
        &["handoff", "create", "strat-001", "--created", &created, "--test-results", "12 passed"][..],
        &["--key-finding", "It trades", "--prerequisite-met", "Data", "--known-issue", "none"],
        &[
            "--recommended-action",
            "Backtest",
            "--dependency-added",
            "pine",
            "--output-location",
            "docs",
        ],
        &["--configuration-change", "none", "--deliverable", "Reviewed by: nobody"],
    ];
    team.orch("strategy_developer", &create.concat());
    let verified = team.try_orch("", &["handoff", "verify", "strat-001", "--complete"]);
    assert_eq!((verified.code, verified.err.as_str()), (0, ""), "{verified:#?}");
    let markdown = team.orch("", &["handoff", "export", "strat-001", "--format", "markdown"]);
    for line in [
        &format!("- Created/Modified: {created}"),
        "- Test Results: 12 passed",
        "- Key Findings: It trades",
        "- Reviewed by: nobody",
        "- Known Issues: none",
        "- Dependencies Added: pine",
        "- Output Location: docs",
        "- Configuration Changes: none",
    ] {
        assert!(markdown.contains(line), "{line} is missing:\n{markdown}");
    }

    let bare = Team::sealed();
    let noted = bare.try_orch("", &["handoff", "verify", "strat-001"]);
    assert!(noted.code == 0 && noted.err.contains("test_results, key_findings"), "{noted:#?}");
    let refused = bare.try_orch("", &["handoff", "verify", "strat-001", "--complete"]);
    assert!(refused.denied().contains("known_issues"));
}

/// R000-59: a file is held against Git's blobs before anything is made of it.
#[test]
fn a_file_is_verified_against_git() {
    let team = Team::written();
    team.repo.git(&["add", CODE, DOCUMENT]);
    let good = runbook(&team);
    let verify = |text: &str| {
        team.repo.write("../handoff.yaml", text);
        team.try_orch("", &["handoff", "verify", "../handoff.yaml"])
    };
    assert_eq!(verify(&good).code, 0);
    let swapped = verify(&good.replace(&team.digest(CODE), &team.digest(DOCUMENT)));
    assert!(swapped.code == 1 && swapped.out.contains("CHANGED"), "{swapped:#?}");
    let gone = verify(&good.replace(DOCUMENT, "docs/strategies/gone.md"));
    assert!(gone.code == 1 && gone.out.contains("MISSING"), "{gone:#?}");
    assert!(verify("handoff: [").fault().contains("handoff.yaml:1:"));
    let lost = team.try_orch("", &["handoff", "verify", "nowhere.md"]);
    assert!(lost.fault().contains("nowhere.md"), "{lost:#?}");
    let piped = piped(&team, "", &good, &["handoff", "verify", "-", "--format", "json"]);
    assert_eq!(piped.json()[0]["holds"], true);
}

/// A handoff of a stage that nobody began says what to type, and so does one of another stage.
#[test]
fn a_stage_that_is_not_running_is_named() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.repo.git(&["switch", "--quiet", "-c", "feature/strat-001-strategy"]);
    team.write_strategy();
    let text = runbook(&team);
    let refused = import(&team, "strategy_developer", &text, &[]);
    assert!(refused.denied().contains("orch run start strat-001"), "{refused:#?}");
    let other = text.replacen("  artifacts", "  stage: audit\n  artifacts", 1);
    assert!(import(&team, "strategy_developer", &other, &[]).denied().contains("`audit`"));
    let wrong = import(&team, "strategy_developer", &text, &["--format", "markdown"]);
    assert!(wrong.fault().contains("no handoff signal"), "{wrong:#?}");
    let none = import(&team, "strategy_developer", "a: 1\n", &[]);
    assert!(none.fault().contains("holds no handoff"), "{none:#?}");
    let live = team.try_orch("", &["handoff", "export", "strat-001"]);
    assert!(live.fault().contains("no live handoff"), "{live:#?}");
}

/// R000-27 to R000-31: a message is on the record, from the one who sends it to one who is there.
#[test]
fn messages_are_sent_and_listed() {
    let team = Team::sealed();
    let send = |agent: &str, more: &[&str]| {
        team.try_orch(agent, &[&["message", "send", "--task", "strat-001"], more].concat())
    };
    let asked = send("quant_engineer", &["--to", "strategy_developer", "--payload", "fee=which?"]);
    assert_eq!(asked.code, 0, "{asked:#?}");
    team.repo.write("../said.yaml", "fee: 0.001\nby: [venue]\n");
    let answer = ["--to", "orchestrator", "--type", "response", "--status", "completed"];
    let file = ["--payload-file", "../said.yaml"];
    assert_eq!(send("strategy_developer", &[&answer[..], &file].concat()).code, 0);
    team.commit("Talk");
    team.guard(&["--base", "main"]).passed();

    let listed = team.json("", &["message", "list", "--task", "strat-001"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed:#}");
    assert_eq!(listed[0]["payload"]["fee"], "which?");
    assert_eq!((&listed[0]["type"], &listed[0]["status"]), (&"request".into(), &"pending".into()));
    assert_eq!(listed[1]["payload"]["fee"], 0.001);
    let to = team.json("", &["message", "list", "--to", "orchestrator"]);
    assert_eq!(to.as_array().map(Vec::len), Some(1));
    assert!(team.orch("", &["message", "list"]).contains("quant_engineer -> strategy_developer"));

    let question = "message: {from: quant_engineer, to: founder, type: request, task_id: strat-001, \
                    payload: {q: Why}, status: pending, timestamp: '2026-01-15T14:30:00Z'}";
    let took = |text: &str| piped(&team, "quant_engineer", text, &["message", "import", "-"]);
    assert_eq!(took(question).code, 0);
    assert!(team.read(&team.record("strat-001", "message")).contains("2026-01-15T14:30:00Z"));
    let before = team.state();
    assert!(took(question).out.contains("already"));
    let other = question.replacen("quant_engineer", "founder", 1);
    assert!(took(&other).checks().contains(&"agent-unknown"));
    let handoff = question.replacen("request", "handoff", 1);
    assert!(took(&handoff).fault().contains("orch handoff import"));
    assert!(took(&question.replacen("payload", "paylod", 1)).fault().contains("-:1:"));
    assert!(send("quant_engineer", &["--to", "nobody"]).checks().contains(&"agent-unknown"));
    assert_eq!(send("quant_engineer", &["--to", "founder", "--type", "gossip"]).code, 2);
    let unknown = ["message", "send", "--task", "strat-009", "--to", "founder"];
    assert!(team.try_orch("quant_engineer", &unknown).fault().contains("strat-009"));
    assert_eq!(team.state(), before);
}
