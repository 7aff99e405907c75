//! One task's stage, from its worktree to a branch that can be merged. Everything is done by the
//! commands that an agent would type, and judged by the same guard.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::bench::{Bench, Said, Shop, Voice};
use crate::cli::Stop;
use crate::cli::context::{Context, View};
use crate::draft;
use crate::ledger::{Standing, State};
use crate::plan::{Briefing, prompt};
use crate::policy::{Policy, StageKind, TIMED_OUT};
use crate::record::kind::Outcome;
use crate::source::{AgentName, Moment, StageName, TaskId};

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// The task.
    pub(super) task: TaskId,
    /// Who does its stage.
    pub(super) agent: AgentName,
    /// The commit that its branch starts from.
    pub(super) base: String,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Done {
    /// The stage has its gate; this branch can be merged.
    Ready {
        /// The branch.
        branch: String,
        /// Whether the task is closed on it.
        closed: bool,
        /// Whether the gate let the stage pass.
        passed: bool,
        /// How long the agent's command took, all attempts together.
        worked: Duration,
    },
    /// It was asked to rest, and rests; what it has is kept in its worktree.
    Rests,
    /// It failed, or was refused, for this reason; what it has is kept in its worktree.
    Failed(String),
}

/// What one stage needs to know.
pub(super) struct Worker<'w> {
    pub(super) context: &'w Context,
    pub(super) shop: &'w Shop,
    pub(super) policy: &'w Policy,
    pub(super) coordinator: &'w AgentName,
    /// Set when the agent is to rest.
    pub(super) stop: &'w AtomicBool,
}

