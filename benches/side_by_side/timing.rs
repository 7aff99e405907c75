//! Commands timed in turns, A B A B …: ratios survive a machine whose speed drifts.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One command of a row.
pub(crate) struct Contender {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// What a shell runs.
    pub(crate) script: String,
    /// What a shell runs before each time, unmeasured; such as removing a cache.
    pub(crate) before: String,
}

impl Contender {
    /// Gives a command with nothing to do before it.
    pub(crate) fn new(name: &'static str, script: impl Into<String>) -> Self {
        Contender { name, script: script.into(), before: String::new() }
    }
}

/// How long a command took.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// The median, in milliseconds.
    pub(crate) ms: f64,
    /// The median of the ratios to the first command of the row, round by round.
    pub(crate) ratio: f64,
    /// The most memory it held, in MiB; none where GNU `time` is not installed.
    pub(crate) peak: Option<f64>,
}

/// Times the commands in turns, so many rounds, after one round that is not counted.
pub(crate) fn race(folder: &Path, rounds: usize, contenders: &[Contender]) -> Vec<Measured> {
    let mut taken: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for (contender, taken) in contenders.iter().zip(&mut taken) {
            if !contender.before.is_empty() {
                shell(folder, &contender.before);
            }
            let elapsed = shell(folder, &contender.script).as_secs_f64() * 1000.0;
            taken.extend((round > 0).then_some(elapsed));
        }
    }
    let reference = taken[0].clone();
    let measured = contenders.iter().zip(taken).map(|(contender, taken)| {
        let ratios = taken.iter().zip(&reference).map(|(own, of)| own / of).collect();
        let (ms, ratio) = (median(taken), median(ratios));
        Measured { name: contender.name, ms, ratio, peak: peak(folder, contender) }
    });
    measured.collect()
}

/// Runs a command of the shell, which is replaced by it; it must end with 0.
fn shell(folder: &Path, script: &str) -> Duration {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    let begun = Instant::now();
    let status = command.status().expect("there is a shell");
    let elapsed = begun.elapsed();
    assert!(status.success(), "{script}: {status}");
    elapsed
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn peak(folder: &Path, contender: &Contender) -> Option<f64> {
    let output = Command::new("/usr/bin/time")
        .args(["-f", "peak=%M", "sh", "-c", &contender.script])
        .current_dir(folder)
        .stdout(Stdio::null())
        .output()
        .ok()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let kib: f64 = told.rsplit_once("peak=")?.1.trim().parse().ok()?;
    Some(kib / 1024.0)
}
