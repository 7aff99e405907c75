//! A stage that asks for a person's approval starts with it, for what they saw.

use super::{Check, Group, Objection, Run as Runs};
use crate::diagnostic::{Place, Severity};
use crate::ledger::Approved;
use crate::policy::{Approvers, Policy};
use crate::record::Payload;
use crate::record::kind::{Approval, Artifact, Run, RunStatus};
use crate::source::AgentName;
use crate::world::{Step, World, seen_by_a_person};

pub(super) static CHECK: Check = Check {
    name: "approval-missing",
    group: Group::Authority,
    title: "A stage that asks for a person's approval starts with it, for what they saw",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Runs::EachStep(run),
};

const EXPLAIN: &str = "\
Where real money or real users begin, a person says so: a stage with `approval` starts only behind
an approval by that very person, over exactly the evidence that the run consumes. If the evidence
changes, or the task goes back, the approval no longer holds and is asked for again. Nobody approves
in another's name: `orch approve TASK --stage STAGE --statement S`. Where `approvers` asks for several
people, two names of one principal count once.

```yaml bad
- done: {until: deploy_live}
- propose: feature/strat-001-deploy_live
- run: {stage: deploy_live}
```

```yaml good
- done: {until: deploy_live}
- propose: feature/strat-001-deploy_live
- approval: {stage: deploy_live, statement: The paper results convince me}
- run: {stage: deploy_live}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(policy) = step.policy else { return Vec::new() };
    let objection = match &step.record.payload {
        Payload::Run(run) if run.status == RunStatus::InProgress => unapproved(world, step, run),
        Payload::Approval(approval) => not_an_approval(policy, step, approval),
        _ => None,
    };
    objection.into_iter().collect()
}

fn unapproved(world: &World, step: &Step<'_>, run: &Run) -> Option<Objection> {
    let (state, stage) = (step.before?, step.stage(&run.stage)?);
    let asked = stage.approvers.as_ref()?;
    let by_them = |approval: &&Approved| {
        approval.live && approval.stage == run.stage && asked.of.contains(&approval.approver)
    };
    let consumed = seen(&run.inputs);
    let approvals = state.approvals.iter().filter(by_them);
    let heard = approvals.filter(|approval| seen(&approval.covers) == consumed);
    let voices = principals(world, heard.map(|approval| &approval.approver));
    if voices.len() >= asked.threshold {
        return None;
    }
    let who = in_words(asked);
    let help = format!(
        "what is there now waits for {who}: `orch approve {} --stage {} --statement …`",
        state.task.task_id, run.stage
    );
    let last = state.approvals.iter().rev().find(|approval| approval.stage == run.stage);
    let message = match last.filter(by_them) {
        _ if !voices.is_empty() => {
            format!("{} of {who} approved stage `{}`, as one", voices.len(), run.stage)
        }
        Some(last) => {
            format!("`{}` approved other evidence than this run consumes", last.approver)
        }
        None => format!("stage `{}` starts only with the approval of {who}", run.stage),
    };
    let objection = Objection::new(step.field("stage"), message, help);
    Some(match last.and_then(|approval| place_of(step, approval)) {
        Some(place) => objection.related(place, "this approval does not count for it"),
        None => objection,
    })
}

/// Two names of one principal are one voice (attack 98).
fn principals<'n>(world: &World, names: impl Iterator<Item = &'n AgentName>) -> Vec<&'n AgentName> {
    let mut voices: Vec<&AgentName> = Vec::new();
    for name in names {
        if voices.iter().all(|voice| !world.is_same(voice, name)) {
            voices.push(name);
        }
    }
    voices
}

fn in_words(asked: &Approvers) -> String {
    let names: Vec<String> = asked.of.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [one] => one.clone(),
        several => format!("{} of {}", asked.threshold, several.join(", ")),
    }
}

/// What a person saw, in an order of its own.
fn seen(artifacts: &[Artifact]) -> Vec<&Artifact> {
    let mut seen = seen_by_a_person(artifacts);
    seen.sort();
    seen
}

fn place_of(step: &Step<'_>, approval: &Approved) -> Option<Place> {
    let mut records = step.ledger.records.iter();
    let record = records.find(|record| record.sequence() == approval.sequence)?;
    Some(Place::at(record.repo_path().clone(), record.field("approver")))
}

/// Attack 95: an agent that writes a person's name approves nothing. A name that nobody has is
/// told as an unknown agent; it opens no stage.
fn not_an_approval(policy: &Policy, step: &Step<'_>, approval: &Approval) -> Option<Objection> {
    let approver = &approval.approver;
    let agent = policy.agents.get(approver)?;
    let asked = step.stage(&approval.stage).and_then(|stage| stage.approvers.as_ref());
    let message = if !agent.human {
        format!("`{approver}` is no person, and only a person approves")
    } else if step.record.entry.actor != *approver {
        format!("`{}` approves in the name of `{approver}`", step.record.entry.actor)
    } else if let Some(asked) = asked.filter(|asked| !asked.of.contains(approver)) {
        format!("stage `{}` asks for the approval of {}", approval.stage, in_words(asked))
    } else {
        return None;
    };
    Some(Objection::new(step.field("approver"), message, HELP))
}

const HELP: &str = "the person says it: `orch approve TASK --stage STAGE --statement S`";

#[cfg(test)]
mod tests {
    use crate::testing::{Findings, story};

    fn approved(said: &str) -> Findings {
        story(&format!(
            "
- done: {{until: deploy_live}}
- propose: feature/strat-001-deploy_live
- approval: {said}
"
        ))
    }

    /// Attack 95: neither an agent's approval nor one in a person's name.
    #[test]
    fn only_the_person_approves() {
        for said in [
            "{approver: deployment_agent}",
            "{approver: founder, entry: {actor: deployment_agent}}",
        ] {
            let findings = approved(said);
            findings.expect(&["approval-missing"]);
            assert!(said.contains(findings.underlined(0)), "{}", findings.underlined(0));
        }
        approved("{approver: foundr}").expect(&["agent-unknown"]);
        approved("{}").expect(&[]);
    }

    /// Attack 98: two names of one principal are one voice.
    #[test]
    fn a_threshold_counts_principals() {
        let two = |principal: &str| {
            story(&format!(
                "
- policy: ['founder: {{lanes: [F], human: true}}',
    \"founder: {{lanes: [F], human: true}}\\n  partner: {{human: true{principal}}}\"]
- policy: ['approval: founder', 'approvers: {{of: [founder, partner, data_engineer], threshold: 2}}']
- policy: ['data_engineer: {{lanes: [A]}}', 'data_engineer: {{lanes: [A], human: true}}']
- policy: ['founder: {{', 'founder: {{principal: ada, ']
- done: {{until: deploy_live}}
- propose: feature/strat-001-deploy_live
- approval: {{}}
- approval: {{approver: partner, entry: {{actor: partner}}}}
- run: {{}}
"
            ))
        };
        two("").expect(&[]);
        let findings = two(", principal: ada");
        findings.expect(&["approval-missing"]);
        let message = &findings.report.findings[0].message;
        assert!(message.starts_with("1 of 2 of `founder`"), "{message}");
    }

    /// Another person than the one that the stage asks for.
    #[test]
    fn the_stage_says_who() {
        story(
            "
- policy: ['data_engineer: {lanes: [A]}', 'data_engineer: {lanes: [A], human: true}']
- done: {until: deploy_live}
- propose: feature/strat-001-deploy_live
- approval: {approver: data_engineer}
",
        )
        .expect(&["approval-missing"]);
    }

    /// An approval is of bytes, not of a stage's name.
    #[test]
    fn other_evidence_is_not_approved() {
        let findings = story(
            "
- done: {until: deploy_live}
- approval: {covers: []}
- propose: feature/strat-001-deploy_live
- run: {}
",
        );
        findings.expect(&["approval-missing"]);
        let finding = &findings.report.findings[0];
        assert!(finding.message.contains("other evidence"), "{}", finding.message);
        assert_eq!(finding.related.len(), 1);
    }

    /// A task that went back behind its approval asks again.
    #[test]
    fn a_return_voids_the_approval() {
        story(
            "
- done: {until: deploy_live}
- approval: {}
- rejection: {handoff: 12, reason: mismatch, entry: {actor: deployment_agent}}
- run: {stage: deploy_paper}
- write: {deploy/paper/sma.json: '{\"pnl\": 1}'}
- handoff: {}
- gate: {}
- propose: feature/strat-001-deploy_live
- run: {stage: deploy_live}
",
        )
        .expect(&["approval-missing"]);
    }
}
