//! One attempt at a run, as its command is told of it, and the command itself.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::beat::{Heartbeat, Tail};
use super::claim::Claim;
use crate::cli::Stop;
use crate::cli::signals::Signals;
use crate::record::kind::Run;
use crate::snapshot::Fault;
use crate::source::path::unprintable;
use crate::source::{Digest, TaskId};

/// How often a command is looked at.
const GLANCE: Duration = Duration::from_millis(25);
/// How much of the end of its output its failure is classified by, in bytes.
const TOLD: u64 = 1 << 20;
/// How much of its last line goes on the record, in characters.
const LAST_LINE: usize = 200;

/// One attempt at a run.
pub(super) struct Order {
    /// The task.
    pub(super) task: TaskId,
    /// The run, as it was begun.
    pub(super) run: Run,
    /// How many attempts there may be in all, if failures are transient.
    pub(super) of: u32,
    /// The context that it is done from.
    pub(super) session: Option<String>,
    /// Whether what it left running in the background ends with it.
    pub(super) leaves_nobody: bool,
    /// How long it may take.
    pub(super) timeout: Option<Duration>,
    /// Where its output is kept, on this machine.
    pub(super) log: PathBuf,
    /// What its agent is told.
    pub(super) prompt: Prompt,
}

/// What an agent is told of a run.
pub(super) enum Prompt {
    /// This, which is written beside the log.
    Text(String),
    /// What stands in this file.
    File(PathBuf),
}

/// How a command ended, and what it left.
pub(super) struct Ended {
    /// How.
    pub(super) how: How,
    /// How long it took.
    pub(super) took: Duration,
    /// Digest of its whole output.
    pub(super) log: Digest,
    /// The end of its output, as text.
    pub(super) output: String,
}

/// How a command ended.
pub(super) enum How {
    /// By itself, with this code; with none if somebody else's signal ended it.
    Exited(Option<i32>),
    /// It took too long, and was ended.
    TimedOut,
    /// This process got a signal to end, and ended it.
    Interrupted,
    /// It could not be started at all.
    NotStarted(String),
}

impl Order {
    /// Runs the command to its end.
    pub(super) fn carry_out(
        &self,
        words: &[OsString],
        claim: &mut Claim,
        signals: &Signals,
    ) -> Result<Ended, Stop> {
        let unable = |error: std::io::Error| {
            let message = format!("the log {} can't be kept: {error}", self.log.display());
            Stop::Fault(Fault::new(message, "make room, or make the folder writable"))
        };
        fs::create_dir_all(self.log.parent().unwrap_or(Path::new("."))).map_err(unable)?;
        let log = File::options().create(true).append(true).open(&self.log).map_err(unable)?;
        let offset = log.metadata().map_err(unable)?.len();
        let tail = Tail::of(&self.log, offset).map_err(unable)?;
        let begun = Instant::now();
        let told = match &self.prompt {
            Prompt::File(file) => file.clone(),
            Prompt::Text(text) => {
                let file = self.log.with_extension("md");
                fs::write(&file, text).map_err(unable)?;
                file
            }
        };
        let mut command = self.command(words);
        command.env("ORCH_PROMPT_FILE", told);
        command.stdin(claim.input().map_err(unable)?);
        command.stdout(log.try_clone().map_err(unable)?).stderr(log);
        let how = match command.spawn() {
            Ok(mut child) => {
                claim.name(child.id());
                let how = self.watch(&mut child, tail, signals);
                claim.name(std::process::id());
                how
            }
            Err(error) => How::NotStarted(error.to_string()),
        };
        let mut log = File::open(&self.log).map_err(unable)?;
        let digest = Digest::of_all(&mut log).map_err(unable)?;
        let output = last_part(&mut log, offset).map_err(unable)?;
        Ok(Ended { how, took: begun.elapsed(), log: digest, output })
    }

    fn command(&self, words: &[OsString]) -> Command {
        let run = &self.run;
        let (task, stage, id) = (&self.task, &run.stage, &run.run_id);
        let mut command = Command::new(words.first().map_or(OsStr::new(""), OsString::as_os_str));
        command.args(words.iter().skip(1));
        let checkpoint = run.checkpoint.as_ref().map(|reached| reached.name.clone());
        for (name, text) in [
            ("ORCH_TASK", Some(task.to_string())),
            ("ORCH_STAGE", Some(stage.to_string())),
            ("ORCH_RUN_ID", Some(id.to_string())),
            ("ORCH_ATTEMPT", Some(run.attempt.to_string())),
            ("ORCH_LANE", Some(run.lane.to_string())),
            ("ORCH_BRANCH", run.branch.clone()),
            ("ORCH_CHECKPOINT", checkpoint),
            // The same for every attempt, so that who gets an order twice sees that it is one.
            ("ORCH_IDEMPOTENCY_KEY", Some(format!("{task}/{stage}/{id}"))),
            ("ORCH_AGENT", Some(run.agent.to_string())),
            ("ORCH_SESSION", self.session.clone()),
        ] {
            match text {
                Some(text) => command.env(name, text),
                None => command.env_remove(name),
            };
        }
        Signals::set_apart(&mut command);
        command
    }

    fn watch(&self, child: &mut Child, mut tail: Tail, signals: &Signals) -> How {
        let title =
            format!("stage {}, attempt {} of {}", self.run.stage, self.run.attempt, self.of);
        let (heartbeat, begun) = (Heartbeat::begin(&title), Instant::now());
        let how = loop {
            if let Ok(Some(status)) = child.try_wait() {
                break How::Exited(status.code());
            }
            if signals.caught().is_some() {
                Signals::end(child);
                break How::Interrupted;
            }
            if self.timeout.is_some_and(|timeout| begun.elapsed() >= timeout) {
                Signals::end(child);
                break How::TimedOut;
            }
            tail.pass_on(&heartbeat);
            heartbeat.beat();
            std::thread::sleep(GLANCE);
        };
        let _reaped = child.wait();
        if self.leaves_nobody {
            Signals::end(child);
        }
        tail.finish(heartbeat);
        how
    }
}

/// Reads the end of what came behind `offset`.
fn last_part(log: &mut File, offset: u64) -> std::io::Result<String> {
    let length = log.metadata()?.len();
    log.seek(SeekFrom::Start(offset.max(length.saturating_sub(TOLD))))?;
    let mut bytes = Vec::new();
    log.take(TOLD).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Ended {
    /// Gives the last line of the output that says something, as a record may hold it.
    pub(super) fn last_line(&self) -> Option<String> {
        let visible = |line: &str| -> String {
            let plain = line.chars().filter(|character| !unprintable(*character));
            plain.take(LAST_LINE).collect::<String>().trim().to_owned()
        };
        self.output.lines().rev().map(visible).find(|line| !line.is_empty())
    }
}

/// Finds the program that a command names, as the system would; none if there is none.
pub(super) fn program(name: &OsStr, directory: &Path) -> Option<PathBuf> {
    if Path::new(name).components().count() > 1 {
        return Some(directory.join(name)).filter(|file| is_program(file));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut files = std::env::split_paths(&path).map(|folder| directory.join(folder).join(name));
    files.find(|file| is_program(file))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Elsewhere, names are completed in ways that only the system knows.
#[cfg(not(unix))]
fn is_program(_file: &Path) -> bool {
    true
}
