//! orch: a Git-native guard for teams of agents and people.
//!
//! The modules stand in the order in which data flows; each imports only from those above it.
//!
//! ```text
//! snapshot::Proposal -> record::parse -> ledger::State::after -> world::build -> checks::run -> render
//! ```
//!
//! [`guard::guard`] is that line in code. `draft` writes what an agent would say next, and the same
//! checks judge it before a command writes anything. `exchange` reads and writes what is said in the
//! forms of other tools.

pub mod source;
pub mod diagnostic;
pub mod calendar;
pub mod keys;
pub mod snapshot;
pub mod record;
pub mod policy;
pub mod ledger;
pub mod world;
pub mod checks;
pub mod guard;
pub mod draft;
pub mod plan;
pub mod exchange;
pub mod report;
pub mod ops;
pub mod render;
pub mod cli;
#[cfg(test)]
mod testing;
