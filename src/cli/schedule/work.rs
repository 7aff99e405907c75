//! One run of a job: its program or its procedure, tried as often as the policy says, and what comes of it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Office, runs, what_runs};
use crate::cli::Stop;
use crate::cli::activity::Activity;
use crate::cli::context::Context;
use crate::cli::exec::{Asked, Claim, Ended, How, Program, words};
use crate::cli::output::{complain, say};
use crate::cli::signals::Signals;
use crate::cli::trust::must_be_agreed;
use crate::draft;
use crate::ops::schedule::{JobRun, Outcome, run_for};
use crate::policy::Job;
use crate::source::{AgentName, JobName, Moment};
use crate::world::StandingHalt;

/// How many runs this process has begun.
static BEGUN: AtomicU32 = AtomicU32::new(0);

/// How often it is looked whether a wait is over.
const GLANCE: Duration = Duration::from_millis(50);
/// No wait between two attempts is longer.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A job that is to run now.
pub(super) struct Work {
    /// The job.
    pub(super) job: JobName,
    /// The time for which it runs; none if somebody runs it by hand.
    pub(super) occurrence: Option<Moment>,
    /// Tell what would run, and run nothing.
    pub(super) dry_run: bool,
}

impl Work {
    /// Runs the job to its end, unless it ran for its time already; refuses while a halt stands over it,
    /// while it still runs, and if it failed for good.
    pub(super) fn carry_out(self, context: &Context, signals: &Signals) -> Result<(), Stop> {
        let office = Office::of(context)?;
        let job = office.job(&self.job)?;
        let actor = office.actor(context)?;
        must_be_agreed(&office.view)?;
        if self.dry_run {
            return self.tell(&office, job, context.at());
        }
        let lock = runs::folder(&office.view.repository).join(format!("{}.lock", self.job));
        let mut claim = match Claim::of_file(lock)? {
            Asked::Granted(claim) => claim,
            Asked::Busy(process) => return Err(self.still_runs(process)),
        };
        // Another may have run it until just now.
        if self.ran(&runs::read(&office.view.repository)?)? {
            return Ok(());
        }
        signals.idle(false);
        let running = Running::of(context, &office, job, (&self, actor));
        let halt = office.halt_over(&self.job, running.began);
        let course = match halt {
            Some(halt) => Course::halted(halt),
            None => {
                running.begin()?;
                running.attempts(context, &mut claim, signals)?
            }
        };
        running.record(context, &course)?;
        if let (Outcome::Interrupted, Some(signal)) = (course.outcome, signals.caught()) {
            return Err(Stop::Interrupted(signal));
        }
        match course.outcome {
            Outcome::Succeeded => {
                say(format!("job {} is done", self.job));
                Ok(())
            }
            Outcome::Halted => Err(halted(&self.job, halt, &course)),
            _ => Err(running.failed(&course, &mut claim, signals)),
        }
    }

    /// Tells what would run.
    fn tell(&self, office: &Office, job: &Job, at: Moment) -> Result<(), Stop> {
        if self.ran(&office.runs)? {
            return Ok(());
        }
        if let Some(halt) = office.halt_over(&self.job, at) {
            return Err(halted(&self.job, Some(halt), &Course::halted(halt)));
        }
        let due = self.occurrence.map(|at| format!(", due at {at}")).unwrap_or_default();
        say(format!("would run job {}{due}: {}", self.job, what_runs(job)));
        Ok(())
    }

    /// Tells whether it ran for its time; refuses if it began, and nobody knows how it ended.
    fn ran(&self, known: &[JobRun]) -> Result<bool, Stop> {
        let run = self.occurrence.and_then(|at| Some((at, run_for(known, &self.job, at)?)));
        let Some((at, run)) = run else { return Ok(false) };
        let job = &self.job;
        if run.outcome == Outcome::Began {
            let log = run.log.as_ref().map(|log| format!("read {log}, and ")).unwrap_or_default();
            let help = format!("{log}if it is to run again: `orch schedule run-once {job}`");
            let message = format!("job {job} began here for {at}, and how it ended is not known");
            return Err(Stop::denied(message, help));
        }
        say(format!("job {job} has nothing to do: it ran here for {at} already"));
        Ok(true)
    }

    fn still_runs(&self, process: Option<u32>) -> Stop {
        let process = process.map(|id| format!(", as process {id}")).unwrap_or_default();
        let help = "nothing is run twice at once: say this again when it has ended";
        Stop::denied(format!("job {} still runs{process}", self.job), help)
    }
}

fn halted(job: &JobName, halt: Option<&StandingHalt>, course: &Course) -> Stop {
    let why = course.message.clone().unwrap_or_default();
    let lifting = halt.map_or_else(
        || "see `orch status`".into(),
        |halt| format!("a person lifts it: {}", halt.lifting()),
    );
    Stop::denied(format!("job {job} does not run: {why}"), lifting)
}

