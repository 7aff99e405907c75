//! A program that is run to its end: its output is kept, and nobody whom it left behind goes on.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::beat::{Heartbeat, Tail};
use super::claim::Claim;
use super::masked::masked;
use crate::cli::Stop;
use crate::cli::signals::Signals;
use crate::snapshot::Fault;
use crate::source::Digest;
use crate::source::path::unprintable;

/// How often a program is looked at.
const GLANCE: Duration = Duration::from_millis(25);
/// How much of the end of its output its failure is classified by, in bytes.
const TOLD: u64 = 1 << 20;
/// How much of a line goes on the record, in characters.
const LINE: usize = 200;

/// A program with its arguments, in a group of processes of its own.
pub(in crate::cli) struct Program<'a> {
    /// The program and its arguments; no shell reads them.
    pub(in crate::cli) words: &'a [OsString],
    /// The folder it begins in, if not this process's.
    pub(in crate::cli) directory: Option<&'a Path>,
    /// Variables that it sees, beside those of this process; those without a value it does not see.
    pub(in crate::cli) variables: Vec<(&'static str, Option<OsString>)>,
    /// What is told of it while it runs.
    pub(in crate::cli) title: String,
    /// How long it may take.
    pub(in crate::cli) timeout: Option<Duration>,
    /// Whether what it left running in the background ends with it.
    pub(in crate::cli) leaves_nobody: bool,
    /// Where its output is kept, behind what is there.
    pub(in crate::cli) log: &'a Path,
}

/// How a command ended, and what it left.
pub(in crate::cli) struct Ended {
    /// How.
    pub(in crate::cli) how: How,
    /// How long it took.
    pub(in crate::cli) took: Duration,
    /// Digest of its whole output.
    pub(in crate::cli) log: Digest,
    /// The end of its output, as text.
    pub(in crate::cli) output: String,
}

/// How a command ended.
pub(in crate::cli) enum How {
    /// By itself, with this code; with none if somebody else's signal ended it.
    Exited(Option<i32>),
    /// It took too long, and was ended.
    TimedOut,
    /// This process got a signal to end, and ended it.
    Interrupted,
    /// It could not be started at all.
    NotStarted(String),
}

impl Program<'_> {
    /// Runs it to its end; it reads nothing, and holds the claim as long as it lives.
    pub(in crate::cli) fn carry_out(
        &self,
        claim: &mut Claim,
        signals: &Signals,
    ) -> Result<Ended, Stop> {
        self.run(Some(claim), signals)
    }

    /// Runs it to its end in silence: its output is only kept, nothing is told, and nobody is kept from
    /// running it at the same time.
    pub(in crate::cli) fn ask(&self, signals: &Signals) -> Result<Ended, Stop> {
        self.run(None, signals)
    }

    fn run(&self, mut claim: Option<&mut Claim>, signals: &Signals) -> Result<Ended, Stop> {
        let unable = |error: std::io::Error| {
            let message = format!("the log {} can't be kept: {error}", self.log.display());
            Stop::Fault(Fault::new(message, "make room, or make the folder writable"))
        };
        fs::create_dir_all(self.log.parent().unwrap_or(Path::new("."))).map_err(unable)?;
        let log = File::options().create(true).append(true).open(self.log).map_err(unable)?;
        let offset = log.metadata().map_err(unable)?.len();
        let tail = claim.as_ref().map(|_| Tail::of(self.log, offset));
        let tail = tail.transpose().map_err(unable)?;
        let begun = Instant::now();
        let mut command = self.command();
        let input = claim.as_ref().map_or_else(|| Ok(Stdio::null()), |claim| claim.input());
        command.stdin(input.map_err(unable)?);
        command.stdout(log.try_clone().map_err(unable)?).stderr(log);
        let how = match command.spawn() {
            Ok(mut child) => {
                let mut named = |process| claim.iter_mut().for_each(|claim| claim.name(process));
                named(child.id());
                let how = self.watch(&mut child, tail, signals);
                named(std::process::id());
                how
            }
            Err(error) => How::NotStarted(error.to_string()),
        };
        let mut log = File::open(self.log).map_err(unable)?;
        let digest = Digest::of_all(&mut log).map_err(unable)?;
        let output = last_part(&mut log, offset).map_err(unable)?;
        Ok(Ended { how, took: begun.elapsed(), log: digest, output })
    }

    fn command(&self) -> Command {
        let words = self.words;
        let mut command = Command::new(words.first().map_or(OsStr::new(""), OsString::as_os_str));
        command.args(words.iter().skip(1));
        if let Some(directory) = self.directory {
            command.current_dir(directory);
        }
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Signals::set_apart(&mut command);
        command
    }

    fn watch(&self, child: &mut Child, tail: Option<Tail>, signals: &Signals) -> How {
        let mut shown = tail.map(|tail| (Heartbeat::begin(&self.title), tail));
        let begun = Instant::now();
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
            if let Some((heartbeat, tail)) = &mut shown {
                tail.pass_on(heartbeat);
                heartbeat.beat();
            }
            std::thread::sleep(GLANCE);
        };
        let _reaped = child.wait();
        if self.leaves_nobody {
            Signals::end(child);
        }
        if let Some((heartbeat, tail)) = shown {
            tail.finish(heartbeat);
        }
        how
    }
}

