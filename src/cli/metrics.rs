//! `orch metrics`: how the work goes, in numbers, for people, programs and monitoring.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Stop;
use super::context::{Context, View};
use super::files::write_output;
use super::output::{complain, say, show, table};
use crate::render::{MeasuresFormat, numbers, open_metrics, pretty, prometheus};
use crate::report::{Measures, measures, spelled};
use crate::source::many;

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
                        to divide by is `-`, null in JSON.\nWith --output, a reader of the file sees \
                        the old one or the new one, never a part: point it at the\nfolder of the node \
                        exporter's textfile collector, with a name that ends with `.prom`.\nExample: \
                        orch metrics --phase 1\nExample: orch metrics --format prometheus --output \
                        /var/lib/node_exporter/orch.prom\nExample: orch metrics --dashboards \
                        observability"
)]
pub(super) struct Metrics {
    /// A commit, measured as of its newest entry; by default what is staged, as of now
    rev: Option<String>,
    /// human, json, prometheus or openmetrics
    #[arg(long, default_value = "human", value_parser = super::output::measures_format)]
    format: MeasuresFormat,
    /// Write it to a file, whole or not at all
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Of the tasks of this phase alone
    #[arg(long, value_name = "PHASE")]
    phase: Option<String>,
    /// Write what shows and watches them into this folder: Prometheus, alerts, Grafana
    #[arg(long, value_name = "DIR", conflicts_with_all = ["rev", "format", "output", "phase"])]
    dashboards: Option<PathBuf>,
}

impl Metrics {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        if let Some(folder) = &self.dashboards {
            return super::dashboards::write(context.directory(), folder);
        }
        let view = match &self.rev {
            Some(rev) => View::at_commit(context, rev)?,
            None => View::of_all(context, true)?,
        };
        super::phases::known(context, &view, self.phase.as_deref(), None)?;
        let uncounted = view.uncounted()?;
        if uncounted > 0 {
            let (stand, say) =
                if uncounted == 1 { ("stands", "it says") } else { ("stand", "they say") };
            complain(format!(
                "{} can't be read, or {stand} behind one that can't: what {say} is not counted; see `orch verify`",
                many(uncounted, "record")
            ));
        }
        let found = Measures { uncounted, ..measures(&view.world, self.phase.as_deref()) };
        let text = match self.format {
            MeasuresFormat::Human if self.output.is_some() => {
                let help =
                    "name what shall read it: `--format json`, `prometheus` or `openmetrics`";
                return Err(Stop::fault("a table is for a terminal, not for a file", help));
            }
            MeasuresFormat::Human => {
                tell(&found);
                return Ok(());
            }
            MeasuresFormat::Json => pretty(&as_json(&found, self.phase.as_deref())),
            MeasuresFormat::Prometheus => prometheus(&found, &view.world.policy, context.at()),
            MeasuresFormat::OpenMetrics => open_metrics(&found, &view.world.policy, context.at()),
        };
        match &self.output {
            Some(file) => write(context.directory(), file, &text),
            None => {
                show(text);
                Ok(())
            }
        }
    }
}

/// Writes a file that other programs read all the time.
fn write(directory: &Path, file: &Path, text: &str) -> Result<(), Stop> {
    write_output(&directory.join(file), text)?;
    say(format!("wrote {}", file.display()));
    Ok(())
}

/// Gives all that was measured, in one object; the metrics of R002-22 stand beside the rest.
fn as_json(found: &Measures, phase: Option<&str>) -> Value {
    let (mut whole, metrics) = (json!(found), json!(found.metrics));
    if let (Value::Object(whole), Value::Object(metrics)) = (&mut whole, metrics) {
        whole.remove("metrics");
        whole.extend(metrics);
        whole.insert("phase".into(), json!(phase));
    }
    whole
}

fn tell(found: &Measures) {
    let rows = numbers(&found.metrics).map(Vec::from);
    table(&[&rows[..], &further(found)].concat());
    if found.metrics.inputs.tasks == 0 {
        say("no tasks; open one: orch task open ID --workflow NAME --title TEXT");
    }
}

/// How many words of a line are told.
const TOLD: usize = 5;

/// The rest in a few lines, the most first; what there was none of is left out.
fn further(found: &Measures) -> Vec<Vec<String>> {
    let listed = |rows: Vec<(u64, String)>| -> Option<(String, String)> {
        let mut rows: Vec<_> = rows.into_iter().filter(|(count, _)| *count > 0).collect();
        rows.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let all: u64 = rows.iter().map(|(count, _)| count).sum();
        let mut words: Vec<String> =
            rows.iter().take(TOLD).map(|(count, of)| format!("{count} {of}")).collect();
        words.extend((rows.len() > TOLD).then(|| many(rows.len() - TOLD, "other")));
        (all > 0).then(|| (all.to_string(), words.join(", ")))
    };
    let by_class = |rows: &[crate::report::Failures]| {
        let rows =
            rows.iter().map(|row| (row.count, format!("{} ({})", row.stage, spelled(&row.class))));
        listed(rows.collect())
    };
    let queues =
        found.queues.iter().map(|row| (row.depth, format!("{} ({})", row.stage, row.agent)));
    let counted = |count: u64, word: &str| {
        (count, if count == 1 { word.to_owned() } else { format!("{word}s") })
    };
    let bus = vec![counted(found.bus.messages, "message"), counted(found.bus.handoffs, "handoff")];
    let audits = vec![
        (found.audits.passed, "passed".to_owned()),
        (found.audits.failed, "failed".to_owned()),
    ];
    let deployments = vec![
        (found.deployments.succeeded, "succeeded".to_owned()),
        (found.deployments.failed, "failed".to_owned()),
        (found.deployments.rolled_back, "rolled back".to_owned()),
    ];
    let pending = &found.audits.pending;
    let owed = (!pending.is_empty()).then(|| {
        let mut names: Vec<String> = pending.iter().take(TOLD).map(|id| id.to_string()).collect();
        names.extend((pending.len() > TOLD).then(|| many(pending.len() - TOLD, "other")));
        (pending.len().to_string(), format!("for {}", names.join(", ")))
    });
    let debts = vec![
        counted(found.debts.reports, "report"),
        counted(found.debts.postmortems, "post-mortem"),
        counted(found.debts.decisions, "decision"),
    ];
    let rows = [
        ("failures", by_class(&found.failures)),
        ("retries", by_class(&found.retries)),
        ("queued", listed(queues.collect())),
        ("waiting", listed(bus)),
        ("audits", listed(audits)),
        ("audits_owed", owed),
        ("deployments", listed(deployments)),
        ("overdue", listed(debts)),
    ];
    let rows = rows.into_iter().filter_map(|(name, told)| {
        let (count, words) = told?;
        Some(vec![name.to_owned(), count, words])
    });
    rows.collect()
}
