//! The bench of one task: its worktree, and the commands that are run there in somebody's name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::cli::Stop;
use crate::cli::signals::Signals;
use crate::policy::Policy;
use crate::snapshot::{Fault, patiently};
use crate::source::{AgentName, RepoPath, TaskId};

/// How often a command is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// Where the worktrees of a dispatch lie, and who speaks in them.
#[derive(Debug)]
pub(super) struct Shop {
    /// The top of the working tree that the work is merged into.
    pub(super) top: PathBuf,
    /// The folder of the worktrees.
    pub(super) worktrees: PathBuf,
    /// Where prompts and the output of commands are kept.
    pub(super) notes: PathBuf,
    /// This program.
    pub(super) program: PathBuf,
    /// The context of this dispatch; each run's is made of it.
    pub(super) session: String,
    /// Whether Git's own hooks ask the guard at each commit and merge.
    pub(super) hooked: bool,
    /// Whether each run is claimed at the remote first.
    pub(super) claims: bool,
    /// Worktrees that no task uses. Git's list of worktrees is changed by who holds this.
    pub(super) spare: Mutex<Vec<PathBuf>>,
    /// How many worktrees were set aside so far.
    pub(super) made: AtomicUsize,
}

/// Somebody, in whose name a command is run.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    agent: AgentName,
    session: String,
    /// The address that the policy binds the agent to.
    email: Option<String>,
}

impl Voice {
    /// Takes who speaks, and from which context.
    pub(super) fn new(policy: &Policy, agent: &AgentName, session: String) -> Self {
        let known = policy.agents.get(agent);
        let email = known.and_then(|known| known.identities.emails.iter().next().cloned());
        Voice { agent: agent.clone(), session, email }
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(super) struct Said {
    /// Whether it ended well.
    pub(super) success: bool,
    /// What it said last on standard error, in a line.
    pub(super) last: String,
}

impl Shop {
    /// Gives the folder of a task's worktree.
    pub(super) fn folder(&self, task: &TaskId) -> PathBuf {
        self.worktrees.join(task.as_str())
    }

    /// Gives the bench of a task; makes its worktree, at a commit and on no branch yet, if it is not
    /// there.
    pub(super) fn bench(
        &self,
        task: &TaskId,
        base: &str,
        branch: Option<&str>,
    ) -> Result<Bench<'_>, Stop> {
        let folder = self.folder(task);
        if !folder.join(".git").exists() {
            fs::create_dir_all(&self.worktrees)
                .map_err(|error| unwritable(&self.worktrees, &error))?;
            self.make(&folder, base)?;
            self.go_back_to(&folder, base, branch)?;
        }
        let log = self.notes.join(format!("{task}.log"));
        fs::create_dir_all(&self.notes).map_err(|error| unwritable(&self.notes, &error))?;
        let ledger = ledger_of(&folder, task)?;
        let clock = self.notes.join(format!("{task}.time"));
        let (task, base) = (task.clone(), base.to_owned());
        Ok(Bench { shop: self, task, base, ledger, folder, log, clock })
    }

    /// Makes a worktree: of one that is not used any more, which costs only what differs, or anew.
    fn make(&self, folder: &Path, base: &str) -> Result<(), Stop> {
        let place = folder.display().to_string();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(used) = spare.pop() else {
            // One whose folder somebody deleted is none any more.
            self.git(&self.top, &["worktree", "prune"], None)?;
            let add = ["worktree", "add", "--quiet", "--force", "--detach", &place, base];
            return must(self.git(&self.top, &add, None)?, "git worktree add").map(drop);
        };
        let take = ["worktree", "move", &used.display().to_string(), &place];
        must(self.git(&self.top, &take, None)?, "git worktree move")?;
        drop(spare);
        let checkout = ["checkout", "--quiet", "--force", "--detach", base];
        must(self.git(folder, &checkout, None)?, "git checkout")?;
        // Nothing of the task before is left, not even what Git ignores.
        must(self.git(folder, &["clean", "-ffdxq"], None)?, "git clean").map(drop)
    }

    /// Checks out the branch of a run whose worktree is gone. One that holds nothing is begun anew.
    fn go_back_to(&self, folder: &Path, base: &str, branch: Option<&str>) -> Result<(), Stop> {
        let Some(branch) = branch else { return Ok(()) };
        let name = format!("refs/heads/{branch}");
        let there = self.git(folder, &["rev-parse", "--verify", "--quiet", &name], None)?;
        if !there.status.success() {
            return Ok(());
        }
        let merged = ["merge-base", "--is-ancestor", &name, base];
        let step: &[&str] = match self.git(folder, &merged, None)?.status.success() {
            true => &["branch", "--quiet", "--delete", "--force", branch],
            false => &["switch", "--quiet", branch],
        };
        must(self.git(folder, step, None)?, &format!("git {}", step[0])).map(drop)
    }

    /// Deletes a branch that was merged, and keeps its worktree for another task.
    pub(super) fn clear(&self, task: &TaskId, branch: &str) -> Result<(), Stop> {
        let folder = self.folder(task);
        must(self.git(&folder, &["checkout", "--quiet", "--detach"], None)?, "git checkout")?;
        let delete = ["branch", "--quiet", "--delete", branch];
        must(self.git(&self.top, &delete, None)?, "git branch --delete")?;
        // Its name is free again: the next stage of the task gets a worktree of its own.
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        let kept = self.worktrees.join(format!("{SPARE}{}-{number}", std::process::id()));
        let set_aside =
            ["worktree", "move", &folder.display().to_string(), &kept.display().to_string()];
        must(self.git(&self.top, &set_aside, None)?, "git worktree move")?;
        spare.push(kept);
        Ok(())
    }

    /// Takes the worktrees away that no task uses; those of tasks that failed or rest are kept.
    pub(super) fn close(&self) {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        for folder in &*spare {
            let remove = ["worktree", "remove", "--force", &folder.display().to_string()];
            // What can't be removed is no task's, and in nobody's way.
            let _left_behind = self.git(&self.top, &remove, None);
        }
        let _not_empty = fs::remove_dir(&self.worktrees);
    }

    /// Runs Git in a folder.
    pub(super) fn git(
        &self,
        folder: &Path,
        arguments: &[&str],
        voice: Option<&Voice>,
    ) -> Result<Output, Stop> {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        speak(&mut command, voice);
        patiently(|| command.output()).map_err(|error| {
            Stop::fault(format!("`git` can't be run: {error}"), "install Git 2.25 or newer")
        })
    }
}

/// A task's worktree.
#[derive(Debug)]
pub(super) struct Bench<'s> {
    shop: &'s Shop,
    /// The task.
    pub(super) task: TaskId,
    /// The commit that its branch starts from.
    base: String,
    /// The folder of the task's ledger.
    pub(super) ledger: RepoPath,
    /// The worktree's folder.
    pub(super) folder: PathBuf,
    /// Where the output of its commands is kept.
    pub(super) log: PathBuf,
    /// Where the agent's command's time is told.
    pub(super) clock: PathBuf,
}

