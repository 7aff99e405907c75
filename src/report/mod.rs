//! What the ledgers say of the work as a whole: where every task stands, and in numbers how it goes.
//!
//! Values only, for the command line to draw. Nothing here is asked of a clock: a board is as of the
//! world's moment, and metrics are of what is recorded.

mod board;
mod debts;
mod handed;
mod health;
mod measures;
mod metrics;
pub mod overview;
mod runs;
mod told;
mod unanswered;
mod waits;

use serde::Serialize;

pub use board::{Board, Counts, Elsewhere, Row};
pub use debts::{Debt, DebtKind, debts, incident_debts};
pub use handed::Handed;
pub use health::{AgentStanding, Component, Health, Measured, Probed, Reason, Status, health};
pub use measures::{
    AgentRuns, Audits, BOUNDS, Bucket, Bus, Debts, Deployments, Failures, Halts, Handovers,
    Histogram, InState, Incidents, Measures, Point, Pulled, Queue, Series, Severe, StageRuns,
    Stand, measures, queues,
};
pub use metrics::{Inputs, Metrics, metrics};
pub use overview::Overview;
pub use runs::RunResult;
pub use told::told;
pub use unanswered::unanswered;
pub use waits::{Waits, waits};

use crate::ledger::State;
use crate::world::World;

/// Tells whether an open task does not move until somebody says that it may: blocked, paused, or in a
/// dispute that nobody has settled.
pub fn is_blocked(world: &World, state: &State) -> bool {
    state.closed.is_none()
        && (state.blocked.is_some()
            || state.paused.is_some()
            || world.unsettled(state).next().is_some())
}

/// Gives a word as records spell it.
pub fn spelled(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
