//! orch beside the tools that people would otherwise run, pair by pair.
//!
//! `cargo bench --bench side_by_side [-- WORD…]` runs the rows whose names hold one of the words. The
//! repositories are written once, below `target/side-by-side`.

#![allow(clippy::print_stdout, reason = "a bench prints a table")]

mod generate;
mod tasks;
mod timing;

use std::path::{Path, PathBuf};

use generate::{Repo, Size, repository};
use timing::{Contender, Measured, race};

const ORCH: &str = env!("CARGO_BIN_EXE_orch");
const ROUNDS: usize = 11;

/// Sizes by the entries of their index, with ten thousand handoffs from the second on.
const SIZES: [(&str, Size); 4] = [
    ("26k", Size { files: 20_000, handoffs: 1_000, open: 20 }),
    ("73k", Size { files: 13_000, handoffs: 10_000, open: 20 }),
    ("116k", Size { files: 56_000, handoffs: 10_000, open: 20 }),
    ("516k", Size { files: 456_000, handoffs: 10_000, open: 20 }),
];

fn main() {
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let wanted =
        |row: &str| words.is_empty() || words.iter().any(|word| row.contains(word.as_str()));
    let shelf = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("side-by-side");
    println!("| row | command | ms | ratio | peak MiB |\n|---|---|---|---|---|");
    if wanted("start-up") {
        let contenders = [
            Contender::new("git --version", "exec git --version"),
            Contender::new("orch --version", format!("exec {ORCH} --version")),
        ];
        tell("start-up", &race(Path::new("."), ROUNDS, &contenders));
    }
    tasks::rows(&shelf, &wanted);
    for (name, size) in SIZES {
        let rows = [format!("commit {name}"), format!("range {name}"), format!("verify {name}")];
        if rows.iter().any(|row| wanted(row)) {
            let repo = repository(&shelf, size);
            if wanted(&rows[0]) {
                tell(&rows[0], &race(&repo.path, ROUNDS, &commit(&repo)));
            }
            if wanted(&rows[1]) {
                tell(&rows[1], &race(&repo.path, ROUNDS, &range()));
            }
            if wanted(&rows[2]) {
                tell(&rows[2], &race(&repo.path, 3, &verify()));
            }
        }
    }
}

/// What a pre-commit hook does.
fn commit(repo: &Repo) -> Vec<Contender> {
    let index = repo.staged.display();
    let guard = format!("GIT_INDEX_FILE={index} exec {ORCH} guard");
    let cold = Contender {
        before: "rm -rf .git/orch/cache".into(),
        ..Contender::new("orch, cold", guard.clone())
    };
    vec![
        Contender::new(
            "git diff --cached",
            format!("GIT_INDEX_FILE={index} exec git diff --cached --name-only"),
        ),
        cold,
        Contender::new("orch, warm", guard),
    ]
}

/// What CI does with a branch.
fn range() -> Vec<Contender> {
    let (base, head) = ("main", "feature/work-range-validate");
    let guard = format!("exec {ORCH} guard --base {base} --head {head} --branch {head}");
    vec![
        Contender::new(
            "git diff base...head",
            format!("exec git diff --name-only {base}...{head}"),
        ),
        Contender {
            before: "rm -rf .git/orch/cache".into(),
            ..Contender::new("orch, cold", guard.clone())
        },
        Contender::new("orch, warm", guard),
    ]
}

/// What a nightly job does: everything.
fn verify() -> Vec<Contender> {
    let yardstick = "git ls-tree -r main -- .orch data/manifests | cut -d' ' -f3 | cut -f1 | git cat-file --batch --buffer | sha256sum";
    vec![
        Contender::new("cat-file | sha256sum", yardstick),
        Contender {
            before: "rm -rf .git/orch/cache".into(),
            ..Contender::new("orch verify, cold", format!("exec {ORCH} verify main"))
        },
        Contender::new("orch verify, warm", format!("exec {ORCH} verify main")),
    ]
}

fn tell(row: &str, measured: &[Measured]) {
    for Measured { name, ms, ratio, peak } in measured {
        let peak = peak.map_or("-".into(), |peak| format!("{peak:.0}"));
        println!("| {row} | {name} | {ms:.1} | {ratio:.2} | {peak} |");
    }
}
