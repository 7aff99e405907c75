//! A committed log of decisions tells of all of them.
//!
//! From R000-48.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::record::decisions_log;
use crate::snapshot::Occasion;
use crate::source::Digest;
use crate::world::{Seen, World};

pub(super) static CHECK: Check = Check {
    name: "decisions-log-outdated",
    group: Group::Governance,
    title: "A committed log of decisions tells of all of them",
    mandatory: false,
    severity: Severity::Warning,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
The log of decisions is rendered from their records on demand: `orch log --decisions`. A policy may
have it committed, for readers without orch, by naming its file in `decisions_log`; then it is
refreshed on the protected branch, where a stale one is told. On other branches it is left alone, so
that it never conflicts.

```yaml bad
- policy: ['project: strategies', \"project: strategies\\ndecisions_log: docs/log.md\"]
- propose: main
- decision: {title: Shorter audits}
```

```yaml good
- policy: ['project: strategies', \"project: strategies\\ndecisions_log: docs/log.md\"]
- propose: orch/shorter-audits
- decision: {title: Shorter audits}
```
";

fn run(world: &World) -> Vec<Objection> {
    let Some(path) = &world.policy.decisions_log else { return Vec::new() };
    let protected = world.branch.as_ref().is_some_and(|branch| world.policy.is_protected(branch));
    if !protected && world.occasion != Occasion::Verification {
        return Vec::new();
    }
    let Some(decisions) = &world.decisions else { return Vec::new() };
    let due = decisions_log(decisions.iter());
    if world.facts.get(Seen::Head, path).digest() == Some(Digest::of(due.as_bytes())) {
        return Vec::new();
    }
    let message = format!("`{path}` does not tell of the decisions as they are");
    let help = format!("render it anew: `orch log --decisions --output {path}`, on its own branch");
    vec![Objection::new(Place::file(path.clone()), message, help)]
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const LOG: &str =
        "- policy: ['project: strategies', \"project: strategies\\ndecisions_log: docs/log.md\"]\n";

    /// Only what touches decisions or their log asks for it; a verification always does.
    #[test]
    fn it_is_asked_for_where_it_may_change() {
        let decided = format!("{LOG}- decision: {{title: Shorter audits}}\n- propose: main\n");
        story(&format!("{decided}- task: {{}}\n")).expect(&[]);
        story(&format!("{decided}- occasion: verification\n")).expect(&["decisions-log-outdated"]);
        story("- decision: {title: Shorter audits}\n- occasion: verification\n").expect(&[]);
    }
}
