//! Who says something on the record is who committed it.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "identity-mismatch",
    group: Group::Authority,
    title: "Who says something on the record is who committed it",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A record names its actor, and anybody can write a name. Where the policy binds an agent to e-mail
addresses (`identities`), each new record of that agent is held against the commit that brought it:
its author, its committer or a co-author of its trailers must be one of them. An address proves
nothing by itself, either; a server that checks signatures makes it do so. Agents that share an
address are one principal, and none of them audits the other's work.

```yaml bad
- policy: ['founder: {lanes: [F], human: true}',
    'founder: {lanes: [F], human: true, identities: [ada@example.org]}']
- done: {until: backtest}
- pause: {cause: person, reason: Hold on}
- propose: feature/strat-001-backtest
- resume: {approver: founder, sign_off: I looked}
- by: mallory@example.org
```

```yaml good
- policy: ['founder: {lanes: [F], human: true}',
    'founder: {lanes: [F], human: true, identities: [ada@example.org]}']
- done: {until: backtest}
- pause: {cause: person, reason: Hold on}
- propose: feature/strat-001-backtest
- resume: {approver: founder, sign_off: I looked}
- by: Ada@Example.org
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let actor = &step.record.entry.actor;
    let bound = step.policy.and_then(|policy| policy.agents.get(actor));
    let Some(identities) = bound.map(|agent| &agent.identities).filter(|all| !all.is_empty())
    else {
        return Vec::new();
    };
    // What is staged has no commit yet.
    let Some(commit) = step.ledger.brought_by(step.record) else { return Vec::new() };
    let makers = world.facts.makers(commit);
    if !makers.is_disjoint(identities) {
        return Vec::new();
    }
    let list = |all: &std::collections::BTreeSet<String>| {
        all.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let message = format!(
        "`{actor}` says this, and commit {commit:.10} is by {}, who is none of {}",
        list(makers),
        list(identities)
    );
    let help = format!(
        "commit it as `{actor}` (`git config user.email`), or have a person add the address: `orch \
         decide --changes .orch/policy.yaml`"
    );
    vec![Objection::new(step.envelope("actor"), message, help)]
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn opened_by(identities: &str, email: &str) -> crate::testing::Findings {
        story(&format!(
            "
- policy: ['orchestrator: {{coordinator: true}}',
    'orchestrator: {{coordinator: true, identities: {identities}}}']
- propose: orch/x
- task: {{}}
- by: {email}
"
        ))
    }

    /// Attack 94: a name is held against the commit, where the policy binds it.
    #[test]
    fn a_bound_name_is_held_against_its_commit() {
        opened_by("[bot@example.org]", "bot@example.org").expect(&[]);
        opened_by("[other@example.org, bot@example.org]", "bot@example.org").expect(&[]);
        opened_by("[]", "mallory@example.org").expect(&[]);
        let findings = opened_by("[bot@example.org]", "mallory@example.org");
        findings.expect(&["identity-mismatch"]);
        assert_eq!(findings.underlined(0), "orchestrator");
        assert!(findings.report.findings[0].message.contains("mallory@example.org"));
    }

    /// Attack 95: a decision in a person's name is held against its commit, too.
    #[test]
    fn a_minted_decision_is_seen() {
        story(
            "
- policy: ['founder: {lanes: [F], human: true}',
    'founder: {lanes: [F], human: true, identities: [ada@example.org]}']
- propose: main
- decision: {title: So be it}
- by: mallory@example.org
",
        )
        .expect(&["identity-mismatch"]);
    }
}
