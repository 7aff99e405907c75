//! Everyone who acts is in the policy, and acts in a role of their own.
//!
//! From R001-2, R000-27, R001-3, R003-8.

use super::{Check, Group, Objection, Run as Runs};
use crate::diagnostic::{Place, Severity};
use crate::policy::{ORCHESTRATOR, Policy};
use crate::record::kind::{IncidentStep, Run, RunStatus};
use crate::record::{Payload, did_you_mean};
use crate::source::AgentName;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "agent-unknown",
    group: Group::Authority,
    title: "Everyone who acts is in the policy, and acts in a role of their own",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Runs::EachStep(run),
};

const EXPLAIN: &str = "\
The policy's `agents` are all who may act. A name that is not among them has no lane and no role.
Nobody starts a run or sends a message in another's name: a stage is done by the policy's agent, or
by the one that it was assigned to. Only a coordinator or a person assigns, closes and releases
evidence from quarantine. A step of an incident's procedure is taken by its owner or by those who
direct, and by a person where it says so.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {agent: strategy_develper}
```

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {agent: ml_engineer}
```

```yaml good
- done: {until: strategy}
- assignment: {agent: ml_engineer, reason: person}
- propose: feature/strat-001-strategy
- run: {agent: ml_engineer}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(policy) = step.policy else { return Vec::new() };
    let actor = &step.record.entry.actor;
    let mut objections = Vec::new();
    if !policy.agents.contains_key(actor) {
        objections.push(unknown(policy, step.envelope("actor"), actor));
    }
    for (field, name) in named(&step.record.payload) {
        if !policy.agents.contains_key(name) && name != actor {
            objections.push(unknown(policy, step.field(field), name));
        }
    }
    if objections.is_empty() {
        objections.extend(out_of_role(policy, step, actor));
    }
    objections
}

/// The agents that a payload names, with their fields. A gate's and a resume's have checks of
/// their own.
fn named(payload: &Payload) -> Vec<(&'static str, &AgentName)> {
    let mut named = match payload {
        Payload::Task(task) => vec![("requestor", &task.requestor)],
        Payload::Assignment(assignment) => vec![("agent", &assignment.agent)],
        Payload::Run(run) => vec![("agent", &run.agent)],
        Payload::Handoff(handoff) => vec![("from", &handoff.from), ("to", &handoff.to)],
        Payload::Message(message) => vec![("from", &message.from), ("to", &message.to)],
        Payload::AuditRequest(request) => vec![("requestor", &request.requestor)],
        Payload::AuditReport(report) => vec![("auditor", &report.auditor)],
        Payload::Approval(approval) => vec![("approver", &approval.approver)],
        Payload::Escalation(escalation) => {
            escalation.positions.iter().map(|position| ("positions", &position.agent)).collect()
        }
        _ => Vec::new(),
    };
    let speaks = matches!(payload, Payload::Handoff(_) | Payload::Message(_));
    named.retain(|(_, name)| !(speaks && **name == ORCHESTRATOR));
    named
}

fn unknown(policy: &Policy, place: Place, name: &AgentName) -> Objection {
    let near = did_you_mean(name.as_str(), policy.agents.keys().map(|agent| agent.as_str()));
    let help = near.map_or(HELP.to_owned(), |near| format!("did you mean `{near}`?"));
    Objection::new(place, format!("the policy knows no agent `{name}`"), help)
}

const HELP: &str = "act as one of the policy's `agents` (`--agent NAME` or ORCH_AGENT), or add it \
                    with `orch decide --changes .orch/policy.yaml`";

fn out_of_role(policy: &Policy, step: &Step<'_>, actor: &AgentName) -> Option<Objection> {
    match &step.record.payload {
        Payload::Run(run) => run_by(policy, step, run, actor),
        Payload::Message(message) if message.from != *actor => {
            let message = format!("`{actor}` speaks for `{}`", message.from);
            let help = "each agent sends its own messages: `orch message send --agent NAME`";
            Some(Objection::new(step.field("from"), message, help))
        }
        Payload::Quarantine(quarantine) if quarantine.released && !policy.directs(actor) => {
            let message = format!("`{actor}` is neither a coordinator nor a person, so no release");
            let help = "ask a coordinator to release it, with `--agent NAME`";
            Some(Objection::new(step.envelope("actor"), message, help))
        }
        Payload::IncidentStep(taken) => step_by(policy, step, taken, actor),
        Payload::Assignment(_) | Payload::Close(_) if !policy.directs(actor) => {
            let word = step.record.payload.word();
            let message =
                format!("`{actor}` is neither a coordinator nor a person, so no `{word}`");
            let help = "ask a coordinator to record it, with `--agent NAME`";
            Some(Objection::new(step.envelope("actor"), message, help))
        }
        _ => None,
    }
}

/// A step of a procedure is taken by whom the procedure names.
fn step_by(
    policy: &Policy,
    step: &Step<'_>,
    taken: &IncidentStep,
    actor: &AgentName,
) -> Option<Objection> {
    let mut planned = step.incident?.incident.steps.iter();
    let planned = planned.find(|planned| planned.step == taken.step)?;
    let who = match &planned.owner {
        _ if planned.person && !policy.is_person(actor) => "a person".to_owned(),
        Some(owner) if owner != actor && !policy.directs(actor) => format!("`{owner}`"),
        _ => return None,
    };
    let message = format!("step `{}` is for {who} to take, not for `{actor}`", taken.step);
    let help = format!(
        "ask {who} to record it: `orch incident step {} --step {} --outcome OUTCOME --agent NAME`",
        step.ledger.home.id()?,
        taken.step
    );
    Some(Objection::new(step.envelope("actor"), message, help))
}

/// A run is begun by the agent that does it. An agent that is gone can't tell of its failure, so
/// those who direct may do that.
fn run_by(policy: &Policy, step: &Step<'_>, run: &Run, actor: &AgentName) -> Option<Objection> {
    let failed = run.status == RunStatus::Failed;
    let begins = run.status == RunStatus::InProgress;
    if run.agent != *actor && !(failed && policy.directs(actor)) {
        let message = format!("`{actor}` speaks for `{}`", run.agent);
        let help = "each agent starts and ends its own runs: `orch run start --agent NAME`";
        return Some(Objection::new(step.field("agent"), message, help));
    }
    let begun = step.before.and_then(|state| state.run(&run.run_id)).filter(|_| !begins);
    let state = step.before.filter(|_| begins);
    let named = state.zip(step.stage(&run.stage));
    let named = named.map(|(state, stage)| policy.agent_for(&state.task, stage));
    let assigned = state.and_then(|state| state.assigned.as_ref());
    let due: Vec<&AgentName> =
        begun.map(|begun| &begun.agent).into_iter().chain(named).chain(assigned).collect();
    if due.is_empty() || due.contains(&&run.agent) {
        return None;
    }
    let due: Vec<String> = due.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("stage `{}` is for {} to do", run.stage, due.join(" or "));
    let help = "a coordinator can give it to another: `orch task assign TASK --to AGENT`";
    Some(Objection::new(step.field("agent"), message, help))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Findings, story};

    fn proposed(rest: &str) -> Findings {
        story(&format!(
            "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
{rest}
"
        ))
    }

    #[track_caller]
    fn refused(rest: &str, underlined: &str) -> Findings {
        let findings = proposed(rest);
        findings.expect(&["agent-unknown"]);
        assert_eq!(findings.report.findings.len(), 1, "{rest}");
        assert_eq!(findings.underlined(0), underlined, "{rest}");
        findings
    }

    #[test]
    fn unknown_names_are_underlined_once() {
        refused("- task: {task_id: strat-002, entry: {actor: orchestratr}}", "orchestratr");
        refused("- task: {task_id: strat-002, requestor: nobody}", "nobody");
        refused("- assignment: {agent: nobody, reason: person}", "nobody");
        let findings = refused("- run: {agent: strategy_develper}", "strategy_develper");
        assert_eq!(findings.report.findings[0].help, "did you mean `strategy_developer`?");
    }

    /// A policy need not call its coordinator so: the word means whoever coordinates (R000-28).
    #[test]
    fn the_orchestrator_is_always_known() {
        let owned = include_str!("../../templates/strategy.yaml").matches("owner: orchestrator");
        let renamed =
            "- policy: ['owner: orchestrator', 'owner: conductor']\n".repeat(owned.count());
        let rest = "
- policy: ['orchestrator: {coordinator: true}', 'conductor: {coordinator: true}']
- propose: feature/strat-001-strategy
- task: {requestor: founder, entry: {actor: conductor}}
- message:
    from: strategy_developer
    to: orchestrator
    type: request
    task_id: strat-001
    payload: {}
    status: pending
    timestamp: 2026-11-21T10:00:00Z
    entry: {actor: strategy_developer}
";
        story(&format!("{renamed}{rest}")).expect(&[]);
    }

    /// R000-27, R000-28: a message is its sender's own, and goes to somebody who is there.
    #[test]
    fn nobody_speaks_in_anothers_name() {
        let sent = |from: &str, to: &str| {
            format!(
                "- message: {{from: {from}, to: {to}, type: request, task_id: strat-001, payload: \
                 {{}}, status: pending, timestamp: '2026-11-21T10:00:00Z', entry: {{actor: \
                 ml_engineer}}}}"
            )
        };
        proposed(&sent("ml_engineer", "quant_engineer")).expect(&[]);
        refused(&sent("quant_engineer", "orchestrator"), "quant_engineer");
        refused(&sent("ml_engineer", "nobody"), "nobody");
    }

    #[test]
    fn nobody_runs_in_anothers_name() {
        refused("- run: {entry: {actor: ml_engineer}}", "strategy_developer");
        refused("- run: {agent: ml_engineer}", "ml_engineer");
    }

    #[test]
    fn a_failure_is_told_by_its_agent_or_by_those_who_direct() {
        let failed_by = |agent: &str, actor: &str| {
            proposed(&format!(
                "
- run: {{}}
- run:
    agent: {agent}
    status: failed
    failure: {{class: transient, reason: network}}
    entry: {{actor: {actor}}}
"
            ))
        };
        failed_by("strategy_developer", "strategy_developer").expect(&[]);
        failed_by("strategy_developer", "orchestrator").expect(&[]);
        failed_by("strategy_developer", "ml_engineer").expect(&["agent-unknown"]);
        failed_by("ml_engineer", "ml_engineer").expect(&["agent-unknown"]);
    }

    /// R001-3: who does what, and whether it goes on, is not a worker's to say.
    #[test]
    fn workers_neither_assign_nor_close() {
        let by = "entry: {actor: ml_engineer}";
        refused(
            &format!("- assignment: {{agent: ml_engineer, reason: person, {by}}}"),
            "ml_engineer",
        );
        refused(&format!("- close: {{outcome: abandoned, reason: no, {by}}}"), "ml_engineer");
        proposed("- close: {outcome: abandoned, reason: no, entry: {actor: founder}}").expect(&[]);
        let zeros = "0".repeat(64);
        let released = |actor: &str| {
            format!(
                "- quarantine: {{name: x, checksum: 'sha256:{zeros}', reason: r, released: true, entry: \
                 {{actor: {actor}}}}}"
            )
        };
        refused(&released("ml_engineer"), "ml_engineer");
        proposed(&released("orchestrator")).expect(&[]);
    }

    /// R003-7: whom a procedure names takes its step, or those who direct; a person, where it says.
    #[test]
    fn steps_are_taken_by_their_owners() {
        let step = |procedure: &str, steps: &str| {
            story(&format!("- incident: {{procedure: {procedure}}}\n- propose: orch/x\n{steps}"))
        };
        let taken = |name: &str, actor: &str| {
            format!(
                "- incident_step: {{step: {name}, outcome: Done, evidence: [log], entry: {{actor: \
                 {actor}}}}}\n"
            )
        };
        for actor in ["deployment_agent", "orchestrator", "founder"] {
            step("live_emergency", &taken("rollback", actor)).expect(&[]);
        }
        step("live_emergency", &taken("rollback", "ml_engineer")).expect(&["agent-unknown"]);
        let safe = taken("confirm_safe", "ml_engineer");
        step("kill_switch", &format!("{safe}{}", taken("review", "founder"))).expect(&[]);
        step("kill_switch", &format!("{safe}{}", taken("review", "orchestrator")))
            .expect(&["agent-unknown"]);
    }
}
