//! `orch plan` and `orch dispatch`: a fleet of stand-in agents that write real files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Said, Team, TestRepo, write_script};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/fleet");

/// A team of the `trader` template whose agents all run one program, with changes of its policy.
fn fleet_with(repo: TestRepo, program: &Path, changes: &[(&str, &str)]) -> Team {
    let team = Team::over(repo);
    team.orch("owner", &["init", "--template", "trader", "--hooks"]);
    let command = format!("dispatch: {{command: [{}]}}", program.display());
    let commented = "# dispatch: {command: [my-agent, --prompt-file, /dev/stdin], parallel: 5}";
    for (from, to) in [(commented, command.as_str())].iter().chain(changes) {
        team.edit(".orch/policy.yaml", from, to);
    }
    team.edit(".orch/policy.yaml", "initial_interval: 15s", "initial_interval: 1s");
    team.repo.git(&["add", ".orch/policy.yaml"]);
    team.commit("Begin with orch");
    team
}

/// The program of an agent, which stands beside the repository, and goes with it.
fn agent(repo: &TestRepo, script: &str) -> PathBuf {
    let file = repo.root().join("agent");
    write_script(&file, &format!("#!/bin/sh\nset -eu\n{script}\n"));
    file
}

/// A team whose agents run a script of the test's own.
fn fleet(script: &str) -> Team {
    fleet_of(script, &[])
}

/// The same, with changes to the policy.
fn fleet_of(script: &str, changes: &[(&str, &str)]) -> Team {
    let repo = TestRepo::new();
    let program = agent(&repo, script);
    fleet_with(repo, &program, changes)
}

/// The week of R002-28 to R002-31, opened from the table that people keep.
fn week() -> Team {
    let team = fleet_with(TestRepo::new(), &Path::new(FIXTURES).join("agent.sh"), &[]);
    team.orch("orchestrator", &["task", "open", "--from", &format!("{FIXTURES}/week.md")]);
    team.commit("Open the week");
    team
}

/// Opens implementation tasks, each with a scope of its own, and commits them.
fn open(team: &Team, tasks: &[(&str, &str)]) {
    for (id, scope) in tasks {
        let task = ["task", "open", id, "--workflow", "implementation", "--title", "A change"];
        team.orch("orchestrator", &[&task[..], &["--scope", scope]].concat());
    }
    team.commit("Open tasks");
}

fn dispatch(team: &Team, more: &[&str]) -> Said {
    team.try_orch("orchestrator", &[&["dispatch"], more].concat())
}

fn ids(wave: &Value) -> BTreeSet<&str> {
    wave.as_array().unwrap().iter().map(|task| task["task_id"].as_str().unwrap()).collect()
}

fn worktrees(team: &Team) -> PathBuf {
    let name = team.repo.path().file_name().unwrap().to_string_lossy().into_owned();
    team.repo.path().parent().unwrap().join(format!("{name}.worktrees"))
}

/// The outcome that a task is closed with, if it is.
fn closed(team: &Team, task: &str) -> bool {
    let listed = team.repo.git(&["ls-files", &format!(".orch/tasks/*/{task}/*-close.yaml")]);
    !listed.is_empty()
}

