//! `orch log --archive`: days that are over, a file each with its checksum, and weeks (R003-45).
//!
//! What is moved is written first, and on disk before it is cut from where it stood. A command that is
//! cut off in between leaves lines in both places; the next one knows them by where they stand.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use chrono::{Datelike as _, NaiveDate};
use serde_json::Value;

use crate::cli::activity::{LOG, locked};
use crate::cli::context::Context;
use crate::cli::files::write_whole;
use crate::cli::ledger::Writing;
use crate::cli::output::say;
use crate::cli::trace;
use crate::cli::{Stop, activity};
use crate::snapshot::{Fault, GitRepository};
use crate::source::{Digest, Moment};

/// How files of the activity log are named in an archive, and those of orch's own log.
const ACTIVITY: &str = "agent_activity";
const OWN: &str = "orch_log";

/// Moves what is over into a folder, and joins its days of weeks that are over if `weekly` says so.
pub(super) fn archive(
    context: &Context,
    repository: &GitRepository,
    folder: &Path,
    weekly: bool,
    writing: Writing,
) -> Result<(), Stop> {
    let today = context.at().day();
    let mut moved = 0;
    if !writing.dry_run {
        fs::create_dir_all(folder).map_err(|error| unable(folder, &error))?;
    }
    if let Some(top) = activity::main_folder(repository) {
        moved += cut(&top, folder, &today, writing)?;
    }
    moved += own_days(repository, folder, &today, writing)?;
    if weekly && !writing.dry_run {
        for name in [ACTIVITY, OWN] {
            moved += join_weeks(folder, name, &today)?;
        }
    }
    if moved == 0 {
        say("nothing is over that is not archived");
    }
    Ok(())
}

/// Moves the days of the activity log that are over; gives how many. Whoever wants to append waits.
fn cut(top: &Path, folder: &Path, today: &str, writing: Writing) -> Result<usize, Stop> {
    let log = &top.join(LOG);
    if !log.exists() {
        return Ok(0);
    }
    let mut text = Vec::new();
    let mut file = locked(top).map_err(|error| unable(log, &error))?;
    file.read_to_end(&mut text).map_err(|error| unable(log, &error))?;
    let (days, rest) = split(&text, today);
    for (day, lines) in &days {
        keep(&folder.join(format!("{ACTIVITY}-{day}.jsonl")), lines, writing)?;
    }
    if !days.is_empty() && !writing.dry_run {
        write_whole(log, &rest)?;
    }
    Ok(days.len())
}

/// Gives the lines of days before `today`, day by day, and the rest. A line that says no moment stays
/// with the one before it.
fn split(text: &[u8], today: &str) -> (BTreeMap<String, Vec<u8>>, Vec<u8>) {
    let (mut days, mut rest) = (BTreeMap::<String, Vec<u8>>::new(), Vec::new());
    let mut day = today.to_owned();
    for line in whole_lines(text) {
        let value = serde_json::from_slice::<Value>(line).unwrap_or_default();
        let at = value["timestamp"].as_str().and_then(|text| text.parse::<Moment>().ok());
        day = at.map_or(day, |at| at.day());
        if day.as_str() < today && line.ends_with(b"\n") {
            days.entry(day.clone()).or_default().extend_from_slice(line);
        } else {
            rest.extend_from_slice(line);
        }
    }
    (days, rest)
}

/// Gives the lines with their ends; they may be no text, and stay what they are.
fn whole_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// Moves the files of orch's own log of days that are over; gives how many.
fn own_days(
    repository: &GitRepository,
    folder: &Path,
    today: &str,
    writing: Writing,
) -> Result<usize, Stop> {
    let mut moved = 0;
    for (day, path) in trace::days(&trace::folder(repository)) {
        if day.as_str() >= today {
            continue;
        }
        let lines = fs::read(&path).map_err(|error| unable(&path, &error))?;
        keep(&folder.join(format!("{OWN}-{day}.jsonl")), &lines, writing)?;
        if !writing.dry_run {
            fs::remove_file(&path).map_err(|error| unable(&path, &error))?;
        }
        moved += 1;
    }
    Ok(moved)
}

