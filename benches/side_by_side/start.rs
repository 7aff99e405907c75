//! Starting: what every command pays before it does anything.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::bench::{Bench, ORCH};
use super::result::Row;
use super::timing::Contender;

/// Target 6: `--version` beside a program that does nothing.
pub(crate) fn rows(bench: &mut Bench) {
    if !bench.wants("start-up") {
        return;
    }
    let mut contenders = vec![
        Contender::new("git --version", "git --version"),
        Contender::new("orch --version", format!("{ORCH} --version")),
    ];
    let empty = empty(&bench.shelf);
    if let Some(program) = &empty {
        contenders.insert(0, Contender::new("empty Rust program", program));
    }
    let mut row = Row::race("start-up", Path::new("."), &contenders);
    row.at_most(6, "orch --version", "empty Rust program", 2.0);
    if empty.is_none() {
        row.note = "rustc is not on PATH, so there is no empty program".into();
    }
    bench.tell(row);
}

/// Builds a program that does nothing.
fn empty(shelf: &Path) -> Option<String> {
    let (source, program) = (shelf.join("empty.rs"), shelf.join("empty"));
    fs::write(&source, "fn main() {}\n").expect("a file can be written");
    let status = Command::new("rustc").arg("-O").arg(&source).arg("-o").arg(&program).status();
    status.is_ok_and(|status| status.success()).then(|| program.display().to_string())
}
