//! orch beside the tools that people would otherwise run, pair by pair.
//!
//! `cargo bench --bench side_by_side [-- WORD…]` runs the rows whose names hold one of the words; with
//! `--write` and no word it writes what it found into `docs`. The repositories are written once, below
//! `target`. `benches/README.md` tells what else has to be installed.

#![allow(clippy::print_stdout, reason = "a bench prints a table")]

#[path = "../support/mod.rs"]
mod support;

mod bench;
mod chart;
mod commit;
mod gate;
mod growth;
mod hooks;
mod machine;
mod range;
mod result;
mod schema;
mod signed;
mod start;
mod tasks;
mod timing;
mod verify;
mod write;

use std::path::PathBuf;

use bench::Bench;

/// The rows, in the order of the table; the gate comes first: what is wrong need not be timed.
const ROWS: &[fn(&mut Bench)] = &[
    gate::rows,
    start::rows,
    commit::rows,
    range::rows,
    verify::rows,
    schema::rows,
    hooks::rows,
    signed::rows,
    growth::rows,
    tasks::rows,
];

fn main() {
    let (flags, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let write = flags.iter().any(|flag| flag == "--write");
    assert!(!write || words.is_empty(), "--write is for a run of all rows");
    let mut bench = Bench::new(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench"), words);
    let begun = machine::load();
    for rows in ROWS {
        rows(&mut bench);
    }
    let told = format!("{}\n{}", machine::told(&bench.shelf, &begun), bench.tables());
    println!("\n{told}");
    if write {
        write::write(&bench, &told);
    }
}
