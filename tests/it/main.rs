//! Tests against real Git repositories, all in one binary so that it links once.

mod snapshot;
mod support;
