//! How it goes, in numbers and charts; every number is one that `orch metrics` tells.

use std::collections::{BTreeMap, BTreeSet};

use super::element::{Element, element};
use super::parts::{Column, cell, line, nothing, number, section, table};
use super::plot::{Bar, Part, Slot, bars, plot};
use crate::render::board::duration;
use crate::render::numbers::numbers;
use crate::report::{Histogram, Measures, Point, RunResult, spelled};
use crate::source::{Moment, StageName, WorkflowName};
use chrono::TimeDelta;

/// Up to so many days are drawn by day, more by week.
const DAYS: i64 = 21;
/// So many weeks are drawn at most, the last ones.
const WEEKS: usize = 26;

/// Gives the section.
pub(super) fn charts(measures: &Measures) -> Element {
    let section = section("charts", "In numbers", "");
    let rows = numbers(&measures.metrics).map(|[name, value, from]| {
        let heading = element("th").with("scope", "row").words(name.replace('_', " "));
        line().put(heading).put(number(value)).put(cell().class("wide").words(from))
    });
    let columns = [Column("Metric", false), Column("Value", true), Column("From", false)];
    let section = section.put_all(table("Metrics", &columns, rows.to_vec()));
    let (slots, unit) = slots(measures);
    let charts = [
        completed(&slots, unit),
        audits(measures, &slots, unit),
        stages(measures),
        handovers(measures),
        failures(measures),
        queues(measures),
    ];
    section.put(element("div").class("charts").put_all(charts))
}

/// Gives every day, or every week, from the first in which something happened to the last, those in
/// which nothing did too.
fn slots(measures: &Measures) -> (Vec<(String, Point)>, &'static str) {
    let days = &measures.series.days;
    let day = |point: &Point| format!("{}T00:00:00Z", point.when).parse::<Moment>().ok();
    let ends = days.first().and_then(day).zip(days.last().and_then(day));
    let Some((first, last)) = ends else { return (Vec::new(), "day") };
    let span = last.since(first).num_days();
    let all = (0..=span).map(|count| first.plus(TimeDelta::days(count)));
    let (series, mut names, unit): (_, Vec<String>, _) = match span < DAYS {
        true => (days, all.map(|at| at.day()).collect(), "day"),
        false => (&measures.series.weeks, all.map(|at| at.week()).collect(), "week"),
    };
    names.dedup();
    names.drain(..names.len().saturating_sub(WEEKS));
    let known: BTreeMap<&str, &Point> =
        series.iter().map(|point| (point.when.as_str(), point)).collect();
    let slots = names.into_iter().map(|name| {
        let point = known.get(name.as_str()).map(|&point| point.clone()).unwrap_or_default();
        (name, point)
    });
    (slots.collect(), unit)
}

fn completed(slots: &[(String, Point)], unit: &str) -> Element {
    let drawn = slots.iter().map(|(when, point)| Slot {
        when,
        parts: vec![Part { class: "column good", count: point.completed, what: "completed" }],
    });
    plot(&format!("Tasks completed per {unit}"), "", drawn.collect())
}

fn audits(measures: &Measures, slots: &[(String, Point)], unit: &str) -> Element {
    let audits = &measures.audits;
    let about = match audits.pass_rate {
        Some(rate) => {
            format!(
                "{} of {} passed, {:.0} %",
                audits.passed,
                audits.passed + audits.failed,
                100.0 * rate
            )
        }
        None => String::new(),
    };
    let drawn = slots.iter().map(|(when, point)| Slot {
        when,
        parts: vec![
            Part { class: "column good", count: point.audits_passed, what: "PASS" },
            Part { class: "column bad", count: point.audits_failed, what: "FAIL" },
        ],
    });
    plot(&format!("Audits per {unit}"), &about, drawn.collect())
}

/// Gives what stages are called: with their workflow, unless all runs and queues are of one.
fn named(measures: &Measures) -> impl Fn(&WorkflowName, &StageName) -> String {
    let ran = measures.stages.iter().map(|runs| &runs.workflow);
    let waiting = measures.queues.iter().filter(|queue| queue.depth > 0);
    let known: BTreeSet<_> = ran.chain(waiting.map(|queue| &queue.workflow)).collect();
    let several = known.len() > 1;
    move |workflow, stage| match several {
        true => format!("{workflow}: {stage}"),
        false => stage.to_string(),
    }
}

/// How long runs took that delivered, by stage.
fn stages(measures: &Measures) -> Element {
    let delivered = measures.stages.iter().filter(|runs| runs.result == RunResult::Delivered);
    let name = named(measures);
    let mut found: Vec<(String, &Histogram)> =
        delivered.map(|runs| (name(&runs.workflow, &runs.stage), &runs.durations)).collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    durations("How long stages took", "mean of the runs that delivered", found)
}

fn handovers(measures: &Measures) -> Element {
    let found = measures.handovers.iter();
    let found = found.map(|way| (format!("{} to {}", way.from_stage, way.to_stage), &way.latency));
    durations("From handoff to the next run", "mean", found.collect())
}

fn durations(name: &str, about: &str, found: Vec<(String, &Histogram)>) -> Element {
    let drawn = found.into_iter().filter_map(|(label, histogram)| {
        let mean = histogram.mean()?;
        let words = format!("{} ({})", duration(mean.round() as i64), histogram.count);
        Some(Bar { label, value: mean, class: "column", words })
    });
    bars(name, about, drawn.collect())
}

fn failures(measures: &Measures) -> Element {
    let mut classes: BTreeMap<String, u64> = BTreeMap::new();
    for failures in &measures.failures {
        *classes.entry(spelled(&failures.class)).or_default() += failures.count;
    }
    let drawn = classes.into_iter().map(|(label, count)| Bar {
        label,
        value: count as f64,
        class: "column bad",
        words: count.to_string(),
    });
    bars("Failures by class", "runs", drawn.collect())
}

/// Which stages have tasks that wait for them.
fn queues(measures: &Measures) -> Element {
    let waiting = measures.queues.iter().filter(|queue| queue.depth > 0);
    let name = named(measures);
    let drawn: Vec<Bar> = waiting
        .map(|queue| Bar {
            label: format!("{} ({})", name(&queue.workflow, &queue.stage), queue.agent),
            value: queue.depth as f64,
            class: "column",
            words: queue.depth.to_string(),
        })
        .collect();
    if drawn.is_empty() {
        let caption = element("figcaption").words("Queues");
        return element("figure")
            .put(caption)
            .put(nothing("No task waits for a stage to be taken up."));
    }
    bars("Queues", "tasks that wait for a stage to be taken up", drawn)
}