impl Bench<'_> {
    /// Runs Git here, which must do it.
    pub(super) fn git(&self, arguments: &[&str], voice: Option<&Voice>) -> Result<String, Stop> {
        let output = self.shop.git(&self.folder, arguments, voice)?;
        must(output, &format!("git {}", arguments.first().unwrap_or(&"")))
    }

    /// Tells whether something is staged.
    pub(super) fn is_staged(&self) -> Result<bool, Stop> {
        let output = self.shop.git(&self.folder, &["diff", "--cached", "--quiet"], None)?;
        Ok(!output.status.success())
    }

    /// Tells whether anything but records differs from where the branch started.
    pub(super) fn has_work(&self) -> Result<bool, Stop> {
        let start = self.git(&["merge-base", "HEAD", &self.base], None)?;
        let diff = ["diff", "--cached", "--quiet", start.trim(), "--", ".", ":(exclude).orch"];
        Ok(!self.shop.git(&self.folder, &diff, None)?.status.success())
    }

    /// Commits what is staged, through the hooks, in somebody's name; tells how that ended.
    pub(super) fn commit(&self, message: &str, voice: &Voice) -> Result<Said, Stop> {
        let commit = ["commit", "--quiet", "--message", message];
        self.shop.git(&self.folder, &commit, Some(voice)).map(said)
    }

    /// Runs orch here, as somebody. It is asked to end when `stop` is set; what it prints is kept.
    pub(super) fn orch(
        &self,
        arguments: &[&str],
        voice: &Voice,
        more: &[(&str, &str)],
        stop: Option<&AtomicBool>,
    ) -> Result<Said, Stop> {
        let keep = || File::options().create(true).append(true).open(&self.log);
        let log = keep().map_err(|error| unwritable(&self.log, &error))?;
        let before = log.metadata().map_or(0, |data| data.len());
        let (out, err) = (log.try_clone(), log.try_clone());
        let (out, err) =
            out.and_then(|out| Ok((out, err?))).map_err(|e| unwritable(&self.log, &e))?;
        let mut command = Command::new(&self.shop.program);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command.envs(more.iter().copied()).env("NO_COLOR", "1").stdout(out).stderr(err);
        speak(&mut command, Some(voice));
        Signals::set_apart(&mut command);
        let mut child = command.spawn().map_err(|error| {
            Stop::fault(format!("orch can't run itself: {error}"), "run it by its path")
        })?;
        let mut asked = false;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => {}
                Err(error) => {
                    return Err(Stop::fault(format!("orch is lost: {error}"), "try again"));
                }
            }
            if !asked && stop.is_some_and(|stop| stop.load(Ordering::SeqCst)) {
                Signals::ask(&child);
                asked = true;
            }
            std::thread::sleep(GLANCE);
        };
        Ok(Said { success: status.success(), last: reason(&self.log, before) })
    }
}

