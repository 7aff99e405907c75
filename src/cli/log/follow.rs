//! `orch log --follow`: what is written from now on, as soon as it is there.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use super::{Asked, as_json, line, records};
use crate::cli::Stop;
use crate::cli::context::Context;
use crate::cli::output::{say_lines, show};
use crate::render::{Format, json_line};
use crate::snapshot::{GitRepository, Oid};
use crate::source::Digest;

/// How often it looks whether anything changed.
pub(super) const GLANCE: Duration = Duration::from_millis(500);

/// What tells cheaply that the ledgers may have changed: where a revision stands, or when the index was
/// last written.
#[derive(Debug, PartialEq)]
enum Mark {
    Commit(Oid),
    Index(Option<(SystemTime, u64)>),
}

fn mark(repository: &GitRepository, rev: Option<&str>) -> Result<Mark, Stop> {
    Ok(match rev {
        Some(rev) => Mark::Commit(repository.resolve(rev)?),
        None => {
            let data = std::fs::metadata(repository.git_dir().join("index")).ok();
            Mark::Index(data.and_then(|data| Some((data.modified().ok()?, data.len()))))
        }
    })
}

/// Tells what is there, then what comes; ends with the process.
pub(super) fn follow(
    context: &Context,
    rev: Option<&str>,
    asked: &Asked,
    format: Format,
) -> Result<(), Stop> {
    let mut repository = context.repository()?;
    let mut last = mark(&repository, rev)?;
    let mut found = records(&repository, rev, asked)?;
    let mut told: BTreeSet<(String, Digest)> = BTreeSet::new();
    loop {
        for record in found.drain(..) {
            if told.insert((record.repo_path().to_string(), record.digest)) {
                match format {
                    Format::Human => say_lines(line(&record)),
                    Format::Json => show(json_line(&as_json(&record))),
                }
            }
        }
        std::thread::sleep(GLANCE);
        let Some(now) = mark(&repository, rev).ok().filter(|now| *now != last) else { continue };
        // What is being written just now can be read at the next glance.
        let read = context.repository().map_err(Stop::from);
        let read = read.and_then(|opened| Ok((records(&opened, rev, asked)?, opened)));
        if let Ok((new, opened)) = read {
            (found, repository, last) = (new, opened, now);
        }
    }
}
