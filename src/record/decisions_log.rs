//! The log of decisions, as Markdown: rendered from the records, never edited by hand (R000-48).

use std::fmt::Write as _;

use super::kind::{Decision, Finding};
use super::{Payload, Record};
use crate::source::path::unprintable;

/// Gives the log of the decisions among some records, oldest first; the same records give the same
/// bytes. Words of a record can't break out of their line, or become a link, a tag or a heading.
pub fn decisions_log<'r>(records: impl Iterator<Item = &'r Record>) -> String {
    let decided = |record: &'r Record| match &record.payload {
        Payload::Decision(decision) => Some((record, decision)),
        _ => None,
    };
    let mut all: Vec<(&Record, &Decision)> = records.filter_map(decided).collect();
    all.sort_by_key(|(record, _)| (record.entry.recorded_at, record.repo_path()));
    let mut log = String::from(HEADING);
    for (record, decision) in all {
        entry(&mut log, record, decision);
    }
    log
}

const HEADING: &str = "\
# Log of decisions

Rendered by `orch log --decisions` from `.orch/decisions/`; do not edit it.
";

fn entry(log: &mut String, record: &Record, decision: &Decision) {
    let makers: Vec<&str> = decision.decision_makers.iter().map(|name| name.as_str()).collect();
    let status = serde_json::to_value(decision.status).unwrap_or_default();
    let mut line = |text: String| writeln!(log, "{text}").expect("a string takes everything");
    line(format!("\n## {}: {}\n", plain(&decision.date), plain(&decision.title)));
    line(format!("- Status: {}", plain(status.as_str().unwrap_or_default())));
    line(format!("- Decided by: {}", plain(&makers.join(", "))));
    line(format!("- Context: {}", plain(&decision.context)));
    for position in &decision.positions {
        let shown = match position.evidence.as_slice() {
            [] => String::new(),
            evidence => format!(" ({})", plain(&evidence.join(", "))),
        };
        let who = plain(position.agent.as_str());
        line(format!("- Position of {who}: {}{shown}", plain(&position.statement)));
    }
    line(format!("- Decision: {}", plain(&decision.outcome)));
    match decision.finding {
        Some(Finding::Upheld) => {
            line("- Finding: upheld; it is to be mended, without blame".into())
        }
        Some(Finding::Overturned) => line("- Finding: overturned; a new report is owed".into()),
        None => {}
    }
    for consequence in &decision.consequences {
        line(format!("- Consequence: {}", plain(consequence)));
    }
    if !decision.resolves.is_empty() {
        line(format!("- Settles: {}", plain(&decision.resolves.join(", "))));
    }
    if !decision.supersedes.is_empty() {
        line(format!("- Replaces: {}", plain(&decision.supersedes.join(", "))));
    }
    for runbook in &decision.runbooks {
        line(format!("- Runbook: `{}`, {}", runbook.path, runbook.checksum));
    }
    line(format!("- Record: `{}`", record.repo_path()));
}

/// One line in which no character means anything to Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        if "\\`*_{}[]<>()#+!|~&".contains(character) {
            plain.push('\\');
        }
        if !unprintable(character) {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordPath, parse};
    use crate::source::RepoPath;

    fn decision(day: &str, title: &str) -> Record {
        let path = RepoPath::from(format!(".orch/decisions/{day}-choice.yaml").as_str());
        let text = format!(
            "decision: {{id: {day}-choice, title: {title:?}, status: accepted, date: '{day}', \
             decision_makers: [founder], context: It came up, outcome: So be it, finding: \
             overturned, resolves: [strat-001/7]}}\n\
             entry: {{recorded_at: '{day}T10:00:00Z', actor: founder}}\n"
        );
        let place = RecordPath::parse(&path).expect("a decision's place");
        parse(&place, text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    #[test]
    fn decisions_stand_in_their_order() {
        let records = [decision("2026-11-22", "Second"), decision("2026-11-21", "First")];
        let log = decisions_log(records.iter());
        assert!(log.starts_with("# Log of decisions\n"), "{log}");
        assert!(log.find("First").expect("there") < log.find("Second").expect("there"), "{log}");
        assert!(log.contains("- Settles: strat-001/7\n"), "{log}");
        assert!(log.contains("a new report is owed"), "{log}");
    }

    #[test]
    fn words_stay_words() {
        let log = decisions_log([decision("2026-11-21", "a\n## b <img> [x](y)")].iter());
        assert!(log.contains("\n## 2026-11-21: a \\#\\# b \\<img\\> \\[x\\]\\(y\\)\n"), "{log}");
    }
    /// What a record says as an escape does not stand in the log as itself.
    #[test]
    fn what_a_reader_cannot_see_is_left_out() {
        let mut record = decision("2026-11-21", "x");
        let Payload::Decision(decided) = &mut record.payload else { panic!("a decision") };
        decided.title = "no \u{202e}turn \u{26a0}\u{fe0f}".into();
        let log = decisions_log([record].iter());
        assert!(log.contains("\n## 2026-11-21: no turn \u{26a0}\n"), "{log}");
    }
}
