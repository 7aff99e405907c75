//! What is frozen, at the top of the board: halts that stand, and incidents that are open.

use serde_json::{Value, json};

use super::context::View;
use super::incidents::{self, debts_in_words, next};
use super::output::say;
use crate::report::spelled;
use crate::source::Moment;

/// Gives the halts that stand and the open incidents, as JSON.
pub(super) fn as_json(view: &View, at: Moment) -> (Vec<Value>, Vec<Value>) {
    let halts = view.world.survey.halts.iter().filter(|halt| halt.stands_at(at));
    let halts = halts.map(|halt| {
        json!({
            "id": halt.id, "topic": halt.topic, "scope": halt.scope, "reason": halt.reason,
            "since": halt.since, "until": halt.until, "incident": halt.incident,
            "command": halt.lifting(),
        })
    });
    let policy = view.policy();
    let incidents = view.world.survey.incidents.iter();
    let incidents =
        incidents.map(|incident| incidents::as_json(&policy, &incident.id, &incident.state));
    (halts.collect(), incidents.collect())
}

/// Prints every halt that stands and every open incident, with who may end them and how.
pub(super) fn freezes(view: &View, at: Moment) {
    let policy = view.policy();
    let people = policy.agents_who(|agent| agent.human);
    let people = people.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" or ");
    for halt in view.world.survey.halts.iter().filter(|halt| halt.stands_at(at)) {
        let topic = halt.topic.map_or("unreadable".into(), |topic| spelled(&topic));
        let since = halt.since.map(|since| format!(" since {since}")).unwrap_or_default();
        let until = halt.until.map(|until| format!(" until {until}")).unwrap_or_default();
        say(format!("HALT {} ({topic}, {}){since}{until}: {}", halt.id, halt.scope, halt.reason));
        say(format!("  lifted by {people}: {}", halt.lifting()));
    }
    for incident in &view.world.survey.incidents {
        let (id, state) = (&incident.id, &incident.state);
        let what = &state.incident;
        say(format!("INCIDENT {id} ({}, {}): {}", what.severity, what.class, what.trigger));
        if let Some(next) = next(&policy, id, state) {
            say(format!("  next: {}", next.told()));
        }
        for debt in debts_in_words(&policy, state, at) {
            say(format!("  owed: {debt}"));
        }
    }
}
