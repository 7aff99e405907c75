//! From ten thousand handoffs to a hundred thousand, the same files beside them.

use super::bench::Bench;
use super::result::{Row, figure};
use super::support::{Repo, Size};
use super::timing::Contender;
use super::{commit, range};

/// Git's command and orch's, for a repository.
type Pair = fn(&Repo) -> (Contender, Contender);

/// Target 10: how much longer the same question takes once there is ten times as much; of a verification
/// its own row tells.
pub(crate) fn rows(bench: &mut Bench) {
    growth(bench, "growth of commit", commit::contenders);
    growth(bench, "growth of range", |_| range_cold());
}

fn range_cold() -> (Contender, Contender) {
    let (git, guard) = range::contenders();
    (git, guard.cold())
}

fn growth(bench: &mut Bench, title: &str, contenders: Pair) {
    if !bench.wants(title) {
        return;
    }
    let mut all = Vec::new();
    for (amount, handoffs) in [("10k", 10_000), ("100k", 100_000)] {
        let repo = bench.repository(Size::of(13_000, handoffs));
        let (git, orch) = contenders(&repo);
        for contender in [git, orch] {
            let name = format!("{}, {amount}", contender.name);
            all.push(Contender { name, ..contender }.within(&repo.path));
        }
    }
    let names: Vec<String> = all.iter().map(|contender| contender.name.clone()).collect();
    let mut row = Row::race(title, &bench.shelf, &all);
    row.at_most(10, &names[3], &names[1], 1.5);
    let own = row.ratio(&names[2], &names[0]).map_or("–".into(), figure);
    row.note = format!(
        "Git's own work grows {own} times, because what it reads has about ten times as many entries too"
    );
    bench.tell(row);
}