/// R002-6 to R002-8, R002-15 to R002-17, R002-28 to R002-31, R002-38: the plan of the week is the one that its authors drew.
#[test]
fn the_week_is_planned_in_its_three_phases() {
    let team = week();
    let plan = team.json("orchestrator", &["plan"]);
    let waves = plan["waves"].as_array().unwrap();
    let drawn = [
        (vec!["DISC-001", "DISC-002", "DISC-003", "DISC-004"], "independent"),
        (vec!["INT-001", "ML-001", "ML-002", "ORCH-001"], "domain_specific"),
        (vec!["TEST-001"], "sequential"),
        (vec!["REV-001"], "sequential"),
        (vec!["PERF-001"], "sequential"),
        (vec!["DOC-001"], "sequential"),
    ];
    assert_eq!(waves.len(), drawn.len(), "{plan:#}");
    for (wave, (tasks, kind)) in waves.iter().zip(drawn) {
        assert_eq!(ids(wave), BTreeSet::from_iter(tasks));
        assert!(wave.as_array().unwrap().iter().all(|task| task["kind"] == kind), "{wave:#}");
    }
    assert_eq!(plan["critical_path"].as_array().unwrap().len(), 6);
    assert_eq!(plan["expected"]["speedup"], 2.0);
    let of = |flags: &[&str]| team.json("orchestrator", &[&["plan"], flags].concat());
    assert_eq!(of(&["--phase", "discovery"])["waves"].as_array().unwrap().len(), 1);
    assert_eq!(of(&["--week", "6"])["waves"].as_array().unwrap().len(), 0);
    assert_eq!(of(&["--week", "6"])["held"].as_array().unwrap().len(), 4);
    // R002-38: `--parallel-groups 3`.
    let three = of(&["--phase", "discovery", "--week", "5", "--parallel-groups", "3"]);
    let sizes: Vec<usize> =
        three["waves"].as_array().unwrap().iter().map(|wave| ids(wave).len()).collect();
    assert_eq!(sizes, [3, 1]);
}

/// R001-30, R001-37, R002-2, R002-23, R002-45: every task is done by whom the list names, in its order; a
/// dry run writes nothing.
#[test]
fn the_week_is_dispatched() {
    let team = week();
    let before = team.state();
    let dry = dispatch(&team, &["--dry-run"]);
    assert_eq!((dry.code, team.state()), (0, before), "{dry:#?}");
    assert!(!worktrees(&team).exists());
    let said = dispatch(&team, &["--parallel", "4"]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("12 stages merged, 12 tasks done"), "{}", said.out);
    assert!(said.out.contains("at most 4 agents at once"), "{}", said.out);
    for phase in ["discovery", "implementation", "validation"] {
        assert!(said.out.contains(&format!("phase {phase}: ")), "{}", said.out);
    }
    let merged = team.repo.git(&["log", "--first-parent", "--reverse", "--format=%s", "main"]);
    let order: Vec<&str> = merged.lines().filter_map(|l| l.strip_prefix("Merge ")).collect();
    assert_eq!(order.len(), 12, "{merged}");
    assert_eq!(order[8..], ["TEST-001", "REV-001", "PERF-001", "DOC-001"]);
    let files = [
        ("docs/discovery/DISC-002.md", "project-analyst"),
        ("src/bot/live/orch_001.py", "backend-developer"),
        ("src/bot/ml/pipeline/ml_002.py", "python-pro"),
        ("tests/test_TEST-001.py", "test-automator"),
        ("docs/guides/DOC-001.md", "documentation-specialist"),
    ];
    for (file, agent) in files {
        assert!(team.read(file).contains(&format!("by {agent}")), "{}", team.read(file));
    }
    team.verify().passed();
    assert_eq!(team.json("", &["status"])["tasks"].as_array().unwrap().len(), 0);
    assert_eq!(team.repo.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(team.repo.git(&["branch", "--list"]).trim(), "* main");
    assert_eq!(team.repo.git(&["status", "--porcelain"]), "");
    assert!(dispatch(&team, &[]).out.contains("0 stages merged"));
}

/// R002-37: tasks whose scopes touch never run at once, however many may.
#[test]
fn tasks_of_one_scope_run_one_after_the_other() {
    let team = fleet(
        "log=$(git rev-parse --git-common-dir)/../../seen
         echo begin >> $log; sleep 0.2; mkdir -p src/shared; echo $ORCH_TASK > src/shared/$ORCH_TASK
         echo end >> $log",
    );
    open(&team, &[("A-1", "src/shared/**"), ("B-1", "src/sh*/B-*"), ("C-1", "src/**")]);
    let said = dispatch(&team, &["--parallel", "8"]);
    assert_eq!(said.code, 0, "{said:#?}");
    let seen = std::fs::read_to_string(team.repo.root().join("seen")).unwrap();
    assert_eq!(seen.lines().collect::<Vec<_>>(), ["begin", "end"].repeat(3));
}

/// R002-26: a crash of one agent harms no other; it is on the record, and the next dispatch goes on
/// once somebody has looked.
#[test]
fn a_crash_harms_no_other() {
    let team = fleet(
        "if [ $ORCH_TASK = B-1 ] && [ ! -e ../../mended ]; then mkdir -p src/B-1; echo half > src/B-1/half; kill -SEGV $$; fi
         mkdir -p src/$ORCH_TASK; echo done > src/$ORCH_TASK/file",
    );
    open(&team, &[("A-1", "src/A-1/**"), ("B-1", "src/B-1/**"), ("C-1", "src/C-1/**")]);
    let retry = "maximum_attempts: 5";
    team.edit(".orch/policy.yaml", retry, "maximum_attempts: 1");
    team.repo.git(&["switch", "--quiet", "--create", "orch/retry"]);
    team.repo.git(&["add", "--all"]);
    let decide = ["decide", "--title", "One", "--context", "c", "--decision", "d"];
    team.orch("owner", &[&decide[..], &["--changes", ".orch/policy.yaml"]].concat());
    team.commit("Try once");
    team.merge("orch/retry");
    let said = dispatch(&team, &[]);
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.out.contains("2 tasks done"), "{}", said.out);
    assert!(said.out.contains("failed: B-1"), "{}", said.out);
    assert!(closed(&team, "A-1") && closed(&team, "C-1") && !closed(&team, "B-1"));
    let next = team.orch("", &["next"]);
    assert!(next.contains("B-1"), "{next}");
    let bench = worktrees(&team).join("B-1");
    assert!(bench.join(".orch").is_dir());
    // A person looks, lets it try again, and the next dispatch goes on there.
    std::fs::write(team.repo.root().join("mended"), "").unwrap();
    let mut resume = team.command("owner", "s", &["resume", "B-1", "--sign-off", "Mended"]);
    let resumed = resume.current_dir(&bench).output().unwrap();
    assert!(resumed.status.success(), "{resumed:?}");
    let again = dispatch(&team, &[]);
    assert_eq!(again.code, 0, "{again:#?}");
    assert!(closed(&team, "B-1"));
    team.verify().passed();
}

