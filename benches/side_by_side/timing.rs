//! Commands timed in turns, A B A B …: ratios survive a machine whose speed drifts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Rounds of a row, and of a quick one: one whose round takes less than a tenth of a second, so that the
/// scheduler's slices weigh as much.
const ROUNDS: usize = 11;
const QUICK: usize = 41;
const QUICK_ROUND: Duration = Duration::from_millis(100);

/// One command of a row.
#[derive(Clone)]
pub(crate) struct Contender {
    /// What it is called in the table.
    pub(crate) name: String,
    /// What is run: words, after `NAME=VALUE` for its environment; by a shell if it is more than that.
    pub(crate) script: String,
    /// What a shell runs before each time, unmeasured; such as removing a cache.
    pub(crate) before: String,
    /// Where it runs, if not where the row does.
    pub(crate) folder: Option<PathBuf>,
}

impl Contender {
    /// Gives a command with nothing to do before it.
    pub(crate) fn new(name: impl Into<String>, script: impl Into<String>) -> Self {
        let (name, script) = (name.into(), script.into());
        Contender { name, script, before: String::new(), folder: None }
    }

    /// Gives the same command, with orch's cache removed before each time.
    pub(crate) fn cold(self) -> Self {
        Contender { before: "rm -rf .git/orch/cache".into(), ..self }
    }

    /// Gives the same command in another folder.
    pub(crate) fn within(self, folder: &Path) -> Self {
        Contender { folder: Some(folder.to_owned()), ..self }
    }
}

/// How long a command took.
pub(crate) struct Measured {
    pub(crate) name: String,
    /// Each round, in milliseconds.
    pub(crate) taken: Vec<f64>,
    /// The most memory it held, in MiB; none where GNU `time` is not installed.
    pub(crate) peak: Option<f64>,
}

impl Measured {
    /// Gives the median, in milliseconds.
    pub(crate) fn ms(&self) -> f64 {
        median(self.taken.clone())
    }

    /// Gives the median of the ratios to another command, round by round.
    pub(crate) fn ratio(&self, of: &Measured) -> f64 {
        median(self.taken.iter().zip(&of.taken).map(|(own, of)| own / of).collect())
    }
}

/// Times the commands in turns, after one round that tells how much memory each holds.
pub(crate) fn race(folder: &Path, contenders: &[Contender]) -> Vec<Measured> {
    let within = |contender: &Contender| contender.folder.clone().unwrap_or(folder.to_owned());
    let begun = Instant::now();
    let mut measured: Vec<Measured> = contenders
        .iter()
        .map(|contender| {
            prepare(&within(contender), contender);
            let peak = peak(&within(contender), contender);
            Measured { name: contender.name.clone(), taken: Vec::new(), peak }
        })
        .collect();
    let rounds = if begun.elapsed() < QUICK_ROUND { QUICK } else { ROUNDS };
    for _ in 0..rounds {
        for (contender, measured) in contenders.iter().zip(&mut measured) {
            prepare(&within(contender), contender);
            let mut command = command(&within(contender), &contender.script);
            let begun = Instant::now();
            let status = command.status().expect("it is installed");
            measured.taken.push(begun.elapsed().as_secs_f64() * 1000.0);
            assert!(status.success(), "{}: {status}", contender.script);
        }
    }
    measured
}

fn prepare(folder: &Path, contender: &Contender) {
    if !contender.before.is_empty() {
        let status = command(folder, &format!("{};", contender.before)).status();
        assert!(status.is_ok_and(|status| status.success()), "{}", contender.before);
    }
}

/// Gives a command that is run without a shell where none is needed: starting one takes a millisecond.
fn command(folder: &Path, script: &str) -> Command {
    let words: Vec<&str> = script.split_whitespace().collect();
    let variables = words.iter().take_while(|word| word.contains('=')).count();
    let mut command = match script.contains(['|', '>', '<', ';', '&', '$', '*', '\'', '"']) {
        true => {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]);
            shell
        }
        false => {
            let mut plain = Command::new(words[variables]);
            plain.args(&words[variables + 1..]);
            plain.envs(words[..variables].iter().filter_map(|word| word.split_once('=')));
            plain
        }
    };
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Gives the middle of some numbers.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() % 2 {
        0 => f64::midpoint(numbers[middle - 1], numbers[middle]),
        _ => numbers[middle],
    }
}

/// Runs a command once; gives the most memory that it, or the largest of its children, held.
fn peak(folder: &Path, contender: &Contender) -> Option<f64> {
    let script = &contender.script;
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "peak=%M", "sh", "-c"]).current_dir(folder).stdin(Stdio::null());
    let plain = !script.contains(['|', '>', '<', ';', '&', '$']);
    let script = if plain { format!("exec env {script}") } else { script.clone() };
    let Ok(output) = timed.arg(&script).output() else {
        let status = command(folder, &contender.script).status().expect("it is installed");
        assert!(status.success(), "{}: {status}", contender.script);
        return None;
    };
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{script}: {told}{}", String::from_utf8_lossy(&output.stdout));
    let kib: f64 = told.rsplit_once("peak=")?.1.trim().parse().ok()?;
    Some(kib / 1024.0)
}
