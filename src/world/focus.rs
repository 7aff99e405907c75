//! Which ledgers a world has beside those that its change touches.

use crate::record::Home;
use crate::source::{Moment, TaskId};

/// Tasks to look at though the change does not touch them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Focus {
    /// These; none for the guard.
    Tasks(Vec<TaskId>),
    /// These ledgers: of tasks, incidents and halts.
    Ledgers(Vec<Home>),
    /// All that are open at REV.
    Open,
    /// The same, and so many of the others, from the latest month on.
    Recent(usize),
    /// All that are open, and those opened in the month of this moment or later.
    Since(Moment),
    /// All that are there at REV, with every incident and every halt.
    All,
}

impl Focus {
    /// Tells whether every task that is open at REV is among them.
    pub(super) fn has_all_open(&self) -> bool {
        !matches!(self, Focus::Tasks(_) | Focus::Ledgers(_))
    }
}
