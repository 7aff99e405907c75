//! An artifact is a file of this repository's own tree.
//!
//! From R000-33.

use super::checksum_mismatch::sealed;
use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::policy::AUDIT_PASS;
use crate::record::belongs_to_orch;
use crate::record::kind::Artifact;
use crate::snapshot::{Change, Mode};
use crate::source::RepoPath;
use crate::world::{Fact, Seen, Step, World};

pub(super) static CHECK: Check = Check {
    name: "artifact-irregular",
    group: Group::Artifacts,
    title: "An artifact is a file of this repository's own tree",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
A checksum seals bytes. A symbolic link holds only a name, which may lead anywhere or somewhere else
tomorrow; a submodule holds only the number of a commit of another repository; and a record must not
vouch for records. So none of these is an artifact, nor is what lies below one. A submodule that
`.gitmodules` does not declare can't be fetched by anyone and is refused wherever it is. Commit the
file itself.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {}
- link: {docs/strategies/sma.md: ../../README.md}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {}
```
";

fn run(world: &World) -> Vec<Objection> {
    let steps = world.steps().flat_map(|step| irregular(world, &step));
    let changes = world.changes.iter().filter_map(|change| undeclared(world, change));
    steps.chain(changes).collect()
}

fn irregular(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let mut objections = Vec::new();
    for (field, artifact) in sealed(world, step) {
        let Some(what) = what_it_is(world, step, artifact) else { continue };
        let message = format!("`{}` {what}, so nothing can be sealed there", artifact.path);
        let help = "commit the file itself, and write this record anew";
        let objection = Objection::new(step.field(&format!("{field}.path")), message, help);
        objections.push(step.task_id().into_iter().fold(objection, Objection::task));
    }
    objections
}

fn what_it_is(world: &World, step: &Step<'_>, artifact: &Artifact) -> Option<&'static str> {
    match world.fact(step, &artifact.path) {
        Fact::Irregular(Mode::Submodule) => Some("is a submodule, or lies in one"),
        Fact::Irregular(_) => Some("is a symbolic link, or lies below one"),
        _ if belongs_to_orch(&artifact.path) && artifact.name != AUDIT_PASS => {
            Some("belongs to the records themselves")
        }
        _ => None,
    }
}

/// Attack 49: a commit of another repository that nobody says where to get.
fn undeclared(world: &World, change: &Change) -> Option<Objection> {
    let path = &change.path;
    change.new.filter(|node| node.mode == Mode::Submodule)?;
    if declared(world, path) {
        return None;
    }
    let message = format!("`{path}` is a submodule that `.gitmodules` does not declare");
    let typed = path.in_shell();
    let help = format!("remove it with `git rm --cached {typed}`, or use `git submodule add`");
    Some(Objection::new(Place::file(path.clone()), message, help))
}

fn declared(world: &World, path: &RepoPath) -> bool {
    let declarations = world.facts.get(Seen::Head, &RepoPath::from(".gitmodules"));
    let Fact::File { document: Some(text), .. } = declarations else { return false };
    String::from_utf8_lossy(text).lines().filter_map(|line| line.split_once('=')).any(
        |(key, value)| {
            let value = value.trim().trim_matches('"');
            key.trim() == "path" && path.to_str() == Some(value)
        },
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const START: &str = "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
";

    /// Attacks 44 and 46: a link, even one whose target's name has the same digest.
    #[test]
    fn a_link_with_the_same_digest() {
        let findings =
            story(&format!("{START}- handoff: {{}}\n- link: {{docs/strategies/sma.md: about}}\n"));
        findings.expect(&["artifact-irregular"]);
        assert_eq!(findings.underlined(0), "docs/strategies/sma.md");
    }

    fn naming(path: &str, deed: &str) -> crate::testing::Findings {
        let digest = format!("sha256:{}", "0".repeat(64));
        story(&format!(
            "{START}{deed}
- handoff:
    artifacts: [{{name: documentation, path: {path}, checksum: '{digest}'}}]
"
        ))
    }

    /// Attacks 45 and 50: what lies below a link or in another repository.
    #[test]
    fn below_a_link_or_a_submodule() {
        for word in ["link", "submodule"] {
            let deed = format!("- {word}: {{docs/strategies/far: elsewhere}}");
            for path in ["docs/strategies/far", "docs/strategies/far/x/sma.md"] {
                let findings = naming(path, &deed);
                let spoken = findings.of("artifact-irregular");
                let named = spoken.iter().filter(|finding| finding.place.span.is_some());
                assert_eq!(named.count(), 1, "{word} {path}");
                assert!(findings.of("artifact-missing").is_empty(), "{word} {path}");
            }
        }
    }

    /// Attack 85: a record vouches for no record, itself least of all.
    #[test]
    fn no_record_is_an_artifact() {
        for path in [".orch/policy.yaml", ".orch/tasks/2026-11/strat-001/0003-handoff.yaml"] {
            assert_eq!(naming(path, "").of("artifact-irregular").len(), 1, "{path}");
        }
    }

    /// Attack 49.
    #[test]
    fn a_submodule_is_declared() {
        let submodule = "- submodule: {strategies/vendor: commit}\n";
        let findings = story(&format!("{START}{submodule}"));
        assert_eq!(findings.of("artifact-irregular").len(), 1);
        for (path, count) in [("strategies/vendor", 0), ("strategies/other", 1)] {
            let declared = format!(
                "- write: {{.gitmodules: \"[submodule \\\"v\\\"]\\n\\tpath = {path}\\n\"}}\n"
            );
            let findings = story(&format!("{START}{submodule}{declared}"));
            assert_eq!(findings.of("artifact-irregular").len(), count, "{path}");
        }
    }
}
