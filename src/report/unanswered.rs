//! Messages that wait for an answer (R000-27, R000-30).

use crate::policy::{ORCHESTRATOR, Policy};
use crate::record::kind::{Message, MessageStatus, MessageType};
use crate::record::{Payload, Record};
use crate::source::AgentName;
use crate::world::LedgerView;

/// Gives the messages of a ledger that wait for an answer, with those who may give it. One to
/// `orchestrator` waits for any coordinator; an answer itself waits for none.
pub fn unanswered<'w>(
    policy: &Policy,
    ledger: &'w LedgerView,
) -> Vec<(&'w Message, Vec<AgentName>)> {
    let records = &ledger.records;
    let said = records.iter().enumerate().filter_map(|(at, record)| {
        let message = message_of(record).filter(|message| waits(message))?;
        let hearers = hearers(policy, &message.to);
        let later = records[at + 1..].iter().filter_map(message_of);
        let mut answers = later.filter(|later| later.kind == MessageType::Response);
        (!answers.any(|answer| hearers.contains(&answer.from))).then_some((message, hearers))
    });
    said.collect()
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