/// How the names of worktrees begin that no task uses.
const SPARE: &str = ".spare-";

/// Gives the worktrees that a dispatch which was killed did not put away.
pub(super) fn left_behind(worktrees: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(worktrees).into_iter().flatten().flatten();
    let spare = found.filter(|entry| entry.file_name().to_string_lossy().starts_with(SPARE));
    spare.map(|entry| entry.path()).collect()
}

/// Finds the folder of a task's ledger, below the month that it was opened in.
fn ledger_of(folder: &Path, task: &TaskId) -> Result<RepoPath, Stop> {
    let shelf = folder.join(".orch/tasks");
    let months = fs::read_dir(&shelf).into_iter().flatten().flatten();
    let mut ledgers = months.filter(|month| month.path().join(task.as_str()).is_dir());
    let month = ledgers.next().map(|month| month.file_name().to_string_lossy().into_owned());
    let ledger = month.map(|month| RepoPath::from(format!(".orch/tasks/{month}/{task}").as_str()));
    ledger.ok_or_else(|| {
        let help = "commit the task first: `git commit`";
        Stop::fault(format!("{} has no ledger of {task}", folder.display()), help)
    })
}

/// Gives a command who it speaks for. What of Git's own variables a hook left belongs to another
/// folder.
fn speak(command: &mut Command, voice: Option<&Voice>) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let kept = text.starts_with("GIT_CONFIG")
            || text.starts_with("GIT_AUTHOR")
            || text.starts_with("GIT_COMMITTER");
        if text.starts_with("GIT_") && !kept {
            command.env_remove(name);
        }
    }
    command.env_remove("ORCH_RUN_ID");
    let Some(voice) = voice else { return };
    command.env("ORCH_AGENT", voice.agent.as_str()).env("ORCH_SESSION", &voice.session);
    if let Some(email) = &voice.email {
        for (name, address) in
            [("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"), ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")]
        {
            command.env(name, voice.agent.as_str()).env(address, email);
        }
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Stop {
    let message = format!("{} can't be written: {error}", path.display());
    Stop::Fault(Fault::new(message, "make room, or make the folder writable"))
}

fn must(output: Output, what: &str) -> Result<String, Stop> {
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(Stop::fault(format!("`{what}` failed: {told}"), "mend that, and dispatch again"))
        }
    }
}

fn said(output: Output) -> Said {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Said { success: output.status.success(), last: line_of(&text) }
}

/// Gives why a command that said this failed: what a refusal says, else its last line.
pub(super) fn line_of(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let head = lines.iter().find(|line| line.starts_with("error["));
    let says = lines.iter().position(|line| line.trim_start().starts_with("× "));
    if let (Some(head), Some(says)) = (head, says) {
        // A long sentence goes on in the lines below it.
        let goes_on = lines[says + 1..].iter().map_while(|line| line.strip_prefix("  │ "));
        let first = lines[says].trim_start().trim_start_matches("× ");
        let sentence: Vec<&str> = std::iter::once(first).chain(goes_on).map(str::trim).collect();
        return format!("{head}: {}", sentence.join(" "));
    }
    let git = lines.iter().position(|line| {
        ["error: ", "CONFLICT ", "fatal: "].iter().any(|word| line.starts_with(word))
    });
    if let Some(at) = git {
        // Git names the files below, each behind a tab.
        let files = lines[at + 1..].iter().map_while(|line| line.strip_prefix('\t'));
        let words: Vec<&str> = std::iter::once(lines[at]).chain(files).map(str::trim).collect();
        return words.join(" ");
    }
    let last = lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty());
    last.unwrap_or_default().to_owned()
}

fn reason(log: &Path, before: u64) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let from = usize::try_from(before).unwrap_or_default().min(bytes.len());
    line_of(&String::from_utf8_lossy(&bytes[from..]))
}
