//! What `orch notify` says: the alerts, and what became of each channel's.

use serde_json::json;

use super::sending::{Delivery, Outcome};
use crate::cli::output::{complain, offer};
use crate::ops::{Alert, Due, Source, State};
use crate::render::{Format, one_line, pretty};
use crate::report::spelled;
use crate::source::Moment;

/// What is told, and how.
pub(super) struct Told<'a> {
    /// For people, or as JSON.
    pub(super) format: Format,
    /// Whether it was only asked what would be sent.
    pub(super) dry_run: bool,
    /// The alerts that are printed.
    pub(super) printed: &'a [Due],
    /// When the same was raised already, not long ago.
    pub(super) before: Option<Moment>,
}

impl Told<'_> {
    /// Tells what was sent, or would be; gives whether that could be printed.
    pub(super) fn tell(&self, deliveries: &[Delivery]) -> bool {
        if self.format == Format::Json {
            let alerts = self.printed.iter().map(|due| {
                json!({ "state": due.state, "alert": due.alert, "answer": due.alert.answer() })
            });
            return offer(pretty(&json!({
                "version": 1,
                "dry_run": self.dry_run,
                "said_before_at": self.before,
                "alerts": alerts.collect::<Vec<_>>(),
                "channels": deliveries,
            })));
        }
        let mut lines: Vec<String> = self.printed.iter().flat_map(alert_lines).collect();
        for delivery in deliveries {
            let (channel, count) = (&delivery.channel, delivery.taken.len());
            match delivery.outcome {
                Outcome::Planned if count > 0 => {
                    lines.push(format!("{channel}: would get {count}"))
                }
                Outcome::Sent if count > 0 => lines.push(format!("{channel}: took {count}")),
                Outcome::Off if count + delivery.missed > 0 => complain(format!(
                    "{channel}: off, for {} is not set here; {} waiting",
                    delivery.variable,
                    count + delivery.missed
                )),
                Outcome::Failed => {
                    let (missed, why) = (delivery.missed, delivery.reason.as_deref());
                    let why = why.unwrap_or_default();
                    complain(format!("{channel}: took {count}, did not take {missed}: {why}"));
                }
                _ => {}
            }
        }
        let quiet = deliveries.iter().all(|d| d.taken.is_empty() && d.outcome != Outcome::Failed);
        if self.printed.is_empty() && quiet {
            lines.push("nothing new".into());
        }
        if let Some(at) = self.before {
            lines.push(format!(
                "said already at {at}: the same within an hour counts once; another --detail or \
                 --severity makes it another"
            ));
        }
        let lines = lines.iter().map(|line| one_line(line) + "\n");
        offer(lines.collect::<String>())
    }
}

/// Gives one alert, and what answers it.
fn alert_lines(due: &Due) -> Vec<String> {
    let Alert { severity, action, message, task_id, .. } = &due.alert;
    let task = task_id.as_ref().filter(|_| due.alert.source == Source::Raised);
    let task = task.map(|task| format!(" ({task})")).unwrap_or_default();
    let severity = spelled(severity).to_uppercase();
    let over = if due.state == State::Resolved { "resolved: " } else { "" };
    let mut lines = vec![format!("{over}{severity} {action}{task}: {message}")];
    if due.state == State::Raised {
        lines.extend(due.alert.answer().map(|answer| format!("    answer it: {answer}")));
        lines.extend(due.alert.help.iter().map(|help| format!("    {help}")));
    }
    lines
}