/// What an agent writes outside of its lane, or of its task's scope, is refused, and named.
#[test]
fn what_does_not_belong_to_the_task_is_refused() {
    let team = fleet(
        "mkdir -p src/$ORCH_TASK docs/guides; echo x > src/$ORCH_TASK/file
         case $ORCH_TASK in
           B-1) echo x > docs/guides/stray.md ;;
           C-1) echo x > src/stray ;;
         esac",
    );
    open(&team, &[("A-1", "src/A-1/**"), ("B-1", "src/B-1/**"), ("C-1", "src/C-1/**")]);
    let said = dispatch(&team, &[]);
    assert_eq!(said.code, 1, "{said:#?}");
    let failed = |task: &str| {
        said.out.lines().find(|line| line.starts_with(&format!("failed: {task}"))).unwrap()
    };
    assert!(failed("B-1").contains("lane-violation"), "{}", said.out);
    assert!(failed("C-1").contains("scope-violation"), "{}", said.out);
    assert!(closed(&team, "A-1"), "{said:#?}");
    assert!(!team.repo.path().join("docs/guides").exists());
}

/// R002-35: who does not answer in time is followed by the backup, on the record.
#[test]
fn the_backup_follows_who_is_late() {
    let script =
        "[ $ORCH_AGENT = python-pro ] || sleep 60; mkdir -p src; echo $ORCH_AGENT > src/who";
    let stage =
        "lane: code\n        timeout: 4h\n        produces: {code: \"src/**/*\"}\n\n  testing:";
    let team = fleet_of(script, &[(stage, &stage.replace("4h", "1s"))]);
    open(&team, &[("A-1", "src/**")]);
    let said = dispatch(&team, &[]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert_eq!(team.read("src/who"), "python-pro\n");
    let story = team.json("", &["status", "A-1"]).to_string();
    assert!(story.contains("\"reason\":\"timeout\""), "{story}");
}

/// Waits until something is so; fails after a minute.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn begun(team: &Team, more: &[&str]) -> Child {
    let mut command: Command = team.command("orchestrator", "s1", &[&["dispatch"], more].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&told).into_owned())
}

