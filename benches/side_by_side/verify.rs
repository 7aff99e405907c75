//! What a nightly job does: everything.

use super::bench::{Bench, ORCH, live};
use super::result::Row;
use super::support::Size;
use super::timing::Contender;

/// The least that reading and hashing everything can cost with Git's own means.
pub(crate) const YARDSTICK: &str = "cat-file \\| sha256sum";
/// The verification without anything kept.
pub(crate) const COLD: &str = "orch verify, cold";
const WARM: &str = "orch verify, warm";
const ARTIFACTS: &str = " data/manifests";
const BEFORE: &str = "orch verify, cold, 10k";

/// What the row is called, and the repository.
const SIZES: [(&str, Size); 7] = [
    ("verify 1k", live(13_000, 1_000)),
    ("verify 10k", live(13_000, 10_000)),
    ("verify 100k", live(13_000, 100_000)),
    ("verify 10k beside 1k files", live(1_000, 10_000)),
    ("verify 10k beside 456k files", live(456_000, 10_000)),
    ("verify 10k closed", Size::of(13_000, 10_000)),
    ("verify 100k closed", Size::of(13_000, 100_000)),
];

/// Targets 3, 4, 7 and 10: everything beside the yardstick, and beside scripts.
pub(crate) fn rows(bench: &mut Bench) {
    for (title, size) in SIZES {
        if bench.wants(title) {
            verify(bench, title, size);
        }
    }
    scripts(bench, "scripts 1k", 1_000, [("show", "safe", 300.0), ("worktree", "safe", 50.0)]);
    scripts(bench, "scripts 10k", 10_000, [("batch", "csafe", 15.0), ("fast", "csafe", 8.0)]);
}

/// Measures one repository; of the largest beside one a tenth as large, for its growth.
fn verify(bench: &mut Bench, title: &str, size: Size) {
    let (repo, large) = (bench.repository(size), size.handoffs > 10_000);
    let (mut yardstick, cold) = contenders();
    if !size.live {
        yardstick.script = yardstick.script.replace(ARTIFACTS, "");
    }
    let mut all = vec![yardstick, cold.clone(), warm()];
    if large {
        let before = bench.repository(Size { handoffs: 10_000, ..size });
        all.push(Contender { name: BEFORE.into(), ..cold }.within(&before.path));
    }
    let mut row = Row::race(title, &repo.path, &all);
    row.at_most(3, COLD, YARDSTICK, if large { 1.5 } else { 1.0 });
    row.at_most(3, WARM, YARDSTICK, 0.3);
    if large {
        row.holds(7, COLD, 150.0);
        row.at_most(10, COLD, BEFORE, 10.5);
    }
    match size.live {
        true => row.size = Some(size),
        false => row.note = CLOSED.into(),
    }
    bench.tell(row);
}

const CLOSED: &str = "of a closed task orch reads the records and no artifact, because what it handed over may \
                      change since; so does the yardstick here";

/// Target 4: the scripts that people write, for all records.
fn scripts(bench: &mut Bench, title: &str, handoffs: usize, readers: [(&str, &str, f64); 2]) {
    if !bench.wants(title) {
        return;
    }
    let repo = bench.repository(live(13_000, handoffs));
    let checkout = bench.checkout(&repo);
    let mut contenders = vec![contenders().1, warm()];
    for (reader, loader, _) in readers {
        let asked = format!("--base main --head main --reader {reader} --loader {loader}");
        let script = bench.script(&asked);
        let script = script.map(|script| Contender::new(reader, script).within(&checkout));
        contenders.extend(script);
    }
    let mut row = Row::race(title, &repo.path, &contenders);
    for (reader, _, least) in readers {
        row.at_least(4, reader, COLD, least);
    }
    if row.measured.len() == 2 {
        row.note = "no Python with PyYAML was found".into();
    }
    bench.tell(row);
}

/// Gives the yardstick and the verification, for any repository.
pub(crate) fn contenders() -> (Contender, Contender) {
    let yardstick = format!(
        "git ls-tree -r main -- .orch{ARTIFACTS} | cut -d' ' -f3 | cut -f1 | \
         git cat-file --batch --buffer | sha256sum"
    );
    let cold = Contender::new(COLD, format!("{ORCH} verify main")).cold();
    (Contender::new(YARDSTICK, yardstick), cold)
}

/// Gives the verification with what was kept of earlier runs.
pub(crate) fn warm() -> Contender {
    Contender::new(WARM, format!("{ORCH} verify main"))
}
