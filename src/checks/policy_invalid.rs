//! A proposed policy is one that can be used.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::policy::POLICY_PATH;
use crate::source::RepoPath;
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "policy-invalid",
    group: Group::Authority,
    title: "A proposed policy is one that can be used",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
A policy with one bad line is never used in part: once it had landed, nothing could be judged any
more (R000-12). So an unknown key, a name that is used and not defined, a stage that nobody could
pass, or a deploy stage without an audit before it is refused while it is proposed, each with its
line.

```yaml bad
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: soon']
- decision: {changes: [.orch/policy.yaml]}
```

```yaml good
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: 45d']
- decision: {changes: [.orch/policy.yaml]}
```
";

fn run(world: &World) -> Vec<Objection> {
    let objections = world.policy_problems.iter().map(|problem| {
        let place = Place::at(RepoPath::from(POLICY_PATH), problem.span);
        Objection::new(place, problem.message.clone(), problem.help.clone())
    });
    objections.collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attacks 16, 18 and 26: everything that is wrong is told, with its place.
    #[test]
    fn every_problem_is_underlined() {
        let findings = story(
            "
- propose: orch/broken
- policy: ['agent: quant_engineer', 'agent: quant_enginer']
- policy: ['max_age: 30d', 'max_age: soon']
- decision: {changes: [.orch/policy.yaml]}
",
        );
        findings.expect(&["policy-invalid"]);
        assert_eq!(findings.report.findings.len(), 2);
        assert_eq!(findings.underlined(0), "quant_enginer");
        assert_eq!(findings.underlined(1), "soon");
    }
}