const SLOW: &str =
    "touch ../../begun-$ORCH_TASK; mkdir -p src/$ORCH_TASK; echo x > src/$ORCH_TASK/f
     [ -e ../../go ] || sleep 600";

/// Ctrl-C lets every agent rest, and says which; the same command goes on where it stopped.
#[test]
fn ctrl_c_ends_cleanly_and_the_next_dispatch_goes_on() {
    let team = fleet(SLOW);
    open(&team, &[("A-1", "src/A-1/**"), ("B-1", "src/B-1/**"), ("C-1", "src/C-1/**")]);
    let child = begun(&team, &["--parallel", "3"]);
    let root = team.repo.root().to_owned();
    let began = |task: &str| root.join(format!("begun-{task}")).exists();
    wait_until("two agents begin", || began("A-1") && began("B-1"));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let (code, told) = ended(child);
    assert_eq!(code, Some(130), "{told}");
    assert!(told.contains("at rest: A-1 (backend-developer)"), "{told}");
    assert!(told.contains("at rest: B-1 (python-pro)"), "{told}");
    std::fs::write(root.join("go"), "").unwrap();
    let said = dispatch(&team, &["--parallel", "3"]);
    assert_eq!(said.code, 0, "{said:#?}");
    // Who rests has not failed: no attempt is lost.
    let runs =
        team.try_git(&["grep", "--files-with-matches", "status: failed", "--", ".orch/tasks"]);
    assert_eq!(runs.out, "");
    for task in ["A-1", "B-1", "C-1"] {
        assert!(closed(&team, task), "{task}: {said:#?}");
    }
    team.verify().passed();
}

/// R003-12: a halt stops a dispatch while it runs, and it says which agents are at rest.
#[test]
fn a_halt_lets_agents_rest() {
    let team = fleet(SLOW);
    open(&team, &[("A-1", "src/A-1/**"), ("B-1", "src/B-1/**")]);
    let child = begun(&team, &["--parallel", "2"]);
    let root = team.repo.root().to_owned();
    wait_until("both begin", || {
        ["A-1", "B-1"].iter().all(|task| root.join(format!("begun-{task}")).exists())
    });
    let halt = ["halt", "--topic", "runtime.kill_switch", "--scope", "all", "--reason", "Stop"];
    team.orch("owner", &[&halt[..], &["--id", "stop"]].concat());
    let (code, told) = ended(child);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("halt `stop` stands for all"), "{told}");
    for resting in ["at rest: A-1", "at rest: B-1"] {
        assert!(told.contains(resting), "{told}");
    }
}

/// A stage that a person must approve, and an audit, take the way that they always take.
#[test]
fn an_audit_is_the_auditors_and_an_approval_a_persons() {
    let team = fleet(
        "case $ORCH_STAGE in
           analyze) mkdir -p docs/discovery; echo x > docs/discovery/F-1.md ;;
           implement) mkdir -p src; echo x > src/f.py ;;
           test) mkdir -p tests; echo x > tests/f.py ;;
           review) orch audit report $ORCH_TASK --verdict PASS --test correctness=PASS --test security=PASS ;;
         esac",
    );
    let orch = Path::new(crate::support::ORCH).parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let team = team.with_variable("PATH", format!("{orch}:{path}"));
    let open = ["task", "open", "F-1", "--workflow", "feature", "--title", "A feature"];
    team.orch("orchestrator", &open);
    team.commit("Open it");
    let said = dispatch(&team, &[]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("4 stages merged"), "{}", said.out);
    assert!(said.out.contains("approval-missing"), "{}", said.out);
    let story = team.json("", &["status", "F-1"]).to_string();
    assert!(story.contains("audit_report"), "{story}");
}

