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
A record names its actor, and anybody can write a name. Where the policy binds an agent to
`identities`, each new record of that agent must be proved by one of them: by the record's own
signature, which survives a squash and a rebase; by the signature of the commit that brought it, with
an SSH key or with OpenPGP; or by the address of that commit's author, committer or co-author. Anybody
can write an address, too: bind an agent to keys alone, and nothing but a signature will do. Agents
that share an identity are one principal, and none of them audits the other's work.

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
    unproved(world, step).into_iter().collect()
}

fn unproved(world: &World, step: &Step<'_>) -> Option<Objection> {
    let actor = &step.record.entry.actor;
    let agent = step.policy?.agents.get(actor)?;
    if agent.identities.is_empty() || world.is_proved(step.record.repo_path()) {
        return None;
    }
    // What is staged has no commit yet.
    let commit = step.ledger.brought_by(step.record)?;
    let makers = world.facts.makers(commit)?;
    let committed = agent.identities.emails.contains(&makers.committer);
    if committed || world.is_by(makers, actor, step.at) {
        return None;
    }
    let mut named: Vec<&str> = makers.authors.iter().map(String::as_str).collect();
    named.extend(Some(makers.committer.as_str()).filter(|name| !named.contains(name)));
    named.retain(|name| !name.is_empty());
    let message = format!(
        "`{actor}` says this, and commit {commit:.10} is by {}, who is none of {}",
        named.join(", "),
        agent.identities.listed().join(", ")
    );
    let help = format!(
        "commit it as `{actor}` (`git config user.email`), sign the record as `{actor}` (`orch sign \
         {}`), or have a person add the identity: `orch decide --changes .orch/policy.yaml`",
        step.record.repo_path()
    );
    Some(Objection::new(step.envelope("actor"), message, help))
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
