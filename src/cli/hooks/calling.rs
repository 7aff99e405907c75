//! Whether a hook calls orch, whoever wrote it, as far as a reader can tell.

use std::fs;
use std::path::{Path, PathBuf};

use super::{HOOKS, MARK, Manager, SERVER_HOOKS, hooks_of, script, shell};
use crate::snapshot::GitRepository;

/// How a hook stands to orch.
pub(super) enum Calling {
    /// It calls it: how it comes to, in words.
    Calls(String),
    /// It does not, or nobody can tell: why, in words.
    Not(&'static str),
}

/// Tells whether a hook of this repository calls orch.
pub(in crate::cli) fn calls_orch(repository: &GitRepository, name: &str) -> bool {
    matches!(calling(repository, name), Calling::Calls(_))
}

/// Gives the hooks that this repository should have and that don't call orch.
pub(in crate::cli) fn missing(repository: &GitRepository) -> Vec<&'static str> {
    let names = hooks_of(repository).iter().map(|(name, _)| *name);
    names.filter(|name| !calls_orch(repository, name)).collect()
}

/// Tells how a hook stands to orch.
pub(super) fn calling(repository: &GitRepository, name: &str) -> Calling {
    let file = repository.hooks_dir().join(name);
    let Ok(text) = fs::read_to_string(&file) else {
        return Calling::Not(if file.exists() { "can't be read" } else { "missing" });
    };
    if !may_run(&file) {
        return Calling::Not("there, but nobody may execute it");
    }
    if text.contains(MARK) {
        return match is_as_installed(name, &text) {
            true => Calling::Calls("installed".into()),
            false => Calling::Not("installed, and changed since, or by another version of orch"),
        };
    }
    if calls_guard(&text) {
        return Calling::Calls("calls orch".into());
    }
    let manager = Manager::of(repository).filter(|manager| text.contains(manager.word));
    match manager.filter(|manager| manager.calls_orch(repository, name)) {
        Some(manager) => Calling::Calls(format!("calls orch through {}", manager.name)),
        None => Calling::Not("another hook, which does not call orch"),
    }
}

/// Tells whether a hook of ours is the one that this version installs.
fn is_as_installed(name: &str, text: &str) -> bool {
    let mut known = HOOKS.iter().chain(&SERVER_HOOKS).filter(|(known, _)| *known == name);
    let Some(program) = named_in(text) else { return false };
    known.any(|(_, call)| script(name, call, &program) == text)
}

/// Gives the program that a hook of ours names.
pub(super) fn named_in(hook: &str) -> Option<PathBuf> {
    let named = hook.lines().find_map(|line| line.strip_prefix("orch='")?.strip_suffix('\''))?;
    Some(PathBuf::from(named.replace("'\\''", "'")))
}

/// Tells whether a script of somebody's own comes to `orch guard`, and fails as it does: not in a comment, not behind an
/// `exit`, and not with an answer that nobody hears.
fn calls_guard(script: &str) -> bool {
    let reached = script.lines().take_while(|line| !line.starts_with("exit"));
    reached
        .filter(|line| !["|| true", "|| :", "|| exit 0"].iter().any(|deaf| line.contains(deaf)))
        .any(|line| {
            let commands = shell::commands(line);
            let before = commands.first().is_none_or(|words| words[0] != "false");
            before && commands.iter().any(|words| is_guard(words))
        })
}

/// Tells whether a command is `orch guard`, behind words that only lead to it.
fn is_guard(words: &[String]) -> bool {
    let mut words = words.iter().skip_while(|word| shell::is_before_a_command(word));
    let program = words.next().and_then(|word| Path::new(word).file_name());
    program.is_some_and(|name| name == "orch" || name == "orch.exe")
        && words.next().is_some_and(|word| word == "guard")
}

impl Manager {
    /// Tells whether it was told to call orch at a hook.
    pub(super) fn calls_orch(&self, repository: &GitRepository, hook: &str) -> bool {
        let top = repository.work_dir().unwrap_or(repository.git_dir());
        let files = self.signs.iter().flat_map(|sign| [top.join(sign), top.join(sign).join(hook)]);
        let says = |text: String| {
            let mut lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
            lines.any(|line| line.contains("orch guard") || line.contains("id: orch-guard"))
        };
        files.filter_map(|file| fs::read_to_string(file).ok()).any(says)
    }
}

#[cfg(unix)]
pub(super) fn may_run(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(super) fn may_run(file: &Path) -> bool {
    file.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_made_and_heard_counts() {
        for calls in [
            "orch guard --staged",
            "set -e\nexec orch guard --staged",
            "if true; then\n  /usr/bin/orch guard --staged || exit 1\nfi",
            "npm test && env X=1 orch guard --staged",
            "command -v orch || exit 1\n\"$HOME/bin/orch\" guard --staged\nexit 0",
        ] {
            assert!(calls_guard(calls), "{calls}");
        }
        for not in [
            "# orch guard --staged\nexit 0",
            "true # orch guard --staged",
            "exit 0\norch guard --staged",
            "orch guard --staged || true",
            "echo orch guard --staged",
            "false && orch guard --staged",
            "orch verify",
            "",
        ] {
            assert!(!calls_guard(not), "{not}");
        }
    }
}
