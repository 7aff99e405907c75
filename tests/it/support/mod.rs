//! What the tests share.

mod random;
mod repo;

pub(crate) use random::Random;
pub(crate) use repo::TestRepo;
