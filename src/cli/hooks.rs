//! `orch hooks`: install, uninstall and inspect Git hooks and agents' hooks, without harm to those that are
//! there.

mod agents;
mod calling;
mod event;
mod settings;
mod shell;
mod status;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;

pub(super) use self::calling::{calls_orch, missing};
use super::Stop;
use super::context::Context;
use super::output::{complain_lines, say};
use crate::snapshot::{Fault, GitRepository};
use crate::source::RepoPath;

#[derive(Debug, Subcommand)]
pub(super) enum Hooks {
    /// Install pre-commit, pre-merge-commit and pre-push
    #[command(
        after_help = "A hook that is there is kept, and called first. On a server, in a bare \
                        repository, `--server` installs\npre-receive instead, which also accepts the \
                        push that brings the first policy.\n`--agents` adds the guard to \
                        .claude/settings.json, beside what stands there, and writes a skill that tells\nagents how \
                        to work here; Git's own hooks are another matter.\nExample: orch hooks install"
    )]
    Install {
        /// Install pre-receive, in the repository of a server
        #[arg(long)]
        server: bool,
        /// Add the guard to the hooks of Claude Code, and write a skill, instead of Git's hooks
        #[arg(long, conflicts_with = "server")]
        agents: bool,
        #[command(flatten)]
        change: Change,
    },
    /// Remove them, and put back what was there before
    #[command(after_help = "Example: orch hooks uninstall")]
    Uninstall {
        /// Take away what `install --agents` brought, instead of Git's hooks
        #[arg(long)]
        agents: bool,
        #[command(flatten)]
        change: Change,
    },
    /// Tell what is in place around the guard, and what to type where something is not
    #[command(
        after_help = "Exit code 0 if commits are guarded here (hooks, program, policy) and agents' hooks, where \
                      they were\ninstalled, ask orch; else 1. CI, agent and session are told, and count for \
                      nothing.\nExample: orch hooks status"
    )]
    Status,
    /// Tell an agents' harness whether its next step may be; it writes the event to standard input
    #[command(
        after_help = "Claude Code runs it before a command and at the end of a turn, as Codex and Gemini \
                            CLI can.\nExit codes: 0 nothing against it, 2 blocked, 1 that was no \
                            event.\nExample: orch hooks agent-event < event.json"
    )]
    AgentEvent,
}

/// How hooks are installed and removed.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct Change {
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl Change {
    /// Does one thing, unless it is only to be foreseen, and tells of it: a verb in the past tense, and what it was done to.
    fn make(
        self,
        [done, would]: [&str; 2],
        what: impl std::fmt::Display,
        work: impl FnOnce() -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.dry_run {
            say(format!("would {would} {what}"));
            return Ok(());
        }
        work()?;
        say(format!("{done} {what}"));
        Ok(())
    }
}

/// A hook and what it calls.
type Hook = (&'static str, &'static str);

/// The hooks of a clone that somebody works in.
const HOOKS: [Hook; 3] = [
    ("pre-commit", "guard --staged"),
    ("pre-merge-commit", "guard --staged"),
    ("pre-push", "guard --pre-push \"$@\""),
];
/// The hooks of a server.
const SERVER_HOOKS: [Hook; 1] = [("pre-receive", "guard --pre-receive --bootstrap")];

/// Gives the hooks that a repository should have: a bare one is a server's.
fn hooks_of(repository: &GitRepository) -> &'static [Hook] {
    if repository.is_bare() { &SERVER_HOOKS } else { &HOOKS }
}

/// Every hook of ours says so in its second line.
const MARK: &str = "# Installed by `orch hooks install`; `orch hooks uninstall` removes it.";
/// A hook that was there before is kept under this ending, and called first.
const KEPT: &str = "before-orch";

