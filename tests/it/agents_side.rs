//! What agents read: the part of AGENTS.md that `orch init` writes, and what `orch next` says.

use crate::support::{Team, TestRepo};

const BEGIN: &str = "<!-- orch: begin -->";
const END: &str = "<!-- orch: end -->";

/// Gives what stands between the marked lines.
fn part(text: &str) -> &str {
    let (_, rest) = text.split_once(BEGIN).expect("it begins");
    rest.split_once(END).expect("it ends").0
}

/// R002-1, R002-21: what an agent must know stands in AGENTS.md, in few words, and in CLAUDE.md if that is there;
/// what else they hold stays, byte for byte; and the guard lets it pass, then and later.
#[test]
fn init_tells_agents_how_to_work() {
    let team = Team::over(TestRepo::new());
    let claude = "\u{feff}# Claude\r\n\r\nBe kind.\r\n\r\n\r\n";
    team.repo.write("CLAUDE.md", claude);
    let said = team.orch("", &["init", "--template", "strategy", "--hooks"]);
    assert!(said.contains("wrote AGENTS.md") && said.contains("wrote CLAUDE.md"), "{said}");
    let agents = team.read("AGENTS.md");
    assert!(part(&agents).len() < 1_100, "{} bytes", part(&agents).len());
    let words = [
        "ORCH_AGENT",
        "orch next",
        "orch run start",
        "orch handoff create",
        "git commit",
        "refused",
    ];
    for word in words {
        assert!(part(&agents).contains(word), "{word}: {agents}");
    }
    let written = team.read("CLAUDE.md");
    assert!(written.starts_with(claude) && written.ends_with(&format!("{END}\r\n")), "{written:?}");
    assert_eq!(part(&written).replace("\r\n", "\n"), part(&agents));
    assert_eq!(team.repo.git(&["diff", "--name-only"]), "", "all of it is staged");
    team.commit("Begin with orch");
    team.open("strat-001", "new_strategy", &[]);
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    team.repo.write("CLAUDE.md", format!("{written}More.\r\n"));
    team.repo.git(&["add", "CLAUDE.md"]);
    team.commit("Anyone may say more");
    team.guard(&["--base", "main"]).passed();
}

/// Saying it again changes nothing, and an older part is replaced where it stands.
#[test]
fn the_part_is_written_once() {
    let team = Team::over(TestRepo::new());
    let around = format!("# Ours\n\n{BEGIN}\nold\n{END}\n\n\nbelow, without an end");
    team.repo.write("AGENTS.md", &around);
    team.orch("", &["init"]);
    let once = team.read("AGENTS.md");
    assert_eq!(once.replace(part(&once), "\nold\n"), around);
    assert!(!team.repo.path().join("CLAUDE.md").exists());
    let said = team.try_orch("", &["init", "--force"]);
    assert!(said.denied().contains("--template"), "{said:#?}");
    team.orch("", &["init", "--force", "--template", "team"]);
    assert_eq!(team.read("AGENTS.md"), once);
}

/// What nobody can take apart is refused before anything is written, and said so.
#[test]
fn what_is_unclear_is_left_alone() {
    for (text, why) in [
        (format!("# Ours\n{BEGIN}\nno end\n").into_bytes(), "is missing"),
        (format!("{END}\n{BEGIN}\n").into_bytes(), "stands before"),
        (b"# \xff\xfe not text\n".to_vec(), "can't be read"),
    ] {
        let team = Team::over(TestRepo::new());
        team.repo.write("AGENTS.md", &text);
        let said = team.try_orch("", &["init"]);
        assert_ne!(said.code, 0);
        assert!(said.err.contains(why) && said.err.contains("AGENTS.md"), "{said:#?}");
        assert!(said.err.contains("help: "), "{said:#?}");
        if why == "can't be read" {
            assert!(said.err.contains("--no-agents-file"), "{said:#?}");
        }
        assert!(!team.repo.path().join(".orch").exists());
        assert_eq!(std::fs::read(team.repo.path().join("AGENTS.md")).unwrap(), text);
        team.orch("", &["init", "--no-agents-file"]);
        assert_eq!(std::fs::read(team.repo.path().join("AGENTS.md")).unwrap(), text);
        assert_eq!(team.repo.git(&["ls-files", "AGENTS.md"]), "");
    }
}