/// Two dispatches of one repository, somebody who may not, and work that is staged: refused.
#[test]
fn a_dispatch_needs_a_coordinator_and_a_clean_index() {
    let team = fleet("true");
    team.try_orch("backend-developer", &["dispatch"]).denied();
    team.repo.write("README.md", "x");
    team.repo.git(&["add", "README.md"]);
    dispatch(&team, &[]).denied();
    team.repo.git(&["reset", "--quiet", "--hard"]);
    team.repo.git(&["checkout", "--quiet", "--detach"]);
    dispatch(&team, &[]).fault();
}

/// R002-32: tasks alike may share one call of their agent's program; each has its own run, handoff and
/// branch.
#[test]
fn tasks_alike_share_a_call() {
    let script = "echo call >> ../../calls
        set -- $ORCH_TASKS; IFS=:; for folder in $ORCH_WORKTREES; do
          mkdir -p $folder/docs/discovery; echo found > $folder/docs/discovery/$1.md; shift
        done";
    let alone = "code-archaeologist: {lanes: [discovery]}";
    let team = fleet_of(script, &[(alone, "code-archaeologist: {lanes: [discovery], batch: 3}")]);
    for task in ["D-1", "D-2", "D-3", "D-4"] {
        let open = ["task", "open", task, "--workflow", "discovery", "--title", "Look"];
        team.orch("orchestrator", &open);
    }
    team.commit("Open tasks");
    let said = dispatch(&team, &["--parallel", "4"]);
    assert_eq!(said.code, 0, "{said:#?}");
    let calls = std::fs::read_to_string(team.repo.root().join("calls")).unwrap();
    assert_eq!(calls.lines().count(), 2, "three and one: {said:#?}");
    for task in ["D-1", "D-2", "D-3", "D-4"] {
        assert!(closed(&team, task), "{said:#?}");
        assert_eq!(team.read(&format!("docs/discovery/{task}.md")), "found\n");
    }
    team.verify().passed();
}

/// R002-35, R002-40, R002-43: a task is given to whom the coordinator names, if they may do it; and by hand,
/// only an agent that is late is followed by its backup.
#[test]
fn a_backup_is_assigned_to_who_is_late() {
    let team = fleet("true");
    open(&team, &[("A-1", "src/**")]);
    team.orch("backend-developer", &["run", "start", "A-1"]);
    let backup = ["task", "assign", "A-1", "--backup"];
    let early = team.try_orch("orchestrator", &backup);
    assert!(early.denied().contains("has until"), "{early:#?}");
    let unknown = team.try_orch("orchestrator", &["task", "assign", "A-1", "--to", "python-pr"]);
    assert!(unknown.fault().contains("did you mean `python-pro`?"), "{unknown:#?}");
    let outside = team.try_orch("orchestrator", &["task", "assign", "A-1", "--to", "qa-expert"]);
    assert!(outside.denied().contains("does not work in lane code"), "{outside:#?}");
    open(&team, &[("B-1", "src/b/**")]);
    let nobody = team.try_orch("orchestrator", &["task", "assign", "B-1", "--backup"]);
    assert!(nobody.denied().contains("nobody is late"), "{nobody:#?}");
    team.orch("orchestrator", &["task", "assign", "B-1", "--to", "python-pro"]);
    let assigned = team.read(&team.record("B-1", "assignment"));
    assert!(assigned.contains("agent: python-pro"), "{assigned}");
    // What one who does not direct says counts for nothing.
    let worker = team.try_orch("qa-expert", &["task", "assign", "A-1", "--to", "python-pro"]);
    assert_eq!(worker.checks(), ["agent-unknown"]);
}

