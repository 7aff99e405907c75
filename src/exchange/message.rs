//! The message between agents: `message: {from, to, type, task_id, payload, status, timestamp}`
//! (R000-27). One of the type `handoff` carries the fields of a handoff in its payload.

use serde::{Deserialize, Serialize};

use super::{Signal, problem, runbook};
use crate::record::kind::{Handoff, HandoffStatus, Message, MessageStatus, MessageType};
use crate::record::yaml::{Node, Pair, Value};
use crate::record::{self, Problem};
use crate::source::Moment;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    message: Message,
}

/// Reads a message of any type.
pub(super) fn any(bytes: &[u8]) -> Result<Message, Vec<Problem>> {
    record::document::<Document>(bytes).map(|(document, _)| document.message)
}

/// Reads a message that is a handoff.
pub(super) fn read(bytes: &[u8]) -> Result<Signal, Vec<Problem>> {
    let (Document { message }, tree) = record::document::<Document>(bytes)?;
    handoff_of(&message, &tree).map_err(|problem| vec![problem])
}

fn handoff_of(message: &Message, tree: &Node) -> Result<Signal, Problem> {
    let inside = |field: &str| tree.pair("message").and_then(|pair| pair.value.pair(field));
    if message.kind != MessageType::Handoff {
        let span = tree.locate("message.type");
        let help = "record it with `orch message send`; a handoff has `type: handoff`";
        return Err(problem(span, "this message hands nothing over", help));
    }
    let payload = inside("payload").map(|pair| pair.value.clone());
    let mut payload = payload.unwrap_or(Node { span: tree.span, value: Value::Null });
    let Value::Map(pairs) = &mut payload.value else {
        let help = "write the fields of a handoff: artifacts, message, next_steps";
        return Err(problem(payload.span, "the payload of a handoff is a map", help));
    };
    for field in ["from", "to", "task_id"] {
        if let (Some(outer), None) = (inside(field), pairs.iter().find(|pair| pair.key == field)) {
            pairs.push(outer.clone());
        }
    }
    differing(pairs, inside)?;
    let said: runbook::Said = record::typed(&payload)?;
    let stated = said.status.is_some();
    let mut signal = runbook::of(said, &payload)?;
    if !stated {
        signal.status = match message.status {
            MessageStatus::Pending | MessageStatus::Completed => HandoffStatus::Complete,
            MessageStatus::InProgress => HandoffStatus::Partial,
            MessageStatus::Failed => HandoffStatus::Blocked,
        };
    }
    Ok(signal)
}

/// A payload may repeat whom and what its message is about, but not say otherwise.
fn differing<'n>(
    payload: &[Pair],
    outer: impl Fn(&str) -> Option<&'n Pair>,
) -> Result<(), Problem> {
    for pair in payload.iter().filter(|pair| ["from", "to", "task_id"].contains(&&*pair.key)) {
        if outer(&pair.key).is_some_and(|outer| outer.value.value != pair.value.value) {
            let message = format!("the message itself has another `{}`", pair.key);
            return Err(problem(pair.value.span, message, "say it once, outside of the payload"));
        }
    }
    Ok(())
}

/// Writes a handoff as a message.
pub(super) fn write(handoff: &Handoff, at: Moment) -> String {
    let said = serde_json::to_value(runbook::spelled(handoff).handoff);
    let mut payload = match said.expect("a handoff has text keys only") {
        serde_json::Value::Object(payload) => payload,
        _ => serde_json::Map::new(),
    };
    payload.retain(|key, _| !["from", "to", "task_id"].contains(&key.as_str()));
    let message = Message {
        from: handoff.from.clone(),
        to: handoff.to.clone(),
        kind: MessageType::Handoff,
        task_id: handoff.task_id.clone(),
        payload,
        status: match handoff.status {
            HandoffStatus::Complete => MessageStatus::Completed,
            HandoffStatus::Partial => MessageStatus::InProgress,
            HandoffStatus::Blocked => MessageStatus::Failed,
        },
        timestamp: at,
    };
    record::plain_yaml(&Document { message })
}
