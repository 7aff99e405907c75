//! A branch has a name that the policy allows, and a run names the one it is on.
//!
//! From R000-35, R001-22.

use super::{Check, Group, Objection, Run as Runs};
use crate::diagnostic::{Place, Severity};
use crate::policy::BranchParts;
use crate::record::Payload;
use crate::record::kind::{Run, RunStatus};
use crate::snapshot::Occasion;
use crate::source::LaneName;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "branch-name",
    group: Group::Branches,
    title: "A branch has a name that the policy allows, and a run names the one it is on",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Runs::World(run),
};

const EXPLAIN: &str = "\
A branch's name tells whose work it is: it fits a pattern of the policy's `branches`, is protected,
or is `orch/<slug>`, where the policy itself is changed. A new run names the branch that it is done
on, and that name holds the run's own task, lane and id. `orch run start` makes a branch that is
right; `git branch -m NAME` renames one that is not.

```yaml bad
- done: {until: strategy}
- propose: my-branch
- write: {README.md: about}
```

```yaml bad
- done: {until: strategy}
- propose: feature/strat-002-strategy
- run: {stage: strategy}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
```
";

fn run(world: &World) -> Vec<Objection> {
    let staged_or_pushed = matches!(world.occasion, Occasion::Commit | Occasion::Range);
    if !staged_or_pushed || world.bootstrap {
        return Vec::new();
    }
    let mut objections: Vec<Objection> = own_name(world).into_iter().collect();
    for step in world.steps() {
        let objection = entry_elsewhere(world, &step).or_else(|| run_elsewhere(world, &step));
        objections.extend(objection.map(|objection| match step.task_id() {
            Some(task) => objection.task(task),
            None => objection,
        }));
    }
    objections
}

/// What there is to say about the branch itself, at the first changed file.
fn own_name(world: &World) -> Option<Objection> {
    let place = Place::file(world.changes.first()?.path.clone());
    let Some(branch) = &world.branch else {
        let message = "the branch is not known, so its name was not checked";
        return Some(Objection::new(place, message, "name it: `orch guard --branch NAME`").note());
    };
    // A lane that a name holds is one of the policy's, where it has any.
    let lanes = || {
        let known = world.policy.lanes.keys().map(|lane| Some(lane.as_str()));
        known.chain(world.policy.lanes.is_empty().then_some(None))
    };
    let of = |lane| BranchParts { lane, ..BranchParts::default() };
    let fits = || {
        let mut patterns = world.policy.branches.iter();
        patterns.any(|pattern| lanes().any(|lane| pattern.fits(branch, &of(lane))))
    };
    // A run that names this branch is told below, at the line that names it.
    let told = || new_runs(world).any(|(_, run)| run.branch.as_ref() == Some(branch));
    if is_for_orch(branch)
        || world.policy.is_protected(branch)
        || fits()
        || told()
        || stops_alone(world)
    {
        return None;
    }
    // A pattern that would fit, were it not for the lane.
    let lane = world.policy.branches.iter().find(|p| p.fits(branch, &BranchParts::default()));
    let why = lane.map(|pattern| {
        let lanes: Vec<&str> = world.policy.lanes.keys().map(LaneName::as_str).collect();
        format!(": `{}` wants a lane there, one of {}", pattern.as_str(), lanes.join(", "))
    });
    let message = format!(
        "the branch name `{branch}` fits none of the policy's `branches`{}",
        why.unwrap_or_default()
    );
    Some(Objection::new(place, message, help(world)))
}

/// A kill switch may be pulled wherever one stands (R003-12): a change that brings halts and incidents, and
/// nothing else, goes on any branch.
fn stops_alone(world: &World) -> bool {
    let stops = |path: &crate::source::RepoPath| {
        path.is_below(".orch/halts") || path.is_below(".orch/incidents")
    };
    world.changes.iter().all(|change| change.old.is_none() && stops(&change.path))
}

/// Policy, hooks and the guard in CI change on branches of this name.
fn is_for_orch(branch: &str) -> bool {
    branch.strip_prefix("orch/").is_some_and(|slug| {
        !slug.is_empty()
            && !slug.starts_with('-')
            && slug.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    })
}

fn new_runs(world: &World) -> impl Iterator<Item = (Step<'_>, &Run)> {
    world.steps().filter_map(|step| match &step.record.payload {
        Payload::Run(run) if run.status == RunStatus::InProgress => Some((step, run)),
        _ => None,
    })
}