/// Whoever begins in a repository with a past hears which files nobody may change.
#[test]
fn files_without_an_owner_are_told() {
    let team = Team::over(TestRepo::new());
    for path in
        ["Makefile", "infra/a.tf", "infra/b.tf", "infra/c.tf", "strategies/x.py", "AGENTS.md"]
    {
        team.repo.write(path, "x\n");
    }
    team.smuggle("What was there before");
    let said = team.orch("", &["init", "--template", "strategy"]);
    let told = "note: 4 tracked files in no lane, nor in `shared_paths`, so path-unowned refuses a change there: \
                Makefile, infra/a.tf, infra/b.tf, …;";
    assert!(said.contains(told), "{said}");
    team.smuggle("Begin with orch");
    team.repo.git(&["switch", "--quiet", "-c", "orch/makefile"]);
    team.repo.write("Makefile", "y\n");
    team.repo.git(&["add", "Makefile"]);
    team.guard(&[]).refused_by("path-unowned");
    let fresh = Team::over(TestRepo::new());
    assert!(!fresh.orch("", &["init"]).contains("tracked file"));
}

/// A place of schemas that is none is refused before anything is written.
#[test]
fn schemas_have_a_place() {
    for place in ["", " ", "a b", "a\nb", "/etc", "../schemas"] {
        let team = Team::over(TestRepo::new());
        let said = team.try_orch("", &["init", "--schemas", place]);
        assert!(said.code == 2 && said.err.contains("--schemas"), "{said:#?}");
        assert!(!team.repo.path().join(".orch").exists());
    }
}

/// A link is left a link, and what Git ignores is nobody else's.
#[test]
fn links_and_ignored_files_are_left_alone() {
    let team = Team::over(TestRepo::new());
    team.repo.write("AGENTS.md", "# Ours\n");
    std::os::unix::fs::symlink("AGENTS.md", team.repo.path().join("CLAUDE.md")).unwrap();
    let said = team.orch("", &["init"]);
    assert!(said.contains("note: CLAUDE.md is a link"), "{said}");
    assert!(team.repo.path().join("CLAUDE.md").is_symlink());
    assert_eq!(team.read("CLAUDE.md").matches(BEGIN).count(), 1);
    let dangling = Team::over(TestRepo::new());
    std::os::unix::fs::symlink("nowhere.md", dangling.repo.path().join("CLAUDE.md")).unwrap();
    assert!(dangling.orch("", &["init"]).contains("note: CLAUDE.md is a link"));
    for text in ["@AGENTS.md\n", "# Claude\r\n\r\n@./AGENTS.md\r\nBe kind.\r\n"] {
        let taking = Team::over(TestRepo::new());
        taking.repo.write("CLAUDE.md", text);
        let said = taking.orch("", &["init"]);
        assert!(said.contains("note: CLAUDE.md takes in AGENTS.md"), "{said}");
        assert_eq!(taking.read("CLAUDE.md"), text);
        assert!(taking.read("AGENTS.md").contains(BEGIN));
    }
    let other = Team::over(TestRepo::new());
    other.repo.write(".gitignore", "CLAUDE.md\n");
    other.repo.write("CLAUDE.md", "mine\n");
    let said = other.orch("", &["init"]);
    assert!(said.contains("note: CLAUDE.md is ignored by Git"), "{said}");
    assert_eq!(other.read("CLAUDE.md"), "mine\n");
}

