//! What an agent was told and has not taken up: messages that wait for an answer, and the handoff
//! before a stage that is ready.

use serde_json::Value;

use super::suggest::Suggestion;
use crate::ledger::State;
use crate::policy::{ORCHESTRATOR, Policy};
use crate::record::kind::{Message, MessageStatus, MessageType};
use crate::record::{Payload, Record};
use crate::source::AgentName;
use crate::world::LedgerView;

/// How many letters of what somebody said are told.
const TOLD: usize = 100;

/// Gives the messages of an open task that wait for an answer, a suggestion each (R000-27, R000-30).
/// One to `orchestrator` waits for any coordinator; an answer itself waits for none.
pub(super) fn unanswered(policy: &Policy, ledger: &LedgerView, state: &State) -> Vec<Suggestion> {
    let records = &ledger.records;
    let said = records.iter().enumerate().filter_map(|(at, record)| {
        let message = message_of(record).filter(|message| waits(message))?;
        let hearers = hearers(policy, &message.to);
        let later = records[at + 1..].iter().filter_map(message_of);
        let mut answers = later.filter(|later| later.kind == MessageType::Response);
        (!answers.any(|answer| hearers.contains(&answer.from))).then_some((message, hearers))
    });
    let suggested = said.flat_map(|(message, hearers)| {
        let id = &state.task.task_id;
        hearers.into_iter().map(move |hearer| {
            let command = format!(
                "orch message send --to {} --task {id} --type response --status completed \
                 --payload answer=…",
                message.from
            );
            let why = format!("{} waits for an answer: {}", message.from, words(message));
            Suggestion::to(Some(hearer), id, "-", command, why)
        })
    });
    suggested.collect()
}

/// Gives what reads the handoff that a task goes on from, with what it says; none if there is none, or
/// if the last one has been sent back.
pub(super) fn handed_over(ledger: &LedgerView, state: &State) -> Option<String> {
    let last = state.deliveries.last().filter(|delivery| delivery.live)?;
    let record = ledger.records.iter().find(|record| record.sequence() == last.sequence)?;
    let Payload::Handoff(handoff) = &record.payload else { return None };
    let said = match in_a_line(&handoff.message) {
        said if said.is_empty() => String::new(),
        said => format!(": {said}"),
    };
    Some(format!("orch handoff show {}  # from {}{said}", state.task.task_id, last.from))
}

fn message_of(record: &Record) -> Option<&Message> {
    match &record.payload {
        Payload::Message(message) => Some(message),
        _ => None,
    }
}

fn waits(message: &Message) -> bool {
    message.kind != MessageType::Response
        && matches!(message.status, MessageStatus::Pending | MessageStatus::InProgress)
}

fn hearers(policy: &Policy, to: &AgentName) -> Vec<AgentName> {
    if to.as_str() == ORCHESTRATOR {
        let coordinators = policy.agents_who(|agent| agent.coordinator);
        return coordinators.into_iter().cloned().collect();
    }
    vec![to.clone()]
}

fn words(message: &Message) -> String {
    let said = message.payload.iter().map(|(name, said)| match said {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    });
    in_a_line(&said.collect::<Vec<_>>().join("; "))
}

/// Gives the beginning of a text on one line: whoever said it may not speak as the tool does.
fn in_a_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_told_in_a_line() {
        assert_eq!(in_a_line(" a\n\n0004  b\t"), "a 0004 b");
        assert_eq!(in_a_line(&"é".repeat(101)).chars().count(), 101);
    }
}