impl Hooks {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = || context.repository();
        match self {
            Hooks::Install { agents: true, change, .. } => agents::install(&repository()?, change),
            Hooks::Install { server: true, change, .. } => {
                write_hooks(&repository()?, &SERVER_HOOKS, change)
            }
            Hooks::Install { change, .. } => install(&repository()?, change),
            Hooks::Uninstall { agents: true, change } => agents::uninstall(&repository()?, change),
            Hooks::Uninstall { agents: false, change } => uninstall(&repository()?, change),
            Hooks::Status => status::tell(context, &repository()?),
            Hooks::AgentEvent => event::answer(context),
        }
    }
}

/// A program that writes the hooks itself, and would overwrite ours.
struct Manager {
    name: &'static str,
    /// Its files, or its folder, in the working tree.
    signs: &'static [&'static str],
    /// What to add to them.
    add: &'static str,
    /// A word that is in every hook that it writes.
    word: &'static str,
    /// What lets it write them.
    install: &'static str,
}

const MANAGERS: &[Manager] = &[
    Manager {
        name: "pre-commit",
        signs: &[".pre-commit-config.yaml", ".pre-commit-config.yml"],
        add: "  - repo: local
    hooks:
      - id: orch
        name: orch guard
        entry: orch guard --staged
        language: system
        always_run: true
        pass_filenames: false
        stages: [pre-commit, pre-merge-commit]
      - id: orch-push
        name: orch guard at push
        entry: orch guard --pre-push
        language: system
        always_run: true
        pass_filenames: false
        stages: [pre-push]",
        word: "hook-impl",
        install: "pre-commit install -t pre-commit -t pre-merge-commit -t pre-push",
    },
    Manager {
        name: "lefthook",
        signs: &["lefthook.yml", "lefthook.yaml", ".lefthook.yml", ".lefthook.yaml"],
        add: "pre-commit:
  commands:
    orch: {run: orch guard --staged}
pre-merge-commit:
  commands:
    orch: {run: orch guard --staged}
pre-push:
  commands:
    orch: {run: \"orch guard --pre-push {0}\", use_stdin: true}",
        word: "lefthook",
        install: "lefthook install",
    },
    Manager {
        name: "husky",
        signs: &[".husky"],
        add: "echo 'orch guard --staged' >> .husky/pre-commit
echo 'orch guard --staged' >> .husky/pre-merge-commit
echo 'orch guard --pre-push \"$@\"' >> .husky/pre-push",
        word: "/h\"",
        install: "npx husky",
    },
];

impl Manager {
    /// Finds the one that writes the hooks of a repository, if there is one.
    fn of(repository: &GitRepository) -> Option<&'static Self> {
        let top = repository.work_dir()?;
        MANAGERS.iter().find(|manager| manager.signs.iter().any(|sign| top.join(sign).exists()))
    }
}

/// Installs every hook; where a manager writes the hooks, tells what to add to it instead.
pub(super) fn install(repository: &GitRepository, change: Change) -> Result<(), Stop> {
    if let Some(manager) = Manager::of(repository) {
        if manager.calls_orch(repository, "pre-commit") {
            let message =
                format!("{} calls orch already, and writes the hooks itself", manager.name);
            return Err(Stop::fault(message, format!("let it: `{}`", manager.install)));
        }
        complain_lines(format!(
            "{} writes the hooks of this repository; add this to it:\n\n{}\n",
            manager.name, manager.add
        ));
        return Err(Stop::fault(
            format!("no hook was installed: {} would overwrite it", manager.name),
            "add the lines above, then see `orch hooks status`",
        ));
    }
    write_hooks(repository, hooks_of(repository), change)
}

fn write_hooks(repository: &GitRepository, hooks: &[Hook], change: Change) -> Result<(), Stop> {
    let folder = own_folder(repository)?;
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("orch"));
    for &(name, call) in hooks {
        let file = folder.join(name);
        if file.exists() && !is_ours(&file) {
            let kept = free_name(&file)?;
            let what = format!("{} as {name}.{KEPT}; it is called first", file.display());
            change.make(["kept", "keep"], what, || {
                fs::rename(&file, &kept).map_err(|error| unable(&file, &error).into())
            })?;
        }
        change.make(["installed", "install"], file.display(), || {
            Ok(write_hook(&file, &script(name, call, &program))?)
        })?;
    }
    Ok(())
}

