//! Agents' harnesses: hooks in the settings of Claude Code, and what a step is answered.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{CODE, Said, Team, TestRepo};

const SETTINGS: &str = ".claude/settings.json";
const SKILL: &str = ".claude/skills/orch/SKILL.md";

/// Hands an event to orch, as a harness does.
fn answered(team: &Team, event: &[u8]) -> Said {
    let mut command = team.command("", "", &["hooks", "agent-event"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _closed_early = child.stdin.take().unwrap().write_all(event);
    Said::from(&child.wait_with_output().unwrap())
}

/// An event as Claude Code writes it before its Bash tool runs a line.
fn before(team: &Team, line: &str) -> Value {
    json!({
        "session_id": "abc123",
        "transcript_path": "/home/ada/.claude/projects/x/abc123.jsonl",
        "cwd": team.repo.path(),
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": line, "description": "Commit", "timeout": 120_000},
        "tool_use_id": "toolu_01ABC123",
    })
}

/// An event as Claude Code writes it when an agent ends its turn.
fn end(team: &Team, again: bool) -> Value {
    json!({
        "session_id": "abc123", "cwd": team.repo.path(), "permission_mode": "default",
        "hook_event_name": "Stop", "stop_hook_active": again,
    })
}

fn blocks(team: &Team, event: &Value, expected: &[&str]) {
    let said = answered(team, event.to_string().as_bytes());
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{event}: {said:#?}");
    for words in expected {
        assert!(said.err.contains(words), "{words}: {said:#?}");
    }
}

fn passes(team: &Team, event: &Value) {
    let said = answered(team, event.to_string().as_bytes());
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""), "{event}");
}

/// What the settings held stays, byte for byte; saying it again changes nothing; and it all goes again.
#[test]
fn the_settings_are_joined_and_taken_apart() {
    let texts = [
        None,
        Some("{}\n".to_owned()),
        Some("{}".to_owned()),
        Some(String::new()),
        Some("{\"hooks\": {\"PreToolUse\": [ ], \"Stop\": []}}\n".to_owned()),
        Some("{\"hooks\": { }}\n".to_owned()),
        Some("{\n  \"permissions\": {\n    \"allow\": [\"Bash(git diff:*)\"]\n  },\n  \"model\": \"opus\"\n}".into()),
        Some("{\r\n\t\"hooks\": {\r\n\t\t\"PreToolUse\": [\r\n\t\t\t{\r\n\t\t\t\t\"matcher\": \"Edit|Write\",\r\n\t\t\t\t\
              \"hooks\": [{ \"type\": \"command\", \"command\": \"prettier --write\" }]\r\n\t\t\t}\r\n\t\t]\r\n\t}\r\n}\r\n"
            .into()),
        Some("{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"say done\"}]}],\"SessionStart\":[]}}"
            .into()),
    ];
    for text in texts {
        let team = Team::new();
        if let Some(text) = &text {
            team.repo.write(SETTINGS, text);
        }
        let before = text.as_deref().filter(|text| !text.is_empty()).unwrap_or("{}");
        let before: Value = serde_json::from_str(before).unwrap();
        team.orch("", &["hooks", "install", "--agents"]);
        let once = team.read(SETTINGS);
        let mut after: Value = serde_json::from_str(&once).unwrap();
        for (event, matcher) in [("PreToolUse", json!("Bash")), ("Stop", Value::Null)] {
            let groups = after["hooks"][event].as_array_mut().unwrap();
            let ours = groups.pop().unwrap();
            assert_eq!(ours["hooks"][0]["command"], "orch hooks agent-event", "{once}");
            assert_eq!(
                (ours["hooks"][0]["type"].as_str(), &ours["matcher"]),
                (Some("command"), &matcher)
            );
            assert_eq!(groups.len(), before["hooks"][event].as_array().map_or(0, Vec::len));
        }
        let said = team.orch("", &["hooks", "install", "--agents"]);
        assert!(said.contains("already"), "{said}");
        assert_eq!(team.read(SETTINGS), once);
        team.orch("", &["hooks", "uninstall", "--agents"]);
        match text {
            Some(text) => assert_eq!(team.read(SETTINGS), text),
            None => assert!(!team.repo.path().join(".claude").exists()),
        }
        assert!(!team.repo.path().join(SKILL).exists());
        assert_eq!(team.try_orch("", &["hooks", "status"]).code, 0, "Git's own hooks stay");
    }
}

/// What was said since stays, in a clone that has no memory of what was there before too.
#[test]
fn only_ours_is_taken_out_of_what_has_changed_since() {
    let team = Team::new();
    team.repo.write(SETTINGS, "{\"hooks\": {}}\n");
    team.orch("", &["hooks", "install", "--agents"]);
    team.edit(SETTINGS, "{\"hooks\"", "{\"model\": \"opus\", \"hooks\"");
    team.orch("", &["hooks", "uninstall", "--agents"]);
    let left: Value = serde_json::from_str(&team.read(SETTINGS)).unwrap();
    assert_eq!(left, json!({"model": "opus"}));
    for (text, left) in [(None, None), (Some("{ }"), Some("{ }"))] {
        let team = Team::new();
        if let Some(text) = text {
            team.repo.write(SETTINGS, text);
        }
        team.orch("", &["hooks", "install", "--agents"]);
        std::fs::remove_file(team.repo.path().join(".git/orch/settings-before")).unwrap();
        team.orch("", &["hooks", "uninstall", "--agents"]);
        assert_eq!(team.repo.path().join(SETTINGS).exists(), left.is_some());
    }
}

/// Settings that name orch and yet don't have it asked are said to be broken, and installing mends what it can.
#[test]
fn settings_that_ask_nothing_are_told() {
    let team = Team::new();
    let status = |team: &Team| {
        let said = team.try_orch("", &["hooks", "status"]);
        (said.code, said.out, said.err)
    };
    assert_eq!(status(&team).0, 0, "agents' hooks are nobody's duty");
    team.orch("", &["hooks", "install", "--agents"]);
    let whole = team.read(SETTINGS);
    assert!(status(&team).1.contains("settings.json asks orch"));
    team.edit(SETTINGS, "\"matcher\": \"Bash\"", "\"matcher\": \"Edit\"");
    let (code, out, err) = status(&team);
    assert!(code == 1 && out.contains("but not for the Bash tool"), "{out}");
    assert!(
        err.contains("agents' harness") && !err.contains("next: orch hooks install\n"),
        "{err}"
    );
    team.orch("", &["hooks", "install", "--agents"]);
    assert_eq!(status(&team).0, 0);
    team.orch("", &["hooks", "uninstall", "--agents"]);
    assert!(!team.repo.path().join(SETTINGS).exists() || !team.read(SETTINGS).contains("orch"));
    team.repo.write(SETTINGS, &whole);
    team.repo.write(".claude/settings.local.json", "{\"disableAllHooks\": true}\n");
    let (code, out, _) = status(&team);
    assert!(code == 1 && out.contains("`disableAllHooks` in .claude/settings.local.json"), "{out}");
    team.repo.remove(".claude/settings.local.json");
    team.edit(SETTINGS, "{", "{\"disableAllHooks\": true,");
    assert!(status(&team).1.contains("`disableAllHooks` in .claude/settings.json"));
}

/// What starts the guard comes with the first policy, and changes with a person's word.
#[test]
fn the_settings_are_guarded() {
    let team = Team::over(TestRepo::new());
    team.orch("", &["init", "--template", "team", "--hooks"]);
    team.orch("", &["hooks", "install", "--agents"]);
    team.repo.git(&["add", ".claude"]);
    team.commit("Begin with orch");
    team.orch("", &["hooks", "uninstall", "--agents"]);
    team.repo.git(&["switch", "--quiet", "-c", "orch/without-hooks"]);
    team.repo.git(&["add", "-A", ".claude"]);
    team.git_refused(&["commit", "-m", "Take the hooks away"], "policy-change-undecided");
}

/// What can't be read is not touched, and a skill of somebody else's stays.
#[test]
fn what_is_not_ours_is_left_alone() {
    let team = Team::new();
    for text in
        ["{ // mine\n}", "[]", "{\"hooks\": []}", "{\"hooks\": {\"Stop\": 1}}", "\u{feff}{}"]
    {
        team.repo.write(SETTINGS, text);
        for command in ["install", "uninstall"] {
            let said = team.try_orch("", &["hooks", command, "--agents"]);
            assert!(said.denied().contains(SETTINGS), "{said:#?}");
            assert_eq!(team.read(SETTINGS), text);
        }
    }
    team.repo.remove(SETTINGS);
    let outside = team.repo.root().join("outside.json");
    std::os::unix::fs::symlink(&outside, team.repo.path().join(SETTINGS)).unwrap();
    let said = team.try_orch("", &["hooks", "install", "--agents"]);
    assert!(said.denied().contains("is a link") && !outside.exists(), "{said:#?}");
    team.repo.remove(SETTINGS);
    team.repo.write(SKILL, "mine");
    let said = team.orch("", &["hooks", "install", "--agents"]);
    assert!(said.contains("left as it is"), "{said}");
    team.orch("", &["hooks", "uninstall", "--agents"]);
    assert_eq!(team.read(SKILL), "mine");
}

/// The skill is what the convention asks for, short, and names only commands that there are.
#[test]
fn the_skill_is_short_and_true() {
    let team = Team::new();
    team.orch("", &["hooks", "install", "--agents"]);
    let skill = team.read(SKILL);
    let front = skill.strip_prefix("---\nname: orch\ndescription: ").unwrap();
    let description = front.split_once("\n---\n").unwrap().0;
    assert!(description.len() < 1_024 && !description.contains('\n'), "{description}");
    assert!(skill.len() < 1_000, "{} bytes", skill.len());
    let commands = skill.split('`').skip(1).step_by(2).filter(|text| text.starts_with("orch "));
    for command in commands {
        let words = command.split(' ').skip(1);
        let words = words.take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()));
        let words: Vec<&str> = words.chain(["--help"]).collect();
        assert_eq!(team.try_orch("", &words).code, 0, "{command}");
    }
}

