//! The policy, the signers' keys and what guards the others change only by a person's decision.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::policy::POLICY_PATH;
use crate::record::Payload;
use crate::record::kind::PathChange;
use crate::snapshot::{Change, Occasion};
use crate::world::{Fact, Seen, Step, World, is_a_persons};

pub(super) static CHECK: Check = Check {
    name: "policy-change-undecided",
    group: Group::Authority,
    title: "The policy, keys and guarded files change only by a person's decision",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
Whoever can change the rules can do anything. `.orch/policy.yaml`, `.orch/allowed_signers`,
`.orch/revoked_keys` and the files that the policy calls `guarded`, such as CI's workflows and the
configuration of hooks, may therefore be added, changed or removed only together with an accepted
decision by a person that names the file, what it was where things are agreed, and what it then is:
`orch decide --changes PATH`. All that a decision names changes with it. The change itself is still
judged by the policy and the keys that were agreed before it.

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

fn run(world: &World) -> Vec<Objection> {
    if world.bootstrap || world.occasion == Occasion::Verification {
        return Vec::new();
    }
    let mut objections: Vec<Objection> =
        world.changes.iter().filter_map(|change| undecided(world, change)).collect();
    objections.extend(world.steps().flat_map(|step| left_out(world, &step)));
    objections
}

fn undecided(world: &World, change: &Change) -> Option<Objection> {
    let path = &change.path;
    if !world.policy.is_guarded(path) {
        return None;
    }
    // A branch that brings the policy which was agreed elsewhere in the meantime changes nothing.
    let agreed = path.as_bytes() == POLICY_PATH.as_bytes()
        && world.facts.get(Seen::Head, path).digest() == Some(world.policy.digest);
    if agreed || is_decided(world, change) {
        return None;
    }
    let verb = if change.new.is_some() { "changes" } else { "goes" };
    let message = format!(
        "`{path}` {verb} without a person's decision that names what it was and what it then is"
    );
    let help = format!(
        "a person decides, in the same commit: `orch decide --title T --context C --decision D --changes {}`",
        path.in_shell()
    );
    Some(Objection::new(Place::file(path.clone()), message, help))
}

/// Tells whether people's decisions in this change lead from what was agreed of a file to what head
/// holds. A decision about anything else, such as one from before or from another repository, leads
/// nowhere; nor does one that was withdrawn.
pub(super) fn is_decided(world: &World, change: &Change) -> bool {
    let head = match world.facts.get(Seen::Head, &change.path) {
        Fact::File { digest, .. } => Some(*digest),
        Fact::Missing => None,
        Fact::Irregular(_) | Fact::Unseen => return false,
    };
    let steps: Vec<&PathChange> = world
        .decided()
        .flat_map(|(_, decision)| &decision.changes)
        .filter(|named| named.path == change.path)
        .collect();
    let mut reached = vec![world.facts.agreed(&change.path)];
    while let Some(next) = steps
        .iter()
        .find(|step| reached.contains(&step.replaces) && !reached.contains(&step.checksum))
    {
        reached.push(next.checksum);
    }
    reached[1..].contains(&head)
}

/// What a person decided is done whole: one who may loosen only what they also revoke did not decide
/// on a half of it.
fn left_out(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let Payload::Decision(decision) = &step.record.payload else { return Vec::new() };
    if !is_a_persons(&world.policy, decision, &step.record.entry.actor) {
        return Vec::new();
    }
    let carried_on = |named: &PathChange| {
        let mut later = world.decided().flat_map(|(_, decision)| &decision.changes);
        later.any(|other| other.path == named.path && other.replaces == named.checksum)
    };
    let left_out = decision.changes.iter().enumerate().filter(|(_, named)| {
        let held = world.facts.get(Seen::Head, &named.path).digest();
        held != named.checksum && !carried_on(named)
    });
    let objections = left_out.map(|(index, named)| {
        let message = format!("this decides on `{}` too, which is not what it says", named.path);
        let help =
            "bring all that the decision names, as it names it, or have a person decide anew";
        Objection::new(step.field(&format!("changes.{index}.path")), message, help)
    });
    objections.collect()
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

    /// A decision that never landed was about the policy of then, and of there: brought to another
    /// one, it decides nothing.
    #[test]
    fn a_decision_is_about_what_was_agreed() {
        let old = "
- propose: orch/older-audits
- policy: ['max_age: 30d', 'max_age: 365d']
- decision: {changes: [.orch/policy.yaml]}
";
        story(old).expect(&[]);
        story(&format!("{old}- meanwhile:\n    - policy: ['max_age: 30d', 'max_age: 7d']\n"))
            .expect(&["policy-change-undecided"]);
    }

    /// One decision behind another leads on from what it left.
    #[test]
    fn decisions_follow_each_other() {
        let digest = |text: &str| crate::source::Digest::of(text.as_bytes());
        let [first, second] = ["one", "two"].map(digest);
        let changes = |from: &str| {
            format!(
                "
- propose: orch/ci
- write: {{.github/workflows/ci.yml: two}}
- decision: {{changes: [], entry: {{actor: founder}}}}
- edit: {{.orch/decisions/2026-11-21-a-choice.yaml: ['changes: []', 'changes: [{{path: \
                 .github/workflows/ci.yml, checksum: \"{first}\"}}, {{path: \
                 .github/workflows/ci.yml, checksum: \"{second}\", replaces: \"{from}\"}}]']}}
"
            )
        };
        story(&changes(&first.to_string())).expect(&[]);
        story(&changes(&second.to_string())).expect(&["policy-change-undecided"]);
    }

    /// A decision is done whole: by half it is not what the person decided.
    #[test]
    fn half_a_decision_is_none() {
        let both = "
- propose: orch/both
- policy: ['max_age: 30d', 'max_age: 365d']
- write: {.github/workflows/ci.yml: guard}
- decision: {changes: [.orch/policy.yaml, .github/workflows/ci.yml]}
";
        story(both).expect(&[]);
        let half = story(&format!("{both}- remove: {{.github/workflows/ci.yml: ~}}\n"));
        half.expect(&["policy-change-undecided"]);
        assert_eq!(half.underlined(0), ".github/workflows/ci.yml");
    }

    /// What a landed decision took the place of decides nothing any more.
    #[test]
    fn a_withdrawn_decision_decides_nothing() {
        let withdrawn = "
- write:
    .orch/decisions/2026-11-20-no.yaml: |
      decision: {id: 2026-11-20-no, title: No, status: accepted, date: 2026-11-20, decision_makers:
        [founder], context: It was too long, outcome: 'No', supersedes: [2026-11-21-a-choice]}
      entry: {recorded_at: '2026-11-20T10:00:00Z', actor: founder}
";
        let change = "- propose: orch/older
- policy: ['max_age: 30d', 'max_age: 365d']
- decision: {changes: [.orch/policy.yaml]}
";
        story(change).expect(&[]);
        story(&format!("{withdrawn}{change}")).expect(&["policy-change-undecided"]);
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
