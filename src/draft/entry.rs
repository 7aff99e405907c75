//! From a payload to an entry: its place in the chain, its envelope, its bytes.

use super::Author;
use crate::policy::{self, Policy, Schemas};
use crate::record::{self, Envelope, Home, Payload, Problem, Record, RecordPath};
use crate::world::LedgerView;

/// Gives the envelope of a ledger's next entry; of its first if there is no ledger yet.
pub fn envelope(ledger: Option<&LedgerView>, policy: &Policy, author: &Author) -> Envelope {
    let last = ledger.and_then(|ledger| ledger.records.last());
    let last_at = last.map(|record| record.entry.recorded_at);
    Envelope {
        sequence: Some(last.map_or(1, |record| record.sequence() + 1)),
        previous: last.map(|record| record.digest),
        recorded_at: last_at.map_or(author.at, |last| last.max(author.at)),
        actor: author.actor.clone(),
        session: author.session.clone(),
        branch: author.branch.clone(),
        policy: Some(policy.digest),
    }
}

/// Gives the record that a payload becomes behind a ledger's last entry, or behind `before`, and
/// its bytes; gives what is wrong if it can't be recorded.
pub fn record(
    ledger: Option<&LedgerView>,
    before: Option<&Record>,
    home: &Home,
    payload: &Payload,
    policy: &Policy,
    author: &Author,
) -> Result<(Record, String), Vec<Problem>> {
    let mut envelope = envelope(ledger, policy, author);
    if let Some(before) = before {
        envelope.sequence = Some(before.sequence() + 1);
        envelope.previous = Some(before.digest);
    }
    let path = place(ledger, home, payload, &envelope);
    let text = policy::write(policy.schemas.as_ref(), &path, payload, &envelope);
    record::parse(&path, text.as_bytes()).map(|record| (record, text))
}

/// Gives the record that a payload would become behind a ledger's last entry, for the checks alone; gives what is
/// wrong if it can't be recorded.
pub fn unwritten(
    ledger: &LedgerView,
    payload: Payload,
    policy: &Policy,
    author: &Author,
) -> Result<Record, Vec<Problem>> {
    let envelope = envelope(Some(ledger), policy, author);
    let path = place(Some(ledger), &ledger.home, &payload, &envelope);
    record::draft(path, payload, envelope)
}

/// Gives where an entry lies: a task's below the month it was opened in, those of other ledgers below no month.
fn place(
    ledger: Option<&LedgerView>,
    home: &Home,
    payload: &Payload,
    envelope: &Envelope,
) -> RecordPath {
    let month = match ledger {
        Some(ledger) => ledger.folder.folder().file_name().to_string(),
        None => envelope.recorded_at.month(),
    };
    RecordPath::of(home, &month, envelope.sequence.unwrap_or(1), payload.word())
}

/// Gives an entry as it stands behind another one than it was written for: the same payload and
/// actor, a new place in the chain.
pub fn renumbered(
    record: &Record,
    before: &Record,
    schemas: Option<&Schemas>,
) -> Result<(Record, String), Vec<Problem>> {
    let mut envelope = record.entry.clone();
    envelope.sequence = Some(before.sequence() + 1);
    envelope.previous = Some(before.digest);
    envelope.recorded_at = envelope.recorded_at.max(before.entry.recorded_at);
    let folder = before.repo_path().folder();
    let name = format!("{:04}-{}.yaml", before.sequence() + 1, record.payload.word());
    let path = RecordPath::parse(&folder.join(&name)).map_err(|rule| {
        vec![Problem::invalid(record.heading(), rule, "see the ledger's folder")]
    })?;
    let text = policy::write(schemas, &path, &record.payload, &envelope);
    record::parse(&path, text.as_bytes()).map(|record| (record, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft;
    use crate::testing::world;

    /// What is judged before it is written is what will be written, and points at the same places.
    #[test]
    fn an_unwritten_entry_is_the_one_that_is_written() {
        let world = world("- done: {until: strategy}\n");
        let ledger = world.ledgers.values().next().expect("a task");
        let state = ledger.state().expect("a task's state");
        let stage = draft::due_stage(&world.policy, state).expect("a stage");
        let payload: Payload = draft::run(&world, state, stage).into();
        let actor = draft::agent(&world.policy, state, stage).clone();
        let author = Author { actor, session: None, branch: None, at: world.at };
        let home = &ledger.home;
        let written = record(Some(ledger), None, home, &payload, &world.policy, &author);
        let (written, _) = written.expect("it can be recorded");
        let unwritten = unwritten(ledger, payload, &world.policy, &author).expect("so can this");
        assert_eq!(unwritten.repo_path(), written.repo_path());
        assert_eq!((&unwritten.payload, &unwritten.entry), (&written.payload, &written.entry));
        for field in ["stage", "run_id", "nothing"] {
            assert_eq!(unwritten.field(field), written.field(field), "{field}");
        }
        assert_eq!(unwritten.heading(), written.heading());
        assert_eq!(unwritten.envelope_field("previous"), written.envelope_field("previous"));
    }
}