/// An entry says where it was written. Later, rebases and merges carry it elsewhere, so it is
/// compared while it is staged, and never again. What was staged on the
/// protected branch goes along when a run makes its branch there.
fn entry_elsewhere(world: &World, step: &Step<'_>) -> Option<Objection> {
    let (here, said) = (world.branch.as_ref()?, step.record.entry.branch.as_ref()?);
    if world.occasion != Occasion::Commit || here == said || world.policy.is_protected(said) {
        return None;
    }
    let message = format!("this entry was written on `{said}`, and is committed on `{here}`");
    let help = "commit it on its own branch, or write it again here";
    Some(Objection::new(step.envelope("branch"), message, help))
}

fn run_elsewhere(world: &World, step: &Step<'_>) -> Option<Objection> {
    let Payload::Run(run) = &step.record.payload else { return None };
    if run.status != RunStatus::InProgress || step.policy.is_none() {
        return None;
    }
    let here = world.branch.as_ref().filter(|branch| !world.policy.is_protected(branch));
    let Some(branch) = &run.branch else {
        // Without a name it would explain changes of its lane on every branch.
        let here = here?;
        let message = format!("this run does not name its branch, `{here}`");
        return Some(Objection::new(step.heading(), message, "start it with `orch run start`"));
    };
    let owner = step.ledger.home.id()?;
    let known = BranchParts {
        lane: Some(run.lane.as_str()),
        run_id: Some(run.run_id.as_str()),
        task_id: Some(owner.as_str()),
        ..BranchParts::default()
    };
    if !world.policy.branches.iter().any(|pattern| pattern.fits(branch, &known)) {
        let why = amiss(world, branch, &known).map(|why| format!(": {why}")).unwrap_or_default();
        let message =
            format!("`{branch}` is no name for a branch of {owner} in lane {}{why}", run.lane);
        return Some(Objection::new(step.field("branch"), message, help(world)));
    }
    if world.occasion == Occasion::Commit && here.is_some_and(|here| here != branch) {
        let message = "this run is on another branch than the one it is committed on";
        let help = "start it on its own branch with `orch run start`";
        return Some(Objection::new(step.field("branch"), message, help));
    }
    None
}

/// Tells which part of a run's name is another's, where a name has the form of a pattern.
fn amiss(world: &World, branch: &str, known: &BranchParts<'_>) -> Option<String> {
    let any = BranchParts::default();
    let alone = [
        ("lane", known.lane, BranchParts { lane: known.lane, ..any.clone() }),
        ("run_id", known.run_id, BranchParts { run_id: known.run_id, ..any.clone() }),
        ("task_id", known.task_id, BranchParts { task_id: known.task_id, ..any.clone() }),
    ];
    let pattern = world.policy.branches.iter().find(|pattern| pattern.fits(branch, &any))?;
    let (word, value, _) = alone.iter().find(|(.., part)| !pattern.fits(branch, part))?;
    Some(format!("`{}` wants `{}` as its {{{word}}}", pattern.as_str(), (*value)?))
}

