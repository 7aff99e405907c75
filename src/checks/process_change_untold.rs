//! A change of how people work is told, with the runbooks that go with it.
//!
//! From R003-42, R003-43.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::source::{Digest, RepoPath};
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "process-change-untold",
    group: Group::Governance,
    title: "A change of how people work is told, with the runbooks that go with it",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
People work by the policy and by runbooks, and a change of either reaches them only if somebody
tells them. A policy may name a changelog and the runbooks in `process`. Then a change of a runbook,
or of what the policy says, adds a line to the changelog, and comes with a person's decision that
keeps the digest of every runbook as it then is, so that it can be found out later which version
held when: `orch decide --changes PATH` writes them down. Comments of the policy may change
silently.

```yaml bad
- policy: ['project: strategies', \"project: strategies\\nprocess: {changelog: CHANGELOG.md}\"]
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: 45d']
- decision: {title: Audits hold for 45 days, changes: [.orch/policy.yaml]}
```

```yaml good
- policy: ['project: strategies', \"project: strategies\\nprocess: {changelog: CHANGELOG.md}\"]
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: 45d']
- decision: {title: Audits hold for 45 days, changes: [.orch/policy.yaml]}
- write: {CHANGELOG.md: Audits hold for 45 days.}
```
";

fn run(world: &World) -> Vec<Objection> {
    let Some(altered) = world.process.altered.first() else { return Vec::new() };
    if world.bootstrap {
        return Vec::new();
    }
    unlogged(world, altered).into_iter().chain(unrecorded(world, altered)).collect()
}

fn unlogged(world: &World, altered: &RepoPath) -> Option<Objection> {
    let changelog = world.policy.process.changelog.as_ref()?;
    let message =
        format!("`{altered}` changes how people work, and no line of `{changelog}` tells of it");
    let help = format!("add a line to {changelog} that says what is different now, and for whom");
    let untold = || Objection::new(Place::file(altered.clone()), message, help);
    (!world.process.logged).then(untold)
}

/// Objects to each runbook that no new decision of a person keeps as it now is.
fn unrecorded<'w>(world: &'w World, altered: &'w RepoPath) -> impl Iterator<Item = Objection> + 'w {
    let kept: Vec<(&RepoPath, Digest)> = world
        .decided()
        .flat_map(|(_, decision)| &decision.runbooks)
        .map(|runbook| (&runbook.path, runbook.checksum))
        .collect();
    let runbooks = world.process.runbooks.iter();
    let missing = runbooks
        .filter(move |(path, digest)| digest.is_none_or(|digest| !kept.contains(&(path, digest))));
    missing.map(move |(path, digest)| {
        if digest.is_none() {
            let message = format!("`{path}` is a runbook by the policy, and no such file is there");
            let help = "write it, or name the file that people work by in `process.runbooks`";
            return Objection::new(Place::file(path.clone()), message, help);
        }
        let message = format!(
            "`{altered}` changes how people work, and no decision keeps the version of `{path}` that \
             goes with it"
        );
        let help = format!(
            "a person decides, in the same change, which writes the versions down: `orch decide \
             --title T --context C --decision D --changes {}`",
            altered.in_shell()
        );
        Objection::new(Place::file(path.clone()), message, help)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const NAMED: &str = "
- write: {README.md: how we work}
- policy: ['project: strategies', \"project: strategies\\nprocess: {changelog: CHANGELOG.md, runbooks: [README.md]}\"]
";

    #[track_caller]
    fn expect(rest: &str, checks: &[&str]) {
        story(&format!("{NAMED}{rest}")).expect(checks);
    }

    fn decided(more: &str) -> String {
        format!("- decision: {{title: Otherwise, {more}}}\n")
    }

    fn kept(text: &str) -> String {
        let digest = crate::source::Digest::of(text.as_bytes());
        format!("runbooks: [{{path: README.md, checksum: '{digest}'}}]")
    }

    const TOLD: &str = "- write: {CHANGELOG.md: We work otherwise now.}\n";

    /// R003-42: a runbook that changes is told in the changelog.
    #[test]
    fn a_runbook_changes_with_a_line_in_the_changelog() {
        let change = "- propose: orch/otherwise\n- write: {README.md: otherwise}\n";
        let decision = decided(&kept("otherwise"));
        expect(&format!("{change}{decision}"), &["process-change-untold"]);
        expect(&format!("{change}{decision}{TOLD}"), &[]);
        let blank = "- write: {CHANGELOG.md: \"\\n \\n\"}\n";
        expect(&format!("{change}{decision}{blank}"), &["process-change-untold"]);
    }

    /// R003-43: the decision keeps the versions that go with it, and no others.
    #[test]
    fn the_versions_of_runbooks_are_kept() {
        let change = "- propose: orch/otherwise\n- write: {README.md: otherwise}\n";
        expect(&format!("{change}{TOLD}"), &["process-change-untold"]);
        let stale = decided(&kept("how we work"));
        expect(&format!("{change}{TOLD}{stale}"), &["process-change-untold"]);
        let of_an_agent =
            decided(&format!("{}, decision_makers: [orchestrator]", kept("otherwise")));
        expect(
            &format!("{change}{TOLD}{of_an_agent}"),
            &["process-change-untold", "sign-off-missing"],
        );
    }

    /// R003-42: what the policy says counts, and not how it is written.
    #[test]
    fn comments_of_the_policy_change_silently() {
        let comment = "
- propose: orch/comment
- policy: ['max_age: 30d', 'max_age: \"30d\"']
- decision: {changes: [.orch/policy.yaml]}
";
        expect(comment, &[]);
        let policy = "
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: 45d']
";
        let decision = decided(&format!("changes: [.orch/policy.yaml], {}", kept("how we work")));
        expect(&format!("{policy}{decision}{TOLD}"), &[]);
        let forgotten = decided("changes: [.orch/policy.yaml]");
        expect(&format!("{policy}{forgotten}{TOLD}"), &["process-change-untold"]);
    }

    /// R003-42: a changelog tells by words in a file.
    #[test]
    fn what_nobody_can_read_tells_nothing() {
        let change = "- propose: orch/otherwise\n- write: {README.md: otherwise}\n";
        let decision = decided(&kept("otherwise"));
        for line in ["\\u200b", "\\0", "---"] {
            let line = format!("- write: {{CHANGELOG.md: \"{line}\\n\"}}\n");
            expect(&format!("{change}{decision}{line}"), &["process-change-untold"]);
        }
    }

    /// R003-43: a runbook that is named and not there is a slip.
    #[test]
    fn a_runbook_that_is_named_is_there() {
        let named = NAMED.replace("[README.md]", "[README.md, docs/runbook.md]");
        let change = "- propose: orch/otherwise\n- write: {README.md: otherwise}\n";
        let decision = decided(&kept("otherwise"));
        story(&format!("{named}{change}{decision}{TOLD}")).expect(&["process-change-untold"]);
    }

    /// Where nobody asks for it, nothing is owed; and other files are no runbooks.
    #[test]
    fn only_what_is_named_is_told() {
        story("- propose: orch/x\n- write: {README.md: otherwise}\n").expect(&[]);
        expect("- propose: orch/other\n- write: {AGENTS.md: otherwise}\n", &[]);
    }
}
