//! Group F: what is read, what is printed, and how the guard is called.

use std::time::{Duration, Instant};

use super::seen::{Seen, ci, commit, git, guard, orch, smuggled};
use super::stages::{begun, delivered, fresh, handed_over};
use crate::support::Team;

attacks![
    repeated_keys(110, "a key given twice, at the top or deep inside", Deny, ["record-invalid"]),
    yaml_magic(112, "anchors, aliases, merge keys and tags", Deny, ["record-invalid"]),
    bombs(113, "aliases that multiply, endless nesting, endless files", Deny, ["record-invalid"]),
    bombs_in_the_policy(113, "the same in an agreed policy", Err, []),
    strange_bytes(
        114,
        "several documents, byte order marks, other encodings",
        Deny,
        ["record-invalid", "text-unsafe"]
    ),
    unsafe_text(
        116,
        "letters that hide or reorder what a reader sees",
        Deny,
        ["text-unsafe", "record-misplaced"]
    ),
    workflow_commands(
        117,
        "text that a CI service would take for a command",
        Deny,
        ["record-invalid", "lane-violation"]
    ),
    hostile_branch(118, "a branch whose name is a command", Deny, ["branch-name"]),
    wrong_branches(
        119,
        "branches too long, of another lane or day, or in use already",
        Deny,
        ["branch-name", "branch-reused", "run-name-too-long"]
    ),
    nameless_heads(
        119,
        "a detached HEAD and a merge group, which have no branch of their own",
        Ok,
        []
    ),
    nothing_examined(121, "a run that examined nothing, as it says", Ok, ["nothing was examined"]),
    nothing_required(121, "the same with `--require`", Deny, ["nothing was examined"]),
];

/// Opens a task on a branch of its own; gives where its record lies.
fn opened() -> (Team, String) {
    let team = fresh();
    team.repo.git(&["switch", "--quiet", "--create", "orch/open"]);
    team.open("strat-001", "new_strategy", &[]);
    let path = team.record("strat-001", "task");
    (team, path)
}

/// Asks about a task's record with these bytes: it is read to its end, or refused in good time.
fn with_bytes(bytes: impl AsRef<[u8]>) -> Seen {
    let (team, path) = opened();
    team.repo.write(&path, bytes);
    in_time(|| smuggled(&team))
}

/// Runs something that must not take long, even in a build for tests on a busy machine.
fn in_time(run: impl FnOnce() -> Seen) -> Seen {
    let began = Instant::now();
    let seen = run();
    assert!(began.elapsed() < Duration::from_secs(30), "{seen}");
    seen
}

/// Asks about a task's record with some text put in place of another, each.
fn with_text(changes: &[(&str, &str)]) -> Vec<Seen> {
    let (team, path) = opened();
    let text = team.read(&path);
    let changed = changes.iter().map(|(from, to)| {
        assert!(text.contains(from), "{text}");
        with_bytes(text.replacen(from, to, 1))
    });
    changed.collect()
}

const TITLE: &str = "  title: Moving average\n";

fn repeated_keys() -> Vec<Seen> {
    with_text(&[
        (TITLE, "  title: Moving average\n  title: Another\n"),
        (TITLE, "  title: Moving average\n  \"title\": Moving average\n"),
        ("entry:\n", "entry: {}\nentry:\n"),
        ("entry:\n", "task: {}\nentry:\n"),
        ("  actor: orchestrator\n", "  actor: founder\n  actor: orchestrator\n"),
        ("entry:\n", "  success_criteria: [{a: 1, a: 2}]\nentry:\n"),
    ])
}

fn yaml_magic() -> Vec<Seen> {
    with_text(&[
        (TITLE, "  title: &name Moving average\n"),
        (TITLE, "  title: &name Moving average\n  requestor: *name\n"),
        (TITLE, "  title: Moving average\n  <<: {priority: high}\n"),
        (TITLE, "  title: !evil Moving average\n"),
        (TITLE, "  title: !!python/object:os.system Moving average\n"),
        ("task:\n", "task: !evil\n"),
    ])
}

