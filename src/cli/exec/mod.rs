//! `orch run exec`: run a command as a stage's run. What it leaves is kept, what fails is
//! classified and tried again as the policy says, and nothing is run twice at once.

mod beat;
mod claim;
mod masked;
mod order;
mod program;
mod standing;
mod tries;

use std::ffi::OsString;
use std::time::Duration;

use self::beat::Heartbeat;
use self::claim::still_runs;
pub(super) use self::claim::{Asked, Claim, must_rest};
use self::order::{Order, Prompt};
pub(super) use self::program::{Ended, How, Program, words};
use self::standing::{due, failure, handed_off, may_be_taken_up};
pub(super) use self::tries::{Tried, Tries};
use super::Stop;
use super::claim::Beginning;
use super::context::Context;
use super::desk::Desk;
use super::failing::write_failure;
use super::fix::Fix;
use super::handoff::Create;
use super::ledger::{Writer, Writing};
use super::output::{id, say};
use super::run::{begin, goes_on_elsewhere, result_command};
use super::signals::Signals;
use crate::draft;
use crate::ledger::{RunStanding, RunState};
use crate::plan::{Briefing, prompt};
use crate::policy::Stage;
use crate::record::kind::{FailureClass, Run, RunStatus};
use crate::snapshot::Side;
use crate::source::{Moment, StageName, TaskId};
use crate::world;

/// Run a command as the task's stage.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Begins the run, or takes it up where it was cut off; keeps the output, and \
                        records how the command ended.\nA transient failure is tried again after \
                        the policy's wait. The command sees ORCH_TASK, ORCH_STAGE,\nORCH_RUN_ID, \
                        ORCH_ATTEMPT, ORCH_LANE, ORCH_BRANCH, ORCH_CHECKPOINT, \
                        ORCH_PROMPT_FILE (what is asked of it) and\nORCH_IDEMPOTENCY_KEY, which is the same for \
                        every attempt. Exit code 1 if it failed for good.\nExample: \
                        orch run exec strat-001 --handoff -- python backtest.py"
)]
pub(super) struct Exec {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// The stage; by default the one the task is ready for
    #[arg(long, value_parser = id::<StageName>)]
    stage: Option<StageName>,
    #[command(flatten)]
    beginning: Beginning,
    /// How long an attempt may take, such as 30m; by default as the policy says
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,
    /// Hand off when the command has succeeded
    #[arg(long)]
    handoff: bool,
    /// Make one attempt, and leave the next to whoever says this again
    #[arg(long)]
    once: bool,
    /// The file that tells the agent what to do, instead of one that follows from the stage
    #[arg(long, value_name = "FILE", hide = true)]
    prompt: Option<std::path::PathBuf>,
    /// Write to this file how many milliseconds the command took
    #[arg(long, value_name = "FILE", hide = true)]
    time: Option<std::path::PathBuf>,
    #[command(flatten)]
    writing: Writing,
    /// The command and its arguments; no shell reads them
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

fn time(text: &str) -> Result<Duration, String> {
    let time = super::task::time(text)?;
    crate::policy::duration(&time)
        .and_then(|time| time.to_std().ok())
        .ok_or_else(|| super::task::DURATION.to_owned())
}

/// What is to be done now.
enum Now {
    /// Nothing, and why has been told.
    Nothing,
    /// The command has succeeded before; what it made can be handed over.
    HandOff,
    /// The next attempt may begin then.
    Wait(Moment),
    /// The command is to be run.
    Go(Box<Order>),
}

impl Exec {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        if program::program(&self.command[0], context.directory()).is_none() {
            let message = format!("there is no program `{}`", self.command[0].to_string_lossy());
            let help = "write it as you would in a shell; a program beside you is `./NAME`";
            return Err(Stop::fault(message, help));
        }
        let signals = Signals::begin()?;
        let mut claim = None;
        if self.writing.dry_run {
            let now = self.prepare(context, &mut claim, &signals)?;
            return self.foresee(context, now);
        }
        loop {
            match self.prepare(&context.by_now(), &mut claim, &signals)? {
                Now::Nothing => return Ok(()),
                Now::HandOff => {
                    drop(claim);
                    return self.hand_off(context);
                }
                Now::Wait(until) => wait(context, until, &signals),
                Now::Go(order) => {
                    let ours = claim.as_mut().expect("asked for before anything may go");
                    let ended = order.carry_out(&self.command, ours, &signals)?;
                    self.tell_time(&ended);
                    if let (true, Some(signal)) = (self.once, signals.caught()) {
                        // It rests: the run is taken up again as it is, and no attempt is lost.
                        return Err(Stop::Interrupted(signal));
                    }
                    let succeeded = self.record(&context.by_now(), &order, &ended)?;
                    match signals.caught() {
                        Some(signal) => return Err(Stop::Interrupted(signal)),
                        None if succeeded => {
                            drop(claim);
                            return self.hand_off(context);
                        }
                        None if self.once => return Err(Stop::Refused),
                        None => {}
                    }
                }
            }
        }
    }

