//! `orch log --activity`: what this machine wrote down.

use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde_json::Value;

use super::Asked;
use super::follow::GLANCE;
use crate::cli::Stop;
use crate::cli::activity::{LOG, main_folder};
use crate::cli::output::{json, say, show};
use crate::render::Format;
use crate::snapshot::{Fault, GitRepository};
use crate::source::Moment;

/// Tells the lines of the log that are asked for; of one that can't be read, that it can't.
pub(super) fn tell(
    repository: &GitRepository,
    asked: &Asked,
    format: Format,
    follow: bool,
) -> Result<(), Stop> {
    let Some(top) = main_folder(repository) else {
        let help = "ask in a clone of it";
        return Err(Stop::fault("a bare repository keeps no log of what was done", help));
    };
    let path = top.join(LOG);
    let mut from = 0;
    let found = wanted(&read(&path, &mut from)?, asked);
    if !follow {
        if found.is_empty() {
            asked.known_agent(repository)?;
        }
        match format {
            Format::Json => json(&found),
            Format::Human => found.iter().for_each(|line| say(told(line))),
        }
        return Ok(());
    }
    let one = |line: &Value| match format {
        Format::Json => show(crate::render::json_line(line)),
        Format::Human => say(told(line)),
    };
    found.iter().for_each(one);
    loop {
        std::thread::sleep(GLANCE);
        wanted(&read(&path, &mut from)?, asked).iter().for_each(one);
    }
}

/// Reads the whole lines behind a place, and moves it on; from the beginning if the log became shorter.
fn read(path: &Path, from: &mut u64) -> Result<String, Fault> {
    let mut read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(path)?;
        if file.metadata()?.len() < *from {
            *from = 0;
        }
        file.seek(SeekFrom::Start(*from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        *from += u64::try_from(whole).unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes[..whole]).into_owned())
    };
    match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => {
            let message = format!("{} can't be read: {error}", path.display());
            Err(Fault::new(message, "make the file readable"))
        }
        Ok(text) => Ok(text),
    }
}

fn wanted(text: &str, asked: &Asked) -> Vec<Value> {
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is = |line: &Value, field: &str, wanted: Option<&str>| {
        wanted.is_none_or(|wanted| line[field].as_str() == Some(wanted))
    };
    let young = |line: &Value| {
        let at = line["timestamp"].as_str().and_then(|text| text.parse::<Moment>().ok());
        asked.since.is_none_or(|since| at.is_some_and(|at| at >= since))
    };
    lines
        .filter(|line| {
            is(line, "task_id", asked.task.as_ref().map(|task| task.as_str()))
                && is(line, "agent", asked.by.as_ref().map(|by| by.as_str()))
                && is(line, "action", asked.kind.as_deref())
                && young(line)
        })
        .collect()
}

fn told(line: &Value) -> String {
    let word = |field: &str| line[field].as_str().unwrap_or("-").to_owned();
    let (at, task, agent) = (word("timestamp"), word("task_id"), word("agent"));
    let (action, status) = (word("action"), word("status"));
    let took = line["duration_seconds"].as_u64().unwrap_or_default();
    format!("{at}  {task}  {agent}  {action}: {status} ({took} s)")
}
