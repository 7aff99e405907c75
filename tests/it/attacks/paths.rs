//! Group C, the names of files: renames, spellings, globs. What counts is Git's bytes, under Git's own spelling.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::time::{Duration, Instant};

use super::seen::{Seen, ci, commit, guard, smuggled};
use super::stages::{begun, delivered, fresh, handed_over, sealed};
use crate::support::{CODE, Team};

attacks![
    rename_out_of_a_lane(30, "a rename out of another's lane", Deny, ["lane-violation"]),
    renamed_record(31, "a landed record renamed with a small edit", Deny, ["record-modified"]),
    diff_settings(33, "settings that change what `git diff` shows", Deny, ["checksum-mismatch"]),
    foreign_letters(34, "letters beyond ASCII, inside the lane", Ok, []),
    foreign_letters_outside(
        34,
        "the same outside the lane",
        Deny,
        ["lane-violation", "path-unowned"]
    ),
    odd_names(
        35,
        "files whose names hold newlines, quotes, spaces or devices",
        Deny,
        ["record-misplaced", "text-unsafe"]
    ),
    other_case(
        37,
        "protected folders in another case",
        Deny,
        ["record-misplaced", "path-unowned", "policy-change-undecided"]
    ),
    pair_by_case(
        38,
        "two records whose names differ by case alone",
        Deny,
        ["record-misplaced", "duplicate-submission"]
    ),
    invisible_letters(
        39,
        "letters that nobody sees, and Windows' own spellings, in a protected name",
        Deny,
        ["record-misplaced", "text-unsafe"]
    ),
    crooked_artifact(40, "artifacts at paths that are not canonical", Deny, ["record-invalid"]),
    globs(41, "files that a glob does not reach", Deny, ["path-unowned"]),
    endless_patterns(43, "globs and patterns that grow without bounds", Err, []),
    endless_patterns_proposed(43, "the same, proposed", Deny, ["policy-invalid"]),
];

fn rename_out_of_a_lane() -> Vec<Seen> {
    let team = fresh();
    team.repo.write("deploy/live/x.json", "{\"days\": 20}\n");
    team.smuggle("There before orch");
    team.begin_strategy(&[]);
    team.write_strategy();
    team.repo.git(&["mv", "deploy/live/x.json", "strategies/x.json"]);
    vec![guard(&team, &[]), commit(&team), smuggled(&team)]
}

fn renamed_record() -> Vec<Seen> {
    let team = delivered();
    team.repo.git(&["switch", "--quiet", "--create", "orch/rename"]);
    let path = team.record("strat-001", "handoff");
    let renamed = path.replace("0003", "0009");
    team.repo.git(&["mv", &path, &renamed]);
    team.edit(&renamed, "ready for backtesting", "ready for anything");
    team.repo.git(&["add", "--all"]);
    let status = team.repo.git(&["diff", "--cached", "--name-status", "--find-renames"]);
    assert!(status.starts_with("R09"), "{status}");
    vec![guard(&team, &[]), commit(&team), smuggled(&team)]
}

fn diff_settings() -> Vec<Seen> {
    let honest = handed_over();
    let forged = handed_over();
    forged.edit(CODE, "20", "21");
    forged.smuggle("A small thing");
    for team in [&honest, &forged] {
        for (name, value) in [
            ("diff.renames", "copies"),
            ("diff.noprefix", "true"),
            ("diff.external", "/bin/true"),
            ("diff.ignoreSubmodules", "all"),
            ("core.quotePath", "true"),
            ("core.fileMode", "false"),
            ("core.ignoreCase", "true"),
            ("core.precomposeUnicode", "true"),
        ] {
            team.repo.git(&["config", name, value]);
        }
        team.repo.write(".git/info/attributes", "* -diff\n*.pine binary\n");
    }
    honest.guard(&["--base", "main"]).passed();
    vec![ci(&forged)]
}

fn foreign_letters() -> Vec<Seen> {
    let team = begun();
    // One name in two normal forms is two names: bytes are compared.
    for name in ["größe", "gro\u{308}ße", "戦略", "стратегия"] {
        team.repo.write(&format!("strategies/{name}.pine"), "plot(close)\n");
    }
    team.repo.git(&["add", "--all"]);
    vec![guard(&team, &[]), commit(&team), ci(&team)]
}

fn foreign_letters_outside() -> Vec<Seen> {
    ["deploy/größe.json", "größe/x.json", "strategie\u{301}s/x.pine", "ѕtrategies/x.pine"]
        .map(|path| {
            let team = begun();
            team.repo.write(path, "{}\n");
            smuggled(&team)
        })
        .into()
}

/// Files of one's own lane may have odd names, and are counted whatever they are called; only what
/// no reader sees is refused there too.
fn odd_names() -> Vec<Seen> {
    let mut all = Vec::new();
    let team = begun();
    for name in ["\"a\"", "-a", "a.", "a ", "CON", "a\\b", "*"] {
        team.repo.write(&format!("strategies/{name}"), "plot(close)\n");
    }
    write_bytes(&team, b"strategies/a\xff.pine");
    team.smuggle("Odd names");
    team.guard(&["--base", "main"]).passed();
    for name in ["a\nb", "a\tb"] {
        let team = begun();
        team.repo.write(&format!("strategies/{name}"), "plot(close)\n");
        all.push(smuggled(&team));
    }
    for name in [
        "0003-mess\nage.yaml",
        "0003-message.yaml\t",
        "\"0003-message.yaml\"",
        "-0003-message.yaml",
        "0003-message.yaml.",
        "0003-message.yaml ",
        "CON",
        "0003-message\u{fffd}.yaml",
    ] {
        let team = begun();
        let run = team.record("strat-001", "run");
        let folder = run.rsplit_once('/').unwrap().0;
        team.repo.write(&format!("{folder}/{name}"), team.read(&run));
        all.push(smuggled(&team));
    }
    let team = begun();
    let folder = team.record("strat-001", "run").rsplit_once('/').unwrap().0.to_owned();
    write_bytes(&team, &[folder.as_bytes(), b"/0003-message\xff.yaml"].concat());
    all.push(smuggled(&team));
    all
}

