//! What is told while a plan runs, and when it is over.

use std::cell::RefCell;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::say;
use crate::source::{AgentName, TaskId};

/// What became of the tasks, and a line that tells how it goes.
pub(super) struct Board {
    line: ProgressBar,
    began: Instant,
    told: RefCell<Told>,
}

#[derive(Default)]
struct Told {
    stages: usize,
    closed: usize,
    most_at_once: usize,
    worked: Duration,
    failed: Vec<(TaskId, String)>,
    rested: Vec<(TaskId, AgentName)>,
}

impl Board {
    /// Begins, and says so.
    pub(super) fn begin(branch: &str, parallel: usize) -> Self {
        say(format!("dispatching onto {branch}, {parallel} at once"));
        let line = match std::io::stderr().is_terminal() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{spinner} {msg}, {elapsed}");
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Board { line, began: Instant::now(), told: RefCell::default() }
    }

    fn tell(&self, text: &str) {
        self.line.suspend(|| say(format!("{:>7.1} s  {text}", self.began.elapsed().as_secs_f64())));
    }

    /// Tells how many work now.
    pub(super) fn beat(&self, working: usize, waiting: usize) {
        let mut told = self.told.borrow_mut();
        told.most_at_once = told.most_at_once.max(working);
        self.line
            .set_message(format!("{working} at work, {} done, {waiting} to come", told.stages));
        self.line.tick();
    }

    /// Tells that an agent begins.
    pub(super) fn begins(&self, task: &TaskId, stage: &str, agent: &AgentName) {
        self.tell(&format!("{task}  {stage}: {agent} begins"));
    }

    /// Tells that a stage is merged.
    pub(super) fn landed(&self, task: &TaskId, passed: bool, closed: bool, worked: Duration) {
        let how = match (passed, closed) {
            (false, _) => "failed its gate and returns",
            (_, true) => "done",
            (_, false) => "passed its gate",
        };
        self.tell(&format!("{task}  {how}"));
        let mut told = self.told.borrow_mut();
        told.stages += 1;
        told.closed += usize::from(closed);
        told.worked += worked;
    }

    /// Tells that a task failed for good, as far as this goes.
    pub(super) fn failed(&self, task: &TaskId, why: &str) {
        self.tell(&format!("{task}  failed: {why}"));
        self.told.borrow_mut().failed.push((task.clone(), why.to_owned()));
    }

    /// Tells that an agent rests.
    pub(super) fn rests(&self, task: &TaskId, agent: &AgentName) {
        self.tell(&format!("{task}  {agent} is at rest"));
        self.told.borrow_mut().rested.push((task.clone(), agent.clone()));
    }

    /// Tells of something else.
    pub(super) fn note(&self, text: &str) {
        self.tell(text);
    }

    /// Sums up; gives whether nothing failed, and nobody had to rest.
    pub(super) fn end(&self) -> bool {
        self.line.finish_and_clear();
        let told = self.told.borrow();
        let (elapsed, worked) = (self.began.elapsed().as_secs_f64(), told.worked.as_secs_f64());
        say(format!(
            "{} stages merged, {} tasks done in {elapsed:.1} s, at most {} agents at once",
            told.stages, told.closed, told.most_at_once
        ));
        let faster = worked / elapsed.max(1e-3);
        if told.stages > 0 {
            let gain = (faster >= 1.0)
                .then(|| format!(": {faster:.1} times as fast as one agent at a time"));
            say(format!("agents worked {worked:.1} s in all{}", gain.unwrap_or_default()));
        }
        for (task, agent) in &told.rested {
            say(format!("at rest: {task} ({agent})"));
        }
        for (task, why) in &told.failed {
            say(format!("failed: {task}: {why}"));
        }
        told.failed.is_empty() && told.rested.is_empty()
    }
}