    /// Tells what would be done now; what follows from it is not foreseen.
    fn foresee(self, context: &Context, now: Now) -> Result<(), Stop> {
        match now {
            Now::Nothing => {}
            Now::HandOff => return self.hand_off(context),
            Now::Wait(until) => say(format!("would wait until {until}, and try again")),
            Now::Go(order) => {
                let program = self.command[0].to_string_lossy();
                let Run { stage, attempt, .. } = &order.run;
                say(format!(
                    "would run {program} as stage {stage}, attempt {attempt} of {}",
                    order.of
                ));
            }
        }
        Ok(())
    }

    /// Tells how long the command took, to whoever asked for it.
    fn tell_time(&self, ended: &Ended) {
        if let Some(file) = &self.time {
            // Whoever asked goes without the answer.
            let _unwritten = std::fs::write(file, ended.took.as_millis().to_string());
        }
    }

    /// Hands over what the command made, if that was asked for.
    fn hand_off(self, context: &Context) -> Result<(), Stop> {
        match self.handoff {
            true => Create::plain(self.id, self.writing).run(&context.by_now()),
            false => Ok(()),
        }
    }

    /// Looks where the task stands, and begins the run if none goes on.
    fn prepare(
        &self,
        context: &Context,
        claim: &mut Option<Claim>,
        signals: &Signals,
    ) -> Result<Now, Stop> {
        signals.idle(true);
        let desk = Desk::of(context, &self.id)?;
        let (view, state) = (&desk.view, desk.state());
        if let Some(stage) = handed_off(state, self.stage.as_ref()) {
            say(format!("stage {stage} is handed off already"));
            return Ok(Now::Nothing);
        }
        let stage = desk.stage(self.stage.as_ref())?;
        let active = state.active_run().filter(|run| run.stage == stage.name);
        let next = draft::run(&view.world, state, stage);
        let run_id = active.map_or(&next.run_id, |active| &active.run_id);
        if !claim.as_ref().is_some_and(|claim| claim.is_for(&view.repository, &self.id, run_id)) {
            match Claim::ask(&view.repository, &self.id, run_id)? {
                Asked::Granted(granted) => *claim = Some(granted),
                Asked::Busy(process) => return Err(still_runs(&stage.name, process)),
            }
        }
        if let Some(active) = active {
            if active.executed {
                say(format!("the command of stage {} has succeeded already", stage.name));
                return Ok(Now::HandOff);
            }
            may_be_taken_up(context, &desk, active)?;
            signals.idle(false);
            let going_on = draft::of_run(active, RunStatus::InProgress);
            let run = Run { checkpoint: active.checkpoint.clone(), ..going_on };
            self.beginning.secure(context, &desk, &run, self.writing.dry_run)?;
            let order = self.order(context, &desk, stage, run);
            if order.log.exists() {
                say(format!(
                    "run {} was cut off, and nobody saw how it ended: its command is run again, \
                     under the same idempotency key",
                    active.run_id
                ));
            }
            return Ok(Now::Go(Box::new(order)));
        }
        if goes_on_elsewhere(context, &desk, &next)? {
            return Ok(Now::Nothing);
        }
        if let Some(until) = due(state, &next).filter(|until| *until > context.at()) {
            return Ok(Now::Wait(until));
        }
        signals.idle(false);
        // In a dry run it is nowhere on the record, and as it would be there.
        let begun = begin(context, &desk, stage, &self.beginning, self.writing)?;
        let run = begun.unwrap_or(next);
        Ok(Now::Go(Box::new(self.order(context, &desk, stage, run))))
    }

    fn order(&self, context: &Context, desk: &Desk, stage: &Stage, run: Run) -> Order {
        let same = |known: &&RunState| (&known.run_id, known.attempt) == (&run.run_id, run.attempt);
        let counted: Vec<&RunState> = desk.state().runs.iter().filter(same).collect();
        let going_on = counted.iter().any(|known| known.standing == RunStanding::Active);
        // Attempts count from 1 again once a person has resumed the task; logs are kept apart.
        let round = match counted.len() - usize::from(going_on) {
            0 => String::new(),
            before => format!("-{}", before + 1),
        };
        let logs = desk.view.repository.common_dir().join("orch").join("logs");
        let name = format!("{}-{}{round}.log", run.run_id, run.attempt);
        let retry = desk.policy().retry(Some(stage), FailureClass::Transient);
        Order {
            task: self.id.clone(),
            of: retry.maximum_attempts.max(run.attempt),
            session: context.session().map(str::to_owned),
            leaves_nobody: self.once,
            timeout: self.timeout.or_else(|| stage.timeout.and_then(|time| time.to_std().ok())),
            log: logs.join(self.id.as_str()).join(name),
            prompt: self.prompt(desk, stage, &run),
            run,
        }
    }

