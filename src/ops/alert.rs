//! What somebody should hear of: what an agent raises, and what is noticed in the ledgers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Finding, Severity};
use crate::policy::{AlertSeverity, Policy};
use crate::report::spelled;
use crate::source::{ActionName, Digest, Moment, TaskId};
use crate::world::World;

/// What an alert about a halt is called, in policies and in `ALERT_SEVERITY_HALT_STANDING`.
const HALT: &str = "halt-standing";
/// What an alert about an open incident is called.
pub const INCIDENT: &str = "incident-open";
/// Checks whose findings are debts: something is owed, and late.
const DEBTS: [&str; 3] = ["escalation-overdue", "incident-report-overdue", "postmortem-overdue"];

/// What an alert comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A check found it.
    Finding,
    /// A halt stands.
    Halt,
    /// An incident is open.
    Incident,
    /// Something is owed, and late.
    Debt,
    /// Somebody said it.
    Raised,
}

/// One thing that somebody should hear of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The same for the same thing, whenever it is looked at.
    pub fingerprint: Digest,
    /// What happened: a word of the policy's `alerts.actions`, or a check's name.
    pub action: ActionName,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// What it is, in a few words.
    pub title: String,
    /// What happened, in a sentence.
    pub message: String,
    /// What it comes from.
    pub source: Source,
    /// The task it is about.
    pub task_id: Option<TaskId>,
    /// The incident it is about.
    pub incident_id: Option<TaskId>,
    /// The halt it is about.
    pub halt_id: Option<TaskId>,
    /// The file it is about.
    pub path: Option<String>,
    /// Who raised it.
    pub agent: Option<String>,
    /// What else is known.
    pub details: BTreeMap<String, String>,
    /// Since when it is so, or when it was noticed.
    pub at: Moment,
    /// The procedure that answers it.
    pub procedure: Option<String>,
    /// What to do next.
    pub help: Option<String>,
}

impl Alert {
    /// Makes one that is called by its action's name and says nothing but a message; its fingerprint is the
    /// message's.
    pub fn plain(
        (action, severity, source): (ActionName, AlertSeverity, Source),
        message: impl Into<String>,
        at: Moment,
    ) -> Self {
        let message = message.into();
        Alert {
            fingerprint: Digest::of(message.as_bytes()),
            title: action.to_string(),
            action,
            severity,
            message,
            source,
            task_id: None,
            incident_id: None,
            halt_id: None,
            path: None,
            agent: None,
            details: BTreeMap::new(),
            at,
            procedure: None,
            help: None,
        }
    }

    /// Gives the command that answers it, if the policy has a procedure for it.
    pub fn answer(&self) -> Option<String> {
        let trigger = in_quotes(&self.message);
        let procedure = self.procedure.as_ref().filter(|_| self.source != Source::Incident)?;
        Some(format!("orch procedure start {procedure} --trigger {trigger}"))
    }

    /// Tells whether another says the same about the same, whenever it was said.
    pub fn says_the_same(&self, other: &Alert) -> bool {
        let facts = |alert: &Alert| {
            let Alert { action, severity, message, task_id, details, agent, .. } = alert.clone();
            (action, severity, message, task_id, details, agent)
        };
        facts(self) == facts(other)
    }
}

/// Gives a word that a shell takes as one.
fn in_quotes(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("'{}'", line.replace('\'', r"'\''"))
}

fn fingerprint(facts: &[&str]) -> Digest {
    // Lengths keep two facts from passing for one.
    let text: String = facts.iter().map(|fact| format!("{}:{fact}\n", fact.len())).collect();
    Digest::of(text.as_bytes())
}

/// Makes an alert that somebody raises. How bad it is stands in the policy if `severity` does not say;
/// an error, if neither does. What was said at another moment is another alert.
pub fn raised(
    policy: &Policy,
    (action, severity): (&ActionName, Option<AlertSeverity>),
    (message, details): (&str, BTreeMap<String, String>),
    (agent, task): (&str, Option<&TaskId>),
    at: Moment,
) -> Alert {
    let listed: String = details.iter().map(|(name, text)| format!("{name}={text}\n")).collect();
    let task_word = task.map_or("", |task| task.as_str());
    let moment = at.to_string();
    let kind = (action.clone(), AlertSeverity::default(), Source::Raised);
    let alert = own(policy, kind, message.to_owned(), at);
    let severity = severity.unwrap_or(alert.severity);
    let loud = spelled(&severity);
    let facts = ["raised", action.as_str(), &loud, agent, task_word, message, &listed, &moment];
    let agent = Some(agent.to_owned());
    Alert { severity, task_id: task.cloned(), agent, details, ..alert }.about(&facts)
}

