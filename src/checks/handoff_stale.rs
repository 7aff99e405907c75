//! What was handed over does not change under its receiver.
//!
//! From R000-33.

use std::collections::BTreeSet;

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::snapshot::Occasion;
use crate::source::{LaneName, RepoPath};
use crate::world::{Fact, LedgerView, Live, Seen, World};

pub(super) static CHECK: Check = Check {
    name: "handoff-stale",
    group: Group::Artifacts,
    title: "What was handed over does not change under its receiver",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
The receiver of a handoff works on exactly the bytes that were sealed. While the handoff is live
(the latest of its stage, in an open task that has not been returned behind it), its files stay as
they are. Restore the file; or, if it must change, return the task with `orch handoff reject`, run
the stage again and hand off anew. Only a run, of any task, in a lane that owns the file may change
it meanwhile; its receivers then meet `evidence-stale`.

```yaml bad
# Anyone may touch these documents, but this one has been handed over.
- policy: ['\"README.md\"', '\"README.md\", \"docs/**/*.md\"']
- done: {until: backtest}
- propose: feature/strat-001-wording
- write: {docs/strategies/sma.md: about this}
```

```yaml good
- policy: ['\"README.md\"', '\"README.md\", \"docs/**/*.md\"']
- done: {until: backtest}
- propose: feature/strat-001-wording
- write: {docs/strategies/ema.md: about that}
```
";

fn run(world: &World) -> Vec<Objection> {
    let lanes = lanes_at_work(world);
    let relied_on = world.relied_on();
    relied_on.iter().filter_map(|live| stale(world, &lanes, live)).collect()
}

fn stale(world: &World, lanes: &BTreeSet<&LaneName>, live: &Live) -> Option<Objection> {
    let path = &live.artifact.path;
    let verified = world.occasion == Occasion::Verification;
    if !verified && !world.changes.iter().any(|change| change.path == *path) {
        return None;
    }
    let fact = world.facts.get(Seen::Head, path);
    let now = match fact {
        Fact::Unseen => return None,
        Fact::File { digest, .. } if *digest == live.artifact.checksum => return None,
        // Another task has sealed it anew since: it was changed in the open.
        Fact::File { digest, .. } if verified && world.sealed(path, *digest) => return None,
        Fact::File { digest, .. } => format!("now it holds {digest}"),
        Fact::Missing => "now there is no such file".into(),
        Fact::Irregular(_) => "now it is no plain file".into(),
    };
    let own = world.runs_here().iter().filter(|run| run.takes_back.as_ref() == Some(&live.task));
    let own: BTreeSet<&LaneName> = own.map(|run| &run.lane).collect();
    let owners = world.policy.lanes_of(path);
    if owners.iter().any(|lane| lanes.contains(lane) || own.contains(lane)) {
        return None;
    }
    // What was rolled back is gone on purpose, until the task is closed as what it is.
    if verified && world.survey.rolled_back.contains(&live.task) {
        return None;
    }
    let (task, stage, to) = (&live.task, &live.stage, &live.to);
    let message = format!("`{path}` is not what {to} was given: {now}");
    let help = format!(
        "restore the file with `git restore {}--staged --worktree {}`; if it must change, \
         `orch handoff reject {task} --reason mismatch` and run `{stage}` again",
        world.source(),
        path.in_shell()
    );
    let place = Place::at(live.handoff.clone(), world.place_of(live));
    let changed = Place::file(RepoPath::clone(path));
    Some(
        Objection::new(place, message, help)
            .task(task)
            .related(changed, "this file changed")
            .for_now(),
    )
}

/// The lanes in which someone works: on this branch, or anywhere if all is verified.
fn lanes_at_work(world: &World) -> BTreeSet<&LaneName> {
    if world.occasion != Occasion::Verification {
        // A rollback takes back its own task's files, and nobody else's.
        let work = world.runs_here().iter().filter(|run| run.takes_back.is_none());
        return work.map(|run| &run.lane).collect();
    }
    let states = world.ledgers.values().filter_map(LedgerView::state);
    let here = states.filter_map(|state| state.active_run()).map(|run| &run.lane);
    here.chain(world.whole.at_work()).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 79, one byte changed after the handoff landed: the sealed digest is underlined.
    #[test]
    fn one_byte_after_the_handoff() {
        let findings = story(
            "
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {}
- edit: {strategies/sma.py: [code, cOde]}
",
        );
        let spoken = findings.of("handoff-stale");
        assert_eq!(spoken.len(), 1);
        let place = &spoken[0].place;
        let (span, text) = (place.span.expect("a span"), &findings.report.texts[&place.path]);
        let digest = crate::source::Digest::of(b"code").to_string();
        assert_eq!(text[span.start..span.end].trim_matches('"'), digest);
        assert_eq!(spoken[0].related[0].place.path.to_string(), "strategies/sma.py");
    }

    #[test]
    fn deleting_it_or_making_it_a_link() {
        for deed in ["remove: {docs/strategies/sma.md: ~}", "link: {docs/strategies/sma.md: about}"]
        {
            let findings =
                story(&format!("- done: {{until: audit}}\n- propose: orch/x\n- {deed}\n"));
            assert_eq!(findings.of("handoff-stale").len(), 1, "{deed}");
        }
    }

    /// A run of a lane that owns the path explains the change, of any task.
    #[test]
    fn a_run_of_the_lane_explains_it() {
        story(
            "
- done: {until: audit}
- task: {task_id: strat-002}
- propose: feature/strat-002-strategy
- run: {task: strat-002, stage: strategy}
- write: {strategies/sma.py: better}
",
        )
        .expect(&[]);
    }

    /// A change that returns the task supersedes the handoff.
    #[test]
    fn a_return_frees_the_files() {
        let findings = story(
            "
- done: {until: backtest}
- propose: feature/strat-001-strategy
- rejection: {handoff: 3, reason: format}
- write: {docs/strategies/sma.md: better}
",
        );
        assert!(findings.of("handoff-stale").is_empty());
    }

    #[test]
    fn a_closed_task_frees_its_files() {
        let findings = story(
            "
- done: {until: end}
- close: {outcome: completed, reason: done}
- propose: orch/x
- write: {docs/strategies/sma.md: better}
",
        );
        assert!(findings.of("handoff-stale").is_empty());
        let findings = story(
            "
- done: {until: end}
- close: {outcome: completed, reason: done}
- write: {docs/strategies/sma.md: better, data/manifests/btc.json: '{}'}
- occasion: verification
",
        );
        findings.expect(&[]);
    }

    /// Verifying a whole repository finds the same, without a change to look at.
    #[test]
    fn a_verification_compares_every_live_handoff() {
        story("- done: {until: deploy_live}\n- occasion: verification\n").expect(&[]);
        for deed in [
            "edit: {strategies/sma.py: [code, cOde]}",
            "remove: {strategies/sma.py: ~}",
            "link: {strategies/sma.py: code}",
        ] {
            let text = format!("- done: {{until: deploy_live}}\n- {deed}\n");
            story(&format!("{text}- occasion: verification\n")).expect(&["handoff-stale"]);
            let explained = "- task: {task_id: strat-002}\n- run: {task: strat-002}\n";
            story(&format!("{text}{explained}- occasion: verification\n")).expect(&[]);
        }
    }

    /// What another task sealed anew was changed in the open; what nobody sealed was not.
    #[test]
    fn a_verification_knows_who_changed_it() {
        let text = "
- done: {until: deploy_live}
- task: {task_id: data-002, workflow: data_refresh}
- run: {task: data-002}
- write: {data/manifests/btc.json: '{\"rows\": 2000}'}
";
        let sealed = "- handoff: {task: data-002, task_id: data-002}\n";
        let all = "- occasion: verification\n";
        let gate = "- gate: {task: data-002}\n";
        story(&format!("{text}{sealed}{gate}{all}")).expect(&[]);
        let more = "- write: {data/manifests/btc.json: '{}'}\n";
        story(&format!("{text}{sealed}{gate}{more}{all}"))
            .expect(&["checksum-mismatch", "handoff-stale"]);
    }
}
