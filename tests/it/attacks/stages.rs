//! Where the attacks begin. Getting there takes many processes, so each beginning is built once for
//! all tests of a run, and copied.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Team, TestRepo};

/// The template and the hooks, committed on `main`.
pub(super) fn fresh() -> Team {
    prepared("fresh", Team::new)
}

/// A committed run of the first stage of `strat-001`, on its branch.
pub(super) fn begun() -> Team {
    prepared("begun", || {
        let team = fresh();
        team.begin_strategy(&[]);
        team.commit("Begin the strategy");
        team
    })
}

/// The same with its handoff, which is staged.
pub(super) fn sealed() -> Team {
    prepared("sealed", || {
        let team = begun();
        team.write_strategy();
        team.orch("strategy_developer", &["handoff", "create", "strat-001"]);
        team
    })
}

/// The same with its handoff, which is committed.
pub(super) fn handed_over() -> Team {
    prepared("handed_over", || {
        let team = sealed();
        team.commit("Hand over the strategy");
        team
    })
}

/// The first stage of `strat-001` and the data that it asks for, on `main`.
pub(super) fn delivered() -> Team {
    prepared("delivered", || {
        let team = fresh();
        team.land_data();
        team.hand_over_strategy(&["--depends-on", "data-001", "--version", "1.0"]);
        team.pass("strat-001", "strategy");
        team
    })
}

/// The same with its backtest, on `main`.
pub(super) fn tested() -> Team {
    prepared("tested", || {
        let team = delivered();
        team.backtest();
        team
    })
}

/// The same with a committed run of its audit, on its branch.
pub(super) fn auditing() -> Team {
    prepared("auditing", || {
        let team = tested();
        team.orch("independent_auditor", &["run", "start", "strat-001"]);
        team.commit("Begin the audit");
        team
    })
}

/// The same with its audit, passed, on `main`.
pub(super) fn audited() -> Team {
    prepared("audited", || {
        let team = auditing();
        team.report_audit();
        team
    })
}

/// The same, deployed on paper, on `main`.
pub(super) fn on_paper() -> Team {
    prepared("on_paper", || {
        let team = audited();
        team.deploy_on_paper();
        team
    })
}

/// A halt of everything, and the open `strat-001`, on `main`.
pub(super) fn halted() -> Team {
    prepared("halted", || {
        let team = fresh();
        team.open("strat-001", "new_strategy", &[]);
        team.commit("Open the strategy");
        let halt = ["halt", "--topic", "risk.kill_switch", "--scope", "all"];
        let why = ["--reason", "Drawdown over limit", "--id", "drawdown"];
        team.orch("founder", &[&halt[..], &why].concat());
        team.commit("Halt everything");
        team
    })
}

/// Gives a copy of a beginning; whichever test needs it first builds it, and the others wait.
fn prepared(name: &str, build: fn() -> Team) -> Team {
    let shelf = shelf();
    let kept = shelf.join(name);
    if !kept.is_dir() {
        let lock = File::create(shelf.join(format!("{name}.lock"))).expect("writable");
        lock.lock().expect("a lock");
        if !kept.is_dir() {
            let new = shelf.join(format!("{name}.new"));
            fs::create_dir_all(&new).expect("writable");
            build().repo.keep(&new);
            fs::rename(&new, &kept).expect("writable");
        }
    }
    Team::over(TestRepo::copy_of(&kept))
}

/// Gives the folder that the processes of this run share. What was built for an earlier run is never
/// used: it may be another program's work, and its moments grow old.
fn shelf() -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("attacks");
    let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| std::process::id().to_string());
    let shelf = all.join(run);
    if !shelf.is_dir() {
        fs::create_dir_all(&shelf).expect("writable");
        forget_old_ones(&all);
    }
    shelf
}

fn forget_old_ones(all: &Path) {
    for entry in fs::read_dir(all).expect("it was just made").flatten() {
        let modified = entry.metadata().and_then(|data| data.modified()).ok();
        let age = modified.and_then(|moment| moment.elapsed().ok());
        if age.is_some_and(|age| age > Duration::from_secs(3600)) {
            // Another process of this run may have taken it away already.
            let _gone = fs::remove_dir_all(entry.path());
        }
    }
}
