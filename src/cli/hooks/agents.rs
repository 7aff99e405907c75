//! What agents' harnesses are told of orch: hooks in the settings of Claude Code, and a skill.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::Stop;
use super::super::context::readable_policy;
use super::super::decide;
use super::super::files::write_whole;
use super::super::output::{say, say_lines};
use super::settings::Settings;
use super::{Change, unable};
use crate::snapshot::{GitRepository, Side};
use crate::source::RepoPath;

/// What a harness runs; it stands in a file that many machines share, so it names no folder.
pub(super) const COMMAND: &str = "orch hooks agent-event";
/// The settings of Claude Code that a repository shares.
pub(super) const SETTINGS: &str = ".claude/settings.json";
/// Those that each keeps for oneself.
const OWN_SETTINGS: &str = ".claude/settings.local.json";
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
pub(super) fn install(repository: &GitRepository, change: Change) -> Result<(), Stop> {
    let top = top_of(repository)?;
    refuse_links(top)?;
    let (file, mut settings) = read(top, SETTINGS)?;
    let named = settings.names(COMMAND);
    match asks_at_all(&settings) {
        true => say(format!("{SETTINGS} asks orch already")),
        false => {
            let what = format!(
                "the guard to {SETTINGS}: before `git commit` and `git push`, and at the end"
            );
            change.make(["added", "add"], what, || {
                if !named {
                    remember(repository, &file)?;
                }
                add(&mut settings);
                Ok(write_whole(&file, settings.text())?)
            })?;
        }
    }
    let skill = top.join(SKILL);
    match fs::read_to_string(&skill) {
        Ok(text) if text == SKILL_TEXT => say(format!("{SKILL} is there already")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            change.make(["wrote", "write"], SKILL, || Ok(write_whole(&skill, SKILL_TEXT)?))?;
        }
        _ => say(format!("note: {SKILL} is another one, and was left as it is")),
    }
    if !change.dry_run {
        say_lines(next(repository)?);
    }
    Ok(())
}

/// Tells what is to be typed behind an install: where the agreed policy guards the files, a person decides on them.
fn next(repository: &GitRepository) -> Result<String, Stop> {
    let head = repository.head_commit()?.map_or(Side::Nothing, Side::Commit);
    let policy = readable_policy(repository, head)?;
    let mut files = vec![SETTINGS, SKILL];
    files.retain(|file| {
        policy.as_ref().is_some_and(|policy| policy.is_guarded(&RepoPath::from(*file)))
    });
    if files.is_empty() {
        let next = "next: git add .claude, then git commit; Git's own hooks come with `orch hooks install`";
        return Ok(next.to_owned());
    }
    let words =
        ["Ask orch before each step", "Agents forget", "The harness asks orch before a commit"];
    Ok(decide::to_be_typed("orch/agents", words, &files))
}

/// Takes away what [`install`] brought, and nothing else.
pub(super) fn uninstall(repository: &GitRepository, change: Change) -> Result<(), Stop> {
    let top = top_of(repository)?;
    refuse_links(top)?;
    let (file, mut settings) = read(top, SETTINGS)?;
    if settings.names(COMMAND) {
        let verbs = ["took the guard out of", "take the guard out of"];
        change.make(verbs, SETTINGS, || {
            let before = remembered(repository, &settings).unwrap_or_else(|| {
                let new = settings.text() == fresh().text();
                settings.remove(COMMAND);
                Some(settings.text().to_owned()).filter(|_| !new)
            });
            match before {
                Some(text) => write_whole(&file, text)?,
                None => fs::remove_file(&file).map_err(|error| unable(&file, &error))?,
            }
            Ok(())
        })?;
    }
    let skill = top.join(SKILL);
    if fs::read_to_string(&skill).is_ok_and(|text| text == SKILL_TEXT) {
        change.make(["removed", "remove"], SKILL, || {
            Ok(fs::remove_file(&skill).map_err(|error| unable(&skill, &error))?)
        })?;
    }
    if !change.dry_run {
        for file in [&skill, &file] {
            remove_empty_folders(top, file);
        }
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

/// Adds to the settings what they lack.
fn add(settings: &mut Settings) {
    for (event, tool) in EVENTS {
        if !settings.runs(event, tool, COMMAND) {
            settings.add(event, &group(tool));
        }
    }
}

/// Gives what is written where there were no settings.
fn fresh() -> Settings {
    let mut settings = Settings::of("").expect("nothing is an object without members");
    add(&mut settings);
    settings
}

/// How the settings of this repository stand to orch.
pub(super) enum Asking {
    /// They ask it.
    Asks,
    /// They don't name it.
    Not,
    /// They name it, and yet it is not asked, or nobody can tell: why, and what to do.
    Broken(String),
}

/// Tells whether the settings of this repository ask orch.
pub(super) fn asked(repository: &GitRepository) -> Asking {
    let settings = |name| top_of(repository).and_then(|top| Ok(read(top, name)?.1));
    let Ok(shared) = settings(SETTINGS) else {
        return Asking::Broken(format!("{SETTINGS} can't be read; mend it"));
    };
    if !shared.names(COMMAND) {
        return Asking::Not;
    }
    let switch = [SETTINGS, OWN_SETTINGS]
        .into_iter()
        .find(|name| settings(name).is_ok_and(|settings| settings.runs_none()));
    match switch {
        Some(name) => Asking::Broken(format!(
            "{SETTINGS} names orch, but `disableAllHooks` in {name} switches all hooks off; take it out"
        )),
        None if !asks_at_all(&shared) => Asking::Broken(format!(
            "{SETTINGS} names orch, but not for the Bash tool and at the end of a turn; type: orch hooks \
             install --agents"
        )),
        None => Asking::Asks,
    }
}

fn asks_at_all(settings: &Settings) -> bool {
    EVENTS.iter().all(|(event, tool)| settings.runs(event, *tool, COMMAND))
}

/// Where is kept what the settings held before orch came into them, so that they can be put back as they were.
fn note_of(repository: &GitRepository) -> PathBuf {
    repository.git_dir().join("orch").join("settings-before")
}

/// Keeps what the settings hold now: a mark and their text, or nothing where there are none.
fn remember(repository: &GitRepository, file: &Path) -> Result<(), Stop> {
    let before = fs::read_to_string(file).map(|text| format!("={text}")).unwrap_or_default();
    Ok(write_whole(&note_of(repository), before)?)
}

/// Gives what was kept, if orch's hooks are all that has changed since: the text before, or that there was none.
fn remembered(repository: &GitRepository, now: &Settings) -> Option<Option<String>> {
    let note = note_of(repository);
    let kept = fs::read_to_string(&note).ok()?;
    // It is of no use to a later install, which keeps its own.
    let _stale_at_worst = fs::remove_file(&note);
    let before = kept.strip_prefix('=');
    let mut again = Settings::of(before.unwrap_or_default()).ok()?;
    add(&mut again);
    (again.text() == now.text()).then(|| before.map(str::to_owned))
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

/// Reads settings, which may be missing.
fn read(top: &Path, name: &str) -> Result<(PathBuf, Settings), Stop> {
    let file = top.join(name);
    if fs::metadata(&file).is_ok_and(|found| !found.is_file()) {
        let help = "put a file there, then do this again";
        return Err(Stop::denied(format!("{name} is no file"), help));
    }
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(unable(&file, &error).into()),
    };
    let settings = Settings::of(&text).map_err(|why| {
        Stop::denied(format!("{name} can't be read: {why}"), "mend it, then do this again")
    })?;
    Ok((file, settings))
}
