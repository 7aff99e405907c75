//! What an agent was told and has not taken up: messages that wait for an answer, and the handoff
//! before a stage that is ready.

use serde_json::Value;

use super::suggest::Suggestion;
use crate::ledger::State;
use crate::policy::Policy;
use crate::record::Payload;
use crate::record::kind::Message;
use crate::report;
use crate::world::LedgerView;

/// How many letters of what somebody said are told.
const TOLD: usize = 100;

/// Gives the messages of an open task that wait for an answer, a suggestion each (R000-27, R000-30).
pub(super) fn unanswered(policy: &Policy, ledger: &LedgerView, state: &State) -> Vec<Suggestion> {
    let waiting = report::unanswered(policy, ledger).into_iter();
    let suggested = waiting.flat_map(|(message, hearers)| {
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
