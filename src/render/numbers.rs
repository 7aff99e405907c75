//! The metrics as rows: what each is called, what it is, and what it is computed from (R002-22).

use super::board::duration;
use crate::report::{Inputs, Metrics};
use crate::source::many;

/// Gives each metric with its value and what that is computed from, as people read them.
pub fn numbers(computed: &Metrics) -> [[String; 3]; 5] {
    let inputs = computed.inputs;
    let Inputs { runs, active_runs, handoffs, handoffs_judged, handoffs_accepted, .. } = inputs;
    let Inputs { tasks, completed, closed, blocked, timed, .. } = inputs;
    let number =
        |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2}"));
    let average = computed.average_task_duration.map(|seconds| duration(seconds.round() as i64));
    let (ran, busy) = (duration(inputs.run_seconds), duration(inputs.busy_seconds));
    let (took, lead) = (duration(inputs.timed_seconds), duration(inputs.lead_seconds));
    let rows = [
        (
            "parallel_efficiency",
            number(computed.parallel_efficiency),
            format!(
                "{ran} of {} of tasks in {busy}, in whole seconds; {active_runs} go on and don't count, nor do rollbacks",
                many(runs, "run")
            ),
        ),
        (
            "handoff_success_rate",
            number(computed.handoff_success_rate),
            format!("{handoffs_accepted} of {handoffs_judged} judged, of {handoffs} in all"),
        ),
        (
            "task_completion_rate",
            number(computed.task_completion_rate),
            format!("{completed} of {}", many(tasks, "task")),
        ),
        (
            "average_task_duration",
            average.unwrap_or_else(|| "-".into()),
            format!(
                "{took} of {}, of {closed} closed; lead time {lead}",
                many(timed, "completed task")
            ),
        ),
        (
            "blocked_task_ratio",
            number(computed.blocked_task_ratio),
            format!("{blocked} of {}", many(tasks, "task")),
        ),
    ];
    rows.map(|(name, value, from)| [name.to_owned(), value, from])
}