/// A commit that would be refused is blocked before it is tried, with the check and what to type.
#[test]
fn a_commit_that_would_be_refused_is_blocked() {
    let team = Team::sealed();
    passes(&team, &before(&team, "git commit -m 'Hand over'"));
    team.repo.write(CODE, "bad\n");
    team.repo.git(&["add", CODE]);
    let told = ["orch would refuse this `git commit`", "checksum-mismatch", CODE, "help: "];
    blocks(&team, &before(&team, "git commit -m 'Hand over'"), &told);
    blocks(&team, &before(&team, "cd . && git status && git commit -qm x"), &told);
    let sub = team.repo.path().join("strategies");
    let there = format!("git -C '{}' commit -m x", sub.display());
    blocks(&team, &before(&team, &there), &told);
    // What is staged on the way, or by the commit itself, is judged by Git's own hooks.
    passes(&team, &before(&team, "git add -A && git commit -m x"));
    passes(&team, &before(&team, "git commit -am x"));
    passes(&team, &before(&team, "git status"));
    passes(&team, &before(&team, "echo git commit"));
    // Gemini CLI and Codex ask the same in their own words.
    let mut gemini = before(&team, "git commit -m x");
    gemini["hook_event_name"] = "BeforeTool".into();
    gemini["tool_name"] = "run_shell_command".into();
    blocks(&team, &gemini, &told);
}

