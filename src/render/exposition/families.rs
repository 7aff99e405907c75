//! Every metric with its name, its labels and what it counts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Family, Labels, Rows};
use crate::policy::Policy;
use crate::record::kind::{FailureClass, HaltTopic};
use crate::report::{Failures, Histogram, Measures, spelled};
use crate::source::Moment;

/// Gives every metric of what was measured.
pub(super) fn all(found: &Measures, policy: &Policy, at: Moment) -> Vec<Family> {
    let mut families = durations(found, policy);
    families.extend(counters(found, policy));
    families.extend(gauges(found, policy, at));
    families.extend(ratios(found));
    families.retain(|family| match &family.rows {
        Rows::Counters(rows) => !rows.is_empty(),
        Rows::Gauges(rows) => !rows.is_empty(),
        Rows::Histograms(rows) => !rows.is_empty(),
    });
    families
}

fn labels<const N: usize>(pairs: [(&'static str, &dyn std::fmt::Display); N]) -> Labels {
    pairs.into_iter().map(|(name, value)| (name, value.to_string())).collect()
}

fn one(name: &'static str, value: &impl Serialize) -> Labels {
    vec![(name, spelled(value))]
}

fn histograms(name: &'static str, help: &'static str, rows: Vec<(Labels, Histogram)>) -> Family {
    Family { name, help, seconds: true, rows: Rows::Histograms(rows) }
}

fn counter(name: &'static str, help: &'static str, rows: Vec<(Labels, u64)>) -> Family {
    Family { name, help, seconds: false, rows: Rows::Counters(rows) }
}

fn gauge(name: &'static str, help: &'static str, rows: Vec<(Labels, u64)>) -> Family {
    let rows = rows.into_iter().map(|(labels, count)| (labels, count as f64)).collect();
    Family { name, help, seconds: false, rows: Rows::Gauges(rows) }
}

/// How long things took (R001-24, R001-28, R003-36).
fn durations(found: &Measures, policy: &Policy) -> Vec<Family> {
    let measured = found.stages.iter().map(|row| {
        let result = spelled(&row.result);
        let labels = labels([
            ("workflow", &row.workflow),
            ("stage", &row.stage),
            ("lane", &row.lane),
            ("result", &result),
        ]);
        (labels, row.durations.clone())
    });
    let mut stages: Vec<(Labels, Histogram)> = measured.collect();
    // A first run that is slow is a rise only from zero.
    for (workflow, known) in &policy.workflows {
        for stage in &known.stages {
            let labels = labels([
                ("workflow", workflow),
                ("stage", &stage.name),
                ("lane", &stage.lane),
                ("result", &"delivered"),
            ]);
            if stages.iter().all(|(known, _)| *known != labels) {
                stages.push((labels, Histogram::default()));
            }
        }
    }
    let agents = found.agents.iter();
    let agents = agents.map(|row| (labels([("agent", &row.agent)]), row.durations.clone()));
    let handovers = found.handovers.iter().map(|row| {
        let labels = labels([
            ("from_stage", &row.from_stage),
            ("to_stage", &row.to_stage),
            ("from_lane", &row.from_lane),
            ("to_lane", &row.to_lane),
        ]);
        (labels, row.latency.clone())
    });
    vec![
        histograms("orch_stage_duration", "How long runs of a stage took that ended.", stages),
        histograms(
            "agent_tick_duration",
            "How long runs of an agent took that ended.",
            agents.collect(),
        ),
        histograms(
            "orch_handoff_latency",
            "How long it took from a handoff to the run of the next stage.",
            handovers.collect(),
        ),
    ]
}

/// What only grows with the ledgers (R001-25, R001-26).
fn counters(found: &Measures, policy: &Policy) -> Vec<Family> {
    let inputs = found.metrics.inputs;
    let plain = |count: u64| vec![(Labels::new(), count)];
    let verdicts = [("PASS", found.audits.passed), ("FAIL", found.audits.failed)];
    let deployed = [
        ("succeeded", found.deployments.succeeded),
        ("failed", found.deployments.failed),
        ("rolled_back", found.deployments.rolled_back),
    ];
    let rows = |name: &'static str, rows: &[(&str, u64)]| -> Vec<(Labels, u64)> {
        rows.iter().map(|(word, count)| (labels([(name, word)]), *count)).collect()
    };
    let seconds = found
        .states
        .iter()
        .map(|row| (one("state", &row.state), u64::try_from(row.seconds).unwrap_or_default()));
    let states = Rows::Counters(seconds.collect());
    let help = "How long all tasks together stood where.";
    vec![
        counter(
            "orch_retry",
            "Runs that began again behind a failure.",
            by_class(&found.retries, policy),
        ),
        counter("orch_failure", "Runs that failed.", by_class(&found.failures, policy)),
        counter("orch_handoffs", "Handoffs.", plain(inputs.handoffs as u64)),
        counter("orch_tasks_opened", "Tasks that were opened.", plain(inputs.tasks as u64)),
        counter("orch_tasks_closed", "Tasks that were closed.", plain(inputs.closed as u64)),
        counter(
            "orch_tasks_completed",
            "Tasks closed as completed.",
            plain(inputs.completed as u64),
        ),
        Family { name: "orch_task_state", help, seconds: true, rows: states },
        counter("orch_audit_reports", "Audit reports by verdict.", rows("verdict", &verdicts)),
        counter("orch_deployments", "Deployments by how they went.", rows("result", &deployed)),
        counter("orch_incidents_opened", "Incidents.", plain(found.incidents.opened)),
        counter("orch_halts_pulled", "Halts.", plain(found.halts.pulled)),
    ]
}

/// Gives failures by workflow, stage and class; each stage of the policy begins at zero.
fn by_class(counted: &[Failures], policy: &Policy) -> Vec<(Labels, u64)> {
    use FailureClass::{Deterministic, Policy as Forbidden, Spec, Transient};
    let mut rows = BTreeMap::new();
    for (workflow, known) in &policy.workflows {
        for stage in &known.stages {
            for class in [Transient, Deterministic, Spec, Forbidden] {
                rows.insert((workflow, &stage.name, class), 0);
            }
        }
    }
    rows.extend(counted.iter().map(|row| ((&row.workflow, &row.stage, row.class), row.count)));
    let rows = rows.into_iter().map(|((workflow, stage, class), count)| {
        let class = spelled(&class);
        let labels = labels([("workflow", workflow), ("stage", stage), ("failure_class", &class)]);
        (labels, count)
    });
    rows.collect()
}

/// How things stand (R001-27, R003-36).
fn gauges(found: &Measures, policy: &Policy, at: Moment) -> Vec<Family> {
    let queues = found.queues.iter().map(|row| {
        let labels = labels([
            ("workflow", &row.workflow),
            ("stage", &row.stage),
            ("lane", &row.lane),
            ("agent", &row.agent),
        ]);
        (labels, row.depth)
    });
    let bus = [("message", found.bus.messages), ("handoff", found.bus.handoffs)];
    let debts = [
        ("report", found.debts.reports),
        ("postmortem", found.debts.postmortems),
        ("decision", found.debts.decisions),
    ];
    let rows = |name: &'static str, rows: &[(&str, u64)]| -> Vec<(Labels, u64)> {
        rows.iter().map(|(word, count)| (labels([(name, word)]), *count)).collect()
    };
    let plain = |count: usize| vec![(Labels::new(), count as u64)];
    let states = found.states.iter().map(|row| (one("state", &row.state), row.tasks)).collect();
    let epoch: Moment = "1970-01-01T00:00:00Z".parse().expect("it is a moment");
    let seconds =
        |at: Moment| Rows::Gauges(vec![(Labels::new(), at.since(epoch).num_seconds() as f64)]);
    let (measured, as_of) = ("When this was measured.", "As of when this is so.");
    vec![
        gauge("orch_queue_depth", "Tasks that wait for a stage.", queues.collect()),
        gauge("runtime_bus_depth", "Messages and handoffs that wait.", rows("kind", &bus)),
        gauge("orch_tasks", "Tasks by where they stand.", states),
        gauge("orch_active_runs", "Runs that go on.", plain(found.metrics.inputs.active_runs)),
        gauge("orch_audit_backlog", "Audits that are owed.", plain(found.audits.pending.len())),
        gauge("orch_incidents_open", "Open incidents.", severities(found, policy)),
        gauge("orch_halts_standing", "Halts that stand.", topics(found)),
        gauge("orch_debts_overdue", "What is owed and late.", rows("kind", &debts)),
        gauge(
            "orch_records_uncounted",
            "Records that nobody can read, or behind one that nobody can.",
            vec![(Labels::new(), found.uncounted as u64)],
        ),
        Family {
            name: "orch_measured_timestamp",
            help: measured,
            seconds: true,
            rows: seconds(at),
        },
        Family {
            name: "orch_as_of_timestamp",
            help: as_of,
            seconds: true,
            rows: seconds(found.as_of),
        },
    ]
}

