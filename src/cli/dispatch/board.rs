//! What is told while a plan runs, and when it is over.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::{is_watched, say};
use crate::plan::Item;
use crate::source::{AgentName, TaskId, many};

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
    /// The phase of each task that began.
    phases: BTreeMap<TaskId, String>,
    /// How each phase went, in the order in which they began.
    went: Vec<Went>,
    failed: Vec<(TaskId, String)>,
    rested: Vec<(TaskId, AgentName)>,
}

/// How a phase went.
struct Went {
    phase: String,
    began: Instant,
    ended: Instant,
    worked: Duration,
}

impl Board {
    /// Begins, and says so.
    pub(super) fn begin(branch: &str, parallel: usize) -> Self {
        say(format!("dispatching onto {branch}, {parallel} at once"));
        let line = match is_watched() {
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
    pub(super) fn begins(&self, item: &Item, agent: &AgentName) {
        let task = &item.task.task_id;
        let stage = item.stage.as_ref().map_or("-", |stage| stage.as_str());
        self.tell(&format!("{task}  {stage}: {agent} begins"));
        let Some(phase) = item.task.phase.clone() else { return };
        let mut told = self.told.borrow_mut();
        if !told.went.iter().any(|went| went.phase == phase) {
            let (began, worked) = (Instant::now(), Duration::ZERO);
            told.went.push(Went { phase: phase.clone(), began, ended: began, worked });
        }
        told.phases.insert(task.clone(), phase);
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
        let phase = told.phases.get(task).cloned();
        let went = told.went.iter_mut().find(|went| Some(&went.phase) == phase.as_ref());
        if let Some(went) = went {
            went.ended = Instant::now();
            went.worked += worked;
        }
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
            "{} merged, {} done in {elapsed:.1} s, at most {} at once",
            many(told.stages, "stage"),
            many(told.closed, "task"),
            many(told.most_at_once, "agent")
        ));
        if told.stages > 0 {
            say(format!("agents worked {worked:.1} s in all{}", gain(worked, elapsed)));
        }
        for went in &told.went {
            let (lasted, worked) = (went.ended - went.began, went.worked.as_secs_f64());
            let lasted = lasted.as_secs_f64();
            say(format!(
                "phase {}: {worked:.1} s of work in {lasted:.1} s{}",
                went.phase,
                gain(worked, lasted)
            ));
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

/// Says how many times as fast work was done as one agent after the other would have; nothing where it
/// was not.
fn gain(worked: f64, lasted: f64) -> String {
    let faster = worked / lasted.max(1e-3);
    match faster >= 1.0 {
        true => format!(": {faster:.1} times as fast as one agent at a time"),
        false => String::new(),
    }
}
