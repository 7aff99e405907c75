//! How many instructions orch executes where it matters, held against the counts that are kept.
//!
//! `cargo bench --bench instructions [-- WORD…]` runs the rows whose names hold one of the words; with
//! `--write` it keeps what it counted. Clocks and other jobs can't touch these figures; another compiler,
//! C library or processor can, a little. Needs `valgrind` and `taskset`.

#![allow(clippy::print_stdout, reason = "a bench prints a table")]

#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use support::{RANGE, Size, repository};

const ORCH: &str = env!("CARGO_BIN_EXE_orch");
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/counts.txt");
/// How much a count may differ, in percent: hash seeds move the same program's by less than a tenth.
const TOLERANCE: f64 = 1.0;
/// What nothing in the repositories is later than, so that ages don't depend on the day.
const AT: &str = "2026-01-01T00:00:00Z";

/// One path through the program.
struct Case {
    name: &'static str,
    arguments: Vec<&'static str>,
    staged: bool,
    cold: bool,
}

fn cases() -> Vec<Case> {
    let case = |name, arguments: &[&'static str]| {
        let (staged, cold) = (name == "commit, cold" || name == "commit, warm", false);
        Case { name, arguments: arguments.to_vec(), staged, cold }
    };
    let cold = |case: Case| Case { cold: true, ..case };
    let commit = ["guard", "--at", AT];
    let range = ["guard", "--at", AT, "--base", "main", "--head", RANGE, "--branch", RANGE];
    let verify = ["verify", "--at", AT, "main"];
    vec![
        case("start-up", &["--version"]),
        cold(case("commit, cold", &commit)),
        case("commit, warm", &commit),
        cold(case("range, cold", &range)),
        case("range, warm", &range),
        cold(case("verify, cold", &verify)),
        case("verify, warm", &verify),
        case("status", &["status"]),
    ]
}

fn main() -> ExitCode {
    let (flags, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let write = flags.iter().any(|flag| flag == "--write");
    assert!(!write || words.is_empty(), "--write is for a run of all rows");
    let shelf = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("instructions");
    let closed = Size::of(20_000, 1_000);
    let [closed, live] =
        [closed, Size { live: true, ..closed }].map(|size| repository(&shelf, size));
    let kept = fs::read_to_string(KEPT).unwrap_or_default();
    let compiler = said(Path::new("rustc"), &["--version"]);
    let mut now = format!("# Instructions, counted by callgrind on one core; {compiler}\n");
    if kept.lines().next() != now.lines().next() {
        println!("counted with another compiler: {}", kept.lines().next().unwrap_or("never"));
    }
    let mut held = true;
    println!("| row | instructions | kept | |\n|---|---|---|---|");
    for case in cases() {
        if !words.is_empty() && !words.iter().any(|word| case.name.contains(word.as_str())) {
            continue;
        }
        // Of tasks that are closed, a verification reads no artifact.
        let repo = if case.name.starts_with("verify") { &live } else { &closed };
        let count = count(&repo.path, &repo.staged, &case);
        writeln!(now, "{}: {count}", case.name).expect("text grows");
        let before = kept.lines().find_map(|line| line.strip_prefix(case.name)?.strip_prefix(": "));
        let before: Option<u64> = before.and_then(|count| count.parse().ok());
        let difference = before.map(|before| (count as f64 / before as f64 - 1.0) * 100.0);
        let within = difference.is_some_and(|percent| percent.abs() <= TOLERANCE);
        held &= within;
        let verdict = match (difference, within) {
            (None, _) => "new".to_owned(),
            (Some(percent), true) => format!("{percent:+.2} %"),
            (Some(percent), false) => format!("**{percent:+.2} %**"),
        };
        let before = before.map_or("–".into(), |before| before.to_string());
        println!("| {} | {count} | {before} | {verdict} |", case.name);
    }
    if write {
        fs::write(KEPT, now).expect("it can be written");
        return ExitCode::SUCCESS;
    }
    if !held {
        println!(
            "more than {TOLERANCE} % from what is kept; if that is meant: cargo bench --bench instructions -- --write"
        );
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Gives how many instructions a case takes, after one run that leaves a cache or none.
fn count(folder: &Path, index: &Path, case: &Case) -> u64 {
    let cache = folder.join(".git/orch/cache");
    if !case.cold {
        run(folder, index, case, ORCH, &[]);
    } else if cache.exists() {
        fs::remove_dir_all(&cache).expect("a cache can be removed");
    }
    // One core: how work falls to threads is not the program's to say.
    let callgrind =
        ["-c", "0", "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", ORCH];
    let told = run(folder, index, case, "taskset", &callgrind);
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.unwrap_or_else(|| panic!("callgrind told nothing: {told}"));
    collected.trim().parse().expect("a number")
}

/// Runs orch in an environment without anything of the one who counts; gives its standard error.
fn run(folder: &Path, index: &Path, case: &Case, program: &str, before: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(before).args(&case.arguments).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", "/nonexistent");
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    if case.staged {
        command.env("GIT_INDEX_FILE", index);
    }
    let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}: {told}", case.name);
    told
}

fn said(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
