//! The policy, the signers' keys and what guards the others change only by a person's decision.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::policy::POLICY_PATH;
use crate::record::{Home, Payload};
use crate::snapshot::{Change, Occasion};
use crate::world::{Fact, LedgerView, Seen, World, is_a_persons};

pub(super) static CHECK: Check = Check {
    name: "policy-change-undecided",
    group: Group::Authority,
    title: "The policy, keys and guarded files change only by a person's decision",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachChange(run),
};

const EXPLAIN: &str = "\
Whoever can change the rules can do anything. `.orch/policy.yaml`, `.orch/allowed_signers`,
`.orch/revoked_keys` and the files that the policy calls `guarded`, such as CI's workflows and the
configuration of hooks, may therefore be added, changed or removed only together with an accepted
decision by a person that names the file and its new checksum: `orch decide --changes PATH`. The
change itself is still judged by the policy and the keys that were agreed before it.

```yaml bad
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: 365d']
```

```yaml good
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: 45d']
- decision: {title: Audits hold for 45 days, changes: [.orch/policy.yaml]}
```
";

fn run(world: &World, change: &Change) -> Vec<Objection> {
    let path = &change.path;
    if !world.policy.is_guarded(path) || world.bootstrap || world.occasion == Occasion::Verification
    {
        return Vec::new();
    }
    // A branch that brings the policy which was agreed elsewhere in the meantime changes nothing.
    let agreed = path.as_bytes() == POLICY_PATH.as_bytes()
        && world.facts.get(Seen::Head, path).digest() == Some(world.policy.digest);
    if agreed || is_decided(world, change) {
        return Vec::new();
    }
    let verb = if change.new.is_some() { "changes" } else { "goes" };
    let message = format!("`{path}` {verb} without a person's decision that names what it then is");
    let help = format!(
        "a person decides, in the same commit: `orch decide --title T --context C --decision D --changes {}`",
        path.in_shell()
    );
    vec![Objection::new(Place::file(path.clone()), message, help)]
}

