//! A task's life as a fold over its ledger: pure, total, and blind to policy.
//!
//! [`State::after`] applies one entry. It never refuses: whether an entry is allowed is asked of
//! the checks, over the state before it, by the command line, the guard and the suggestions alike.
//! The fold reads entries only, so that a landed history means the same under every later policy.

mod claim;
mod fold;
mod incident;
mod run_id;
mod state;
mod summary;
mod trouble;
#[cfg(test)]
mod tests;

pub use claim::{CLAIMS, TaskClaim};
pub use incident::IncidentState;
pub use run_id::run_id;
pub use state::{Approved, Audited, Delivery, RunStanding, RunState, Standing, State};
pub use summary::Summary;
pub use trouble::{Escalated, Failed};