/// Gives open incidents by how bad they are. An incident may say any word: those that the policy does not
/// use for its procedures are one, `other`.
fn severities(found: &Measures, policy: &Policy) -> Vec<(Labels, u64)> {
    const OTHER: &str = "other";
    let named = policy.procedures.values().filter_map(|known| known.severity.as_deref());
    let known: BTreeSet<&str> = named.chain([OTHER]).collect();
    let mut rows: BTreeMap<&str, u64> = known.iter().map(|severity| (*severity, 0)).collect();
    for row in &found.incidents.open {
        let severity = known.get(row.severity.as_str()).copied().unwrap_or(OTHER);
        *rows.entry(severity).or_default() += row.count;
    }
    rows.into_iter().map(|(severity, count)| (labels([("severity", &severity)]), count)).collect()
}

fn topics(found: &Measures) -> Vec<(Labels, u64)> {
    let known = [HaltTopic::Risk, HaltTopic::Compliance, HaltTopic::Runtime].map(Some);
    let rows = known.into_iter().chain([None]).map(|topic| {
        let word = topic.map_or_else(|| "unreadable".to_owned(), |topic| spelled(&topic));
        let standing = found.halts.standing.iter().find(|row| row.topic == topic);
        (labels([("topic", &word)]), standing.map_or(0, |row| row.count))
    });
    rows.collect()
}

