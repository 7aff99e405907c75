//! All channels at once: one that is slow or out of order keeps no other from its alerts.

use std::sync::mpsc;

use serde::Serialize;

use super::store::Store;
use crate::cli::Stop;
use crate::cli::context::Context;
use crate::ops::{ATTEMPTS, Alert, Due, Envelope, Remembered, Route, Sent, Undelivered, deliver};

/// What becomes of a channel's alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// The channel took all of them.
    Sent,
    /// It did not take some of them.
    Failed,
    /// Its variable is not set here.
    Off,
    /// Nothing was sent, for it was only asked what would be.
    Planned,
}

/// One channel, with what is due to it and what became of that.
#[derive(Debug, Serialize)]
pub(super) struct Delivery {
    /// Its name.
    pub(super) channel: String,
    /// What became of it.
    pub(super) outcome: Outcome,
    /// The fingerprints of what it took, or would be sent.
    pub(super) taken: Vec<String>,
    /// How many it did not take.
    pub(super) missed: usize,
    /// Why, without a secret.
    pub(super) reason: Option<String>,
    /// The variable that holds its address.
    pub(super) variable: String,
}

/// What goes into every envelope.
pub(super) struct Sender {
    /// The project.
    pub(super) project: String,
    /// Where this runs.
    pub(super) environment: String,
    /// The run that sends.
    pub(super) run_id: String,
}

/// Gives what is due to each channel.
pub(super) fn due<'r>(
    routes: &'r [Route],
    remembered: &Remembered,
    now: &[Alert],
    whole: bool,
) -> Vec<(&'r Route, Vec<Due>)> {
    let due = |route: &Route| remembered.due(&route.name, now, |alert| route.wants(alert), whole);
    routes.iter().map(|route| (route, due(route))).collect()
}

/// Gives what would be sent.
pub(super) fn planned(due: &[(&Route, Vec<Due>)]) -> Vec<Delivery> {
    due.iter().map(|(route, all)| delivery(route, all.iter().map(key).collect())).collect()
}

fn key(due: &Due) -> String {
    due.alert.fingerprint.to_string()
}

fn delivery(route: &Route, taken: Vec<String>) -> Delivery {
    let outcome = if route.address.is_none() { Outcome::Off } else { Outcome::Planned };
    let variable = route.variable.clone();
    let reason = route.address.is_none().then(|| format!("{variable} is not set"));
    Delivery { channel: route.name.clone(), outcome, taken, missed: 0, reason, variable }
}

/// Sends everything, and remembers what was taken as soon as it was.
pub(super) fn send(
    context: &Context,
    sender: &Sender,
    due: &[(&Route, Vec<Due>)],
    mut store: Option<&mut Store>,
) -> Result<Vec<Delivery>, Stop> {
    let mut deliveries: Vec<Delivery> =
        due.iter().map(|(route, _)| delivery(route, Vec::new())).collect();
    let (told, heard) = mpsc::channel();
    std::thread::scope(|scope| {
        for (index, (route, all)) in due.iter().enumerate() {
            let told = told.clone();
            scope.spawn(move || {
                send_all(sender, route, all, |number, done| {
                    let _nobody_listens = told.send((index, number, done));
                })
            });
        }
        drop(told);
        let mut failed = Ok(());
        for (index, number, done) in heard {
            let ((route, all), delivery) = (&due[index], &mut deliveries[index]);
            let due: &Due = &all[number];
            match done {
                Ok(_) => {
                    delivery.taken.push(key(due));
                    let (channel, alert) = (route.name.as_str(), key(due));
                    tracing::info!(channel, alert, "alert taken");
                    delivery.outcome = Outcome::Sent;
                    let sent = sent(&route.name, due, context);
                    let kept = store.as_mut().map_or(Ok(()), |store| store.took(sent));
                    failed = failed.and(kept);
                }
                Err(why) => {
                    delivery.reason.get_or_insert_with(|| why.to_string());
                    let (channel, reason) = (route.name.as_str(), why.to_string());
                    tracing::warn!(channel, alert = key(due), reason, "alert not taken");
                }
            }
        }
        failed
    })?;
    for (delivery, (_, all)) in deliveries.iter_mut().zip(due) {
        delivery.missed = all.len() - delivery.taken.len();
        if delivery.outcome == Outcome::Off {
            continue;
        } else if delivery.missed > 0 {
            delivery.outcome = Outcome::Failed;
        } else if delivery.outcome == Outcome::Planned {
            delivery.outcome = Outcome::Sent;
        }
    }
    Ok(deliveries)
}

/// What is remembered of something that a channel took.
pub(super) fn sent(channel: &str, due: &Due, context: &Context) -> Sent {
    let (channel, sent_at) = (channel.to_owned(), context.by_now().at());
    let Due { state, times, alert } = due.clone();
    Sent { channel, state, times, sent_at, alert }
}

/// Sends a channel's alerts one by one. One that the receiver answers but does not take keeps no other
/// from going out, and each after it is tried once; where nobody answers, it is the last.
fn send_all(
    sender: &Sender,
    route: &Route,
    all: &[Due],
    tell: impl Fn(usize, Result<u32, Undelivered>),
) {
    let Some(address) = &route.address else { return };
    let Sender { project, environment, run_id } = sender;
    let mut attempts = ATTEMPTS;
    for (number, due) in all.iter().enumerate() {
        let envelope = Envelope { due, project, environment, run_id };
        let done = deliver(route, address, &envelope, attempts, &std::thread::sleep);
        let failed = done.as_ref().err().map(|why| why.answered);
        tell(number, done);
        match failed {
            Some(false) => return,
            Some(true) => attempts = 1,
            None => {}
        }
    }
}
