//! The stage of the demo: runs real commands in its own repository, tells what happens, and
//! remembers which bypasses were refused.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::cli::Stop;
use crate::cli::output::{say, say_lines, style};
use crate::source::many;

/// A repository, and what happened in it.
pub(super) struct Play {
    folder: PathBuf,
    program: PathBuf,
    refusals: Vec<Refusal>,
    commits: usize,
}

/// A bypass that was tried.
struct Refusal {
    what: &'static str,
    check: &'static str,
    refused: bool,
}

/// Who does something: an agent, and the context it works in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Actor {
    pub(super) name: &'static str,
    pub(super) session: &'static str,
}

impl Play {
    /// Makes the repository.
    pub(super) fn begin(folder: PathBuf) -> Result<Self, Stop> {
        let program = std::env::current_exe().map_err(|error| {
            Stop::fault(format!("orch can't find itself: {error}"), "run it by its path")
        })?;
        let play = Play { folder, program, refusals: Vec::new(), commits: 0 };
        play.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(play)
    }

    /// Tells the reader what happens.
    pub(super) fn tell(&self, text: &str) {
        say_lines(text);
    }

    /// Begins a new act.
    pub(super) fn act(&self, title: &str) {
        say_lines(format!("\n== {title}"));
    }

    /// Writes a file of the working tree.
    pub(super) fn write(&self, path: &str, text: &str) -> Result<(), Stop> {
        let file = self.folder.join(path);
        let written = file
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&file, text));
        written
            .map_err(|error| Stop::fault(format!("{path} can't be written: {error}"), "make room"))
    }

    /// Reads a file of the working tree.
    pub(super) fn read(&self, path: &str) -> Result<String, Stop> {
        std::fs::read_to_string(self.folder.join(path))
            .map_err(|error| Stop::fault(format!("{path} can't be read: {error}"), "run it again"))
    }

    /// Runs Git, which must do it.
    pub(super) fn git(&self, arguments: &[&str]) -> Result<String, Stop> {
        let output = self.command("git", arguments, None)?;
        must(&output, "git", arguments)
    }

    /// Runs orch as someone, which must do it.
    pub(super) fn orch(&self, actor: Actor, arguments: &[&str]) -> Result<String, Stop> {
        say(format!("  {}$ orch {}", actor.name, spoken(arguments)));
        let output = self.command(&self.program.display().to_string(), arguments, Some(actor))?;
        must(&output, "orch", arguments)
    }

    /// Runs orch as someone; it must end with exit code 1, which is no refusal here: what it ran has
    /// failed, and that is on the record.
    pub(super) fn orch_fails(&self, actor: Actor, arguments: &[&str]) -> Result<(), Stop> {
        say(format!("  {}$ orch {}", actor.name, spoken(arguments)));
        let output = self.command(&self.program.display().to_string(), arguments, Some(actor))?;
        if output.status.code() != Some(1) {
            let message = format!("`orch {}` should have failed", spoken(arguments));
            return Err(Stop::fault(message, String::from_utf8_lossy(&output.stderr).trim_end()));
        }
        for line in String::from_utf8_lossy(&output.stderr).trim_end().lines() {
            say(format!("    {line}"));
        }
        Ok(())
    }

    /// Gives the name of a task's last landed entry of a kind, as decisions write it.
    pub(super) fn last_entry(&self, task: &str, kind: &str) -> Result<String, Stop> {
        let listed = self.git(&["ls-files", &format!(".orch/tasks/*/{task}/*-{kind}.yaml")])?;
        let last = listed.lines().last().and_then(|path| path.rsplit('/').next());
        let number = last.and_then(|name| name.get(..4)).and_then(|digits| digits.parse().ok());
        let number: u32 = number
            .ok_or_else(|| Stop::fault(format!("there is no {kind}"), "run the demo again"))?;
        Ok(format!("{task}/{number}"))
    }

    /// Commits what is staged, through the hook, which must let it pass.
    pub(super) fn commit(&mut self, actor: Actor, message: &str) -> Result<(), Stop> {
        say(format!("  {}$ git commit -m '{message}'", actor.name));
        let arguments = ["commit", "--quiet", "-m", message];
        let output = self.command("git", &arguments, Some(actor))?;
        must(&output, "git", &arguments)?;
        self.commits += 1;
        Ok(())
    }

    /// Merges a branch into main, through the hook, and stays there.
    pub(super) fn merge(&mut self, actor: Actor, branch: &str) -> Result<(), Stop> {
        say(format!("  {}$ git merge {branch}", actor.name));
        self.git(&["switch", "--quiet", "main"])?;
        let arguments = ["merge", "--quiet", "--no-ff", "-m", "Merge", branch];
        let output = self.command("git", &arguments, Some(actor))?;
        must(&output, "git", &arguments)?;
        self.commits += 1;
        Ok(())
    }

    /// Tries a bypass with orch; it must be refused by this check.
    pub(super) fn orch_refused(
        &mut self,
        what: &'static str,
        check: &'static str,
        actor: Actor,
        arguments: &[&str],
    ) -> Result<(), Stop> {
        say(format!("  {}$ orch {}", actor.name, spoken(arguments)));
        let output = self.command(&self.program.display().to_string(), arguments, Some(actor))?;
        self.judge(what, check, &output);
        Ok(())
    }

    /// Tries a bypass with `git commit`; the hook must refuse it by this check. What was staged is
    /// put back, so that the story can go on.
    pub(super) fn commit_refused(
        &mut self,
        what: &'static str,
        check: &'static str,
        actor: Actor,
    ) -> Result<(), Stop> {
        say(format!("  {}$ git add --all && git commit -m 'Try'", actor.name));
        self.git(&["add", "--all"])?;
        let output = self.command("git", &["commit", "--quiet", "-m", "Try"], Some(actor))?;
        self.judge(what, check, &output);
        self.git(&["reset", "--quiet", "--hard"])?;
        Ok(())
    }

    fn judge(&mut self, what: &'static str, check: &'static str, output: &Output) {
        let picture = String::from_utf8_lossy(&output.stderr);
        let named = picture.lines().any(|line| line.contains(&format!("[{check}]")));
        let refused = output.status.code() == Some(1) && named;
        let word = if refused { "refused, as it must be" } else { "NOT REFUSED" };
        say(format!("  ✗ {what}: {word} ({check})"));
        for line in picture.trim_end().lines() {
            say(format!("    {line}"));
        }
        self.refusals.push(Refusal { what, check, refused });
    }

    fn command(
        &self,
        program: &str,
        arguments: &[&str],
        actor: Option<Actor>,
    ) -> Result<Output, Stop> {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder).env_clear();
        for kept in ["PATH", "TMPDIR", "SYSTEMROOT"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        let name = actor.map_or("demo", |actor| actor.name);
        let email = format!("{name}@demo.invalid");
        command
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_TERMINAL_PROMPT", "0")])
            .env("HOME", &self.folder)
            .env("XDG_CONFIG_HOME", self.folder.join(".git"))
            .envs([("GIT_AUTHOR_NAME", name), ("GIT_COMMITTER_NAME", name)])
            .envs([("GIT_AUTHOR_EMAIL", &email), ("GIT_COMMITTER_EMAIL", &email)]);
        if !style().colour {
            command.env("NO_COLOR", "1");
        }
        if let Some(actor) = actor {
            command.env("ORCH_AGENT", actor.name).env("ORCH_SESSION", actor.session);
        }
        command.output().map_err(|error| {
            Stop::fault(format!("`{program}` can't be run: {error}"), "install Git 2.25 or newer")
        })
    }

    /// Counts the refusals; stops with exit code 1 if one is missing.
    pub(super) fn curtain(&self) -> Result<(), Stop> {
        let refused = self.refusals.iter().filter(|refusal| refusal.refused).count();
        say_lines(format!("\n== The end\n{} passed the hook.", many(self.commits, "commit")));
        say(format!("{refused} of {} bypasses were refused:", self.refusals.len()));
        for refusal in &self.refusals {
            let mark = if refusal.refused { "refused" } else { "NOT REFUSED" };
            say(format!("  {mark}  {:24}  {}", refusal.check, refusal.what));
        }
        if refused == self.refusals.len() { Ok(()) } else { Err(Stop::Refused) }
    }
}

fn must(output: &Output, program: &str, arguments: &[&str]) -> Result<String, Stop> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = format!("`{program} {}` should have passed", spoken(arguments));
    Err(Stop::fault(message, said.trim_end()))
}

/// A command as a person would type it.
fn spoken(arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|word| match word.contains([' ', '\'', '|']) {
        true => format!("'{word}'"),
        false => (*word).to_owned(),
    });
    quoted.collect::<Vec<_>>().join(" ")
}