/// Writes a file whose name is no text.
fn write_bytes(team: &Team, path: &[u8]) {
    let file = team.repo.path().join(OsStr::from_bytes(path));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, "x\n").unwrap();
}

fn other_case() -> Vec<Seen> {
    [".Orch/policy.yaml", ".ORCH/decisions/x.yaml", ".GitHub/workflows/orch.yml", ".GITHUB/x"]
        .map(|path| {
            let team = begun();
            team.repo.write(path, "on: push\n");
            smuggled(&team)
        })
        .into()
}

fn pair_by_case() -> Vec<Seen> {
    let team = begun();
    let path = team.record("strat-001", "run");
    team.repo.write(&path.replace("-run", "-Run"), team.read(&path));
    let records = smuggled(&team);
    let team = begun();
    let path = team.record("strat-001", "task");
    let text = team.read(&path).replace("strat-001", "Strat-001");
    team.repo.write(&path.replace("strat-001", "Strat-001"), text);
    vec![records, smuggled(&team)]
}

/// Such names are refused as spellings of a protected one, not only for want of an owner. Windows has
/// more of them.
fn invisible_letters() -> Vec<Seen> {
    let team = Team::with_policy(&[("\"models/**\"]", "\"models/**\", \"**\"]")]);
    team.begin_strategy(&[]);
    team.commit("Begin the strategy");
    [
        ".orch\u{200b}/policy.yaml",
        ".or\u{200c}ch/x",
        "\u{feff}.orch/x",
        ".g\u{200c}it/config",
        ".orch./x",
        ".orch /x",
        ".orch::$INDEX_ALLOCATION/x",
        "ORCH~1/x",
        ".orch\\x",
    ]
    .map(|path| {
        team.repo.write(path, "version: 1\n");
        let seen = smuggled(&team);
        team.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        seen
    })
    .into()
}

fn crooked_artifact() -> Vec<Seen> {
    let inside = CODE.strip_prefix("strategies/").unwrap();
    let absolute = format!("/repo/{CODE}");
    [
        format!("strategies/x/../{inside}"),
        format!("./{CODE}"),
        format!("strategies//{inside}"),
        format!("../repo/{CODE}"),
        absolute,
        CODE.replace('/', "\\"),
        format!("C:/{CODE}"),
        format!("{CODE}/"),
    ]
    .map(|path| {
        let team = sealed();
        team.edit(&team.record("strat-001", "handoff"), CODE, &path);
        smuggled(&team)
    })
    .into()
}

fn globs() -> Vec<Seen> {
    let lanes = [("\"models/**\"]", "\"models/**\", \"src/*\", \"**/notes.md\", \"lib/?.py\"]")];
    let team = Team::with_policy(&lanes);
    team.begin_strategy(&[]);
    for path in ["src/a", "notes.md", "a/b/notes.md", "lib/a.py", "models/a/b/c"] {
        team.repo.write(path, "x\n");
    }
    team.smuggle("Where the globs reach");
    team.guard(&["--base", "main"]).passed();
    let outside = ["src/b/c", "srca", "notesxmd", "x-notes.md", "lib/ab.py", "lib/a/b.py", "model"];
    outside.iter().for_each(|path| team.repo.write(path, "x\n"));
    team.smuggle("Where they don't");
    let judged = team.guard(&["--base", "main"]);
    let named: Vec<&str> = judged.errors.iter().map(|found| &*found.path).collect();
    assert_eq!(named.len(), outside.len(), "{named:?}");
    vec![ci(&team)]
}

const ENDLESS: [(&str, &str); 3] = [
    ("'(?i)connection (reset|refused|timed out)'", "'((a{1000}){1000}){1000}'"),
    ("\"incidents/**\"", "GLOB"),
    ("backtest_results.trades >= 30", "CONDITION"),
];

/// Gives a policy with something endless in it.
fn endless(template: &str, (from, to): (&str, &str)) -> String {
    assert!(template.contains(from), "{from}");
    let glob = format!("\"{}\"", "{a,b}".repeat(20_000));
    let condition = format!("{}1 > 0{}", "(".repeat(20_000), ")".repeat(20_000));
    let to = to.replace("GLOB", &glob).replace("CONDITION", &condition);
    template.replacen(from, &to, 1)
}

fn endless_patterns() -> Vec<Seen> {
    ENDLESS
        .map(|change| {
            let team = fresh();
            let text = endless(&team.read(".orch/policy.yaml"), change);
            team.repo.write(".orch/policy.yaml", text);
            team.smuggle("Agree on this");
            in_time(|| ci(&team))
        })
        .into()
}

fn endless_patterns_proposed() -> Vec<Seen> {
    ENDLESS
        .map(|change| {
            let team = fresh();
            team.repo.git(&["switch", "--quiet", "--create", "orch/endless"]);
            let text = endless(&team.read(".orch/policy.yaml"), change);
            team.repo.write(".orch/policy.yaml", text);
            team.smuggle("Propose this");
            in_time(|| ci(&team))
        })
        .into()
}

/// Runs something that must not take long, even in a build for tests on a busy machine.
fn in_time(run: impl FnOnce() -> Seen) -> Seen {
    let began = Instant::now();
    let seen = run();
    assert!(began.elapsed() < Duration::from_secs(30), "{seen}");
    seen
}