/// What goes past the hooks is blocked, and so is what nobody would judge.
#[test]
fn what_goes_past_the_hooks_is_blocked() {
    let team = Team::sealed();
    for line in ["git commit --no-verify -m x", "git commit -anm x", "git push --no-verify"] {
        blocks(&team, &before(&team, line), &["goes past the hooks", "--no-verify"]);
    }
    blocks(
        &team,
        &before(&team, "git -c core.hooksPath=/dev/null commit -m x"),
        &["past the hooks"],
    );
    for line in [
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null git commit -m x",
        "GIT_CONFIG_PARAMETERS=\"'core.hooksPath=/dev/null'\" git push",
        "git config core.hooksPath /dev/null",
        "git config core.hooksPath /dev/null && git commit -m x",
        "git config --local --unset core.hooksPath",
    ] {
        blocks(&team, &before(&team, line), &["past the hooks", "core.hooksPath"]);
    }
    passes(&team, &before(&team, "git config core.hooksPath"));
    passes(&team, &before(&team, "git commit -m 'Never --no-verify'"));
    team.orch("", &["hooks", "uninstall"]);
    passes(&team, &before(&team, "git config --unset core.hooksPath"));
    blocks(&team, &before(&team, "git add -A && git commit -m x"), &["orch hooks install"]);
    passes(&team, &before(&team, "git commit -m x"));
}

