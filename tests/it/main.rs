//! Tests against real Git repositories, all in one binary so that it links once.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should fail where it stands")]

mod agents_side;
mod attacks;
mod board;
mod cache;
mod claims;
mod commands;
mod dispatch;
mod exchange;
mod exec;
mod faults;
mod formats;
mod fuzz;
mod graph;
mod health;
mod history;
mod hooks;
mod import;
mod incidents;
mod lists;
mod log;
mod mended;
mod mutations;
mod notify;
mod observability;
mod parallel;
mod procedures;
mod promotion;
mod properties;
mod quickstart;
mod readme;
mod real;
mod receive;
mod reject;
mod report;
mod schedule;
mod signed;
mod snapshot;
mod support;
mod survival;
mod tidy;
mod torghut;
mod troubles;
mod unattended;
mod year;
