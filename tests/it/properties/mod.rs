//! What holds whatever bytes come.
//!
//! The fuzzers of `tests/fuzz` ask this of bytes that nobody thought of, and the tests ask it of
//! every file of the fuzzers' corpora. Each function takes the bytes of one such file and panics
//! where something does not hold.

mod guard;
mod patterns;
mod policy;
mod record;

pub(crate) use guard::guard;
pub(crate) use patterns::patterns;
pub(crate) use policy::policy;
pub(crate) use record::record;
