//! Measures as Prometheus reads them: OpenMetrics 1.0, and the older text format 0.0.4, which the textfile
//! collector of the node exporter takes (R003-22, R003-36). The only files that know prometheus-client.
//!
//! Labels are names of the policy and words of ours, never ids of tasks or runs: those would make a new
//! series each. Whatever can be known beforehand begins at zero, so that a first failure is a rise.

mod families;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::policy::Policy;
use crate::report::{Histogram, Measures};
use crate::source::Moment;

/// What one row is about.
type Labels = Vec<(&'static str, String)>;

/// What a metric's rows hold.
#[derive(Debug)]
enum Rows {
    /// What only grows.
    Counters(Vec<(Labels, u64)>),
    /// What rises and falls.
    Gauges(Vec<(Labels, f64)>),
    /// Durations in seconds.
    Histograms(Vec<(Labels, Histogram)>),
}

/// One metric.
#[derive(Debug)]
struct Family {
    /// Its name, without the unit and without `_total`.
    name: &'static str,
    /// What it counts, in a sentence.
    help: &'static str,
    /// Whether it counts seconds, which its name then ends with.
    seconds: bool,
    rows: Rows,
}

#[derive(Debug)]
struct Families(Vec<Family>);

/// Gives measures as OpenMetrics 1.0; `at` is the moment at which they were taken.
pub fn open_metrics(found: &Measures, policy: &Policy, at: Moment) -> String {
    encoded(families::all(found, policy, at), policy)
}

fn encoded(families: Vec<Family>, policy: &Policy) -> String {
    let project = ("project".into(), policy.project.clone().into());
    let mut registry = Registry::with_labels(std::iter::once(project));
    registry.register_collector(Box::new(Families(families)));
    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes what is written to it");
    text
}

/// Gives measures in the text format 0.0.4 of Prometheus. It has no units and no end mark, and calls a
/// counter by the name that its rows have.
pub fn prometheus(found: &Measures, policy: &Policy, at: Moment) -> String {
    let families = families::all(found, policy, at);
    let counters: Vec<String> = families
        .iter()
        .filter(|family| matches!(family.rows, Rows::Counters(_)))
        .map(Family::full_name)
        .collect();
    let text = encoded(families, policy);
    let mut translated = String::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        let line = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("EOF" | "UNIT"), ..) => continue,
            (Some("#"), Some(what), Some(name), Some(rest))
                if counters.iter().any(|counter| counter == name) =>
            {
                format!("# {what} {name}_total {rest}")
            }
            _ => line.to_owned(),
        };
        translated.push_str(&line);
        translated.push('\n');
    }
    translated
}

impl Family {
    fn full_name(&self) -> String {
        let unit = if self.seconds { "_seconds" } else { "" };
        format!("{}{unit}", self.name)
    }

    fn kind(&self) -> MetricType {
        match self.rows {
            Rows::Counters(_) => MetricType::Counter,
            Rows::Gauges(_) => MetricType::Gauge,
            Rows::Histograms(_) => MetricType::Histogram,
        }
    }
}

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for family in &self.0 {
            let unit = family.seconds.then_some(Unit::Seconds);
            let (name, help, unit) = (family.name, family.help, unit.as_ref());
            let mut metric = encoder.encode_descriptor(name, help, unit, family.kind())?;
            match &family.rows {
                Rows::Counters(rows) => {
                    for (labels, count) in rows {
                        match labels.is_empty() {
                            true => metric.encode_counter::<NoLabelSet, u64, u64>(count, None)?,
                            false => {
                                ConstCounter::new(*count).encode(metric.encode_family(labels)?)?
                            }
                        }
                    }
                }
                Rows::Gauges(rows) => {
                    for (labels, value) in rows {
                        match labels.is_empty() {
                            true => metric.encode_gauge(value)?,
                            false => {
                                ConstGauge::new(*value).encode(metric.encode_family(labels)?)?
                            }
                        }
                    }
                }
                Rows::Histograms(rows) => {
                    for (labels, histogram) in rows {
                        let sum = histogram.sum_seconds as f64;
                        let mut metric = metric.encode_family(labels)?;
                        let buckets = own_counts(histogram);
                        metric.encode_histogram::<NoLabelSet>(
                            sum,
                            histogram.count,
                            &buckets,
                            None,
                        )?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Gives how many lie in each bucket alone, as the encoder wants them: it adds them up again.
fn own_counts(histogram: &Histogram) -> Vec<(f64, u64)> {
    let bounds = histogram.buckets.iter().map(|bucket| (bucket.at_most as f64, bucket.count));
    let mut below = 0;
    let mut own = Vec::new();
    for (bound, up_to) in bounds.chain([(f64::INFINITY, histogram.count)]) {
        own.push((bound, up_to - below));
        below = up_to;
    }
    own
}

#[cfg(test)]
mod tests;
