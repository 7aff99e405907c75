//! Typed records to canonical YAML: the same record always gives the same bytes.

use std::fmt::Write as _;

use serde::Serialize;
use serde::ser::SerializeMap as _;

use super::text::hidden;
use super::{Envelope, Payload, yaml};

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
///
/// Characters that a reader can't see become escapes: people and agents write them, as in most
/// emoji, and the record has to be one that the guard takes.
pub fn write(payload: &Payload, entry: &Envelope) -> String {
    plain_yaml(&Document { payload, entry })
}

/// Writes a value that is no record as YAML, in the same dialect.
pub fn plain_yaml<T: Serialize>(value: &T) -> String {
    let text = to_yaml(value, true);
    if text.contains(hidden) { escaped(to_yaml(value, false)) } else { text }
}

fn to_yaml<T: Serialize>(value: &T, blocks: bool) -> String {
    let options = serde_yaml::ser_options! {
        folded_wrap_chars: usize::MAX,
        compact_list_indent: false,
        prefer_block_scalars: blocks,
    };
    serde_yaml::to_string_with_options(value, options)
        .expect("records hold only maps with text keys, lists and scalars")
}

/// Puts each value with hidden characters in double quotes, where YAML knows escapes.
fn escaped(mut text: String) -> String {
    for (span, value) in yaml::scalars(&text).into_iter().rev() {
        if value.contains(hidden) {
            text.replace_range(span.start..span.end, &quoted(&value));
        }
    }
    text
}

fn quoted(value: &str) -> String {
    let mut quoted = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            _ if hidden(character) => {
                write!(quoted, "\\U{:08X}", u32::from(character)).expect("memory takes it");
            }
            _ => quoted.push(character),
        }
    }
    quoted + "\""
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

    /// Most emoji hold a character that selects how they look, and some hold joiners.
    #[test]
    fn what_a_reader_cannot_see_is_written_as_an_escape() {
        let path = RepoPath::from(".orch/tasks/2026-11/strat-001/0003-handoff.yaml");
        let path = RecordPath::parse(&path).expect("well placed");
        let record = parse(&path, HANDOFF.as_bytes()).expect("a record");
        for said in [
            "\u{26a0}\u{fe0f} mind the gap",
            "\u{1f468}\u{200d}\u{1f469}: \"both\" of C:\\them, it's # true",
            "soft\u{ad}ly\n=======\n\n<<<<<<< \u{2764}\u{fe0f}\n\tand a tab\r\n",
            "\u{200b}",
            "\u{feff}first, \u{1b}[31mred, \u{e0067} far",
        ] {
            let mut payload = record.payload.clone();
            let Payload::Handoff(handoff) = &mut payload else { panic!("a handoff") };
            handoff.message = said.into();
            handoff.next_steps = vec![said.into(), "plain".into(), said.into()];
            let text = write(&payload, &record.entry);
            let read = parse(&path, text.as_bytes()).expect(&text);
            assert_eq!((&read.payload, &read.entry), (&payload, &record.entry), "{text}");
            assert_eq!(write(&read.payload, &read.entry), text);
            assert!(text.contains("    - plain\n"), "{text}");
        }
    }
}
