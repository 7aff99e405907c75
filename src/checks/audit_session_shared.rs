//! An audit is done in a session that did none of the work.
//!
//! From R000-21.

use super::{Check, Group, Objection, Run, reliance};
use crate::diagnostic::Severity;
use crate::ledger::RunState;
use crate::policy::StageKind;
use crate::record::Payload;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "audit-session-shared",
    group: Group::Audit,
    title: "An audit is done in a session that did none of the work",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
An agent that has seen how the work was made is no fresh pair of eyes, whatever name it goes by. An
audit report therefore names its session, and no run of the task's work was done from that session;
so every run names its own. Set `ORCH_SESSION`, or say `--session`, and audit from a context of its
own.

```yaml bad
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {entry: {session: session-of-quant_engineer}}
```

```yaml good
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {entry: {session: a context of its own}}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    [of_report(step), of_run(step), of_work(step)].into_iter().flatten().collect()
}

/// Work that names no session could never be shown to be apart from its audit; and an audit that
/// is begun where work was done is no audit, wherever it is reported from.
fn of_work(step: &Step<'_>) -> Option<Objection> {
    let state = step.before?;
    let stage = match &step.record.payload {
        Payload::Handoff(handoff) => &handoff.stage,
        _ => &step.begun()?.stage,
    };
    let workflow = step.policy?.workflows.get(&state.task.workflow)?;
    if !workflow.stages.iter().any(|stage| stage.kind == StageKind::Audit) {
        return None;
    }
    let session = step.record.entry.session.as_deref();
    if session.is_none_or(|name| name.trim().is_empty()) {
        let message = format!("this work on `{stage}` names no session, and it will be audited");
        let help = "say from which context you work: `export ORCH_SESSION=ID`, or `--session ID`";
        return Some(Objection::new(step.heading(), message, help));
    }
    let audit = workflow.stage(stage).is_some_and(|stage| stage.kind == StageKind::Audit);
    let why = fault(session, reliance::workers(state, stage), None).filter(|_| audit)?;
    let help = "audit from a context that did none of the work: `--session ID`";
    Some(Objection::new(step.envelope("session"), format!("this audit {why}"), help))
}

fn of_report(step: &Step<'_>) -> Option<Objection> {
    let reported = reliance::reported(step)?;
    let session = step.record.entry.session.as_deref();
    let why = fault(session, reported.workers(), None)?;
    let message = format!("this audit {why}");
    let task = &reported.state.task.task_id;
    let help = format!(
        "audit from a context that did none of the work: `orch audit report {task} --session ID`"
    );
    Some(Objection::new(step.envelope("session"), message, help))
}

fn of_run(step: &Step<'_>) -> Option<Objection> {
    let relied = reliance::relied_on(step)?;
    let own = step.record.entry.session.as_deref();
    let why = fault(relied.audit.session.as_deref(), relied.state.workers(), own)?;
    let message = format!("the audit that stage `{}` relies on {why}", relied.run.stage);
    Some(relied.session_objection(step, message, reliance::audit_again(relied.state)))
}

/// Tells what is wrong with an audit's session; `own` is that of the run which relies on it.
fn fault<'w>(
    session: Option<&str>,
    mut workers: impl Iterator<Item = &'w RunState>,
    own: Option<&str>,
) -> Option<String> {
    let Some(session) = session.filter(|session| !session.trim().is_empty()) else {
        return Some("names no session".into());
    };
    if let Some(run) = workers.find(|run| run.worked_from(session)) {
        return Some(format!("comes from session `{session}`, which also ran `{}`", run.stage));
    }
    (own == Some(session)).then(|| format!("comes from session `{session}`, as does this run"))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 93: the report of a session that wrote the strategy, and a deploy that relies on it.
    #[test]
    fn a_deploy_stage_does_not_rely_on_a_shared_session() {
        for session in ["session-of-strategy_developer", "null"] {
            let findings = story(&format!(
                "
- done: {{until: audit}}
- run: {{stage: audit}}
- audit_report: {{entry: {{session: {session}}}}}
- gate: {{}}
- propose: feature/strat-001-deploy_paper
- run: {{stage: deploy_paper}}
"
            ));
            findings.expect(&["audit-session-shared"]);
            assert_eq!(findings.underlined(0), "deploy_paper");
        }
    }

    #[test]
    fn the_session_is_underlined_where_there_is_one() {
        let report = |session: &str| {
            story(&format!(
                "
- done: {{until: audit}}
- propose: feature/strat-001-audit
- run: {{stage: audit}}
- audit_report: {{entry: {{session: {session}}}}}
"
            ))
        };
        let shared = report("session-of-quant_engineer");
        shared.expect(&["audit-session-shared"]);
        assert_eq!(shared.underlined(0), "session-of-quant_engineer");
        report("null").expect(&["audit-session-shared"]);
        report("' '").expect(&["audit-session-shared"]);
    }

    /// What deploys may not come from the context that approved it.
    #[test]
    fn the_auditors_session_does_not_deploy() {
        story(
            "
- done: {until: deploy_paper}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper, entry: {session: session-of-independent_auditor}}
",
        )
        .expect(&["audit-session-shared"]);
    }

    /// Leaving the session out is no way round (attack 93).
    #[test]
    fn work_names_its_session() {
        let run = "- propose: feature/strat-001-strategy\n- run: {entry: {session: null}}\n";
        story(&format!("- done: {{until: strategy}}\n{run}")).expect(&["audit-session-shared"]);
    }

    /// R000-21: an audit is no audit where it is begun in a worker's context, or where a worker's
    /// handoff came from its own.
    #[test]
    fn every_step_of_the_work_counts() {
        let shared = "{stage: audit, entry: {session: session-of-quant_engineer}}";
        let begun = format!("- propose: feature/strat-001-audit\n- run: {shared}\n");
        story(&format!("- done: {{until: audit}}\n{begun}")).expect(&["audit-session-shared"]);
        story(
            "
- done: {until: backtest}
- run: {}
- write: {research/reports/sma.json: {trades: 42, max_drawdown: 0.1}}
- handoff: {entry: {session: session-of-independent_auditor}}
- gate: {}
- propose: feature/strat-001-audit
- run: {stage: audit, entry: {session: another}}
- audit_report: {}
",
        )
        .expect(&["audit-session-shared"]);
    }
}