/// Reads the end of what came behind `offset`.
fn last_part(log: &mut File, offset: u64) -> std::io::Result<String> {
    let length = log.metadata()?.len();
    log.seek(SeekFrom::Start(offset.max(length.saturating_sub(TOLD))))?;
    let mut bytes = Vec::new();
    log.take(TOLD).read_to_end(&mut bytes)?;
    Ok(masked(&String::from_utf8_lossy(&bytes)))
}

impl Ended {
    /// Gives the lines of the output that say something, as a record may hold them: without what a
    /// reader could not see, and none too long.
    pub(in crate::cli) fn lines(&self) -> impl DoubleEndedIterator<Item = String> {
        let visible = |line: &str| -> String {
            let plain = line.chars().filter(|character| !unprintable(*character));
            plain.take(LINE).collect::<String>().trim().to_owned()
        };
        let says = |line: &String| line.chars().any(char::is_alphanumeric);
        self.output.lines().map(visible).filter(says)
    }

    /// Gives the last line of the output that says something.
    pub(in crate::cli) fn last_line(&self) -> Option<String> {
        self.lines().next_back()
    }

    /// Gives the last lines of the output that say something, in their order.
    pub(in crate::cli) fn last_lines(&self, count: usize) -> Vec<String> {
        let mut last: Vec<String> = self.lines().rev().take(count).collect();
        last.reverse();
        last
    }

    /// Gives how it ended, in words.
    pub(in crate::cli) fn in_words(&self) -> String {
        match &self.how {
            How::Exited(Some(code)) => format!("exit code {code}"),
            How::Exited(None) => "ended by a signal".into(),
            How::TimedOut => "took longer than it may, and was ended".into(),
            How::Interrupted => "interrupted".into(),
            How::NotStarted(error) => format!("could not be started: {error}"),
        }
    }
}

/// Gives a policy's command as it is run: `orch` is this very program, wherever it lies.
pub(in crate::cli) fn words(command: &[String]) -> Vec<OsString> {
    let own = |word: &str| (word == "orch").then(|| std::env::current_exe().ok()).flatten();
    let first = command.first().map(|word| own(word).map_or_else(|| word.into(), PathBuf::into));
    first.into_iter().chain(command.iter().skip(1).map(OsString::from)).collect()
}

/// Finds the program that a command names, as the system would; none if there is none.
pub(in crate::cli) fn program(name: &OsStr, directory: &Path) -> Option<PathBuf> {
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
