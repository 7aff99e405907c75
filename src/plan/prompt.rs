//! What an agent is told of a stage: enough to do it without asking, and no more.

use std::fmt::Write as _;

use crate::ledger::State;
use crate::policy::{Policy, Stage, StageKind};
use crate::record::Payload;
use crate::record::kind::{Handoff, Run};
use crate::world::LedgerView;

/// What a stage's agent is told about.
#[derive(Debug, Clone, Copy)]
pub struct Briefing<'b> {
    /// The agreed policy.
    pub policy: &'b Policy,
    /// The task's ledger.
    pub ledger: &'b LedgerView,
    /// Where the task stands.
    pub state: &'b State,
    /// The stage.
    pub stage: &'b Stage,
    /// The run of it.
    pub run: &'b Run,
}

/// Writes what an agent is told of a stage, in Markdown: what is asked for, what it may change, what
/// it has at hand, what the one before it said, and how it ends (R002-27, R002-36).
pub fn prompt(briefing: &Briefing<'_>) -> String {
    let Briefing { policy, state, stage, run, .. } = briefing;
    let task = &state.task;
    let mut text = format!(
        "# {}: {}\n\nYou are `{}`. This is stage `{}` of workflow `{}`, run `{}`, attempt {}.\n",
        task.task_id, task.title, run.agent, stage.name, task.workflow, run.run_id, run.attempt
    );
    list(&mut text, "Done when", &task.success_criteria);
    let may = policy.scope_in(&task.scope, &stage.lane);
    list(&mut text, "You may change", &quoted(&may));
    let inputs = run.inputs.iter().map(|input| format!("{}: `{}`", input.name, input.path));
    list(&mut text, "You have", &inputs.collect::<Vec<_>>());
    let produces = stage.produces.iter().map(|(name, produce)| {
        let optional = if produce.optional { ", if there is any" } else { "" };
        format!("{name}: `{}`{optional}", produce.glob.as_str())
    });
    list(&mut text, "You produce", &produces.collect::<Vec<_>>());
    if let Some(handoff) = last_handoff(briefing.ledger) {
        let _infallible = write!(text, "\n## From {}\n\n{}\n", handoff.from, handoff.message);
        list(&mut text, "Next steps", &handoff.next_steps);
        let context = handoff.context.iter();
        for context in context {
            list(&mut text, "Known issues", &context.known_issues);
            list(&mut text, "Recommended actions", &context.recommended_actions);
        }
    }
    let issues = state.open_issues().map(|issue| {
        format!("{} ({}): {}; {}", issue.id, issue.location, issue.description, issue.remediation)
    });
    list(&mut text, "An audit found", &issues.collect::<Vec<_>>());
    list(&mut text, "When it is done", &ending(briefing));
    text
}

fn ending(briefing: &Briefing<'_>) -> Vec<String> {
    let Briefing { state, stage, .. } = briefing;
    let id = &state.task.task_id;
    let open: Vec<&str> = state.open_issues().map(|issue| issue.id.as_str()).collect();
    match stage.kind {
        StageKind::Audit => vec![
            format!(
                "Report: `orch audit report {id} --verdict PASS{}`, or `--verdict FAIL --issue \
                 SEVERITY:CATEGORY:FILE:LINE:WHAT:REMEDY`; severities: critical, major, minor; categories: \
                 lookahead, leakage, overfitting, documentation, other",
                stage.tests.iter().map(|test| format!(" --test {test}=PASS")).collect::<String>()
            ),
            "End with exit code 0; any other means that you could not judge.".into(),
        ],
        StageKind::Work | StageKind::Deploy if !open.is_empty() => vec![format!(
            "Answer each issue by handing off yourself: `orch handoff create {id}{} --message TEXT`; \
             then end with exit code 0.",
            open.iter().map(|issue| format!(" --resolves {issue}")).collect::<String>()
        )],
        StageKind::Work | StageKind::Deploy => vec![
            "End with exit code 0; any other means that it failed, and the last line you print says \
             why."
                .into(),
            format!(
                "To leave word for the next agent, hand off yourself: `orch handoff create {id} \
                 --message TEXT --next-step TEXT`; else it is done for you."
            ),
        ],
    }
}

fn quoted(globs: &[String]) -> Vec<String> {
    globs.iter().map(|glob| format!("`{glob}`")).collect()
}

fn last_handoff(ledger: &LedgerView) -> Option<&Handoff> {
    ledger.records.iter().rev().find_map(|record| match &record.payload {
        Payload::Handoff(handoff) => Some(handoff),
        _ => None,
    })
}

fn list(text: &mut String, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _infallible = write!(text, "\n## {heading}\n\n");
    for line in lines {
        let _infallible = writeln!(text, "- {line}");
    }
}
