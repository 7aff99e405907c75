//! What the tests share.

mod golden;
mod journey;
mod keys;
mod orch;
mod random;
mod repo;
mod servers;
mod terminal;

pub(crate) use golden::is_current;
pub(crate) use journey::{CODE, DOCUMENT, REPORT};
pub(crate) use keys::{Agent, key, must_run, public};
pub(crate) use orch::{Found, Judged, ORCH, Said, Team, write_script};
pub(crate) use random::Random;
pub(crate) use repo::TestRepo;
pub(crate) use servers::Server;
pub(crate) use terminal::on_terminal;
