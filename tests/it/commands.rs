//! What every command promises: help, near misses, one record for one submission, nothing written
//! by a dry run, JSON, schemas, the log.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{CODE, DOCUMENT, Team, TestRepo};

/// A task with an entry of most kinds: handed over, gated, audited, failed and mended.
fn eventful() -> Team {
    let team = Team::new();
    team.finish_strategy();
    team.open("strat-002", "new_strategy", &["--depends-on", "data-001", "--scope", "docs/**"]);
    team.orch("strategy_developer", &["run", "start", "strat-002"]);
    let fail = ["--class", "deterministic", "--reason", "syntax", "--message", "It does not parse"];
    team.orch("strategy_developer", &[&["run", "fail", "strat-002"], &fail[..]].concat());
    team.orch("orchestrator", &["pause", "strat-002", "--reason", "Twice is enough"]);
    team.orch("founder", &["resume", "strat-002", "--sign-off", "Looked into it"]);
    team.orch("orchestrator", &["task", "block", "strat-002", "--reason", "No data"]);
    team.orch("orchestrator", &["task", "unblock", "strat-002", "--reason", "Data"]);
    team
}

/// Gives every command, as words, found by asking each for its help.
fn all_commands(team: &Team) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(words) = open.pop() {
        let inner = subcommands(&help(team, &words));
        if inner.is_empty() {
            all.push(words);
            continue;
        }
        open.extend(inner.into_iter().map(|name| [words.clone(), vec![name]].concat()));
    }
    all.sort();
    all
}

fn help(team: &Team, words: &[String]) -> String {
    let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    arguments.push("--help");
    team.orch("", &arguments)
}

/// Reads the names out of the list in a help text.
pub(crate) fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // What is wrapped stands further in.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Each `--help` ends with an example or the exit codes, and works anywhere.
#[test]
fn every_help_ends_with_an_example() {
    let nowhere = Team::over(TestRepo::new().beside(""));
    let all = all_commands(&nowhere);
    assert!(all.len() > 25, "{all:?}");
    let without: Vec<String> = all
        .iter()
        .filter(|words| {
            let help = help(&nowhere, words);
            let end = help.rsplit("Print help\n").next().unwrap();
            !end.contains("Example") && !end.contains("Exit code")
        })
        .map(|words| words.join(" "))
        .collect();
    assert_eq!(without, Vec::<String>::new());
}

/// A near miss is met with the name that was meant; exit code 2.
#[test]
fn near_misses_are_met_with_the_name() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    let developer = "strategy_developer";
    for (agent, arguments, meant) in [
        ("", &["status", "strat-01"][..], "`strat-001`"),
        ("", &["task", "show", "Strat-002"], "`strat-001`"),
        ("strategy_develper", &["run", "start", "strat-001"], "`strategy_developer`"),
        (developer, &["run", "start", "strat-001", "--stage", "stratgy"], "`strategy`"),
        (developer, &["run", "start", "strat-01"], "`strat-001`"),
        ("orchestrator", &["gate", "strat-01"], "`strat-001`"),
        (
            "founder",
            &["approve", "strat-001", "--stage", "deploy_lives", "--statement", "x"],
            "`deploy_live`",
        ),
        (
            "orchestrator",
            &["task", "open", "a-1", "--workflow", "new_stratgy", "--title", "x"],
            "`new_strategy`",
        ),
        ("", &["explain", "handof-stale"], "`handoff-stale`"),
        ("", &["schema", "handof"], "`handoff`"),
    ] {
        let before = team.state();
        let said = team.try_orch(agent, arguments);
        assert!(
            said.fault().contains(&format!("did you mean {meant}?")),
            "{arguments:?}: {said:#?}"
        );
        assert_eq!(team.state(), before);
    }
    let said = team.try_orch("", &["init", "--template", "stratgy", "--force"]);
    assert!(said.fault().contains("did you mean `strategy`?"), "{said:#?}");
    assert!(team.try_orch("", &["staus"]).err.contains("status"));
    let nobody = team.try_orch("", &["run", "start", "strat-001"]);
    assert!(nobody.fault().contains("ORCH_AGENT"), "{nobody:#?}");
}

/// Runs a command twice; the second writes nothing and succeeds.
fn twice(team: &Team, agent: &str, arguments: &[&str]) {
    team.orch(agent, arguments);
    let before = team.state();
    team.orch(agent, arguments);
    assert_eq!(team.state(), before, "{arguments:?}");
}