fn help(world: &World) -> String {
    let patterns = world.policy.branches.iter().map(|pattern| format!("`{}`", pattern.as_str()));
    let patterns: Vec<String> = patterns.collect();
    let patterns = patterns.join(" or ");
    let words = [
        ("{date}", "a day such as 20261121"),
        ("{run_id}", "a run's, such as r3f9c2a71b0"),
        ("{slug}", "words such as fix-2"),
    ];
    let words = words.iter().filter(|(word, _)| patterns.contains(word));
    let words: String = words.map(|(word, what)| format!("; {word} is {what}")).collect();
    format!(
        "`orch run start` makes a branch that is right, `git branch -m NAME` renames this one; \
         names are {patterns}{words}"
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Severity;
    use crate::testing::{Findings, story};

    fn started_on(branch: &str, occasion: &str) -> Findings {
        story(&format!(
            "
- done: {{until: strategy}}
- propose: {branch:?}
- occasion: {occasion}
- run: {{}}
"
        ))
    }

    fn changed_on(branch: &str) -> Findings {
        story(&format!("\n- propose: {branch:?}\n- write: {{README.md: about}}\n"))
    }

    /// Attacks 118 and 119: shell words, no pattern at all, the wrong lane, a day that is none.
    #[test]
    fn what_fits_no_pattern_is_refused() {
        for branch in [
            "x;$(id)",
            "feature/strat001",
            "Feature/strat-001-x",
            "codex/torghut-v3-b-20261321-r3f9c2a71b0",
            "codex/torghut-v3-z-20261121-r3f9c2a71b0",
            "orch/",
            "orch/-x",
            "orch/Policy",
            "orch/a/b",
        ] {
            changed_on(branch).expect(&["branch-name"]);
        }
        for branch in
            ["orch/older-audits", "feature/strat-001-x", "codex/torghut-v3-b-20261121-r3f9c2a71b0"]
        {
            changed_on(branch).expect(&[]);
        }
        changed_on("main").expect(&["branch-protected"]);
    }

    /// Attack 119: a run's branch is its own task's and lane's; the name is underlined, once.
    #[test]
    fn a_run_is_on_a_branch_of_its_own() {
        for branch in
            ["feature/strat-002-strategy", "codex/torghut-v3-c-20261121-r0123456789", "mine"]
        {
            for occasion in ["commit", "range"] {
                let findings = started_on(branch, occasion);
                findings.expect(&["branch-name"]);
                assert_eq!(findings.report.findings.len(), 1, "{branch}");
                assert_eq!(findings.underlined(0), branch);
            }
        }
        started_on("feature/strat-001-strategy", "range").expect(&[]);
    }

    /// What does not fit is named: the pattern, and the part of it.
    #[test]
    fn a_refusal_says_what_does_not_fit() {
        for (branch, why) in [
            ("feature/strat-002-strategy", "wants `strat-001` as its {task_id}"),
            ("codex/torghut-v3-c-20261121-r0123456789", "wants `B` as its {lane}"),
            ("codex/torghut-v3-b-20261121-r0123456789", "as its {run_id}"),
        ] {
            let findings = started_on(branch, "range");
            let message = &findings.report.findings[0].message;
            assert!(message.contains(why), "{message}");
        }
        let findings = changed_on("codex/torghut-v3-z-20261121-r3f9c2a71b0");
        let finding = &findings.report.findings[0];
        assert!(finding.message.contains("wants a lane there, one of A, B"), "{}", finding.message);
        let findings = changed_on("codex/torghut-v3-b-20261321-r3f9c2a71b0");
        let help = &findings.report.findings[0].help;
        assert!(help.contains("{date} is a day such as 20261121; {run_id} is"), "{help}");
    }

    /// R003-12: a kill switch may be pulled wherever one stands; with anything else beside it, the branch
    /// must have its name.
    #[test]
    fn a_halt_goes_on_any_branch() {
        let stop = "- done: {until: backtest}\n- propose: wip\n- halt: {}\n";
        story(stop).expect(&[]);
        story(&format!("{stop}- write: {{README.md: x}}\n")).expect(&["branch-name"]);
    }

    #[test]
    fn a_run_names_its_branch() {
        story(
            "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {branch: ~}
",
        )
        .expect(&["branch-name"]);
    }

    /// What an entry says of its branch counts while it is staged.
    #[test]
    fn entries_are_committed_where_they_were_written() {
        let moved = |occasion: &str| {
            story(&format!(
                "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
- occasion: {occasion}
- task: {{task_id: strat-002}}
- on: feature/strat-002-strategy
"
            ))
        };
        let findings = moved("commit");
        findings.expect(&["branch-name"]);
        assert_eq!(findings.underlined(0), "feature/strat-001-strategy");
        moved("range").expect(&[]);
        moved("merge").expect(&[]);
    }

    /// A task that was opened on the protected branch is committed with its first run.
    #[test]
    fn what_was_staged_goes_along_to_a_new_branch() {
        story(
            "
- propose: main
- task: {}
- on: feature/strat-001-strategy
- run: {}
",
        )
        .expect(&[]);
    }

    /// Detached, and in a merge: nothing to compare with, and said so.
    #[test]
    fn an_unknown_branch_is_a_note() {
        let findings = story("\n- propose: ~\n- write: {README.md: about}\n");
        findings.expect(&[]);
        assert_eq!(findings.report.count(Severity::Note), 1);
        let merge = story("\n- propose: any\n- occasion: merge\n- write: {README.md: about}\n");
        assert_eq!(merge.report.findings, []);
    }
}
