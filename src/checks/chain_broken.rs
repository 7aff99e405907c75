//! An entry names the entry before it, by number and by digest.
//!
//! From R001-13.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::record::{Home, Payload};
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "chain-broken",
    group: Group::Records,
    title: "An entry names the entry before it, by number and by digest",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
The entries of a ledger are numbered from 0001 without holes, and each holds the digest of the bytes
of the one before it. So their order survives squash, rebase and cherry-pick, and nothing can be
changed, left out or put in between without showing. A ledger begins with its `task`, `incident` or
`halt`. If others went on in the meantime, merge them, and `orch task rebase TASK` puts your own
entries behind theirs.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run:
    entry:
      previous: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    if step.record.path.home == Home::Decision {
        return Vec::new();
    }
    let objections = match step.previous {
        None => vec![headless(step), unfounded(step)],
        // Two entries of one number are a fork, which has a check of its own.
        Some(previous) if previous.sequence() == step.record.sequence() => Vec::new(),
        Some(_) => vec![hole(step), unlinked(step), second_opening(step)],
    };
    objections.into_iter().flatten().collect()
}

/// The word of the entry that opens a ledger.
fn opening(home: &Home) -> &'static str {
    match home {
        Home::Task(_) => "task",
        Home::Incident(_) => "incident",
        Home::Halt(_) => "halt",
        Home::Decision => "decision",
    }
}

fn rebase(step: &Step<'_>) -> String {
    let id = step.record.path.home.id().map_or("TASK", |id| id.as_str());
    format!("merge what landed, then `orch task rebase {id}` puts your own entries behind it")
}

fn headless(step: &Step<'_>) -> Option<Objection> {
    let (sequence, word) = (step.record.sequence(), opening(&step.record.path.home));
    if sequence == 1 && step.record.payload.word() == word {
        return None;
    }
    let (place, message) = if sequence == 1 {
        (step.heading(), format!("a ledger here begins with a `{word}`, not with this"))
    } else {
        let before = sequence - 1;
        (
            step.envelope("sequence"),
            format!("this is number {sequence}, and number {before} is not there"),
        )
    };
    Some(Objection::new(place, message, rebase(step)))
}

fn unfounded(step: &Step<'_>) -> Option<Objection> {
    let first = step.record.sequence() == 1 && step.record.entry.previous.is_some();
    let message = "the first entry of a ledger has none before it";
    first.then(|| Objection::new(step.envelope("previous"), message, "remove `previous`"))
}

fn hole(step: &Step<'_>) -> Option<Objection> {
    let (last, sequence) = (step.previous?.sequence(), step.record.sequence());
    if sequence == last + 1 {
        return None;
    }
    let message = format!("this is number {sequence}, but the entry before it is number {last}");
    Some(Objection::new(step.envelope("sequence"), message, rebase(step)))
}

fn unlinked(step: &Step<'_>) -> Option<Objection> {
    let before = step.previous?;
    let (place, message) = match step.record.entry.previous {
        Some(digest) if digest == before.digest => return None,
        Some(_) => {
            (step.envelope("previous"), "this is not the digest of the entry before it".to_owned())
        }
        None => (step.envelope("sequence"), "`previous` is missing behind this".to_owned()),
    };
    let related = Place::at(before.repo_path().clone(), before.heading());
    let note = format!("this is the entry before it, {}", before.digest);
    Some(Objection::new(place, message, rebase(step)).related(related, note))
}

/// It would change nothing in the fold, and mislead whoever reads the file alone.
fn second_opening(step: &Step<'_>) -> Option<Objection> {
    let again =
        matches!(step.record.payload, Payload::Task(_) | Payload::Incident(_) | Payload::Halt(_));
    let word = step.record.payload.word();
    let message = format!("a `{word}` opens a ledger, and this one is open already");
    again.then(|| {
        Objection::new(
            step.heading(),
            message,
            "change it with `orch task update`, or open another",
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn run(entry: &str) -> crate::testing::Findings {
        story(&format!(
            "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
- run: {{entry: {entry}}}
"
        ))
    }

    #[test]
    fn the_digest_is_underlined() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let findings = run(&format!("{{previous: '{digest}'}}"));
        findings.expect(&["chain-broken"]);
        assert_eq!(findings.underlined(0).trim_matches('"'), digest);
        assert_eq!(findings.report.findings[0].related.len(), 1);
    }

    #[test]
    fn no_link_at_all() {
        run("{previous: ~}").expect(&["chain-broken"]);
    }

    #[test]
    fn a_hole_in_the_numbers() {
        let findings = run("{sequence: 3}");
        findings.expect(&["chain-broken"]);
        assert_eq!(findings.underlined(0), "3");
    }

    #[test]
    fn an_entry_whose_predecessors_are_not_there() {
        let findings = story(
            "
- propose: orch/x
- write:
    .orch/tasks/2026-11/strat-001/0002-block.yaml: |
      block: {reason: wait}
      entry: {sequence: 2, recorded_at: '2026-11-21T10:00:00Z', actor: orchestrator}
",
        );
        findings.expect(&["chain-broken"]);
    }

    #[test]
    fn a_ledger_begins_with_its_opening_and_has_one() {
        let findings = story(
            "
- propose: orch/x
- write:
    .orch/halts/halt-001/0001-resume.yaml: |
      resume: {approver: founder, sign_off: go on}
      entry: {sequence: 1, recorded_at: '2026-11-21T10:00:00Z', actor: founder}
",
        );
        assert_eq!(findings.of("chain-broken").len(), 1);
        let findings = story("- task: {}\n- propose: orch/x\n- task: {}\n");
        assert_eq!(findings.of("chain-broken").len(), 1);
        let digest = format!("sha256:{}", "0".repeat(64));
        story(&format!("- propose: orch/x\n- task: {{entry: {{previous: '{digest}'}}}}\n"))
            .expect(&["chain-broken"]);
    }

    /// Everything is checked again when a whole repository is verified.
    #[test]
    fn a_landed_chain_is_verified() {
        let broken = "
- done: {until: backtest}
- edit: {.orch/tasks/2026-11/strat-001/0001-task.yaml: [A strategy, The strategy]}
- occasion: verification
";
        story(broken).expect(&["chain-broken"]);
        story("- done: {until: backtest}\n- occasion: verification\n").expect(&[]);
    }
}
