//! Nobody audits work that they did themselves.
//!
//! From R000-18, R000-20.

use super::{Check, Group, Objection, Run, reliance};
use crate::diagnostic::Severity;
use crate::policy::StageKind;
use crate::snapshot::Oid;
use crate::source::AgentName;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "self-audit",
    group: Group::Audit,
    title: "Nobody audits work that they did themselves",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
An audit is worth what its independence is worth. The auditor is one that the policy calls an
auditor, records the report in its own name, and ran no stage of the task but the audit itself,
neither before it nor behind it. Two names of one principal are one. Where the policy binds the
auditor to `identities`, no commit that made what is audited may be by it either. Give the audit to
another agent.

```yaml bad
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {auditor: quant_engineer, entry: {session: a fresh one}}
```

```yaml good
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    [of_report(world, step), of_audit_run(world, step), of_run(world, step)]
        .into_iter()
        .flatten()
        .collect()
}

fn of_report(world: &World, step: &Step<'_>) -> Option<Objection> {
    let reported = reliance::reported(step)?;
    let auditor = &reported.report.auditor;
    let actor = &step.record.entry.actor;
    let mut workers = reported.workers();
    let message = if let Some(run) = workers.find(|run| is_same(world, step, &run.agent, auditor)) {
        did_work(auditor, &run.stage)
    } else if let Some(commit) = committed(world, step, auditor) {
        format!("commit {commit:.10}, which made a part of what is audited, is by `{auditor}`")
    } else if auditor != actor {
        format!("`{actor}` records an audit in the name of `{auditor}`")
    } else if !is_auditor(step, auditor)? {
        no_auditor(auditor)
    } else {
        return None;
    };
    Some(Objection::new(step.field("auditor"), message, hand_over(step)))
}

/// Where identities are bound, the names in the ledger are not all there is to ask: an author may
/// have let another agent hand over (attack 93).
fn committed(world: &World, step: &Step<'_>, auditor: &AgentName) -> Option<Oid> {
    let mut shapers = world.facts.shapers(step.record.repo_path()).iter();
    let by_them = |commit: &&Oid| {
        let makers = world.facts.makers(**commit);
        makers.is_some_and(|makers| world.is_by(makers, auditor, step.at))
    };
    shapers.find(by_them).copied()
}

/// An audit's run is refused before its work is wasted.
fn of_audit_run(world: &World, step: &Step<'_>) -> Option<Objection> {
    let (state, run) = (step.before?, step.begun()?);
    if step.stage(&run.stage)?.kind != StageKind::Audit {
        return None;
    }
    let mut workers = reliance::workers(state, &run.stage);
    let message = match workers.find(|worker| is_same(world, step, &worker.agent, &run.agent)) {
        Some(worker) => did_work(&run.agent, &worker.stage),
        None if !is_auditor(step, &run.agent)? => no_auditor(&run.agent),
        None => return None,
    };
    Some(Objection::new(step.field("agent"), message, hand_over(step)))
}

fn of_run(world: &World, step: &Step<'_>) -> Option<Objection> {
    let relied = reliance::relied_on(step)?;
    let auditor = &relied.audit.auditor;
    let mut workers = relied.state.workers();
    let worked =
        workers.find(|run| is_same(world, step, &run.agent, auditor)).map(|run| &run.stage);
    let same = is_same(world, step, &relied.run.agent, auditor);
    let stage = worked.or(same.then_some(&relied.run.stage))?;
    let message =
        format!("the audit that this relies on is no audit: {}", did_work(auditor, stage));
    Some(relied.objection(step, "auditor", message, reliance::audit_again(relied.state)))
}

/// An alias of one principal is no second pair of eyes; what a policy says of that by now must not
/// refuse a landed history.
fn is_same(world: &World, step: &Step<'_>, one: &AgentName, other: &AgentName) -> bool {
    if step.policy.is_some() { world.is_same(one, other) } else { one == other }
}

fn did_work(auditor: &AgentName, stage: &crate::source::StageName) -> String {
    format!("`{auditor}` ran stage `{stage}` of this task, and can't audit it")
}

fn no_auditor(agent: &AgentName) -> String {
    format!("`{agent}` is no auditor")
}

/// None where a landed history is replayed: who may audit is the policy's to say.
fn is_auditor(step: &Step<'_>, agent: &AgentName) -> Option<bool> {
    Some(step.policy?.agents.get(agent).is_some_and(|agent| agent.auditor))
}

fn hand_over(step: &Step<'_>) -> String {
    let task = step.task_id().map(ToString::to_string).unwrap_or_default();
    let auditors = step.policy.map(|policy| policy.agents_who(|agent| agent.auditor));
    let auditors: Vec<String> =
        auditors.unwrap_or_default().into_iter().map(|name| format!("`{name}`")).collect();
    let named = match auditors.is_empty() {
        true => String::new(),
        false => format!(" ({})", auditors.join(", ")),
    };
    format!(
        "leave it to another auditor{named}, with `orch run start {task}` and `orch audit report {task}`"
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 91: two names of one principal don't audit each other.
    #[test]
    fn an_alias_is_no_second_pair_of_eyes() {
        let told = |address: &str| {
            story(&format!(
                "
- policy: ['independent_auditor: {{lanes: [D], auditor: true}}',
    'independent_auditor: {{lanes: [D], auditor: true, identities: [{address}]}}']
- policy: ['quant_engineer: {{lanes: [C]}}',
    'quant_engineer: {{lanes: [C], identities: [mallory@example.org]}}']
- done: {{until: audit}}
- propose: feature/strat-001-audit
- run: {{}}
"
            ))
        };
        told("eve@example.org").expect(&[]);
        told("Mallory@example.org").expect(&["self-audit"]);
    }

    /// Attack 91: nor do two names that one key may sign for.
    #[test]
    fn a_shared_key_is_one_principal() {
        let told = |names: &str| {
            story(&format!(
                "
- write: {{.orch/allowed_signers: '{names} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK6hFFu+mMg0ERTmKHkzGKewxDk8PsvnhkPXDgpFdQyX'}}
- done: {{until: audit}}
- propose: feature/strat-001-audit
- run: {{}}
"
            ))
        };
        told("independent_auditor,founder").expect(&[]);
        told("independent_auditor,quant_*").expect(&["self-audit"]);
    }

    /// Attack 91: the author audits, and a deploy stage would rely on it.
    #[test]
    fn a_deploy_stage_does_not_rely_on_an_author() {
        let findings = story(
            "
- done: {until: audit}
- run: {stage: audit}
- audit_report: {auditor: strategy_developer, entry: {session: a fresh one}}
- gate: {}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
",
        );
        findings.expect(&["self-audit"]);
        assert_eq!(findings.underlined(0), "deploy_paper");
        let message = &findings.report.findings[0].message;
        assert!(message.contains("`strategy_developer` ran stage `strategy`"), "{message}");
    }

    /// R000-19: an auditor who did a part of the work is an author like any other.
    #[test]
    fn an_auditor_who_ran_a_stage_is_an_author() {
        let findings = story(
            "
- done: {until: backtest}
- run: {stage: backtest, agent: independent_auditor, entry: {session: a work session}}
- write: {research/reports/sma.json: {trades: 42, max_drawdown: 0.1}}
- handoff: {from: independent_auditor, entry: {session: a work session}}
- gate: {}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {}
",
        );
        findings.expect(&["self-audit"]);
        let lines: Vec<&str> = (0..2).map(|index| findings.underlined(index)).collect();
        assert_eq!(lines, ["independent_auditor", "independent_auditor"]);
    }

    /// The auditor can't take over what it has just approved.
    #[test]
    fn an_auditor_does_not_deploy_what_it_audited() {
        story(
            "
- done: {until: deploy_paper}
- policy: ['auditor: {lanes: [D]', 'auditor: {lanes: [D, E]']
- assignment: {agent: independent_auditor, reason: person}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper, entry: {session: a fresh one}}
",
        )
        .expect(&["self-audit"]);
    }

    /// R000-18: in another's name, or by someone whom the policy does not call an auditor.
    #[test]
    fn an_audit_is_recorded_by_its_auditor() {
        for (report, told) in [
            ("{entry: {actor: deployment_agent}}", "in the name of"),
            ("{auditor: deployment_agent, entry: {session: fresh}}", "is no auditor"),
        ] {
            let findings = story(&format!(
                "
- done: {{until: audit}}
- propose: feature/strat-001-audit
- run: {{stage: audit}}
- audit_report: {report}
"
            ));
            findings.expect(&["self-audit"]);
            assert!(findings.report.findings[0].message.contains(told), "{report}");
        }
    }

    /// A second audit by the same auditor is no self-audit: auditing is not working.
    #[test]
    fn an_auditor_may_audit_again() {
        story(
            "
- done: {until: audit}
- run: {stage: audit}
- run: {stage: audit, status: failed, failure: {class: transient, reason: network}}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {}
- gate: {}
- run: {stage: deploy_paper}
",
        )
        .expect(&[]);
    }
}