impl Worker<'_> {
    /// Does a task's next stage: the agent's command, the handoff, the gate. What failed for good is
    /// committed on its branch, as far as it is on the record.
    pub(super) fn carry_out(&self, order: &Order) -> Result<Done, Stop> {
        let bench = self.shop.bench(&order.task, &order.base)?;
        let mut agent = order.agent.clone();
        let mut worked = Duration::ZERO;
        let done = match self.work(&bench, &order.task, &mut agent, &mut worked)? {
            Some(done) => done,
            None => match self.deliver(&bench, &order.task, &agent)? {
                Some(refused) => Done::Failed(refused),
                None => self.gate(&bench, &order.task, worked)?,
            },
        };
        if matches!(done, Done::Failed(_)) && bench.is_staged()? {
            let voice = self.voice(&agent, &order.task, "-");
            let message = format!("Record what became of {}", order.task);
            let commit = ["commit", "--quiet", "--message", &message, "--", ".orch"];
            // Without it, the records stay staged in the worktree, where they are found as well.
            let _staged_at_least = bench.git(&commit, Some(&voice));
        }
        Ok(done)
    }

    /// Lets the agent's command try until it succeeds; gives what became of the task if it does not.
    fn work(
        &self,
        bench: &Bench<'_>,
        task: &TaskId,
        agent: &mut AgentName,
        worked: &mut Duration,
    ) -> Result<Option<Done>, Stop> {
        loop {
            let state = self.state(bench, task)?;
            if matches!(state.standing, Standing::Delivered(_) | Standing::Finished)
                || state.active_run().is_some_and(|run| run.executed)
            {
                return Ok(None);
            }
            match state.active_run() {
                Some(run) => *agent = run.agent.clone(),
                None if !self.is_due(&state, agent) => {
                    if let Some(refused) = self.assign(bench, task, agent, "selection")? {
                        return Ok(Some(Done::Failed(refused)));
                    }
                }
                None => {}
            }
            let began = Instant::now();
            let said = self.attempt(bench, task, agent, &state)?;
            *worked += began.elapsed();
            if self.stop.load(Ordering::SeqCst) {
                return Ok(Some(Done::Rests));
            }
            if said.success {
                return Ok(None);
            }
            match self.again(bench, &self.state(bench, task)?, agent)? {
                Again::By(next, at) if self.wait(at) => *agent = next,
                Again::By(..) => return Ok(Some(Done::Rests)),
                Again::No(why) => return Ok(Some(Done::Failed(why.unwrap_or(said.last)))),
            }
        }
    }

    /// Gives where the task stands in its worktree.
    fn state(&self, bench: &Bench<'_>, task: &TaskId) -> Result<State, Stop> {
        let view = View::of(&self.context.standing_in(&bench.folder), &[task])?;
        Ok(view.task(task)?.1.clone())
    }

    fn voice(&self, agent: &AgentName, task: &TaskId, stage: &str) -> Voice {
        let session = format!("{}/{task}/{stage}/{agent}", self.shop.session);
        Voice::new(self.policy, agent, session)
    }

    fn coordinator(&self) -> Voice {
        Voice::new(self.policy, self.coordinator, self.shop.session.clone())
    }

    /// Lets the agent's command try once.
    fn attempt(
        &self,
        bench: &Bench<'_>,
        task: &TaskId,
        agent: &AgentName,
        state: &State,
    ) -> Result<Said, Stop> {
        let stage = stage_name(self.policy, state);
        let voice = self.voice(agent, task, stage.as_ref().map_or("-", StageName::as_str));
        let command = self.policy.command_of(agent);
        if command.is_empty() {
            return Ok(Said {
                success: false,
                last: format!("the policy gives {agent} no `command`"),
            });
        }
        let briefing = self.shop.notes.join(format!("{task}.md"));
        self.brief(bench, task, agent, &briefing)?;
        let file = briefing.display().to_string();
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let run = [&["run", "exec", task.as_str(), "--once", "--"][..], &words].concat();
        bench.orch(&run, &voice, &[("ORCH_PROMPT_FILE", &file)], Some(self.stop))
    }

    /// Writes what the agent is told.
    fn brief(
        &self,
        bench: &Bench<'_>,
        task: &TaskId,
        agent: &AgentName,
        file: &std::path::Path,
    ) -> Result<(), Stop> {
        let view = View::of(&self.context.standing_in(&bench.folder), &[task])?;
        let (ledger, state) = view.task(task)?;
        let policy = view.policy();
        let workflow = policy.workflows.get(&state.task.workflow);
        let stage = workflow.and_then(|workflow| draft::next_stage(workflow, state));
        let Some(stage) = stage else { return Ok(()) };
        let mut run = draft::run(&view.world, state, stage);
        run.agent = agent.clone();
        let text = prompt(&Briefing { policy: &policy, ledger, state, stage, run: &run });
        std::fs::write(file, text).map_err(|error| {
            Stop::fault(format!("{} can't be written: {error}", file.display()), "make room")
        })
    }

    /// Tells who tries again after a failure, and when: the same agent; after a timeout, the backup
    /// (R002-35).
    fn again(&self, bench: &Bench<'_>, state: &State, agent: &AgentName) -> Result<Again, Stop> {
        let task = &state.task.task_id;
        let Some(stage) = stage_name(self.policy, state) else { return Ok(Again::No(None)) };
        let Some((_, failed)) = state.failures(&stage).next() else { return Ok(Again::No(None)) };
        let told = failed.failure.message.as_deref().unwrap_or("it said nothing");
        let why = format!("{}: {told}", failed.failure.reason);
        let Some(at) = failed.retry_after.filter(|_| state.paused.is_none()) else {
            return Ok(Again::No(Some(why)));
        };
        let known = self.policy.stage(&state.task.workflow, &stage);
        let late = failed.failure.reason == TIMED_OUT;
        let backup = known
            .filter(|_| late)
            .and_then(|stage| self.policy.backup_for(&state.task, stage, agent));
        let Some(backup) = backup else { return Ok(Again::By(agent.clone(), at)) };
        Ok(match self.assign(bench, task, backup, "timeout")? {
            None => Again::By(backup.clone(), at),
            Some(refused) => Again::No(Some(refused)),
        })
    }

    /// Tells whether a task's next stage is an agent's to do without another word.
    fn is_due(&self, state: &State, agent: &AgentName) -> bool {
        let stage = stage_name(self.policy, state);
        let stage = stage.and_then(|stage| self.policy.stage(&state.task.workflow, &stage));
        stage.is_none_or(|stage| draft::agent(self.policy, state, stage) == agent)
    }

    /// Gives a task to an agent, on the record; gives why not, if that is refused.
    fn assign(
        &self,
        bench: &Bench<'_>,
        task: &TaskId,
        agent: &AgentName,
        reason: &str,
    ) -> Result<Option<String>, Stop> {
        let assign = ["task", "assign", task.as_str(), "--to", agent.as_str(), "--reason", reason];
        let said = bench.orch(&assign, &self.coordinator(), &[], None)?;
        Ok((!said.success).then_some(said.last))
    }

    /// Waits until a moment; gives false if it was asked to rest meanwhile.
    fn wait(&self, until: Moment) -> bool {
        while self.context.by_now().at() < until {
            if self.stop.load(Ordering::SeqCst) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }

    /// Hands off what the agent made, unless it did so itself, and commits it in its name; gives why
    /// not, if that is refused.
    fn deliver(
        &self,
        bench: &Bench<'_>,
        task: &TaskId,
        agent: &AgentName,
    ) -> Result<Option<String>, Stop> {
        let state = self.state(bench, task)?;
        let stage = stage_name(self.policy, &state);
        let word = stage.as_ref().map_or("-", StageName::as_str);
        let voice = self.voice(agent, task, word);
        if let (Standing::Running(running), Some(stage)) = (&state.standing, &stage) {
            let kind = self.policy.stage(&state.task.workflow, stage).map(|stage| stage.kind);
            if kind == Some(StageKind::Audit) {
                let why = format!("its command ended without `orch audit report {task}`");
                return self.give_up(bench, task, &voice, "no_report", why).map(Some);
            }
            // This machine's own log is nobody's work, whether it is ignored or not.
            bench.git(&["add", "--all", "--", ".", ":(exclude)logs/agent_activity.log"], None)?;
            let said = bench.orch(&["handoff", "create", task.as_str()], &voice, &[], None)?;
            if !said.success {
                let why = format!("stage {running} can't be handed off: {}", said.last);
                return self.give_up(bench, task, &voice, "no_handoff", why).map(Some);
            }
        }
        if !bench.is_staged()? {
            return Ok(None);
        }
        let guard = bench.orch(&["guard", "--staged"], &voice, &[], None)?;
        let committed = match guard.success {
            true => bench.commit(&format!("Hand over {word} of {task}"), &voice)?,
            false => guard,
        };
        Ok((!committed.success).then(|| format!("the guard refuses it: {}", committed.last)))
    }

    /// Records that a run that ended well brought nothing that could be handed off.
    fn give_up(
        &self,
        bench: &Bench<'_>,
        task: &TaskId,
        voice: &Voice,
        reason: &str,
        why: String,
    ) -> Result<String, Stop> {
        let fail = ["run", "fail", task.as_str(), "--class", "deterministic", "--reason", reason];
        let said = bench.orch(&[&fail[..], &["--message", &why]].concat(), voice, &[], None)?;
        Ok(if said.success { why } else { format!("{why}; {}", said.last) })
    }

    /// Records the coordinator's gate, closes a task behind its last stage, and commits both.
    fn gate(&self, bench: &Bench<'_>, task: &TaskId, worked: Duration) -> Result<Done, Stop> {
        let voice = self.coordinator();
        let before = self.state(bench, task)?;
        let mut passed = true;
        if let Standing::Delivered(_) = &before.standing {
            let said = bench.orch(&["gate", task.as_str()], &voice, &[], None)?;
            if !matches!(self.state(bench, task)?.standing, Standing::Ready(_) | Standing::Finished)
            {
                return Ok(Done::Failed(format!("its gate can't be recorded: {}", said.last)));
            }
            passed = said.success;
        }
        let state = self.state(bench, task)?;
        if state.standing == Standing::Finished && state.closed.is_none() {
            let close = ["task", "close", task.as_str(), "--outcome", "completed"];
            let reason = ["--reason", "Every stage passed its gate"];
            let said = bench.orch(&[&close[..], &reason].concat(), &voice, &[], None)?;
            if !said.success {
                return Ok(Done::Failed(format!("it can't be closed: {}", said.last)));
            }
        }
        if bench.is_staged()? {
            let committed = bench.commit(&format!("Gate {task}"), &voice)?;
            if !committed.success {
                return Ok(Done::Failed(format!("its gate is refused: {}", committed.last)));
            }
        }
        let branch = bench.git(&["symbolic-ref", "--short", "HEAD"], None)?.trim().to_owned();
        let closed = self.state(bench, task)?.closed == Some(Outcome::Completed);
        Ok(Done::Ready { branch, closed, passed, worked })
    }
}

/// Who tries again, and when.
enum Again {
    By(AgentName, Moment),
    No(Option<String>),
}

fn stage_name(policy: &Policy, state: &State) -> Option<StageName> {
    let workflow = policy.workflows.get(&state.task.workflow)?;
    draft::next_stage(workflow, state).map(|stage| stage.name.clone())
}
