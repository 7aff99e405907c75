//! What CI does with a branch: twenty files and two handoffs.

use super::bench::{Bench, ORCH, SIZES};
use super::result::Row;
use super::support::RANGE;
use super::timing::Contender;

/// Git's own work for the same question.
pub(crate) const GIT: &str = "git diff base...head";
/// The guard in a fresh clone.
pub(crate) const COLD: &str = "orch guard --base, cold";
const SCRIPT: &str = "script";

/// Target 2: the guard beside `git diff base...head`, and beside a script.
pub(crate) fn rows(bench: &mut Bench) {
    for (name, size) in SIZES {
        let title = format!("range {name}");
        if !bench.wants(&title) {
            continue;
        }
        let repo = bench.repository(size);
        let (git, guard) = contenders();
        let warm = Contender { name: "orch guard --base, warm".into(), ..guard.clone() };
        let mut contenders = vec![git, guard.cold(), warm];
        let asked =
            format!("--base main --head {RANGE} --only-changed --reader batch --loader csafe");
        let script = bench.script(&asked);
        contenders.extend(script.map(|script| Contender::new(SCRIPT, script)));
        let mut row = Row::race(&title, &repo.path, &contenders);
        row.size = Some(size);
        row.at_most(2, COLD, GIT, 1.4);
        row.at_most(2, COLD, SCRIPT, 0.15);
        bench.tell(row);
    }
}

/// Gives Git's command and the guard's, for the branch of any repository.
pub(crate) fn contenders() -> (Contender, Contender) {
    (
        Contender::new(GIT, format!("git diff --name-only main...{RANGE}")),
        Contender::new(COLD, format!("{ORCH} guard --base main --head {RANGE} --branch {RANGE}")),
    )
}
