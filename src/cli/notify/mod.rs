//! `orch notify`: tell those who should know what is new, or what an agent raises (R003-25 to R003-27).

mod noticing;
mod sending;
mod store;
mod telling;

use std::collections::BTreeMap;

use serde_json::json;

use super::Stop;
use super::activity::Activity;
use super::context::{Context, View};
use super::ledger::Writing;
use super::output::id;
use super::since::since;
use crate::ops::{self, Alert, Due, Route, Routes, Source, State};
use crate::policy::{AlertSeverity, Policy};
use crate::record::did_you_mean;
use crate::render::Format;
use crate::snapshot::GitRepository;
use crate::source::{ActionName, TaskId};
use noticing::{Seen, look, routes};
use sending::{Delivery, Outcome, Sender, due, planned, send, sent};
use store::Store;
use telling::Told;

/// Tell those who should know: what is new, or what you raise.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --action, what is new at REV is sent: halts that stand, open incidents, what is \
                  overdue, handoffs whose artifacts changed; and what is no more so. Each channel gets \
                  everything once, as .git/orch/alerts/sent.jsonl remembers; what is raised again word for word \
                  within the hour counts once.\nHow loud: \
                  ALERT_SEVERITY_<ACTION> counts before the policy; nothing below ALERT_MIN_SEVERITY is \
                  sent, or, if that is not set, below the channel's `min_severity`, or else the \
                  policy's. ALERT_WEBHOOK_URL alone is a \
                  channel `webhook`; ALERT_WEBHOOK_TIMEOUT_SECONDS (4.0) and ALERT_STDOUT_ENABLED (true) \
                  count, too.\nExit codes: 0 all taken or nothing new, 1 some channel did not take it, 2 \
                  could not look.\nExamples: orch notify --dry-run; orch notify --action risk_alert \
                  --message 'Drawdown at 1.8 %' --task strat-001 --detail drawdown=0.018"
)]
pub(super) struct Notify {
    /// What happened, one of the policy's `alerts.actions`
    #[arg(long, requires = "message", conflicts_with_all = ["since", "test", "rev"])]
    action: Option<String>,
    /// What happened, in a sentence
    #[arg(long, value_name = "TEXT", requires = "action")]
    message: Option<String>,
    /// The task it is about
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>, requires = "action")]
    task: Option<TaskId>,
    /// debug, info, warning, error or critical; by default as the policy says
    #[arg(long, value_parser = ops::severity, requires = "action")]
    severity: Option<AlertSeverity>,
    /// What else is known; may be given several times
    #[arg(long, value_name = "NAME=TEXT", value_parser = detail, requires = "action")]
    detail: Vec<(String, String)>,
    /// Only what began at or after this moment, in RFC 3339, or so long ago: 24h
    #[arg(long, value_name = "MOMENT", conflicts_with = "test")]
    since: Option<String>,
    /// Send a test to one channel, and remember nothing
    #[arg(long, value_name = "CHANNEL")]
    test: Option<String>,
    /// The commit to look at; by default a protected branch, the current one if it is
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    #[command(flatten)]
    writing: Writing,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

fn detail(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.trim().is_empty());
    let (name, value) = pair.ok_or("write NAME=TEXT, such as drawdown=0.018")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Where what is printed is remembered; no channel can have this name.
const PRINTED: &str = "-";