/// R001-21, R001-36: the week as other schedulers take it.
#[test]
fn the_week_is_emitted_for_other_schedulers() {
    let team = week();
    let emit = |form: &str| team.orch("orchestrator", &["plan", "--emit", form]);
    let matrix: Value = serde_json::from_str(&emit("github-matrix")).unwrap();
    let now: Vec<&str> = matrix["include"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["task_id"].as_str().unwrap())
        .collect();
    assert_eq!(now, ["DISC-001", "DISC-002", "DISC-004", "DISC-003"]);
    let workflow = emit("github-workflow");
    assert!(workflow.contains("orch run exec"), "{workflow}");
    // What waits begins from what is merged by then, so it is not handed out yet.
    let runs = team.try_orch("orchestrator", &["plan", "--emit", "agentrun"]);
    assert_eq!(runs.out.matches("kind: AgentRun").count(), 4, "{runs:#?}");
    assert!(runs.err.contains("8 more tasks wait"), "{runs:#?}");
    for key in ["repository", "base", "head", "candidateId", "stage", "artifactPath"] {
        assert!(runs.out.contains(&format!("{key}:")), "{key}");
    }
    assert!(emit("argo").contains("kind: Workflow"));
    let unknown = team.try_orch("orchestrator", &["plan", "--emit", "jenkins"]);
    assert_eq!(unknown.code, 2);
}

/// A policy of so many agents, each with the tasks that are named for it.
fn crowd_policy(agents: usize, program: &Path) -> String {
    let each = |line: &dyn Fn(usize) -> String| (0..agents).map(line).collect::<String>();
    let named = each(&|n| format!("  worker-{n}: {{lanes: [code]}}\n"));
    let selected = each(&|n| format!("  - {{task: 'W{n}-*', primary: worker-{n}}}\n"));
    format!(
        "version: 1\nproject: crowd\nagents:\n  coordinator: {{coordinator: true}}\n  \
         owner: {{human: true}}\n{named}lanes:\n  code: {{title: Code, owns: ['src/**']}}\n\
         shared_paths: ['.gitignore']\nbranches: ['feature/{{task_id}}-{{slug}}']\n\
         protected: [main]\nworkflows:\n  change:\n    scope: ['src/{{task_id}}/**']\n    stages:\n      \
         - {{name: build, agent: worker-0, lane: code, produces: {{code: 'src/**/*'}}}}\n\
         selection:\n{selected}dispatch: {{command: [{}]}}\n",
        program.display()
    )
}

