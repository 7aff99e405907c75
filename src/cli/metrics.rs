//! `orch metrics`: how the work goes, in numbers, with what they are computed from.

use serde_json::{Value, json};

use super::Stop;
use super::context::{Context, View};
use super::output::{json as print_json, say, table};
use crate::render::{Format, duration};
use crate::report::{Inputs, Measures, Metrics as Computed, measures};

/// Tell how the work goes, in numbers, from the ledgers alone.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "parallel_efficiency: how many runs went on at once while any did: their durations, \
                        added up,\nby the time in which at least one went on. handoff_success_rate: of \
                        the handoffs that were judged,\nthose whose gate passed, whatever came later; \
                        one that was rejected, or whose gate failed, is none.\naverage_task_duration: \
                        of completed tasks, from the first run to the close; the lead time counts \
                        from\nthe opening. blocked: blocked, paused, or in an open dispute. Records \
                        have whole seconds, and so\nhave all times here; a metric without anything \
                        to divide by is `-`, null in JSON.\nExample: orch metrics --phase 1"
)]
pub(super) struct Metrics {
    /// A commit, measured as of its newest entry; by default what is staged, as of now
    rev: Option<String>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
    /// Of the tasks of this phase alone
    #[arg(long, value_name = "PHASE")]
    phase: Option<String>,
}

impl Metrics {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = match &self.rev {
            Some(rev) => View::at_commit(context, rev)?,
            None => View::of_all(context, true)?,
        };
        super::phases::known(context, &view, self.phase.as_deref(), None)?;
        let found = measures(&view.world, self.phase.as_deref());
        match self.format {
            Format::Json => print_json(&as_json(&found, self.phase.as_deref())),
            Format::Human => tell(&found.metrics),
        }
        Ok(())
    }
}

/// Gives all that was measured, in one object; the metrics of R002-22 stand beside the rest.
fn as_json(found: &Measures, phase: Option<&str>) -> Value {
    let mut whole = json!(found);
    whole["phase"] = json!(phase);
    if let Some(Value::Object(metrics)) =
        whole.as_object_mut().and_then(|all| all.remove("metrics"))
    {
        whole.as_object_mut().into_iter().for_each(|all| all.extend(metrics.clone()));
    }
    whole
}

fn tell(computed: &Computed) {
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
                "{ran} of {runs} runs in {busy}, in whole seconds; {active_runs} go on and don't count"
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
            format!("{completed} of {tasks} tasks"),
        ),
        (
            "average_task_duration",
            average.unwrap_or_else(|| "-".into()),
            format!("{took} of {timed} completed tasks, of {closed} closed; lead time {lead}"),
        ),
        (
            "blocked_task_ratio",
            number(computed.blocked_task_ratio),
            format!("{blocked} of {tasks} tasks"),
        ),
    ];
    table(&rows.map(|(name, value, from)| vec![name.to_owned(), value, from]));
    if inputs.tasks == 0 {
        say("no tasks; open one: orch task open ID --workflow NAME --title TEXT");
    }
}
