//! What a pre-commit hook does: one file and one handoff are staged.

use super::bench::{Bench, ORCH, SIZES};
use super::result::Row;
use super::support::Repo;
use super::timing::Contender;

/// Git's own work for the same question.
pub(crate) const GIT: &str = "git diff --cached";
/// The guard with what it kept of earlier runs.
pub(crate) const WARM: &str = "orch guard, warm";
const COLD: &str = "orch guard, cold";

/// Targets 1 and 7: the guard beside `git diff --cached`.
pub(crate) fn rows(bench: &mut Bench) {
    for (name, size) in SIZES {
        let title = format!("commit {name}");
        if !bench.wants(&title) {
            continue;
        }
        let repo = bench.repository(size);
        let (git, guard) = contenders(&repo);
        let cold = Contender { name: COLD.into(), ..guard.clone().cold() };
        let mut contenders = vec![git, cold, guard];
        let index = repo.staged.display();
        let script = bench.script("--staged --only-changed --reader batch --loader csafe");
        let script = script.map(|script| format!("GIT_INDEX_FILE={index} {script}"));
        contenders.extend(script.map(|script| Contender::new("script", script)));
        let mut row = Row::race(&title, &repo.path, &contenders);
        row.size = Some(size);
        let limit = match name {
            "26k" | "73k" => Some(1.0),
            "116k" => Some(0.75),
            "516k" => Some(0.6),
            // For the chart and the growth alone.
            _ => None,
        };
        if let Some(limit) = limit {
            row.at_most(1, WARM, GIT, limit);
            row.at_most(1, COLD, GIT, 3.0);
            row.holds_at_most(7, WARM, GIT);
        }
        bench.tell(row);
    }
}

/// Gives Git's command and the guard's, for the staged change of a repository.
pub(crate) fn contenders(repo: &Repo) -> (Contender, Contender) {
    let index = repo.staged.display();
    (
        Contender::new(GIT, format!("GIT_INDEX_FILE={index} git diff --cached --name-only")),
        Contender::new(WARM, format!("GIT_INDEX_FILE={index} {ORCH} guard")),
    )
}
