//! A proposed policy, and proposed keys, are such that can be used.
//!
//! From R000-12.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "policy-invalid",
    group: Group::Authority,
    title: "A proposed policy, or file of keys, is one that can be used",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
A policy with one bad line is never used in part: once it had landed, nothing could be judged any
more. So an unknown key, a name that is used and not defined, a stage that nobody could pass, or a
deploy stage without an audit before it is refused while it is proposed, each with its line. So are
the lines of `.orch/allowed_signers` and `.orch/revoked_keys`.

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
    let objections = world.policy_problems.iter().map(|(path, problem)| {
        let place = Place::at(path.clone(), problem.span);
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

    /// Attack 26: one bad line among many, in a file of keys.
    #[test]
    fn a_bad_line_of_keys_is_underlined() {
        let findings = story(
            "
- propose: orch/keys
- write: {.orch/allowed_signers: \"# keys\\nfounder AAAA\\n\", .orch/revoked_keys: 'none'}
- decision: {changes: [.orch/allowed_signers, .orch/revoked_keys]}
",
        );
        findings.expect(&["policy-invalid"]);
        assert_eq!(findings.underlined(0), "founder AAAA");
        assert_eq!(findings.underlined(1), "none");
    }
}