/// The metrics of R002-22 and other parts of a whole; one without anything to divide by is left out.
fn ratios(found: &Measures) -> Vec<Family> {
    let metrics = &found.metrics;
    let ratio = |name: &'static str, help: &'static str, value: Option<f64>| {
        let rows = value.map(|value| (Labels::new(), value)).into_iter().collect();
        Family { name, help, seconds: false, rows: Rows::Gauges(rows) }
    };
    let average = ratio(
        "orch_task_duration_average",
        "How long completed tasks took on average.",
        metrics.average_task_duration,
    );
    vec![
        ratio(
            "orch_parallel_efficiency",
            "How many runs went on at once while any did.",
            metrics.parallel_efficiency,
        ),
        ratio(
            "orch_handoff_success_ratio",
            "Handoffs that were accepted, of those judged.",
            metrics.handoff_success_rate,
        ),
        ratio(
            "orch_task_completion_ratio",
            "Tasks closed as completed, of all.",
            metrics.task_completion_rate,
        ),
        ratio("orch_task_blocked_ratio", "Blocked tasks, of all.", metrics.blocked_task_ratio),
        ratio("orch_audit_pass_ratio", "Audits that passed, of all.", found.audits.pass_rate),
        ratio(
            "orch_deployment_success_ratio",
            "Deployments that succeeded, of those that ended.",
            found.deployments.success_rate,
        ),
        Family { seconds: true, ..average },
    ]
}