/// So many agents, each with its share of so many tasks: nothing is lost, nothing conflicts, and no
/// agent ever has two tasks at once.
fn crowd(agents: usize, tasks: usize) {
    let script = "seen=$(git rev-parse --git-common-dir)/../../seen
        echo begin $ORCH_AGENT >> $seen; sleep 0.1
        mkdir -p src/$ORCH_TASK; echo $ORCH_AGENT > src/$ORCH_TASK/file
        echo end $ORCH_AGENT >> $seen";
    let repo = TestRepo::new();
    let program = agent(&repo, script);
    let team = Team::over(repo);
    team.repo.write(".orch/policy.yaml", crowd_policy(agents, &program));
    team.repo.write(".gitignore", "/logs\n");
    team.repo.git(&["add", "--all"]);
    team.orch("owner", &["hooks", "install"]);
    team.commit("Begin");
    let id = |n: usize| format!("W{}-{n}", n % agents);
    let listed = (0..tasks).map(
        |n| serde_json::json!({ "task_id": id(n), "title": "A change", "workflow": "change" }),
    );
    let list = team.repo.root().join("tasks.json");
    std::fs::write(&list, Value::from_iter(listed).to_string()).unwrap();
    team.orch("coordinator", &["task", "open", "--from", &list.display().to_string()]);
    team.commit("Open tasks");
    let many = agents.to_string();
    let said = team.try_orch("coordinator", &["dispatch", "--parallel", &many]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains(&format!("{tasks} tasks done")), "{}", said.out);
    let mut at_work = BTreeSet::new();
    for line in std::fs::read_to_string(team.repo.root().join("seen")).unwrap().lines() {
        match line.split_once(' ').unwrap() {
            ("begin", agent) => assert!(at_work.insert(agent.to_owned()), "{agent} twice"),
            (_, agent) => assert!(at_work.remove(agent)),
        }
    }
    let records = team.repo.git(&["ls-files", ".orch/tasks"]);
    for n in 0..tasks {
        let worker = format!("worker-{}\n", n % agents);
        assert_eq!(team.read(&format!("src/{}/file", id(n))), worker);
        let ledger = records.lines().filter(|path| path.contains(&format!("/{}/", id(n))));
        assert_eq!(ledger.count(), 6, "task, run, success, handoff, gate, close");
    }
    team.verify().passed();
    assert_eq!(team.repo.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn a_crowd_of_agents_loses_nothing() {
    crowd(5, 15);
}

#[test]
#[ignore = "takes minutes"]
fn fifty_agents_do_five_hundred_tasks() {
    crowd(50, 500);
}

/// R002-23, R002-32: a phase whose work failed keeps the next one waiting, but for what says that it
/// needs something else.
#[test]
fn a_failed_phase_keeps_the_next_one_waiting() {
    let team = fleet(
        "case $ORCH_TASK in
           D-1) exit 1 ;;
           D-2) mkdir -p docs/discovery; echo x > docs/discovery/D-2.md ;;
           *) mkdir -p src/$ORCH_TASK; echo x > src/$ORCH_TASK/f ;;
         esac",
    );
    let open = |id: &str, workflow: &str, phase: &str, more: &[&str]| {
        let task = ["task", "open", id, "--title", "A step", "--workflow", workflow];
        team.orch("orchestrator", &[&task[..], &["--phase", phase], more].concat());
    };
    open("D-1", "discovery", "discovery", &[]);
    open("D-2", "discovery", "discovery", &[]);
    open("I-1", "implementation", "implementation", &["--scope", "src/I-1/**"]);
    let needs = ["--scope", "src/I-2/**", "--depends-on", "D-2"];
    open("I-2", "implementation", "implementation", &needs);
    team.commit("Open tasks");
    let said = dispatch(&team, &[]);
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.out.contains("I-1  waits for an earlier phase: D-1"), "{}", said.out);
    assert!(closed(&team, "I-2") && !closed(&team, "I-1"));
}

/// R001-17: work that is returned again and again stops, for a person to look; it is not done for ever.
#[test]
fn what_is_returned_again_and_again_is_set_aside() {
    let script = "echo x >> ../../calls; mkdir -p src; echo \"{\\\"good\\\": false, \\\"run\\\": \\\"$ORCH_RUN_ID\\\"}\" > src/result.json";
    let stage = "produces: {code: \"src/**/*\"}\n\n  testing:";
    let gated = "produces: {code: \"src/**/*\"}\n        gate: [code.good]\n\n  testing:";
    let team = fleet_of(script, &[(stage, gated)]);
    open(&team, &[("A-1", "src/**")]);
    let said = dispatch(&team, &[]);
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.out.contains("its work was returned"), "{}", said.out);
    let calls = std::fs::read_to_string(team.repo.root().join("calls")).unwrap();
    assert!(calls.lines().count() <= 2, "{calls}");
}

