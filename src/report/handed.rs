//! What the last handoff of a task says to whoever reads the board (R002-25).

use serde::Serialize;

use crate::record::Payload;
use crate::source::AgentName;
use crate::world::LedgerView;

/// The files of a task's last handoff that has not been sent back, and what is known to be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handed {
    /// Who handed over.
    pub from: AgentName,
    /// What was created or modified, with lines as its author named them; else the sealed files.
    pub files: Vec<String>,
    /// What does not hold yet.
    pub known_issues: Vec<String>,
}

impl Handed {
    /// Reads the last live handoff of a task; none if it has none.
    pub fn of(ledger: &LedgerView) -> Option<Self> {
        let last = ledger.state()?.live_deliveries().last()?.sequence;
        let record = ledger.records.iter().find(|record| record.sequence() == last)?;
        let Payload::Handoff(handoff) = &record.payload else { return None };
        let made = handoff.deliverables.as_ref().map(|made| made.created_or_modified.clone());
        let sealed = || handoff.artifacts.iter().map(|sealed| sealed.path.to_string()).collect();
        let context = handoff.context.as_ref();
        Some(Handed {
            from: handoff.from.clone(),
            files: made.filter(|files| !files.is_empty()).unwrap_or_else(sealed),
            known_issues: context.map(|said| said.known_issues.clone()).unwrap_or_default(),
        })
    }
}
