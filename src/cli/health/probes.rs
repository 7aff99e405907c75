//! The policy's probes: programs of one's own, run at once, none longer than it may.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::cli::Stop;
use crate::cli::exec::{Program, Tries, words};
use crate::cli::signals::Signals;
use crate::policy::Probe;
use crate::report::Probed;
use crate::source::ProbeName;

/// Says, in the environment of a probe, which one it is.
pub(super) const WITHIN: &str = "ORCH_PROBE";
/// How long a probe may take if the policy says nothing.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait before the second attempt.
const WAIT: Duration = Duration::from_secs(1);
/// How many run at once.
const AT_ONCE: usize = 8;
/// How many lines of its output are told.
const SHOWN: usize = 5;

/// Runs probes in a folder, several at once, and gives what each said, in the order in which they come. One that can't
/// be started has failed. Refuses if a signal to this process ended them.
pub(super) fn run(
    directory: Option<&Path>,
    probes: &[(&ProbeName, &Probe)],
) -> Result<Vec<Probed>, Stop> {
    if probes.is_empty() {
        return Ok(Vec::new());
    }
    let unable = |error: std::io::Error| {
        let message = format!("the probes can't be run: {error}");
        Stop::fault(message, "make room for temporary files, or leave them out: `--no-probes`")
    };
    let signals = Signals::catch().map_err(unable)?;
    signals.idle(false);
    let folder = tempfile::tempdir().map_err(unable)?;
    let bench = Bench { directory, logs: folder.path(), signals: &signals };
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..probes.len()).collect());
    let said: Mutex<Vec<(usize, Result<Probed, Stop>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(probes.len()) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(index) = next else { return };
                    let (name, probe) = probes[index];
                    let told = ask(&bench, name, probe);
                    said.lock().unwrap_or_else(PoisonError::into_inner).push((index, told));
                }
            });
        }
    });
    if let Some(signal) = signals.caught() {
        return Err(Stop::Interrupted(signal));
    }
    let mut said = said.into_inner().unwrap_or_else(PoisonError::into_inner);
    said.sort_by_key(|(index, _)| *index);
    said.into_iter().map(|(_, told)| told).collect()
}

/// Where probes are run.
struct Bench<'b> {
    /// The top of the repository.
    directory: Option<&'b Path>,
    /// Where their output is kept while they run.
    logs: &'b Path,
    signals: &'b Signals,
}

fn ask(bench: &Bench<'_>, name: &ProbeName, probe: &Probe) -> Result<Probed, Stop> {
    let log = bench.logs.join(format!("{name}.log"));
    let timeout = probe.timeout.and_then(|timeout| timeout.0.to_std().ok()).unwrap_or(TIMEOUT);
    let program = Program {
        words: &words(&probe.command),
        directory: bench.directory,
        variables: vec![(WITHIN, Some(name.as_str().into()))],
        title: format!("probe {name}"),
        timeout: Some(timeout),
        leaves_nobody: true,
        log: &log,
    };
    let maximum = probe.attempts.unwrap_or(1).max(1);
    let tries = Tries { title: None, maximum, interval: WAIT, accept: &[] };
    let tried = tries.carry_out(bench.signals, |_| program.ask(bench.signals))?;
    Ok(Probed {
        name: name.clone(),
        title: probe.title.clone(),
        component: probe.component.clone(),
        severity: probe.severity.unwrap_or_default(),
        healthy: tried.succeeded,
        ended: tried.last.in_words(),
        attempts: tried.attempts,
        milliseconds: u64::try_from(tried.last.took.as_millis()).unwrap_or(u64::MAX),
        output: tried.last.last_lines(SHOWN),
    })
}