/// Tells whether a person's decision in this change lets a file become what head holds, or go.
pub(super) fn is_decided(world: &World, change: &Change) -> bool {
    let fact = world.facts.get(Seen::Head, &change.path);
    let decisions = world.ledgers.get(&Home::Decision);
    decisions.into_iter().flat_map(LedgerView::new_entries).any(|(_, record)| {
        let Payload::Decision(decision) = &record.payload else { return false };
        is_a_persons(&world.policy, decision, &record.entry.actor)
            && decision.changes.iter().any(|named| {
                named.path == change.path
                    && match (fact, named.checksum) {
                        (Fact::File { digest, .. }, Some(checksum)) => *digest == checksum,
                        (Fact::Missing, None) => true,
                        _ => false,
                    }
            })
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const LOOSER: &str = "
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: 365d']
";

    fn keyed(text: &str) -> String {
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK6hFFu+mMg0ERTmKHkzGKewxDk8PsvnhkPXDgpFdQyX";
        text.replace("KEY", key)
    }

    #[track_caller]
    fn refused(rest: &str) {
        story(&format!("{LOOSER}{rest}")).expect(&["policy-change-undecided"]);
    }

    /// Attack 14: only an accepted decision, of persons alone, about these very bytes counts.
    #[test]
    fn not_every_decision_decides() {
        refused("- decision: {changes: [.orch/allowed_signers]}\n");
        refused("- decision: {changes: [.orch/policy.yaml], status: rejected}\n");
        refused("- decision: {changes: [.orch/policy.yaml], decision_makers: []}\n");
        refused(
            "- decision: {changes: [.orch/policy.yaml], decision_makers: [founder, orchestrator]}\n",
        );
        refused("- decision: {changes: [.orch/policy.yaml], entry: {actor: orchestrator}}\n");
        refused(
            "
- decision: {changes: [.orch/policy.yaml]}
- policy: ['max_age: 365d', 'max_age: 366d']
",
        );
    }

    /// Attack 21: what starts the guard is guarded, whatever lane owns it and however it is spelled.
    #[test]
    fn what_starts_the_guard_is_guarded() {
        let lane = "- policy: ['\"docs/strategies/**\"', '\"docs/strategies/**\", \".github/**\"']
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}\n";
        for file in [".github/workflows/ci.yml", ".pre-commit-config.yaml"] {
            story(&format!("{lane}- write: {{{file}: 'on: nothing'}}\n"))
                .of("policy-change-undecided")
                .first()
                .expect(file);
        }
        let other = "- propose: orch/ci\n- write: {.GitHub/Workflows/ci.yml: 'on: nothing'}\n";
        assert_eq!(story(other).of("policy-change-undecided").len(), 1);
        story(&format!("{other}- decision: {{changes: [.GitHub/Workflows/ci.yml]}}\n")).expect(&[]);
    }

    /// Attack 14: a change is judged by what was agreed, so nobody makes themselves a person.
    #[test]
    fn a_person_is_one_by_the_agreed_policy() {
        refused(
            "
- policy: ['ml_engineer: {lanes: [B]}', 'ml_engineer: {lanes: [B], human: true}']
- decision:
    changes: [.orch/policy.yaml]
    decision_makers: [ml_engineer]
    entry: {actor: ml_engineer}
",
        );
    }

    /// A decision that has landed was about what was proposed with it.
    #[test]
    fn an_old_decision_decides_nothing_new() {
        story(
            "
- decision: {changes: [.orch/policy.yaml]}
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: 365d']
",
        )
        .expect(&["policy-change-undecided"]);
    }

    /// Attack 14: a branch from before brings the decision of then once more, and the policy that has
    /// been replaced since.
    #[test]
    fn a_decision_that_has_landed_brings_no_older_policy_back() {
        let stale = "
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: 365d']
- decision: {changes: [.orch/policy.yaml]}
- meanwhile:
    - policy: ['max_age: 30d', 'max_age: 365d']
    - decision: {changes: [.orch/policy.yaml]}
";
        story(stale).expect(&[]);
        let replaced = "    - policy: ['max_age: 365d', 'max_age: 7d']\n";
        story(&format!("{stale}{replaced}")).expect(&["policy-change-undecided"]);
    }

    /// Attack 15: without a policy nothing is allowed; only a decision can remove one.
    #[test]
    fn removing_the_policy_is_a_change() {
        story("\n- propose: orch/no-rules\n- remove: {.orch/policy.yaml: ~}\n")
            .expect(&["policy-change-undecided"]);
        story(
            "
- propose: orch/no-rules
- remove: {.orch/policy.yaml: ~}
- decision: {changes: [.orch/policy.yaml]}
",
        )
        .expect(&[]);
    }

    /// Keys decide who a person is, so they are guarded like the policy, from the first one on.
    #[test]
    fn keys_are_guarded_too() {
        let key = keyed("\n- propose: orch/keys\n- write: {.orch/allowed_signers: founder KEY}\n");
        story(&key).expect(&["policy-change-undecided"]);
        story(&format!("{key}- decision: {{changes: [.orch/allowed_signers]}}\n")).expect(&[]);
    }

    /// The first policy has nobody before it who could decide; nothing else in that change had an
    /// owner, a branch or a run either.
    #[test]
    fn the_first_policy_is_told_and_passes() {
        let findings = story(&keyed(
            "
- write: {Makefile: all, strategies/sma.py: code, .orch/allowed_signers: founder KEY}
- bootstrap: trunk
",
        ));
        findings.expect(&["policy-change-undecided"]);
        assert!(!findings.report.refused());
    }

    /// A link in the policy's place holds no bytes that anybody could have decided on.
    #[test]
    fn a_link_is_never_decided() {
        story(&keyed(
            "
- write: {.orch/allowed_signers: founder KEY}
- propose: orch/keys
- link: {.orch/allowed_signers: ../elsewhere}
- decision: {changes: [.orch/allowed_signers]}
",
        ))
        .expect(&["policy-change-undecided"]);
    }
}
