//! orch: a Git-native guard for teams of agents and people.

pub mod source;
pub mod diagnostic;
pub mod snapshot;
pub mod record;
pub mod render;
#[cfg(test)]
mod testing;
