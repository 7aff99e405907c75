//! Before anything is timed: script and orch find the same faults, and no others.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::bench::{Bench, ORCH, live};
use super::support::{MISSING, RANGE, STRAY, Size, WRONG};

/// Plants faults, and lets each reader of the script and orch find them.
pub(crate) fn rows(bench: &mut Bench) {
    if !bench.wants("gate") {
        return;
    }
    let repo = bench.repository(Size { faulty: true, ..live(2_000, 500) });
    let planted: BTreeSet<String> =
        (0..WRONG + MISSING).map(|task| format!("data-{task:06}")).collect();
    let stray: BTreeSet<String> =
        (0..STRAY).map(|file| format!("strategies/stray-{file}.py")).collect();
    let verified = findings(&repo.path, &["verify", "main"]);
    assert_eq!(found(&verified, &["handoff-stale"], "task_id"), planted);
    let range = ["guard", "--base", "main", "--head", RANGE, "--branch", RANGE];
    let judged = findings(&repo.path, &range);
    assert_eq!(found(&judged, &["lane-violation"], "path"), stray);
    let checkout = bench.checkout(&repo);
    let mut agree = 0;
    for reader in ["show", "worktree", "batch", "fast"] {
        let Some(all) = bench.script(&format!("--base main --head main --reader {reader}")) else {
            continue;
        };
        let lines = said(&checkout, &all);
        let tasks = lines.iter().filter_map(|line| line.split('/').nth(3).map(str::to_owned));
        assert_eq!(tasks.collect::<BTreeSet<_>>(), planted, "{reader}");
        if reader != "worktree" {
            let changed = format!("--base main --head {RANGE} --only-changed --reader {reader}");
            let changed = bench.script(&changed).expect("it was there");
            let lines = said(&checkout, &changed);
            let paths = lines.iter().filter_map(|line| line.split(": ").next());
            assert_eq!(paths.map(str::to_owned).collect::<BTreeSet<_>>(), stray, "{reader}");
        }
        agree += 1;
    }
    println!(
        "gate: orch and {agree} readers of the script find {} faults and {} strays",
        planted.len(),
        stray.len()
    );
}

/// Gives the faults that the script prints, without its last line.
fn said(folder: &Path, script: &str) -> Vec<String> {
    let mut words = script.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    let output = command.args(words).current_dir(folder).output().expect("it is installed");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.pop();
    lines
}

/// Gives what orch found, as its JSON has it.
fn findings(folder: &Path, arguments: &[&str]) -> Vec<serde_json::Value> {
    let mut command = Command::new(ORCH);
    command.args(arguments).args(["--format", "json"]).current_dir(folder);
    let output = command.output().expect("it was built");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    report["findings"].as_array().expect("a list").clone()
}

/// Gives one field of all findings; each is of one of the checks.
fn found(findings: &[serde_json::Value], checks: &[&str], field: &str) -> BTreeSet<String> {
    let told = findings.iter().map(|finding| {
        let check = finding["check"].as_str().unwrap_or_default();
        assert!(checks.contains(&check), "{finding}");
        finding[field].as_str().expect("a text").to_owned()
    });
    told.collect()
}