/// R001-16, R001-17, R001-18, attack 87: the same submission twice is one record, and exit code 0.
#[test]
fn the_same_submission_twice_is_one_record() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    twice(&team, "strategy_developer", &["run", "start", "strat-001"]);
    team.write_strategy();
    twice(&team, "strategy_developer", &["handoff", "create", "strat-001"]);
    team.commit("Hand over");
    twice(&team, "strategy_developer", &["handoff", "create", "strat-001"]);
    twice(&team, "orchestrator", &["gate", "strat-001"]);
    team.commit("Pass the gate");
    twice(&team, "orchestrator", &["gate", "strat-001"]);
    assert_eq!(team.records().len(), 4);
    let again = ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "Again"];
    assert!(team.try_orch("orchestrator", &again).denied().contains("strat-001"));
    let cased = ["task", "open", "STRAT-001", "--workflow", "new_strategy", "--title", "Again"];
    assert!(team.try_orch("orchestrator", &cased).denied().contains("strat-001"));
    assert_eq!(team.records().len(), 4);
}

/// Tries a command with `--dry-run`, which shows what it would write and writes nothing; then does
/// it.
fn dry_then_wet(team: &Team, agent: &str, arguments: &[&str]) {
    let before = team.state();
    let dry = team.orch(agent, &[arguments, &["--dry-run"]].concat());
    assert!(dry.contains("would write .orch/"), "{arguments:?}: {dry}");
    // Nothing is said to be done, and nothing is next.
    let done = [
        "wrote ",
        "next: ",
        "run ",
        "seals ",
        "handed off",
        "gate passed",
        "on branch ",
        "halted ",
        "halt ",
        "a person ",
        "incident inc",
        "`",
        "the task ",
    ];
    let claims = |line: &&str| done.iter().any(|word| line.starts_with(word));
    let claims: Vec<&str> =
        dry.lines().filter(claims).filter(|line| !line.ends_with(':')).collect();
    assert!(claims.is_empty(), "{arguments:?}: {claims:?}");
    assert_eq!(team.state(), before, "{arguments:?}");
    let wet = team.orch(agent, arguments);
    assert!(wet.contains("wrote .orch/"), "{arguments:?}: {wet}");
    assert_ne!(team.state(), before, "{arguments:?}");
}

/// Every command that writes can be told `--dry-run`.
#[test]
fn a_dry_run_writes_nothing() {
    let team = Team::new();
    let open = ["task", "open", "strat-001", "--workflow", "new_strategy", "--title", "Dry"];
    dry_then_wet(&team, "orchestrator", &open);
    let assign = ["task", "assign", "strat-001", "--to", "strategy_developer"];
    dry_then_wet(&team, "orchestrator", &assign);
    dry_then_wet(&team, "orchestrator", &["task", "block", "strat-001", "--reason", "Wait"]);
    dry_then_wet(&team, "orchestrator", &["task", "unblock", "strat-001", "--reason", "Go"]);
    dry_then_wet(&team, "orchestrator", &["pause", "strat-001", "--reason", "Lunch"]);
    dry_then_wet(&team, "founder", &["resume", "strat-001", "--sign-off", "Eaten"]);
    dry_then_wet(&team, "strategy_developer", &["run", "start", "strat-001"]);
    team.write_strategy();
    dry_then_wet(&team, "strategy_developer", &["handoff", "create", "strat-001"]);
    dry_then_wet(&team, "orchestrator", &["audit", "request", "strat-001"]);
    dry_then_wet(&team, "orchestrator", &["gate", "strat-001"]);
    let escalate = ["escalate", "strat-001", "--level", "1", "--trigger", "Unclear"];
    let positions = ["--position", "quant_engineer: yes", "--position", "founder: no"];
    dry_then_wet(&team, "orchestrator", &[&escalate[..], &positions].concat());
    let open = ["incident", "open", "inc-001", "--trigger", "Noise", "--class", "data"];
    dry_then_wet(&team, "orchestrator", &[&open[..], &["--severity", "low"]].concat());
    let halt = ["halt", "--topic", "risk.kill_switch", "--scope", "stage:deploy_live"];
    dry_then_wet(&team, "founder", &[&halt[..], &["--reason", "Stop", "--id", "stop"]].concat());
    dry_then_wet(&team, "founder", &["unhalt", "stop", "--sign-off", "Looked at"]);
    let decide = ["decide", "--title", "Go on", "--context", "We asked", "--decision", "Yes"];
    dry_then_wet(&team, "founder", &decide);
    let close = ["task", "close", "strat-001", "--outcome", "abandoned", "--reason", "Enough"];
    dry_then_wet(&team, "orchestrator", &close);
}

