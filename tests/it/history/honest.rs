//! Honest ways to join histories: nothing is lost, and nothing is refused.

use super::{dropped_by, merge_as, verified};
use crate::support::Team;

const BRANCH: &str = "feature/strat-001-strategy";

/// Merges `main` into the current branch; the fork of `strat-001` is mended on the way.
fn merge_and_rebase(team: &Team) {
    team.git_refused(&["merge", "--no-edit", "main"], "chain-forked");
    team.orch("strategy_developer", &["task", "rebase", "strat-001"]);
    team.commit("Merge what landed");
    team.guard(&["--base", "main"]).passed();
    team.verify().passed();
}

/// Says something about the task on `main`, and goes back to the branch.
fn say_on_main(team: &Team, agent: &str, arguments: &[&str]) {
    team.repo.git(&["switch", "--quiet", "main"]);
    team.orch(agent, arguments);
    team.commit("Say something");
    team.repo.git(&["switch", "--quiet", BRANCH]);
}

/// A task that a branch and `main` go on with: the branch begins a run, which fails.
fn forked() -> Team {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    team.commit("Begin");
    let fail = ["run", "fail", "strat-001", "--class", "transient", "--reason", "network"];
    team.orch("strategy_developer", &fail);
    team.commit("Fail");
    let assign = ["task", "assign", "strat-001", "--to", "strategy_developer"];
    say_on_main(&team, "orchestrator", &assign);
    team
}

/// Design rule 9: entries of one kind take each other's places when all of them move by one, and may
/// move again; whether the branch is then landed by a merge or by moving `main` forward, with the old
/// `main` as a second parent.
#[test]
fn what_moves_behind_what_landed_is_not_lost() {
    for landing in ["--no-ff", "--ff-only"] {
        let team = forked();
        team.repo.git(&["branch", "aside"]);
        merge_and_rebase(&team);
        let names =
            team.records().into_iter().map(|path| path.rsplit_once('/').unwrap().1.to_owned());
        let expected = ["0001-task", "0002-assignment", "0003-run", "0004-run"];
        assert_eq!(names.collect::<Vec<_>>(), expected.map(|name| format!("{name}.yaml")));
        let title = ["task", "update", "strat-001", "--title", "Another"];
        say_on_main(&team, "orchestrator", &title);
        merge_and_rebase(&team);
        let landed = team.repo.git(&["rev-parse", "main"]);
        team.repo.git(&["switch", "--quiet", "main"]);
        team.repo.tick();
        team.repo.git(&["merge", "--quiet", landing, "--no-edit", BRANCH]);
        team.verify().passed();
        verified(&team, &["--anchor", &landed]).passed();
        took_over_from_before(&team);
    }
}

/// A branch that began while the entries stood in their old places merges them in the new ones.
fn took_over_from_before(team: &Team) {
    team.repo.git(&["switch", "--quiet", "aside"]);
    team.repo.tick();
    team.repo.git(&["commit", "--quiet", "--allow-empty", "--no-verify", "-m", "Beside"]);
    team.repo.git(&["merge", "--quiet", "--no-edit", "--no-verify", "main"]);
    team.guard(&["--base", "main"]).passed();
    team.verify().passed();
}

/// What is known to have landed does not move, whoever merges it; where nothing is known, a merge
/// that keeps all there was is no loss.
#[test]
fn what_landed_is_not_moved() {
    let team = forked();
    let landed = team.repo.git(&["rev-parse", "main"]);
    team.repo.git(&["switch", "--quiet", "main"]);
    let assignment = team.record("strat-001", "assignment");
    team.git_refused(&["merge", "--no-edit", BRANCH], "chain-forked");
    let said = team.try_orch("orchestrator", &["task", "rebase", "strat-001"]);
    assert!(said.code == 1 && said.checks().contains(&"record-modified"), "{said:#?}");
    let tree = team.repo.git(&["write-tree"]);
    team.repo.git(&["merge", "--abort"]);
    let merge = merge_as(&team, &tree, &["main", BRANCH]);
    let judged = team.guard(&["--base", &landed]);
    assert_eq!(judged.refused_by("record-modified").path, assignment);
    dropped_by(&verified(&team, &["--anchor", &landed]), &assignment, &merge);
    team.verify().passed();
}

/// A merge that takes in what an evil commit on `main` made of a record is not to blame for it; the
/// commit on `main` is.
#[test]
fn the_one_who_merges_is_not_to_blame() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.open("strat-002", "new_strategy", &[]);
    team.commit("Open two tasks");
    let opening = team.record("strat-002", "task");
    team.repo.git(&["switch", "--quiet", "--create", "orch/work"]);
    team.repo.git(&["commit", "--quiet", "--allow-empty", "--no-verify", "-m", "Work"]);
    team.repo.git(&["switch", "--quiet", "main"]);
    team.repo.git(&["rm", "--quiet", &opening]);
    team.smuggle("Away with it");
    let evil = team.repo.git(&["rev-parse", "HEAD"]);
    team.repo.git(&["switch", "--quiet", "orch/work"]);
    team.repo.git(&["merge", "--quiet", "--no-edit", "main"]);
    team.guard(&["--base", "main"]).passed();
    verified(&team, &["--anchor", "main"]).passed();
    dropped_by(&team.verify(), &opening, &evil);
}