/// Gives everything that somebody should hear of: halts that stand at a moment, open incidents, and
/// what was found (R003-6). The same thing is told once, the worst first.
pub fn noticed(world: &World, findings: &[Finding], at: Moment) -> Vec<Alert> {
    let halts = world.survey.halts.iter().filter(|halt| halt.stands_at(at)).map(|halt| {
        let message = format!("halt {} stands for {}: {}", halt.id, halt.scope, halt.reason);
        Alert {
            halt_id: Some(halt.id.clone()),
            incident_id: halt.incident.clone(),
            at: halt.since.unwrap_or(at),
            help: Some(format!("a person lifts it: `{}`", halt.lifting())),
            path: Some(halt.path.to_string()),
            ..own(&world.policy, (named(HALT), AlertSeverity::Critical, Source::Halt), message, at)
        }
        .about(&["halt", halt.id.as_str()])
    });
    let incidents = world.survey.incidents.iter().map(|open| {
        let incident = &open.state.incident;
        let message = format!("incident {} is open: {}", open.id, incident.trigger);
        let severity = incident_severity(&incident.severity);
        let alert = own(&world.policy, (named(INCIDENT), severity, Source::Incident), message, at);
        Alert {
            task_id: incident.tasks.first().cloned(),
            incident_id: Some(open.id.clone()),
            at: open.state.opened_at,
            help: Some(format!("see what is next: `orch incident show {}`", open.id)),
            path: Some(open.path.to_string()),
            procedure: incident.procedure.clone().or(alert.procedure.clone()),
            ..alert
        }
        .about(&["incident", open.id.as_str()])
    });
    let found = findings.iter().filter(|finding| finding.severity != Severity::Note);
    let found = found.map(|finding| found_by(&world.policy, finding, at));
    let mut all: Vec<Alert> = halts.chain(incidents).chain(found).collect();
    let mut known = BTreeSet::new();
    all.retain(|alert| known.insert(alert.fingerprint));
    all.sort_by(|a, b| {
        (b.severity, &a.action, &a.message).cmp(&(a.severity, &b.action, &b.message))
    });
    all
}

fn found_by(policy: &Policy, finding: &Finding, at: Moment) -> Alert {
    let severity = match finding.severity {
        Severity::Error => AlertSeverity::Error,
        Severity::Warning => AlertSeverity::Warning,
        Severity::Note => AlertSeverity::Info,
    };
    let debt = DEBTS.contains(&finding.check);
    let source = if debt { Source::Debt } else { Source::Finding };
    let path = finding.place.path.to_string();
    let from = finding.place.span.map_or_else(String::new, |span| span.start.to_string());
    let task = finding.task.as_ref().map_or("", |task| task.as_str());
    let message = finding.message.clone();
    // Of what it says, only the place: what it says may tell how late it is by now.
    let facts = ["finding", finding.check, &path, &from, task];
    Alert {
        task_id: finding.task.clone(),
        help: Some(finding.help.clone()),
        path: Some(path.clone()),
        ..own(policy, (named(finding.check), severity, source), message, at)
    }
    .about(&facts)
}

/// Gives how bad an incident is, by the words in use; an error by any other.
pub fn incident_severity(word: &str) -> AlertSeverity {
    match word {
        "critical" => AlertSeverity::Critical,
        "medium" | "moderate" => AlertSeverity::Warning,
        "low" | "minor" => AlertSeverity::Info,
        _ => AlertSeverity::Error,
    }
}

/// Makes an alert as the policy has it: how bad it is, unless it says nothing, what it is called, and what
/// answers it.
fn own(
    policy: &Policy,
    (action, severity, source): (ActionName, AlertSeverity, Source),
    message: String,
    at: Moment,
) -> Alert {
    let known = policy.alerts.actions.get(&action);
    let severity = known.and_then(|known| known.severity).unwrap_or(severity);
    let title = known.map_or_else(|| action.to_string(), |known| known.title.clone());
    let procedure = known.and_then(|known| known.procedure.clone());
    Alert { title, procedure, ..Alert::plain((action, severity, source), message, at) }
}

/// Gives the name of a check, or one of ours, as an action's.
fn named(word: &str) -> ActionName {
    word.parse().expect("names of checks are names of actions")
}

impl Alert {
    fn about(self, facts: &[&str]) -> Alert {
        Alert { fingerprint: fingerprint(facts), ..self }
    }
}