/// Gives the folder of this repository's hooks; refuses one that other repositories may share, whose commits would then
/// be judged too.
fn own_folder(repository: &GitRepository) -> Result<PathBuf, Stop> {
    let folder = repository.hooks_dir();
    let within = |own: &Path| folder.starts_with(own);
    if within(repository.common_dir()) || repository.work_dir().is_some_and(within) {
        return Ok(folder);
    }
    let own = repository.common_dir().join("hooks");
    let help = format!(
        "give this repository hooks of its own, `git config core.hooksPath {}`, and install again; or call `orch guard \
         --staged` in those hooks by hand",
        RepoPath::from(own.display().to_string().as_str()).in_shell()
    );
    let message = format!("core.hooksPath leads out of this repository, to {}", folder.display());
    Err(Stop::denied(message, help))
}

fn script(name: &str, call: &str, program: &Path) -> String {
    let program = program.display().to_string().replace('\'', "'\\''");
    let told = matches!(name, "pre-push" | "pre-receive");
    let input = if told { "input=$(cat)\n" } else { "" };
    // What Git says is passed on as it is, also if that is nothing.
    let again = "if [ -n \"$input\" ]; then printf '%s\\n' \"$input\"; fi | ";
    let (feed, orch) = if told { (again, again) } else { ("", "exec ") };
    format!(
        "#!/bin/sh
{MARK}
{input}kept=\"$(dirname \"$0\")/{name}.{KEPT}\"
if [ -x \"$kept\" ]; then {feed}\"$kept\" \"$@\" || exit $?; fi
orch='{program}'
[ -x \"$orch\" ] || orch=$(command -v orch) || {{
  echo 'orch is not installed, and this repository asks for it; see AGENTS.md' >&2
  exit 1
}}
{orch}\"$orch\" {call}
"
    )
}

fn is_ours(file: &Path) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.contains(MARK))
}

fn unable(file: &Path, error: &std::io::Error) -> Fault {
    Fault::new(format!("{} can't be changed: {error}", file.display()), "make the folder writable")
}

fn kept_name(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{KEPT}"));
    PathBuf::from(name)
}

/// Gives the name under which a hook is kept that was there before; refuses one that is taken.
fn free_name(file: &Path) -> Result<PathBuf, Stop> {
    let kept = kept_name(file);
    if kept.exists() {
        let message = format!("{} and {} are both there", file.display(), kept.display());
        return Err(Stop::fault(message, "join the two into one, then install again"));
    }
    Ok(kept)
}

fn write_hook(file: &Path, text: &str) -> Result<(), Fault> {
    super::files::write_whole(file, text)?;
    make_executable(file).map_err(|error| unable(file, &error))
}

#[cfg(unix)]
fn make_executable(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_file: &Path) -> std::io::Result<()> {
    Ok(())
}

fn uninstall(repository: &GitRepository, change: Change) -> Result<(), Stop> {
    let folder = repository.hooks_dir();
    for (name, _) in HOOKS.iter().chain(&SERVER_HOOKS) {
        let file = folder.join(name);
        if !is_ours(&file) {
            continue;
        }
        let kept = kept_name(&file);
        let verbs = match kept.exists() {
            true => ["removed ours, and put back", "remove ours, and put back"],
            false => ["removed", "remove"],
        };
        change.make(verbs, file.display(), || {
            match kept.exists() {
                true => fs::rename(&kept, &file).map_err(|error| unable(&kept, &error)),
                false => fs::remove_file(&file).map_err(|error| unable(&file, &error)),
            }?;
            Ok(())
        })?;
    }
    Ok(())
}
