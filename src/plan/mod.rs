//! Plans: what may run now, what may run at once, and in which order the rest follows.
//!
//! A plan is computed from the ledgers and the agreed policy alone. `orch plan` prints it, `orch
//! dispatch` carries it out, and both keep the same tasks apart.

mod admission;
mod agenda;
mod drawing;
pub mod emit;
mod expected;
mod graph;
mod job;
mod jobs;
mod layout;
mod prompt;
mod schedule;
mod tasks;
#[cfg(test)]
mod tests;

pub use admission::{Admission, Refusal};
pub use agenda::{Asker, Item, Obstacle, Stands, agenda, judged, may_start};
pub use drawing::{linked_svg, mermaid, svg};
pub use expected::Expected;
pub use graph::{Graph, Node, Status};
pub use job::{Job, Target};
pub use jobs::jobs;
pub use prompt::{Briefing, prompt};
pub use schedule::{Kind, Placed, Plan, Wave, first_wave, plan};
pub use tasks::{status, task_graph};