/// An agent that does nothing has done nothing, whatever lies there already.
#[test]
fn an_agent_that_changes_nothing_has_not_done_its_task() {
    let team = fleet("true");
    team.repo.write("src/main.py", "code");
    team.smuggle("Code of before");
    open(&team, &[("A-1", "src/other/**"), ("B-1", "src/**")]);
    let said = dispatch(&team, &[]);
    assert_eq!(said.code, 1, "{said:#?}");
    assert_eq!(said.out.matches("changed no file").count(), 4, "{}", said.out);
    assert!(!closed(&team, "A-1") && !closed(&team, "B-1"));
}

/// What could not be merged is merged by the next dispatch, once the way is free.
#[test]
fn a_merge_that_failed_is_made_by_the_next_dispatch() {
    let team = fleet("mkdir -p src/$ORCH_TASK; echo done > src/$ORCH_TASK/file");
    open(&team, &[("A-1", "src/A-1/**")]);
    team.repo.write("src/A-1/file", "in the way");
    let said = dispatch(&team, &[]);
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.out.contains("src/A-1/file"), "Git's own reason: {}", said.out);
    std::fs::remove_file(team.repo.path().join("src/A-1/file")).unwrap();
    let again = dispatch(&team, &[]);
    assert_eq!(again.code, 0, "{again:#?}");
    assert!(closed(&team, "A-1"));
    assert_eq!(team.read("src/A-1/file"), "done\n");
    team.try_orch("orchestrator", &["dispatch", "NOPE-1"]).fault();
}

/// An agent that leaves the branch of its run is told of, and nothing is recorded elsewhere.
#[test]
fn an_agent_that_leaves_its_branch_is_told_of() {
    let team = fleet(
        "mkdir -p src; echo x > src/f
         [ -e ../../stay ] || git switch --quiet --create elsewhere",
    );
    open(&team, &[("A-1", "src/**")]);
    let said = dispatch(&team, &[]);
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.out.contains("the command left `feature/A-1-implement`"), "{}", said.out);
    assert_eq!(team.repo.git(&["rev-parse", "elsewhere"]), team.repo.git(&["rev-parse", "main"]));
    std::fs::write(team.repo.root().join("stay"), "").unwrap();
    let bench = worktrees(&team).join("A-1").display().to_string();
    team.repo.git(&["-C", &bench, "switch", "--quiet", "feature/A-1-implement"]);
    let again = dispatch(&team, &[]);
    assert_eq!(again.code, 0, "{again:#?}");
    assert!(closed(&team, "A-1"));
}

/// A worktree that somebody deleted is made again, and the task is done.
#[test]
fn a_worktree_that_is_gone_is_made_again() {
    let team = fleet(
        "[ -e ../../stay ] || { touch ../../stay; rm -rf \"$PWD\"; exit 0; }
         mkdir -p src; echo x > src/f",
    );
    open(&team, &[("A-1", "src/**")]);
    assert_eq!(dispatch(&team, &[]).code, 1);
    let again = dispatch(&team, &[]);
    assert_eq!(again.code, 0, "{again:#?}");
    assert!(closed(&team, "A-1"));
    team.verify().passed();
}

/// Tasks that wait for each other across phases and prerequisites are told of, and are a failure.
#[test]
fn tasks_that_wait_for_each_other_are_told_of() {
    let team = fleet("true");
    let open = |id: &str, phase: &str, more: &[&str]| {
        let task = ["task", "open", id, "--title", "A step", "--workflow", "discovery"];
        team.orch("orchestrator", &[&task[..], &["--phase", phase], more].concat());
    };
    open("V-1", "validation", &[]);
    open("D-1", "discovery", &["--depends-on", "V-1"]);
    team.commit("Open tasks");
    let said = dispatch(&team, &[]);
    assert_eq!(said.code, 1, "{said:#?}");
    for line in ["failed: V-1: it waits in a circle", "failed: D-1: it waits in a circle"] {
        assert!(said.out.contains(line), "{}", said.out);
    }
}