impl Notify {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let Seen { policy, alerts: mut now, landed } = match &self.action {
            Some(action) => self.raise(context, action)?,
            None if self.test.is_some() => Seen::nothing(View::of(context, &[])?.policy()),
            None => look(context, &repository, self.rev.as_deref())?,
        };
        let routes = routes(&policy);
        let sender = Sender {
            project: policy.project.clone(),
            environment: context.surroundings(),
            run_id: context.run_word(),
        };
        if let Some(name) = &self.test {
            return self.try_out(context, &sender, &routes, name);
        }
        let whole = self.action.is_none();
        let mut before = None;
        if let Some(alert) = now.first_mut().filter(|_| !whole)
            && let Some(known) = store::keep(&repository, alert, self.writing)?
        {
            before = Some(known.at);
            *alert = known;
        }
        let mut store = Store::open(&repository)?;
        if whole {
            now.extend(store.pending(context.at()).cloned());
        }
        let now: Vec<Alert> = now.into_iter().map(|alert| routes.weighed(alert)).collect();
        let since = self.since.as_deref().map(|text| since(text, context.at())).transpose()?;
        let recent = |due: &Due| since.is_none_or(|since| due.alert.at >= since);
        let mut due = due(&routes.routes, &store.remembered, &now, landed);
        due.iter_mut().for_each(|(_, all)| all.retain(recent));
        let loud = |alert: &Alert| !whole || alert.severity >= routes.least;
        let mut printed = store.remembered.due(PRINTED, &now, loud, landed);
        printed.retain(|due| routes.printed && recent(due));
        let told = Told { before, ..self.told(&printed) };
        if self.writing.dry_run {
            told.tell(&planned(&due));
            return Ok(());
        }
        // Nobody may be there to read what is printed: the channels come first.
        let deliveries = send(context, &sender, &due, Some(&mut store))?;
        let read = told.tell(&deliveries);
        for due in printed.iter().filter(|_| read) {
            store.took(sent(PRINTED, due, context))?;
        }
        store.prune(context.at())?;
        record(context, &repository, &printed, &due, &deliveries)?;
        conclude(&deliveries)
    }

    /// Gives the alert that somebody raises.
    fn raise(&self, context: &Context, action: &str) -> Result<Seen, Stop> {
        let tasks: Vec<&TaskId> = self.task.iter().collect();
        let view = View::of(context, &tasks)?;
        let policy = view.policy();
        let agent = context.agent(&policy)?;
        for task in tasks {
            view.task(task)?;
        }
        let action = known_action(&policy, action)?;
        let message = self.message.as_deref().unwrap_or_default();
        if message.trim().is_empty() {
            return Err(Stop::fault("the message is empty", "say what happened: `--message TEXT`"));
        }
        let mut details = BTreeMap::new();
        for (name, text) in &self.detail {
            if details.insert(name.clone(), text.clone()).is_some() {
                let message = format!("the detail `{name}` is given twice");
                return Err(Stop::fault(message, "give each a name of its own, or say it once"));
            }
        }
        let said = (message, details);
        let about = (agent.as_str(), self.task.as_ref());
        let alert = ops::raised(&policy, (&action, self.severity), said, about, context.at());
        Ok(Seen { alerts: vec![alert], ..Seen::nothing(policy) })
    }

    fn told<'a>(&self, printed: &'a [Due]) -> Told<'a> {
        Told { format: self.format, dry_run: self.writing.dry_run, printed, before: None }
    }

    /// Sends a test to one channel.
    fn try_out(
        &self,
        context: &Context,
        sender: &Sender,
        routes: &Routes,
        name: &str,
    ) -> Result<(), Stop> {
        let Some(route) = routes.routes.iter().find(|route| route.name == name) else {
            let names = || routes.routes.iter().map(|route| route.name.as_str());
            let help = match did_you_mean(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if routes.routes.is_empty() => {
                    "the policy has none: add one to `alerts.channels`, or set ALERT_WEBHOOK_URL"
                        .into()
                }
                None => format!("there is {}", names().collect::<Vec<_>>().join(", ")),
            };
            return Err(Stop::fault(format!("there is no channel `{name}`"), help));
        };
        let alert = trial(context);
        let due = [(route, vec![Due { state: State::Raised, times: 1, alert }])];
        let deliveries = match self.writing.dry_run {
            true => planned(&due),
            false => send(context, sender, &due, None)?,
        };
        self.told(&[]).tell(&deliveries);
        if self.writing.dry_run { Ok(()) } else { conclude(&deliveries) }
    }
}