/// Puts lines behind those of a file that has them not yet, with its checksum beside it.
fn keep(file: &Path, lines: &[u8], writing: Writing) -> Result<(), Stop> {
    if writing.dry_run {
        say(format!("would write {}", file.display()));
        return Ok(());
    }
    let before = read(file)?;
    let known = overlap(&before, lines);
    let sum = checksum(file);
    let noted = read(&sum)?;
    let noted = str::from_utf8(&noted).unwrap_or_default();
    let noted = noted.split_whitespace().next().and_then(Digest::from_hex);
    // A command that was cut off may have written the file, and not its checksum; so may the next.
    let (settled, recent) = before.split_at(before.len() - known);
    let sound = noted.is_none_or(|noted| {
        let parts = [settled].into_iter().chain(whole_lines(recent));
        Digest::of_beginnings(parts).any(|sum| sum == noted)
    });
    if !sound {
        let message = format!("{} was changed since it was archived", file.display());
        let help = format!("bring back what {} is about, or move both away", sum.display());
        return Err(Stop::denied(message, help));
    }
    let whole = [&before, &lines[known..]].concat();
    if known < lines.len() {
        write_whole(file, &whole)?;
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let line = format!("{}  {name}\n", Digest::of(&whole).hex());
    if read(&sum)? != line.as_bytes() {
        write_whole(&sum, &line)?;
    }
    settle(file);
    say(format!("wrote {}", file.display()));
    Ok(())
}

/// Gives how many bytes at the beginning of `lines`, whole lines, stand at the end of `before`.
fn overlap(before: &[u8], lines: &[u8]) -> usize {
    let mut ends = (1..=lines.len()).rev().filter(|end| lines[end - 1] == b'\n');
    ends.find(|end| before.ends_with(&lines[..*end])).unwrap_or_default()
}

/// Joins the days of weeks that are over; gives how many weeks.
fn join_weeks(folder: &Path, name: &str, today: &str) -> Result<usize, Stop> {
    let week = |day: &str| {
        let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?.iso_week();
        Some(format!("{}-W{:02}", day.year(), day.week()))
    };
    let current = week(today);
    let mut weeks: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut days: Vec<(String, PathBuf)> = trace::dated(folder, &format!("{name}-"));
    days.sort();
    for (day, path) in days {
        if let Some(week) = week(&day).filter(|week| Some(week) < current.as_ref()) {
            weeks.entry(week).or_default().push(path);
        }
    }
    for (week, days) in &weeks {
        let mut all = Vec::new();
        for day in days {
            all.extend(read(day)?);
        }
        keep(&folder.join(format!("{name}-{week}.jsonl")), &all, Writing::default())?;
        // The first first: what is left of a command that is cut off is still the week's end.
        for day in days {
            fs::remove_file(day).map_err(|error| unable(day, &error))?;
            let _was_never_there = fs::remove_file(checksum(day));
        }
    }
    Ok(weeks.len())
}

fn checksum(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sha256");
    name.into()
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    match fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|error| unable(file, &error)),
    }
}

/// Has the names in a file's folder on disk, too, where that can be asked for.
fn settle(file: &Path) {
    let folder = file.parent().and_then(|folder| File::open(folder).ok());
    let _not_everywhere = folder.map(|folder| folder.sync_all());
}

fn unable(path: &Path, error: &std::io::Error) -> Fault {
    let message = format!("{} can't be used: {error}", path.display());
    Fault::new(message, "make it readable and writable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_to_their_day_and_the_rest_stays() {
        let line = |at: &str, n: u8| format!("{{\"timestamp\":\"{at}\",\"n\":{n}}}\n").into_bytes();
        let text = [
            line("2026-11-19T23:59:59Z", 1),
            b"torn \xff\xfe\n".to_vec(),
            line("2026-11-21T00:00:00Z", 2),
            line("2026-11-20T10:00:00Z", 3),
            b"{\"timest".to_vec(),
        ];
        let (days, rest) = split(&text.concat(), "2026-11-21");
        assert_eq!(days["2026-11-19"], text[..2].concat());
        assert_eq!(days["2026-11-20"], text[3]);
        assert_eq!(rest, [text[2].clone(), text[4].clone()].concat());
    }

    #[test]
    fn what_is_there_already_is_known_by_where_it_stands() {
        assert_eq!(overlap(b"a\nb\n", b"b\nc\n"), 2);
        assert_eq!(overlap(b"a\nb\n", b"a\nb\n"), 4);
        assert_eq!(overlap(b"a\nb\n", b"c\n"), 0);
        assert_eq!(overlap(b"", b"c\n"), 0);
    }
}
