//! Operations: what is due, how things stand, what is done about trouble, and who hears of it.

pub mod schedule;
