//! What agents' harnesses are told of orch: hooks in the settings of Claude Code, and a skill.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::Stop;
use super::super::ledger::write_whole;
use super::super::output::say;
use super::settings::Settings;
use super::unable;
use crate::snapshot::GitRepository;

/// What a harness runs; it stands in a file that many machines share, so it names no folder.
pub(super) const COMMAND: &str = "orch hooks agent-event";
/// The settings of Claude Code that a repository shares.
pub(super) const SETTINGS: &str = ".claude/settings.json";
/// Where Claude Code, and others that follow the same convention, look for skills.
pub(super) const SKILL: &str = ".claude/skills/orch/SKILL.md";
/// What an agent reads of orch once it has something to do with it.
const SKILL_TEXT: &str = include_str!("../../../templates/SKILL.md");

/// The events that are answered, and the tool that each is about, if it is about one.
const EVENTS: [(&str, Option<&str>); 2] = [("PreToolUse", Some("Bash")), ("Stop", None)];

/// Gives the group of hooks that answers an event.
fn group(tool: Option<&str>) -> String {
    let matcher = tool.map(|tool| format!("  \"matcher\": \"{tool}\",\n")).unwrap_or_default();
    let hook = format!("{{\"type\": \"command\", \"command\": \"{COMMAND}\", \"timeout\": 60}}");
    format!("{{\n{matcher}  \"hooks\": [\n    {hook}\n  ]\n}}")
}

/// Adds the hooks to the settings, and writes the skill; what is there already stays.
pub(super) fn install(repository: &GitRepository) -> Result<(), Stop> {
    let top = top_of(repository)?;
    refuse_links(top)?;
    let (file, mut settings) = read(top)?;
    let new: Vec<_> = EVENTS.iter().filter(|(event, _)| !settings.runs(event, COMMAND)).collect();
    for (event, tool) in &new {
        settings.add(event, &group(*tool));
    }
    match new.is_empty() {
        true => say(format!("{SETTINGS} asks orch already")),
        false => {
            write_whole(&file, settings.text())?;
            say(format!(
                "added the guard to {SETTINGS}: before `git commit` and `git push`, and at the end"
            ));
        }
    }
    let skill = top.join(SKILL);
    match fs::read_to_string(&skill) {
        Ok(text) if text == SKILL_TEXT => say(format!("{SKILL} is there already")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            write_whole(&skill, SKILL_TEXT)?;
            say(format!("wrote {SKILL}"));
        }
        _ => say(format!("note: {SKILL} is another one, and was left as it is")),
    }
    say("next: git add .claude, then git commit; Git's own hooks come with `orch hooks install`");
    Ok(())
}

/// Takes away what [`install`] brought, and nothing else.
pub(super) fn uninstall(repository: &GitRepository) -> Result<(), Stop> {
    let top = top_of(repository)?;
    refuse_links(top)?;
    let (file, mut settings) = read(top)?;
    if is_asked(&settings) {
        settings.remove(COMMAND);
        match settings.is_empty() {
            true => fs::remove_file(&file).map_err(|error| unable(&file, &error))?,
            false => write_whole(&file, settings.text())?,
        }
        say(format!("took the guard out of {SETTINGS}"));
    }
    let skill = top.join(SKILL);
    if fs::read_to_string(&skill).is_ok_and(|text| text == SKILL_TEXT) {
        fs::remove_file(&skill).map_err(|error| unable(&skill, &error))?;
        say(format!("removed {SKILL}"));
    }
    for file in [&skill, &file] {
        remove_empty_folders(top, file);
    }
    Ok(())
}

/// Removes the folders around a file that is gone, as far as nothing else stands in them.
fn remove_empty_folders(top: &Path, file: &Path) {
    let above = file.ancestors().skip(1).take_while(|folder| *folder != top);
    for folder in above {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// Tells whether the settings of this repository ask orch; none if they can't be read.
pub(super) fn asked(repository: &GitRepository) -> Option<bool> {
    let (_, settings) = read(top_of(repository).ok()?).ok()?;
    Some(is_asked(&settings))
}

fn is_asked(settings: &Settings) -> bool {
    EVENTS.iter().any(|(event, _)| settings.runs(event, COMMAND))
}

fn top_of(repository: &GitRepository) -> Result<&Path, Stop> {
    let help = "run it in a clone that agents work in";
    repository
        .work_dir()
        .ok_or_else(|| Stop::fault("a bare repository has no files for agents", help))
}

/// Refuses to write where a link leads to: that may be somebody else's.
fn refuse_links(top: &Path) -> Result<(), Stop> {
    for file in [SETTINGS, SKILL] {
        let link = Path::new(file).ancestors().find(|place| top.join(place).is_symlink());
        if let Some(link) = link.filter(|link| !link.as_os_str().is_empty()) {
            let help = "put a file or a folder in its place, or add the hooks there by hand";
            return Err(Stop::denied(format!("{} is a link", link.display()), help));
        }
    }
    Ok(())
}

/// Reads the settings, which may be missing.
fn read(top: &Path) -> Result<(PathBuf, Settings), Stop> {
    let file = top.join(SETTINGS);
    if fs::metadata(&file).is_ok_and(|found| !found.is_file()) {
        let help = "put a file there, then do this again";
        return Err(Stop::denied(format!("{SETTINGS} is no file"), help));
    }
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(unable(&file, &error).into()),
    };
    let settings = Settings::of(&text).map_err(|why| {
        Stop::denied(format!("{SETTINGS} can't be read: {why}"), "mend it, then do this again")
    })?;
    Ok((file, settings))
}