/// What an agent is told of fifty tasks costs it fewer than 500 tokens, the most urgent
/// first; `--all` and JSON are whole.
#[test]
fn fifty_tasks_are_told_in_few_words() {
    let team = Team::new();
    for number in 0..50 {
        let id = format!("strat-{number:03}");
        let priority = if number == 37 { "critical" } else { "normal" };
        team.open(&id, "new_strategy", &["--priority", priority]);
    }
    team.commit("Open fifty tasks");
    let said = team.orch("strategy_developer", &["next"]);
    assert!(said.len() < 1_500, "{} bytes", said.len());
    assert!(said.starts_with("strat-037  "), "{said}");
    let told = said.matches("orch run start strat-").count();
    assert!(told > 10 && said.ends_with(&format!("and {} more: orch next --all\n", 50 - told)));
    let all = team.orch("strategy_developer", &["next", "--all"]);
    assert_eq!(all.matches("orch run start strat-").count(), 50);
    let json = team.json("strategy_developer", &["next"]);
    assert_eq!(json.as_array().unwrap().len(), 50);
}

/// R000-27, R000-30, R002-36: an agent is told which messages wait for its answer, and what was handed
/// over to it, in a line each.
#[test]
fn an_agent_is_told_what_was_said_to_it() {
    let team = Team::new();
    team.land_data();
    team.open("strat-001", "new_strategy", &["--depends-on", "data-001"]);
    team.commit("Open a task");
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    let send = |from: &str, to: &str, more: &[&str]| {
        let command = ["message", "send", "--to", to, "--task", "strat-001"];
        team.orch(from, &[&command[..], more].concat())
    };
    send("strategy_developer", "quant_engineer", &["--payload", "question=Which\n0004  fee?"]);
    send("quant_engineer", "orchestrator", &["--status", "in_progress"]);
    send("founder", "quant_engineer", &["--status", "completed", "--payload", "note=Thanks"]);
    let next = team.orch("quant_engineer", &["next"]);
    let asked = "strat-001  strategy_developer waits for an answer: question: Which 0004 fee?\n    \
                 orch message send --to strategy_developer --task strat-001 --type response";
    assert!(next.contains(asked) && !next.contains("Thanks"), "{next}");
    let json = team.json("quant_engineer", &["next"]);
    assert_eq!(json.as_array().unwrap().len(), 1, "{json:#}");
    assert!(team.orch("orchestrator", &["next"]).contains("quant_engineer waits for an answer"));
    send("quant_engineer", "strategy_developer", &["--type", "response"]);
    send("orchestrator", "quant_engineer", &["--type", "response"]);
    assert_eq!(
        team.orch("quant_engineer", &["next"]),
        "nothing to do for quant_engineer; the board: orch status\n"
    );
    assert!(!team.orch("orchestrator", &["next"]).contains("waits for an answer"));
    team.repo.write("strategies/sma.py", "code");
    team.repo.write("docs/strategies/sma.md", "about");
    let message = format!("Three combos.\nMind the fee. {}", "x".repeat(400));
    team.orch("strategy_developer", &["handoff", "create", "strat-001", "--message", &message]);
    team.commit("Write the strategy");
    team.orch("orchestrator", &["gate", "strat-001"]);
    team.commit("Let it pass");
    let next = team.orch("quant_engineer", &["next"]);
    assert!(
        next.contains(
            "orch handoff show strat-001  # from strategy_developer: Three combos. Mind the fee. x"
        ),
        "{next}"
    );
    assert!(next.len() < 400, "{next}");
}

/// R000-21: who asks from a session that did the work is not sent to audit it, and is told why.
#[test]
fn an_auditor_is_not_sent_where_the_guard_refuses() {
    let team = Team::new();
    team.land_data();
    team.hand_over_strategy(&["--depends-on", "data-001"]);
    team.pass("strat-001", "strategy");
    team.backtest();
    let asked = |session: &str| {
        let output = team.command("independent_auditor", session, &["next"]).output();
        String::from_utf8(output.expect("orch runs").stdout).expect("text")
    };
    let shared = asked("session-of-quant_engineer");
    assert!(!shared.contains("orch run start"), "{shared}");
    assert!(shared.contains("session `session-of-quant_engineer`, which also ran"), "{shared}");
    assert!(shared.contains("--session ID"), "{shared}");
    let fresh = asked("an-audit-of-its-own");
    assert!(fresh.contains("orch run start strat-001"), "{fresh}");
}