    fn prompt(&self, desk: &Desk, stage: &Stage, run: &Run) -> Prompt {
        if let Some(file) = &self.prompt {
            return Prompt::File(file.clone());
        }
        let (policy, ledger, state) = (desk.policy(), desk.ledger(), desk.state());
        Prompt::Text(prompt(&Briefing { policy, ledger, state, stage, run }))
    }

    /// Records how the command ended, and gives whether it succeeded; refuses to go on if it failed
    /// and is not to be tried again by itself.
    fn record(&self, context: &Context, order: &Order, ended: &Ended) -> Result<bool, Stop> {
        let desk = Desk::of(context, &self.id)?;
        standing::must_be_where_it_began(&desk, &order.run)?;
        let log = order.log.display();
        let state = desk.state();
        // The command itself may have handed off, or reported what it judged.
        let own = state.run(&order.run.run_id);
        if own.is_some_and(|run| run.standing == RunStanding::Delivered)
            && matches!(ended.how, How::Exited(Some(0)))
        {
            return Ok(true);
        }
        let run = state
            .active_run()
            .filter(|run| (&run.run_id, run.attempt) == (&order.run.run_id, order.run.attempt));
        let run = run.ok_or_else(|| {
            let message = format!("run {} was ended by somebody else", order.run.run_id);
            let help = format!("see `orch status {}`; the command's output is in {log}", self.id);
            Stop::denied(message, help)
        })?;
        match ended.how {
            How::Exited(Some(0)) => self.succeeded(context, &desk, run, ended).map(|()| true),
            _ => self.failed(context, &desk, run, (order, ended)).map(|()| false),
        }
    }

    fn succeeded(
        &self,
        context: &Context,
        desk: &Desk,
        run: &RunState,
        ended: &Ended,
    ) -> Result<(), Stop> {
        let succeeded = Run {
            exit_code: Some(0),
            log: Some(ended.log),
            duration_seconds: Some(ended.took.as_secs()),
            ..draft::of_run(run, RunStatus::Succeeded)
        };
        let mut writer = Writer::new(context, &desk.view, desk.author(context)?);
        writer.add(&desk.home(), succeeded)?;
        let _on_the_record = writer.commit(Writing::default())?;
        if !self.handoff {
            let result = result_command(desk.policy(), &self.id, &run.stage, desk.state());
            say(format!("next: {result}"));
        }
        Ok(())
    }

    fn failed(
        &self,
        context: &Context,
        desk: &Desk,
        run: &RunState,
        (order, ended): (&Order, &Ended),
    ) -> Result<(), Stop> {
        let (policy, author) = (desk.policy(), desk.author(context)?);
        let failure = failure(desk, ended);
        let lane = world::lane_state(&desk.view.repository, Side::Index, policy, &run.lane)?;
        let (mut failed, pause) =
            draft::failure(policy, desk.state(), run, failure.clone(), author.at, lane);
        failed.exit_code = match ended.how {
            How::Exited(code) => code,
            _ => None,
        };
        failed.log = Some(ended.log);
        failed.duration_seconds = Some(ended.took.as_secs());
        let (again, paused) = (failed.retry_after, pause.is_some());
        let (fix, writing) = (Fix::default(), Writing::default());
        let _on_the_record = write_failure(context, desk, author, (failed, pause), &fix, writing)?;
        let class = serde_json::to_value(failure.class).unwrap_or_default();
        let class = class.as_str().unwrap_or_default().to_owned();
        let told = failure.message.map(|message| format!(": {message}")).unwrap_or_default();
        let told = format!("stage {} failed ({class}, {}){told}", run.stage, failure.reason);
        match again.filter(|_| !paused) {
            Some(_) => {
                say(told);
                Ok(())
            }
            None => {
                let message = format!("{told}; its output is in {}", order.log.display());
                Err(Stop::denied(message, self.remedy(failure.class, paused)))
            }
        }
    }

    /// What is to be changed before the command may be run again.
    fn remedy(&self, class: FailureClass, paused: bool) -> String {
        let id = &self.id;
        let resume = format!("orch resume {id} --sign-off STATEMENT");
        match (paused, class) {
            (true, _) => format!("the task is paused: a person looks, then `{resume}`"),
            (_, FailureClass::Transient) => {
                format!(
                    "it was tried as often as the policy allows: a person looks, then `{resume}`"
                )
            }
            (_, FailureClass::Deterministic) => {
                "mend the files of its lane, `git add` them, and say this again".into()
            }
            (_, FailureClass::Spec) => {
                format!("change what is asked for, `orch task update {id}`, and say this again")
            }
            (_, FailureClass::Policy) => {
                format!("a rule forbids it: ask a person, who may change it or say `{resume}`")
            }
        }
    }
}

/// Waits for the moment of the next attempt. Ctrl-C ends the process at once.
fn wait(context: &Context, until: Moment, signals: &Signals) {
    signals.idle(true);
    let heartbeat = Heartbeat::begin(&format!("tries again at {until}"));
    loop {
        let left = until.since(context.by_now().at());
        match left.to_std().ok().filter(|left| !left.is_zero()) {
            Some(left) => heartbeat.left(left),
            None => return,
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