/// A push of what would be refused is blocked, though it was committed past the hooks.
#[test]
fn a_push_that_would_be_refused_is_blocked() {
    let team = Team::sealed();
    team.commit("Hand over");
    passes(&team, &before(&team, "git push origin HEAD"));
    team.repo.write("deploy/live/config.json", "{}\n");
    team.smuggle("Past the hooks");
    blocks(&team, &before(&team, "git push -u origin HEAD"), &["git push", "help: "]);
    passes(&team, &before(&team, "git push origin another"));
}

/// An agent that ends hears once of what it leaves: staged and refused, or never committed.
#[test]
fn an_end_that_leaves_something_is_told_once() {
    let team = Team::sealed();
    blocks(&team, &end(&team, false), &["is staged", "git commit"]);
    passes(&team, &end(&team, true));
    team.repo.write(CODE, "bad\n");
    team.repo.git(&["add", CODE]);
    blocks(&team, &end(&team, false), &["checksum-mismatch", "help: "]);
    team.repo.git(&["reset", "--quiet", "--hard"]);
    passes(&team, &end(&team, false));
    team.open("strat-009", "new_strategy", &[]);
    team.repo.git(&["restore", "--staged", "."]);
    blocks(&team, &end(&team, false), &["0001-task.yaml is not staged", "git add .orch"]);
}

/// Whatever comes, orch neither hangs nor breaks, and blocks nothing that is not its own.
#[test]
fn no_event_is_too_strange() {
    let team = Team::sealed();
    team.repo.write(CODE, "bad\n");
    team.repo.git(&["add", CODE]);
    let deep = "[".repeat(200_000);
    for text in ["", "{", "[]", "null", "\"x\"", "{} {}", "\u{0}", deep.as_str()] {
        let said = answered(&team, text.as_bytes());
        assert!(said.denied().contains("no event"), "{said:#?}");
    }
    assert_eq!(answered(&team, b"\xff\xfe").code, 1);
    for event in [
        json!({}),
        json!({"hook_event_name": 7}),
        json!({"hook_event_name": "PreToolUse"}),
        json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": "git commit"}),
        json!({"hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": {"command": "git commit"}}),
        json!({"hook_event_name": "SessionStart"}),
        json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "git commit"},
            "cwd": team.repo.root()}),
        json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "'\"$((`\\"}}),
    ] {
        passes(&team, &event);
    }
    // A folder that is gone is none: then it is the one that the harness runs its hooks in.
    let mut elsewhere = before(&team, "git commit -m x");
    elsewhere["cwd"] = "/no/such/folder".into();
    blocks(&team, &elsewhere, &["checksum-mismatch"]);
    team.repo.write("\u{1b}[2Jevil\nname", "x");
    team.repo.git(&["add", "."]);
    let said = answered(&team, before(&team, "git commit -m x").to_string().as_bytes());
    assert!(said.code == 2 && !said.err.contains('\u{1b}'), "{said:#?}");
}

/// Where orch is agreed already, what starts it is guarded: what is told to be typed lands.
#[test]
fn a_harness_is_added_by_a_person_where_orch_is_agreed() {
    let team = Team::new();
    let told = team.orch("", &["hooks", "install", "--agents"]);
    let (_, next) = told.split_once("next, a person on a branch of its own: ").expect("it is told");
    team.type_in("founder", next);
    assert_eq!(team.repo.git(&["status", "--porcelain"]), "");
    team.guard(&["--base", "main"]).passed();
}