/// Gives text whose aliases would be a billion words.
fn laughs() -> String {
    let mut text = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
    for level in 1..10 {
        let alias = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", alias.trim_end_matches(", ")));
    }
    text
}

fn nested() -> String {
    format!("task: {}{}\n", "[".repeat(20_000), "]".repeat(20_000))
}

fn bombs() -> Vec<Seen> {
    let deep: String = (0..2_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    let mut all = vec![with_bytes(laughs()), with_bytes(nested()), with_bytes(deep)];
    all.push(with_bytes(format!("task:\n  title: {}\n", "x".repeat(100 << 20))));
    all.push(with_bytes("# and so on\n".repeat(200_000)));
    all
}

fn bombs_in_the_policy() -> Vec<Seen> {
    [laughs(), nested(), "x".repeat(100 << 20)]
        .map(|text| {
            let team = fresh();
            team.repo.write(".orch/policy.yaml", text);
            team.smuggle("Agree on this");
            in_time(|| ci(&team))
        })
        .into()
}

fn strange_bytes() -> Vec<Seen> {
    let (team, path) = opened();
    let text = team.read(&path);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = [text.replace("average", "moyenne\u{1}").into_bytes(), vec![0xe9]].concat();
    vec![
        with_bytes(format!("{text}---\n{text}")),
        with_bytes(format!("---\n---\n{text}")),
        with_bytes(format!("{text}...\ntask: {{}}\n")),
        with_bytes(format!("\u{feff}{text}")),
        with_bytes([&[0xff, 0xfe][..], &utf16].concat()),
        with_bytes(utf16),
        with_bytes(latin),
        with_bytes(text.replace("Moving", "Mov\0ing")),
        with_bytes(""),
        with_bytes("\n"),
    ]
}

/// What is refused is also printed so that nothing of it works.
fn unsafe_text() -> Vec<Seen> {
    let hidden = ["\u{202e}egareva", "a\u{200b}b", "\u{1b}[2Jgone", "\u{2066}x\u{2069}", "\u{7f}"];
    let mut all = Vec::new();
    for text in hidden {
        let title = format!("  title: {text}\n");
        all.extend(with_text(&[(TITLE, &title)]));
        let (team, path) = opened();
        let id = format!("strat-001{text}");
        let record = team.read(&path).replace("strat-001", &id);
        team.repo.write(&path.replace("strat-001", &id), record);
        all.push(smuggled(&team));
    }
    all.iter().for_each(|seen| shows_nothing_hidden(&seen.to_string()));
    escaped_text(&hidden.concat());
    all
}

/// An escape in double quotes is seen for what it is; and so is what orch prints of it.
fn escaped_text(text: &str) {
    let (team, path) = opened();
    let escaped: String = text.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
    team.edit(&path, TITLE, &format!("  title: \"{escaped}\"\n"));
    team.smuggle("Escaped");
    team.guard(&["--base", "main"]).passed();
    for command in [&["status"][..], &["status", "strat-001"], &["task", "list"], &["log"]] {
        shows_nothing_hidden(&team.orch("", command));
    }
}

#[track_caller]
fn shows_nothing_hidden(told: &str) {
    assert!(told.chars().all(|letter| letter == '\n' || !is_hidden(letter)), "{told:?}");
}

fn is_hidden(letter: char) -> bool {
    letter.is_control() || "\u{202e}\u{200b}\u{2066}\u{2069}".contains(letter)
}

fn workflow_commands() -> Vec<Seen> {
    let bad =
        ["x\\n::error file=a::owned", "x%0A::warning::owned", "</failure><x>\\r\\n##[error]y"];
    let mut all = Vec::new();
    for text in bad {
        let status = format!("  priority: \"{text}\"\n{TITLE}");
        all.extend(with_text(&[(TITLE, &status)]));
    }
    for name in ["x\n::error::y", "##[error]y", "x%0A::warning::y"] {
        let team = begun();
        team.repo.write(&format!("deploy/{name}"), "{}\n");
        all.push(smuggled(&team));
    }
    for seen in &all {
        let told = seen.to_string();
        assert!(!told.contains("##["), "{told}");
        let commands = told.lines().filter(|line| {
            let line = line.trim_start();
            line.starts_with("::")
        });
        assert_eq!(commands.count(), 0, "{told}");
    }
    all
}

fn hostile_branch() -> Vec<Seen> {
    let mut all = Vec::new();
    for name in ["x;$(touch${IFS}owned)", "x`touch${IFS}owned`", "x&&touch\u{a0}owned", "-x"] {
        let team = begun();
        // `git switch` takes no name that begins with a dash; other tools make such refs.
        team.repo.git(&["update-ref", &format!("refs/heads/{name}"), "HEAD"]);
        team.repo.git(&["symbolic-ref", "HEAD", &format!("refs/heads/{name}")]);
        team.write_strategy();
        team.repo.git(&["add", "--all"]);
        all.extend([commit(&team), guard(&team, &[]), smuggled(&team)]);
        all.push(guard(&team, &["--base", "main", &format!("--branch={name}")]));
        assert!(!team.repo.path().join("owned").exists());
    }
    all
}

fn wrong_branches() -> Vec<Seen> {
    let mut all = Vec::new();
    let long = format!("feature/strat-001-{}", "x".repeat(60));
    let start = ["run", "start", "strat-001", "--no-branch"];
    for name in [
        "my-work",
        "feature/strat",
        "codex/torghut-v3-Z-20261121-r0123456789",
        "codex/torghut-v3-B-20261341-r0123456789",
        "codex/torghut-v3-B-2026-11-21-r0123456789",
        "codex/torghut-v3-B-20261121",
    ] {
        let team = fresh();
        team.open("strat-001", "new_strategy", &[]);
        team.repo.git(&["switch", "--quiet", "--create", name]);
        all.extend([orch(&team, "strategy_developer", &start), smuggled(&team)]);
    }
    for name in [&long, "feature/strat-002-strategy", "codex/torghut-v3-A-20261121-r0123456789"] {
        let team = fresh();
        team.open("strat-001", "new_strategy", &[]);
        team.repo.git(&["switch", "--quiet", "--create", name]);
        all.push(orch(&team, "strategy_developer", &start));
    }
    let team = begun();
    team.open("strat-002", "new_strategy", &[]);
    let second = ["run", "start", "strat-002", "--no-branch"];
    all.push(orch(&team, "strategy_developer", &second));
    all
}

fn nameless_heads() -> Vec<Seen> {
    let team = handed_over();
    team.repo.git(&["switch", "--quiet", "--detach"]);
    let mut all = vec![ci(&team), guard(&team, &[])];
    team.repo.write("README.md", "Strategies\n");
    team.repo.git(&["add", "--all"]);
    all.push(commit(&team));
    let team = handed_over();
    let group = "gh-readonly-queue/main/pr-7-0123abc";
    team.repo.git(&["switch", "--quiet", "--create", group, "main"]);
    let branch = "feature/strat-001-strategy";
    all.push(git(&team, &["merge", "--no-ff", "--no-edit", branch]));
    all.extend([ci(&team), guard(&team, &["--base", "main", "--branch", group])]);
    all
}

fn nothing_examined() -> Vec<Seen> {
    let team = delivered();
    vec![guard(&team, &[]), guard(&team, &["--base", "HEAD"])]
}

fn nothing_required() -> Vec<Seen> {
    let team = delivered();
    vec![guard(&team, &["--require"]), guard(&team, &["--base", "HEAD", "--require"])]
}