/// How the attempts at a job ended.
struct Course {
    outcome: Outcome,
    attempts: u32,
    exit_code: Option<i32>,
    message: Option<String>,
}

impl Course {
    fn halted(halt: &StandingHalt) -> Self {
        let message = format!("halt {} stands for {}: {}", halt.id, halt.scope, halt.reason);
        Course { outcome: Outcome::Halted, attempts: 0, exit_code: None, message: Some(message) }
    }

    fn of(ended: &Ended, attempts: u32) -> Self {
        let (outcome, exit_code, message) = match &ended.how {
            How::Exited(Some(0)) => (Outcome::Succeeded, Some(0), None),
            How::Exited(code) => (Outcome::Failed, *code, ended.last_line()),
            How::TimedOut => (Outcome::TimedOut, None, ended.last_line()),
            How::Interrupted => (Outcome::Interrupted, None, ended.last_line()),
            How::NotStarted(error) => (Outcome::NotStarted, None, Some(error.clone())),
        };
        Course { outcome, attempts, exit_code, message }
    }

    /// Gives how it failed, in words, with the last thing that it said.
    fn told(&self) -> String {
        let last = self.message.as_ref().map(|last| format!(": {}", last.trim_end_matches('.')));
        format!("{}{}", self.in_short(), last.unwrap_or_default())
    }

    /// The same without a word of what it said, which may be secret.
    fn in_short(&self) -> String {
        let how = match (self.outcome, self.exit_code) {
            (Outcome::TimedOut, _) => "took longer than it may".to_owned(),
            (Outcome::NotStarted, _) => "could not be started".to_owned(),
            (_, Some(code)) => format!("failed with exit code {code}"),
            (_, None) => "was ended by a signal".to_owned(),
        };
        let tried = match self.attempts {
            1 => String::new(),
            times => format!(", {times} times"),
        };
        format!("{how}{tried}")
    }
}

/// A job that runs.
struct Running<'o> {
    name: &'o JobName,
    office: &'o Office,
    job: &'o Job,
    occurrence: Option<Moment>,
    began: Moment,
    run_id: String,
    /// Who does the job.
    agent: String,
    /// Who answers for what failed.
    answering: String,
    session: String,
    log: PathBuf,
}