/// Every command that reads speaks JSON, and verdicts and errors follow their
/// schemas.
#[test]
fn every_reading_command_speaks_json() {
    let team = eventful();
    for (arguments, least) in [
        (&["next"][..], 1),
        (&["log"], 10),
        (&["incident", "list"], 0),
        (&["task", "list", "--all"], 3),
        (&["task", "list"], 1),
        (&["handoff", "list"], 0),
        (&["handoff", "verify", "strat-001"], 3),
        (&["audit", "list"], 1),
        (&["explain"], 40),
    ] {
        let said = team.json("", arguments);
        let count = said.as_array().unwrap_or_else(|| panic!("{arguments:?}: {said}")).len();
        assert!(count >= least, "{arguments:?}: {said}");
    }
    for arguments in [
        &["status", "strat-001"][..],
        &["status"],
        &["task", "show", "strat-001"],
        &["handoff", "show", "strat-001"],
        &["audit", "show", "strat-001"],
        &["explain", "handoff-stale"],
    ] {
        assert!(team.json("", arguments).is_object(), "{arguments:?}");
    }
    valid(&team, "report", &team.guard(&[]).json);
    valid(&team, "report", &team.verify().json);
    team.repo.write("nobody.txt", "x");
    team.repo.git(&["add", "nobody.txt"]);
    valid(&team, "report", &team.guard(&[]).json);
    let error = team.try_orch("", &["status", "strat-009", "--format", "json"]);
    valid(&team, "error", &serde_json::from_str(&error.err).unwrap());
}

