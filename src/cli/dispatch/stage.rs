//! One task's stage, from its worktree to a branch that can be merged. Everything is done by the
//! commands that an agent would type, and judged by the same guard.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::bench::{Bench, Said, Shop, Voice};
use crate::cli::Stop;
use crate::cli::context::Context;
use crate::draft;
use crate::ledger::{Standing, State};
use crate::policy::{Policy, StageKind};
use crate::record::kind::{Outcome, Verdict};
use crate::snapshot::Side;
use crate::source::{AgentName, TaskId};
use crate::world::ledger_at;

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// The task.
    pub(super) task: TaskId,
    /// Other tasks, of the same stage, that the agent does in the same call (R002-32).
    pub(super) along: Vec<TaskId>,
    /// Who does its stage.
    pub(super) agent: AgentName,
    /// The commit that its branch starts from.
    pub(super) base: String,
    /// The branch of its run, if there is one already that no worktree holds.
    pub(super) branch: Option<String>,
}

impl Order {
    fn branch_of(&self, task: &TaskId) -> Option<&str> {
        self.branch.as_deref().filter(|_| *task == self.task)
    }
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
    /// Nothing yet, but this is to be told.
    Note(String),
    /// It was asked to rest, and rests; what it has is kept in its worktree.
    Rests,
    /// It failed, or was refused, for this reason; what it has is kept in its worktree.
    Failed(String),
}

/// What became of a task.
pub(super) type Report = (TaskId, Done);

/// What one stage needs to know.
pub(super) struct Worker<'w> {
    pub(super) context: &'w Context,
    pub(super) shop: &'w Shop,
    pub(super) policy: &'w Policy,
    pub(super) coordinator: &'w AgentName,
    /// Set when the agent is to rest.
    pub(super) stop: &'w AtomicBool,
    /// Where it tells how it goes.
    pub(super) notes: &'w Sender<Report>,
}

