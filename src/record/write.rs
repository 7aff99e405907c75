//! Typed records to canonical YAML: the same record always gives the same bytes.

use serde::Serialize;
use serde::ser::SerializeMap as _;

use super::{Envelope, Payload};

struct Document<'a> {
    payload: &'a Payload,
    entry: &'a Envelope,
}

impl Serialize for Document<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.payload.word(), self.payload)?;
        map.serialize_entry("entry", self.entry)?;
        map.end()
    }
}

/// Writes a record as one YAML document, fields in the order of their types, one value a line.
pub fn write(payload: &Payload, entry: &Envelope) -> String {
    yaml(&Document { payload, entry })
}

fn yaml<T: Serialize>(value: &T) -> String {
    let options = serde_yaml::ser_options! {
        folded_wrap_chars: usize::MAX,
        compact_list_indent: false,
    };
    serde_yaml::to_string_with_options(value, options)
        .expect("records hold only maps with text keys, lists and scalars")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordPath, parse};
    use crate::source::RepoPath;

    const HANDOFF: &str = "\
handoff:
  from: strategy_developer
  to: quant_engineer
  task_id: strat-001
  stage: strategy
  run_id: r3f9c2a71b0
  status: complete
  artifacts:
    - name: strategy_code
      path: strategies/pine_v6/new_strategy.pine
      checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  message: \"Strategy ready: see the notes, all of them, for what was tried and what was not tried yet\"
  next_steps:
    - Run full backtest
    - Walk-forward validation
entry:
  sequence: 3
  previous: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  recorded_at: \"2026-11-21T14:30:00Z\"
  actor: strategy_developer
  session: 01J
  branch: feature/strat-001-strategy
";

    #[test]
    fn writing_what_was_read_gives_the_same_bytes() {
        let path = RepoPath::from(".orch/tasks/2026-11/strat-001/0003-handoff.yaml");
        let path = RecordPath::parse(&path).expect("well placed");
        let record = parse(&path, HANDOFF.as_bytes()).expect("a record");
        assert_eq!(write(&record.payload, &record.entry), HANDOFF);
    }
}