/// Asserts that a value follows a schema that `orch schema` prints.
fn valid(team: &Team, kind: &str, value: &Value) {
    let schema: Value = serde_json::from_str(&team.orch("", &["schema", kind])).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{kind}: {faults:?}: {value:#}");
}

/// Every record that orch writes, and the policy, follow the schemas that it prints.
#[test]
fn what_is_written_follows_the_schemas() {
    let team = eventful();
    let listed = team.orch("", &["schema"]);
    let mut seen = BTreeSet::new();
    for path in team.records() {
        let value: Value = serde_yaml::from_str(&team.read(&path)).unwrap();
        let kind = value.as_object().unwrap().keys().find(|key| *key != "entry").unwrap().clone();
        assert!(listed.lines().any(|line| line == kind), "{kind}");
        assert!(path.ends_with(&format!("-{kind}.yaml")), "{path}: {kind}");
        valid(&team, &kind, &value);
        seen.insert(kind);
    }
    assert!(seen.len() >= 11, "{seen:?}");
    let policy: Value = serde_yaml::from_str(&team.read(".orch/policy.yaml")).unwrap();
    valid(&team, "policy", &policy);
}

/// R000-52, R000-53: one line a record, with all the fields, of the right kinds.
#[test]
fn the_activity_log_has_all_fields() {
    let team = eventful();
    let log = team.read("logs/agent_activity.log");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), team.records().len());
    for line in &lines {
        for text in ["timestamp", "agent", "action", "task_id", "status"] {
            assert!(line[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {line}");
        }
        assert!(line["inputs"].is_object() && line["outputs"].is_object(), "{line}");
        assert!(line["duration_seconds"].is_u64(), "{line}");
        assert_eq!(line.as_object().unwrap().len(), 8, "{line}");
    }
    let of =
        |action: &str| lines.iter().filter(|line| line["action"] == action).collect::<Vec<_>>();
    assert!(of("handoff")[0]["outputs"].to_string().contains("data/manifests/"));
    assert_eq!(of("run")[0]["status"], "in_progress");
    assert_eq!(of("run").last().unwrap()["status"], "failed");
    assert_eq!(team.repo.git(&["status", "--porcelain", "logs"]), "", "Git ignores it");
}

/// `orch init` keeps what AGENTS.md holds, says its part once, and does not write over a policy.
#[test]
fn init_adds_its_part_once() {
    let team = Team::over(TestRepo::new());
    team.repo.write("AGENTS.md", "# Ours\n\nBe kind.\n");
    team.repo.write(".gitignore", "target");
    team.orch("", &["init"]);
    let once = team.read("AGENTS.md");
    assert!(once.starts_with("# Ours\n\nBe kind.\n\n<!-- orch: begin -->\n"), "{once}");
    assert!(once.contains("orch next") && once.contains("ORCH_AGENT"));
    assert_eq!(team.read(".gitignore"), "target\n/logs/agent_activity.log\n");
    assert_eq!(team.try_orch("", &["guard"]).code, 0);
    let before = team.state();
    assert!(team.try_orch("", &["init"]).fault().contains("--force"));
    assert_eq!(team.state(), before);
    team.orch("", &["init", "--template", "strategy", "--force"]);
    assert_eq!(team.read("AGENTS.md"), once);
    assert!(team.read(".orch/policy.yaml").contains("new_strategy"));
    team.smuggle("Begin");
    team.verify().passed();
}

/// The first policy protects the branch that is there, whatever it is called (attack 118).
#[test]
fn init_protects_the_branch_that_is_there() {
    let team = Team::over(TestRepo::init(&["--initial-branch", "trunk"]));
    team.orch("founder", &["init", "--template", "strategy", "--hooks"]);
    team.commit("Begin");
    team.repo.write("README.md", "x\n");
    team.repo.git(&["add", "README.md"]);
    team.git_refused(&["commit", "-m", "Straight"], "branch-protected");
}

/// `orch next` tells each agent what the guard will accept, all the way.
#[test]
fn next_leads_from_one_end_to_the_other() {
    let team = Team::new();
    team.open("data-001", "data_refresh", &[]);
    let asked = |agent: &str| {
        let found = team.json(agent, &["next"]);
        found[0]["command"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(asked("data_engineer"), "orch run start data-001");
    assert_eq!(asked("orchestrator"), "");
    team.orch("data_engineer", &["run", "start", "data-001"]);
    assert!(asked("data_engineer").starts_with("orch handoff create data-001"));
    team.repo.write("data/manifests/x.json", "{}\n");
    team.orch("data_engineer", &["handoff", "create", "data-001"]);
    assert_eq!(asked("orchestrator"), "orch gate data-001");
    team.orch("orchestrator", &["gate", "data-001"]);
    assert!(asked("orchestrator").starts_with("orch task close data-001"));
    assert_eq!(team.json("deployment_agent", &["next"]), Value::Array(Vec::new()));
}

/// R000-37, R000-59: `handoff verify` names what no longer holds; exit code 1.
#[test]
fn handoff_verify_names_what_changed() {
    let team = Team::new();
    team.hand_over_strategy(&[]);
    assert_eq!(team.try_orch("", &["handoff", "verify", "strat-001"]).code, 0);
    team.edit(CODE, "20", "21");
    team.repo.git(&["add", CODE]);
    team.repo.git(&["rm", "--quiet", DOCUMENT]);
    let said = team.try_orch("", &["handoff", "verify", "strat-001", "--format", "json"]);
    assert_eq!(said.code, 1, "{said:#?}");
    let held = said.json();
    let held = |path: &str| {
        let found = held.as_array().unwrap().iter().find(|held| held["path"] == path).unwrap();
        (found["holds"].as_bool().unwrap(), found["found"].is_string())
    };
    assert_eq!((held(CODE), held(DOCUMENT)), ((false, true), (false, false)));
}

/// Attacks 116 and 117: a record may say in escapes what a terminal or a CI runner would act upon; no
/// command prints it so that it works.
#[test]
fn what_records_hide_is_shown() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    let title = "\u{1b}[2J\u{202e}gone\u{200b}\n::error::x ##[error]y";
    let escaped: String = title.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
    let task = team.record("strat-001", "task");
    team.edit(&task, "title: Moving average", &format!("title: \"{escaped}\""));
    team.repo.git(&["add", "--all"]);
    team.commit("Open strat-001");
    let show = ["task", "show", "strat-001"];
    for command in [&["status"][..], &["status", "strat-001"], &["log"], &["next"], &show] {
        for format in [&[][..], &["--format", "json"]] {
            let told = team.orch("orchestrator", &[command, format].concat());
            let hidden =
                |letter: &char| *letter != '\n' && orch::source::path::unprintable(*letter);
            assert_eq!(told.chars().find(hidden), None, "{command:?}: {told:?}");
            let acted = told.lines().any(|line| line.trim_start().starts_with("::"));
            assert!(!acted && !told.contains("##["), "{command:?}: {told:?}");
        }
    }
    assert_eq!(team.json("", &["task", "show", "strat-001"])["title"], title);
}

/// One of a thing is told as one, wherever things are counted.
#[test]
fn one_is_told_as_one() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    team.write_strategy();
    team.orch("strategy_developer", &["handoff", "create", "strat-001"]);
    team.commit("Hand over");
    for arguments in [
        &["health"][..],
        &["health", "--raw"],
        &["metrics"],
        &["report"],
        &["status"],
        &["plan"],
        &["log"],
        &["guard"],
        &["verify"],
        &["handoff", "verify", "strat-001"],
    ] {
        let said = team.try_orch("orchestrator", arguments);
        let text = [said.out.as_str(), &said.err].concat();
        let words: Vec<&str> = text.split_whitespace().collect();
        let verbs = ["is", "was", "has", "goes", "stands", "waits", "s", "pass"];
        let many = |pair: &&[&str]| {
            let word = pair[1].trim_end_matches([',', ';', ':', '.', ')']);
            pair[0].trim_start_matches('(') == "1"
                && word.ends_with('s')
                && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                && !verbs.contains(&word)
        };
        let found: Vec<&[&str]> = words.windows(2).filter(many).collect();
        assert!(found.is_empty(), "{arguments:?}: {found:?}");
    }
}