impl<'o> Running<'o> {
    fn of(
        context: &Context,
        office: &'o Office,
        job: &'o Job,
        (work, actor): (&'o Work, Option<AgentName>),
    ) -> Self {
        let began = context.at();
        // Two may begin within a second, in one process or in two.
        let number = BEGUN.fetch_add(1, Ordering::Relaxed) + 1;
        let (stamp, process) = (draft::stamp(began), std::process::id());
        let run_id = format!("{}-{stamp}-{process}-{number}", work.job);
        let policy = &office.policy;
        // Who is woken by a clock acts for the job's owner, but for no person.
        let owner = || job.owners.iter().find(|owner| !policy.is_person(owner)).cloned();
        let doer = actor.or_else(owner).map(|name| name.to_string()).unwrap_or_default();
        // A procedure's steps are of several agents: only who directs them all takes them all.
        let answering = policy.stand_in().map_or_else(|| doer.clone(), ToString::to_string);
        let agent = if job.procedure.is_some() { answering.clone() } else { doer };
        Running {
            name: &work.job,
            office,
            job,
            occurrence: work.occurrence,
            began,
            agent,
            answering,
            session: context.session().map_or_else(|| run_id.clone(), str::to_owned),
            log: runs::log(&office.view.repository, &work.job, &run_id),
            run_id,
        }
    }

    /// Tries it as often as the policy says, each time after twice the wait; a halt that comes meanwhile
    /// ends it.
    fn attempts(
        &self,
        context: &Context,
        claim: &mut Claim,
        signals: &Signals,
    ) -> Result<Course, Stop> {
        let most = self.job.retry.map_or(1, |retry| retry.maximum_attempts);
        let mut wait = self
            .job
            .retry
            .and_then(|retry| retry.initial_interval?.0.to_std().ok())
            .unwrap_or_default();
        let words = self.words();
        let timeout = self.job.timeout.and_then(|timeout| timeout.0.to_std().ok());
        let mut attempt = 1;
        loop {
            let title = format!("job {}, attempt {attempt} of {most}", self.name);
            let ended = self.program(&words, title, timeout, attempt).carry_out(claim, signals)?;
            let course = Course::of(&ended, attempt);
            let over = matches!(course.outcome, Outcome::Succeeded | Outcome::Interrupted);
            if over || attempt >= most {
                return Ok(course);
            }
            complain(format!("job {} {}", self.name, course.told()));
            if !pause(wait.min(LONGEST), signals) {
                return Ok(Course { outcome: Outcome::Interrupted, ..course });
            }
            wait = wait.saturating_mul(2);
            attempt += 1;
            let now = context.by_now();
            let halt = Office::of(&now)
                .map(|office| office.halt_over(self.name, now.at()).map(Course::halted));
            match halt {
                Ok(None) => {}
                Ok(Some(halted)) => return Ok(Course { attempts: course.attempts, ..halted }),
                Err(stop) => return Ok(Course { message: Some(stop.in_words()), ..course }),
            }
        }
    }

    /// Gives the words that do the job.
    fn words(&self) -> Vec<OsString> {
        match &self.job.procedure {
            Some(procedure) => start(procedure, &format!("Scheduled: {}", self.job.title)),
            None => words(&self.job.command),
        }
    }

    fn program<'w>(
        &'w self,
        words: &'w [OsString],
        title: String,
        timeout: Option<Duration>,
        attempt: u32,
    ) -> Program<'w> {
        let scheduled = self.occurrence.unwrap_or(self.began);
        let variables = [
            ("ORCH_JOB", self.name.to_string()),
            ("ORCH_RUN_ID", self.run_id.clone()),
            ("ORCH_SCHEDULED_AT", scheduled.to_string()),
            ("ORCH_ATTEMPT", attempt.to_string()),
            ("ORCH_AGENT", self.agent.clone()),
            ("ORCH_SESSION", self.session.clone()),
        ];
        Program {
            words,
            directory: self.office.view.repository.work_dir(),
            variables: variables.map(|(name, text)| (name, Some(text.into()))).to_vec(),
            title,
            timeout,
            leaves_nobody: true,
            log: &self.log,
        }
    }

    /// Puts it on the list of runs that it began for one of its times: whatever becomes of this process, it
    /// does not run for that time again unasked.
    fn begin(&self) -> Result<(), Stop> {
        let course =
            Course { outcome: Outcome::Began, attempts: 1, exit_code: None, message: None };
        match self.occurrence {
            Some(_) => {
                Ok(runs::append(&self.office.view.repository, &self.run(self.began, &course))?)
            }
            None => Ok(()),
        }
    }

    /// Gives it as it stands on the list of runs.
    fn run(&self, ended: Moment, course: &Course) -> JobRun {
        let log = self.log.display().to_string();
        JobRun {
            job: self.name.clone(),
            run_id: self.run_id.clone(),
            occurrence: self.occurrence,
            started: self.began,
            ended,
            attempts: course.attempts,
            exit_code: course.exit_code,
            outcome: course.outcome,
            message: course.message.clone(),
            log: (course.attempts > 0).then_some(log),
        }
    }

    /// Puts it on the list of runs and into the activity log.
    fn record(&self, context: &Context, course: &Course) -> Result<(), Stop> {
        let ended = context.by_now().at();
        let repository = &self.office.view.repository;
        let run = self.run(ended, course);
        runs::append(repository, &run)?;
        let done = course.outcome == Outcome::Succeeded;
        let activity = Activity {
            timestamp: ended,
            agent: &self.agent,
            action: "job",
            task_id: None,
            inputs: json!({ "job": run.job, "scheduled_at": run.occurrence }),
            outputs: json!({
                "run_id": run.run_id, "attempts": run.attempts, "exit_code": run.exit_code,
                "outcome": run.outcome,
            }),
            duration_seconds: u64::try_from(ended.since(self.began).num_seconds()).unwrap_or(0),
            status: if done { "completed".into() } else { "failed".into() },
        };
        Ok(activity.log(repository)?)
    }

    /// Starts the procedure for it, and tells that it failed.
    fn failed(&self, course: &Course, claim: &mut Claim, signals: &Signals) -> Stop {
        let told = format!("job {} {}", self.name, course.told());
        let again = format!("mend it, then run it again: `orch schedule run-once {}`", self.name);
        let message = format!("{told}; its output is in {}", self.log.display());
        let Some(procedure) = &self.job.on_failure else { return Stop::denied(message, again) };
        let words = start(procedure, &format!("job {} {}", self.name, course.in_short()));
        let title = format!("procedure {procedure}, because job {} failed", self.name);
        let mut program = self.program(&words, title, None, 1);
        program.variables.push(("ORCH_AGENT", Some(self.answering.clone().into())));
        let started = program.carry_out(claim, signals);
        let started = matches!(started, Ok(Ended { how: How::Exited(Some(0)), .. }));
        let help = match started {
            true => format!("procedure {procedure} was started: `orch incident list`; {again}"),
            false => format!(
                "procedure {procedure} could not be started: `orch procedure start {procedure} \
                 --trigger TEXT`; {again}"
            ),
        };
        Stop::denied(message, help)
    }
}

/// Gives the words that start a procedure.
fn start(procedure: &str, trigger: &str) -> Vec<OsString> {
    words(&["orch", "procedure", "start", procedure, "--trigger", trigger].map(str::to_owned))
}

/// Waits, and tells whether nobody ended that.
fn pause(wait: Duration, signals: &Signals) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < wait {
        if signals.caught().is_some() {
            return false;
        }
        std::thread::sleep(GLANCE);
    }
    true
}