impl Worker<'_> {
    /// Does the next stage of a task, and of those that share its agent's call: the agent's command,
    /// the handoff, the gate. What failed for good is committed on its branch, as far as it is on the
    /// record. Gives what became of each.
    pub(super) fn carry_out(&self, order: &Order) -> Vec<Report> {
        let (lead, along) = (&order.task, &order.along);
        let benches = std::iter::once(lead).chain(along);
        let benches: Result<Vec<_>, Stop> =
            benches.map(|task| self.shop.bench(task, &order.base, order.branch_of(task))).collect();
        let mut agent = order.agent.clone();
        let worked = benches.and_then(|benches| {
            let ended = self.work(&benches, &mut agent)?;
            Ok((benches, ended))
        });
        let (benches, (worked, ended)) = match worked {
            Ok(worked) => worked,
            Err(stop) => {
                let why = stop.in_words();
                let all = std::iter::once(lead).chain(along);
                return all.map(|task| (task.clone(), Done::Failed(why.clone()))).collect();
            }
        };
        // What several were done in together counts once.
        let shares = u32::try_from(benches.len()).unwrap_or(u32::MAX);
        let each = benches.iter().zip(ended).map(|(bench, ended)| {
            let done = match ended {
                Some(done) => Ok(done),
                None => self.land(bench, &agent, worked / shares),
            };
            let done = done.unwrap_or_else(|stop| Done::Failed(stop.in_words()));
            self.keep(bench, &agent, &done);
            (bench.task.clone(), done)
        });
        each.collect()
    }

    /// Brings what an agent made to where it can be merged.
    fn land(&self, bench: &Bench<'_>, agent: &AgentName, worked: Duration) -> Result<Done, Stop> {
        match self.deliver(bench, agent)? {
            Some(refused) => Ok(Done::Failed(refused)),
            None => self.gate(bench, worked),
        }
    }

    /// Commits what is on the record of a failure.
    fn keep(&self, bench: &Bench<'_>, agent: &AgentName, done: &Done) {
        let state = self.state(bench).ok();
        let astray = state.and_then(|state| self.astray(bench, &state).ok().flatten());
        let failed = matches!(done, Done::Failed(_)) && astray.is_none();
        if failed && bench.is_staged().unwrap_or_default() {
            let voice = self.voice(agent, &bench.task, "-");
            let message = format!("Record what became of {}", bench.task);
            let commit = ["commit", "--quiet", "--message", &message, "--", ".orch"];
            // Without it, the records stay staged in the worktree, where they are found as well.
            let _staged_at_least = bench.git(&commit, Some(&voice));
        }
    }

    /// Gives where the task stands in its worktree.
    pub(super) fn state(&self, bench: &Bench<'_>) -> Result<State, Stop> {
        let repository = self.context.repository_at(&bench.folder)?;
        let records = ledger_at(&repository, Side::Index, &bench.ledger)?;
        records.iter().fold(None, State::after).ok_or_else(|| {
            let help = format!("see `orch status {}` in {}", bench.task, bench.folder.display());
            Stop::fault(format!("the ledger of {} can't be read", bench.task), help)
        })
    }

    /// Speaks as an agent, in a context of its own for each stage.
    pub(super) fn voice(&self, agent: &AgentName, task: &TaskId, stage: &str) -> Voice {
        let session = format!("{}/{task}/{stage}/{agent}", self.shop.session);
        Voice::new(self.policy, agent, session)
    }

    /// Speaks as the coordinator.
    pub(super) fn coordinator(&self) -> Voice {
        Voice::new(self.policy, self.coordinator, self.shop.session.clone())
    }

    /// Hands off what the agent made, unless it did so itself, and commits it in its name; gives why
    /// not, if that is refused.
    fn deliver(&self, bench: &Bench<'_>, agent: &AgentName) -> Result<Option<String>, Stop> {
        let task = &bench.task;
        let state = self.state(bench)?;
        if let Some(astray) = self.astray(bench, &state)? {
            return Ok(Some(astray));
        }
        let stage = draft::due_stage(self.policy, &state);
        let word = stage.map_or("-", |stage| stage.name.as_str());
        let voice = self.voice(agent, task, word);
        if let (Standing::Running(running), Some(stage)) = (&state.standing, stage) {
            if stage.kind == StageKind::Audit {
                let why = format!("its command ended without `orch audit report {task}`");
                return self.give_up(bench, &voice, "no_report", why).map(Some);
            }
            // This machine's own log is nobody's work, whether it is ignored or not.
            bench.git(&["add", "--all", "--", ".", ":(exclude)logs/agent_activity.log"], None)?;
            let owes = stage.produces.values().any(|one| !one.optional);
            if owes && !bench.has_work()? {
                let why = "its command ended well, and changed no file".to_owned();
                return self.give_up(bench, &voice, "no_work", why).map(Some);
            }
            let said = bench.orch(&["handoff", "create", task.as_str()], &voice, &[], None)?;
            if !said.success {
                let why = format!("stage {running} can't be handed off: {}", said.last);
                return self.give_up(bench, &voice, "no_handoff", why).map(Some);
            }
        }
        if !bench.is_staged()? {
            return Ok(None);
        }
        let committed = self.commit(bench, &format!("Hand over {word} of {task}"), &voice)?;
        Ok((!committed.success).then(|| format!("the guard refuses it: {}", committed.last)))
    }

    /// Commits what is staged, judged by the hook, or else here.
    fn commit(&self, bench: &Bench<'_>, message: &str, voice: &Voice) -> Result<Said, Stop> {
        if !self.shop.hooked {
            let judged = bench.orch(&["guard", "--staged"], voice, &[], None)?;
            if !judged.success {
                return Ok(judged);
            }
        }
        bench.commit(message, voice)
    }

    /// Records that a run that ended well brought nothing that could be handed off.
    fn give_up(
        &self,
        bench: &Bench<'_>,
        voice: &Voice,
        reason: &str,
        why: String,
    ) -> Result<String, Stop> {
        let fail =
            ["run", "fail", bench.task.as_str(), "--class", "deterministic", "--reason", reason];
        let said = bench.orch(&[&fail[..], &["--message", &why]].concat(), voice, &[], None)?;
        Ok(if said.success { why } else { format!("{why}; {}", said.last) })
    }

    /// Tells whether the last run was an audit that failed: it returned the task by itself.
    fn was_returned(&self, state: &State) -> bool {
        let stage = state.runs.last().map(|run| &run.stage);
        let stage = stage.and_then(|stage| self.policy.stage(&state.task.workflow, stage));
        stage.is_some_and(|stage| stage.kind == StageKind::Audit)
            && state.audits.last().is_some_and(|audit| audit.verdict == Verdict::Fail)
    }

    /// Tells how it goes.
    pub(super) fn tell(&self, task: &TaskId, text: String) {
        // Nobody listens any more only when the dispatch itself has failed.
        let _told = self.notes.send((task.clone(), Done::Note(text)));
    }

    /// Records the coordinator's gate, closes a task behind its last stage, and commits both.
    fn gate(&self, bench: &Bench<'_>, worked: Duration) -> Result<Done, Stop> {
        let (task, voice) = (&bench.task, self.coordinator());
        let before = self.state(bench)?;
        let mut passed = !self.was_returned(&before);
        if let Standing::Delivered(_) = &before.standing {
            let said = bench.orch(&["gate", task.as_str()], &voice, &[], None)?;
            if !matches!(self.state(bench)?.standing, Standing::Ready(_) | Standing::Finished) {
                return Ok(Done::Failed(format!("its gate can't be recorded: {}", said.last)));
            }
            passed = said.success;
        }
        let state = self.state(bench)?;
        if state.standing == Standing::Finished && state.closed.is_none() {
            let close = ["task", "close", task.as_str(), "--outcome", "completed"];
            let reason = ["--reason", "Every stage passed its gate"];
            let said = bench.orch(&[&close[..], &reason].concat(), &voice, &[], None)?;
            if !said.success {
                return Ok(Done::Failed(format!("it can't be closed: {}", said.last)));
            }
        }
        if bench.is_staged()? {
            let committed = self.commit(bench, &format!("Gate {task}"), &voice)?;
            if !committed.success {
                return Ok(Done::Failed(format!("its gate is refused: {}", committed.last)));
            }
        }
        let branch = bench.git(&["symbolic-ref", "--short", "HEAD"], None)?.trim().to_owned();
        let closed = self.state(bench)?.closed == Some(Outcome::Completed);
        Ok(Done::Ready { branch, closed, passed, worked })
    }
}