/// Gives the policy's own spelling of an action; refuses one that it does not have.
pub(super) fn known_action(policy: &Policy, text: &str) -> Result<ActionName, Stop> {
    let actions = &policy.alerts.actions;
    let named = text.parse().ok().filter(|action| actions.contains_key(action));
    named.ok_or_else(|| {
        let names = || actions.keys().map(ActionName::as_str);
        let help = match did_you_mean(text, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if actions.is_empty() => {
                "name it in the policy: `alerts: {actions: {risk_alert: {title: T}}}`".into()
            }
            None => format!("the policy knows {}", names().collect::<Vec<_>>().join(", ")),
        };
        Stop::fault(format!("the policy has no action `{text}`"), help)
    })
}

fn trial(context: &Context) -> Alert {
    let kind = ("test".parse().expect("a name"), AlertSeverity::Info, Source::Raised);
    Alert {
        fingerprint: crate::source::Digest::of(context.run_word().as_bytes()),
        title: "A test".into(),
        agent: context.agent_word().map(str::to_owned),
        ..Alert::plain(kind, "This is a test: nothing happened", context.at())
    }
}

/// Writes down in the activity log what was sent to whom.
fn record(
    context: &Context,
    repository: &GitRepository,
    printed: &[Due],
    due: &[(&Route, Vec<Due>)],
    deliveries: &[Delivery],
) -> Result<(), Stop> {
    // What was to go out, with those that took it and those that did not.
    let mut all: BTreeMap<String, (&Due, [Vec<&str>; 2])> = BTreeMap::new();
    for due in printed {
        all.insert(due.key(), (due, [Vec::new(), Vec::new()]));
    }
    for ((_, dues), delivery) in due.iter().zip(deliveries) {
        for due in dues.iter().filter(|_| delivery.outcome != Outcome::Off) {
            let missed = !delivery.taken.contains(&due.alert.fingerprint.to_string());
            let known = all.entry(due.key()).or_insert((due, [Vec::new(), Vec::new()]));
            known.1[usize::from(missed)].push(&delivery.channel);
        }
    }
    for (due, [taken, missed]) in all.values() {
        let print = due.alert.fingerprint.to_string();
        let status = if missed.is_empty() { "completed" } else { "failed" };
        let Alert { action, severity, message, task_id, details, .. } = &due.alert;
        let activity = Activity {
            timestamp: context.at(),
            agent: context.agent_word().unwrap_or("-"),
            action: "notify",
            task_id: task_id.as_ref().map(TaskId::as_str),
            inputs: json!({ "action": action, "message": message, "details": details }),
            outputs: json!({
                "severity": severity, "state": due.state, "fingerprint": print,
                "taken_by": taken, "missed_by": missed,
            }),
            duration_seconds: context.elapsed().as_secs(),
            status: status.into(),
        };
        activity.log(repository)?;
    }
    Ok(())
}

/// Refuses if some channel did not take something, or if all that were to get it are off.
fn conclude(deliveries: &[Delivery]) -> Result<(), Stop> {
    let missed = |outcome| {
        let of = move |d: &&Delivery| d.outcome == outcome && d.missed > 0;
        deliveries.iter().filter(of).collect::<Vec<_>>()
    };
    let names =
        |of: &[&Delivery]| of.iter().map(|d| d.channel.clone()).collect::<Vec<_>>().join(", ");
    let (failed, off) = (missed(Outcome::Failed), missed(Outcome::Off));
    if let Some(first) = failed.first() {
        let message = format!("{} did not take everything", names(&failed));
        let help = format!(
            "see that {} holds the right address: `orch notify --test {}`; then `orch notify` sends what \
             is missing",
            first.variable, first.channel
        );
        return Err(Stop::denied(message, help));
    }
    let on = deliveries.iter().any(|delivery| delivery.outcome != Outcome::Off);
    match off.first().filter(|_| !on) {
        Some(first) => {
            let message = format!("nobody was told: {} is off here", names(&off));
            let help = format!("set {}, then `orch notify` sends what is missing", first.variable);
            Err(Stop::denied(message, help))
        }
        None => Ok(()),
    }
}
