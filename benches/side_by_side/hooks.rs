//! A hook that has nothing to do.

use std::fs;

use super::bench::{Bench, ORCH, size};
use super::result::Row;
use super::timing::Contender;

const GUARD: &str = "orch guard";
/// One hook, for no file.
const CONFIG: &str = "repos:
- repo: local
  hooks:
  - {id: nothing, name: nothing, entry: \"true\", language: system, files: \"^$\"}
";

/// Target 8: the guard beside hook runners, with one staged file that is nobody's concern.
pub(crate) fn rows(bench: &mut Bench) {
    if !bench.wants("idle hook") {
        return;
    }
    let repo = bench.repository(size("26k"));
    let checkout = bench.checkout(&repo);
    let config = bench.shelf.join("pre-commit.yaml");
    fs::write(&config, CONFIG).expect("a file can be written");
    let mut contenders = vec![
        Contender::new("git diff --cached", "git diff --cached --name-only"),
        Contender::new(GUARD, format!("{ORCH} guard")),
    ];
    let mut lacking = Vec::new();
    for (runner, home) in [("prek", "PREK_HOME"), ("pre-commit", "PRE_COMMIT_HOME")] {
        let Some(program) = bench.peer(runner) else {
            lacking.push(runner);
            continue;
        };
        let (home, folder) = (format!("{home}={}", bench.shelf.join(runner).display()), program);
        let script = format!("{home} {} run --config {}", folder.display(), config.display());
        contenders.push(Contender::new(runner, script));
    }
    let mut row = Row::race("idle hook", &checkout, &contenders);
    row.at_most(8, GUARD, "prek", 0.1);
    row.at_most(8, GUARD, "pre-commit", 0.03);
    if !lacking.is_empty() {
        row.note = format!("not installed: {}", lacking.join(", "));
    }
    bench.tell(row);
}
