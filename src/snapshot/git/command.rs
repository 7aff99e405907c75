//! What only Git itself does well: writing the index and making branches.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::path::absolute;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use gix::bstr::ByteSlice as _;

use super::GitRepository;
use crate::snapshot::{Fault, Oid};
use crate::source::RepoPath;

impl GitRepository {
    /// Runs Git at the top of the working tree, in the environment this repository was opened
    /// with, and gives what it printed. A command that fails is a fault with Git's own words.
    pub fn run_git<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<String, Fault> {
        let output = self.git(arguments, Talk::Listen)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(failed(arguments, &output))
    }

    /// Runs Git and gives what it told on standard error, however it ended.
    pub(super) fn git_told(&self, arguments: &[&str]) -> Result<String, Fault> {
        let output = self.git(arguments, Talk::Listen)?;
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Stages files as they are in the working tree; one that is gone is staged as deleted.
    pub fn stage(&self, paths: &[RepoPath]) -> Result<(), Fault> {
        if paths.is_empty() {
            return Ok(());
        }
        let mut arguments = vec!["--literal-pathspecs", "add"];
        if self.store.repo.config_snapshot().boolean("core.sparseCheckout") == Some(true) {
            arguments.push("--sparse");
        }
        arguments.extend(["--pathspec-from-file=-", "--pathspec-file-nul"]);
        let list = nul_separated(paths);
        let output = self.git(&arguments, Talk::Tell(&list))?;
        *self.index.borrow_mut() = None;
        if output.status.success() {
            return Ok(());
        }
        Err(self.ignored(&list).unwrap_or_else(|| failed(&arguments, &output)))
    }

    /// Creates a branch at `start`, or else at HEAD, and checks it out.
    pub fn create_branch(&self, name: &str, start: Option<Oid>) -> Result<(), Fault> {
        if name.starts_with('-') {
            return Err(Fault::new(
                format!("`{name}` can't name a branch"),
                "choose a name that begins with a letter",
            ));
        }
        let start = start.map(|oid| oid.to_string());
        let mut arguments = vec!["switch", "--quiet", "--no-track", "--create", name];
        arguments.extend(start.as_deref());
        self.run_git(&arguments)?;
        *self.index.borrow_mut() = None;
        Ok(())
    }

    /// Runs Git, tells it some input, and gives what it printed. A command that fails is a fault.
    pub(super) fn ask_git(&self, arguments: &[&str], input: &[u8]) -> Result<String, Fault> {
        let output = self.git(arguments, Talk::Ask(input))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(failed(arguments, &output))
    }

    pub(super) fn git<S: AsRef<OsStr>>(
        &self,
        arguments: &[S],
        talk: Talk<'_>,
    ) -> Result<Output, Fault> {
        patiently(|| self.git_once(arguments, talk))
    }

    fn git_once<S: AsRef<OsStr>>(&self, arguments: &[S], talk: Talk<'_>) -> Result<Output, Fault> {
        let unable = |error: std::io::Error| {
            Fault::new(
                format!("`git` can't be run: {error}"),
                "install Git 2.25 or newer, or put it on the PATH",
            )
        };
        let mut command = Command::new("git");
        command.args(arguments).env_clear().envs(self.environment.variables());
        if let Some(index) = self.named_index() {
            command.env("GIT_INDEX_FILE", index);
        }
        for name in ["GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE"] {
            if let Some(named) = self.environment.path(name) {
                let joined = self.directory.join(named);
                command.env(name, absolute(&joined).unwrap_or(joined));
            }
        }
        command.current_dir(self.work_dir().unwrap_or(self.git_dir()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let held = self.held.borrow().as_ref().map(File::try_clone).transpose().map_err(unable)?;
        let held = held.map_or_else(Stdio::null, Stdio::from);
        let input = match talk {
            Talk::Listen => {
                command.stdin(held);
                &[]
            }
            Talk::Tell(input) => {
                command.stdout(held);
                input
            }
            Talk::Ask(input) => input,
        };
        let mut child = command.spawn().map_err(unable)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A Git that fails at once closes its end early; its own words say why.
            let _closed = stdin.write_all(input);
        }
        child.wait_with_output().map_err(unable)
    }

    /// Explains a refusal to add: which pattern of which file ignores the path.
    fn ignored(&self, list: &[u8]) -> Option<Fault> {
        let output = self.git(&["check-ignore", "-v", "-z", "--stdin"], Talk::Ask(list)).ok()?;
        let mut fields = output.stdout.split_str("\0").map(|field| field.to_str_lossy());
        let (file, line, pattern, path) =
            (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let seen = self.topmost_ignored(&path).unwrap_or_else(|| path.clone().into_owned());
        let (path, seen) = (RepoPath::from(&*path), RepoPath::from(seen.as_str()));
        Some(Fault::new(
            format!("`{path}` is ignored by the pattern `{pattern}` in {file}, line {line}"),
            format!(
                "let Git see it: put a line `!/{seen}` below that pattern, or remove the pattern"
            ),
        ))
    }

    /// Gives the topmost folder of a path that is ignored: Git lets nothing in again that lies below one.
    fn topmost_ignored(&self, path: &str) -> Option<String> {
        let folders = path.match_indices('/').map(|(at, _)| format!("{}\0", &path[..=at]));
        let list = folders.collect::<String>();
        let output =
            self.git(&["check-ignore", "-z", "--stdin"], Talk::Ask(list.as_bytes())).ok()?;
        let first = output.stdout.split_str("\0").next().filter(|first| !first.is_empty())?;
        Some(first.to_str_lossy().into_owned())
    }
}

/// Runs a Git again that stumbled over a worktree which another process is adding: for a moment, a file that says where
/// its repository is has no bytes yet, and Git ends before it does anything. One that stays so is told after a second.
pub(crate) fn patiently<E>(mut git: impl FnMut() -> Result<Output, E>) -> Result<Output, E> {
    for _ in 0..50 {
        let output = git()?;
        if output.status.success() || !output.stderr.contains_str("/commondir") {
            return Ok(output);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    git()
}

/// What is said to a Git, and whether it answers. Where it does not use a stream, it gets the lock
/// instead, so that the lock is held as long as it lives.
#[derive(Clone, Copy)]
pub(super) enum Talk<'i> {
    /// It is only listened to.
    Listen,
    /// It is told something, and prints nothing.
    Tell(&'i [u8]),
    /// It is told something, and answers.
    Ask(&'i [u8]),
}

fn nul_separated(paths: &[RepoPath]) -> Vec<u8> {
    let mut list = Vec::new();
    for path in paths {
        list.extend_from_slice(path.as_bytes());
        list.push(0);
    }
    list
}

fn failed<S: AsRef<OsStr>>(arguments: &[S], output: &Output) -> Fault {
    let words: Vec<_> = arguments.iter().map(|word| word.as_ref().to_string_lossy()).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
    let help = match said.contains("index.lock': File exists") {
        true => {
            "another Git writes the index now, or one was cut off: try again; if no `git` runs here, \
             remove its lock: `rm \"$(git rev-parse --git-path index.lock)\"`"
        }
        false => "run it by hand to see all that Git says",
    };
    Fault::new(format!("`git {}` failed: {}", words.join(" "), first.trim()), help)
}
