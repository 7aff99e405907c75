//! The agent's command, until it succeeds or is not to be tried again.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::bench::{Bench, Said};
use super::stage::{Done, Worker};
use crate::cli::Stop;
use crate::cli::context::View;
use crate::draft;
use crate::ledger::{Failed, Standing, State};
use crate::plan::{Briefing, prompt};
use crate::policy::TIMED_OUT;
use crate::source::{AgentName, Moment};

/// How long the agent's calls took, and what became of each task that they did not finish.
pub(super) type Ended = (Duration, Vec<Option<Done>>);

/// Who tries again, and when.
enum Again {
    By(AgentName, Moment),
    No(Option<String>),
}

impl Worker<'_> {
    /// Lets the agent's command try until it succeeds. The run of the first task is the one that the
    /// command is executed as; those of the others begin and fail with it. `agent` becomes who did
    /// it in the end.
    pub(super) fn work(&self, benches: &[Bench<'_>], agent: &mut AgentName) -> Result<Ended, Stop> {
        let (lead, along) = benches.split_first().expect("an order has a task");
        let mut worked = Duration::ZERO;
        let all = |done: &dyn Fn() -> Option<Done>| benches.iter().map(|_| done()).collect();
        loop {
            let state = self.state(lead)?;
            if let Some(astray) = self.astray(lead, &state)? {
                return Ok((worked, all(&|| Some(Done::Failed(astray.clone())))));
            }
            if matches!(state.standing, Standing::Delivered(_) | Standing::Finished)
                || state.active_run().is_some_and(|run| run.executed)
            {
                return Ok((worked, all(&|| None)));
            }
            if let Some(run) = state.active_run() {
                *agent = run.agent.clone();
            }
            for bench in benches {
                if let Some(refused) = self.prepare(bench, lead, agent)? {
                    return Ok((worked, all(&|| Some(Done::Failed(refused.clone())))));
                }
            }
            let said = self.attempt(benches, agent, &state)?;
            worked += took(&lead.clock);
            let after = self.state(lead)?;
            let failed = draft::due_stage(self.policy, &after).and_then(|stage| {
                after.failures(&stage.name).next().map(|(_, failed)| failed.clone())
            });
            if self.stop.load(Ordering::SeqCst) {
                return Ok((worked, all(&|| Some(Done::Rests))));
            }
            if !said.success {
                along.iter().try_for_each(|bench| self.fail_too(bench, agent, failed.as_ref()))?;
            }
            if said.success {
                return Ok((worked, all(&|| None)));
            }
            match self.again(lead, &after, failed.as_ref(), agent)? {
                Again::By(next, at) => {
                    self.tell(&lead.task, format!("{}, tried again at {at}", reason(&failed)));
                    if !self.wait(at) {
                        return Ok((worked, all(&|| Some(Done::Rests))));
                    }
                    *agent = next;
                }
                Again::No(why) => {
                    let why = why.unwrap_or(said.last);
                    return Ok((worked, all(&|| Some(Done::Failed(why.clone())))));
                }
            }
        }
    }

    /// Tells why nothing may be recorded in a worktree: its agent left the branch of its run.
    pub(super) fn astray(&self, bench: &Bench<'_>, state: &State) -> Result<Option<String>, Stop> {
        let Some(due) = state.active_run().and_then(|run| run.branch.as_deref()) else {
            return Ok(None);
        };
        let here = self.context.repository_at(&bench.folder)?.current_branch()?;
        Ok((here.as_deref() != Some(due)).then(|| {
            let folder = bench.folder.display();
            format!(
                "its agent left the branch of its run; go back: cd {folder} && git switch {due}"
            )
        }))
    }

    /// Gives a task to the agent if it is another's by the policy, and begins its run if it is to be
    /// done along with another; gives why not, if that is refused.
    fn prepare(
        &self,
        bench: &Bench<'_>,
        lead: &Bench<'_>,
        agent: &AgentName,
    ) -> Result<Option<String>, Stop> {
        let state = self.state(bench)?;
        if state.active_run().is_some() {
            return Ok(None);
        }
        if !self.is_due(&state, agent)
            && let Some(refused) = self.assign(bench, agent, "selection")?
        {
            return Ok(Some(refused));
        }
        if bench.task == lead.task {
            return Ok(None);
        }
        let voice = self.voice_in(bench, agent, &state);
        let claim: &[&str] = if self.shop.claims { &["--claim"] } else { &[] };
        let start = [&["run", "start", bench.task.as_str()], claim].concat();
        let said = bench.orch(&start, &voice, &[], None)?;
        Ok((!said.success).then_some(said.last))
    }

    /// Records that a run that went along with another failed as that one did.
    fn fail_too(
        &self,
        bench: &Bench<'_>,
        agent: &AgentName,
        failed: Option<&Failed>,
    ) -> Result<(), Stop> {
        let (class, reason) = match failed {
            Some(failed) => (failed.failure.class, failed.failure.reason.as_str()),
            None => (crate::record::kind::FailureClass::Transient, "interrupted"),
        };
        let class = serde_json::to_value(class).unwrap_or_default();
        let class = class.as_str().unwrap_or_default().to_owned();
        let voice = self.voice_in(bench, agent, &self.state(bench)?);
        let fail = ["run", "fail", bench.task.as_str(), "--class", &class, "--reason", reason];
        // Where no run goes on, none failed.
        let _told = bench.orch(&fail, &voice, &[], None)?;
        Ok(())
    }

    fn voice_in(&self, bench: &Bench<'_>, agent: &AgentName, state: &State) -> super::bench::Voice {
        let stage = draft::due_stage(self.policy, state);
        self.voice(agent, &bench.task, stage.map_or("-", |stage| stage.name.as_str()))
    }

    /// Lets the agent's command try once.
    fn attempt(
        &self,
        benches: &[Bench<'_>],
        agent: &AgentName,
        state: &State,
    ) -> Result<Said, Stop> {
        let lead = &benches[0];
        let voice = self.voice_in(lead, agent, state);
        let command = self.policy.command_of(agent);
        if command.is_empty() {
            let last = format!("the policy gives {agent} no `command`");
            return Ok(Said { success: false, last });
        }
        let tasks: Vec<&str> = benches.iter().map(|bench| bench.task.as_str()).collect();
        let folders = benches.iter().map(|bench| bench.folder.display().to_string());
        let told = [
            ("ORCH_TASKS", tasks.join(" ")),
            ("ORCH_WORKTREES", folders.collect::<Vec<_>>().join(":")),
        ];
        let told: Vec<(&str, &str)> =
            told.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let clock = lead.clock.display().to_string();
        let exec = ["run", "exec", lead.task.as_str(), "--once", "--time", &clock];
        let claim: &[&str] = if self.shop.claims { &["--claim"] } else { &[] };
        // What is asked of one task follows from its stage; of several, only this knows.
        let shared = (benches.len() > 1).then(|| self.brief(benches, agent)).transpose()?;
        let shared = shared.map(|file| file.display().to_string());
        let prompt: Vec<&str> = shared.iter().flat_map(|file| ["--prompt", file]).collect();
        let run = [&exec[..], claim, &prompt, &["--"], &words].concat();
        lead.orch(&run, &voice, &told, Some(self.stop))
    }

    /// Writes what the agent is told of several tasks that share its call; gives the file.
    fn brief(&self, benches: &[Bench<'_>], agent: &AgentName) -> Result<PathBuf, Stop> {
        let mut all = String::new();
        for bench in benches {
            let view = View::of(&self.context.standing_in(&bench.folder), &[&bench.task])?;
            let (ledger, state) = view.task(&bench.task)?;
            let policy = view.policy();
            let Some(stage) = draft::due_stage(&policy, state) else { continue };
            let mut run = draft::run(&view.world, state, stage);
            run.agent = agent.clone();
            all.push_str(&prompt(&Briefing { policy: &policy, ledger, state, stage, run: &run }));
            all.push_str(&format!("- Its worktree is {}\n\n", bench.folder.display()));
        }
        let file = self.shop.notes.join(format!("{}.md", benches[0].task));
        std::fs::write(&file, all).map_err(|error| {
            Stop::fault(format!("{} can't be written: {error}", file.display()), "make room")
        })?;
        Ok(file)
    }

    /// Tells who tries again after a failure, and when: the same agent; after a timeout, the backup
    /// (R002-35).
    fn again(
        &self,
        bench: &Bench<'_>,
        state: &State,
        failed: Option<&Failed>,
        agent: &AgentName,
    ) -> Result<Again, Stop> {
        let Some(failed) = failed else { return Ok(Again::No(None)) };
        let told = failed.failure.message.as_deref().unwrap_or("it said nothing");
        let why = format!("{}: {told}", failed.failure.reason);
        let Some(at) = failed.retry_after.filter(|_| state.paused.is_none()) else {
            return Ok(Again::No(Some(why)));
        };
        let late = failed.failure.reason == TIMED_OUT;
        let stage = draft::due_stage(self.policy, state).filter(|_| late);
        let backup = stage.and_then(|stage| self.policy.backup_for(&state.task, stage, agent));
        let Some(backup) = backup else { return Ok(Again::By(agent.clone(), at)) };
        Ok(match self.assign(bench, backup, "timeout")? {
            None => Again::By(backup.clone(), at),
            Some(refused) => Again::No(Some(refused)),
        })
    }

    /// Tells whether a task's next stage is an agent's to do without another word.
    fn is_due(&self, state: &State, agent: &AgentName) -> bool {
        let stage = draft::due_stage(self.policy, state);
        stage.is_none_or(|stage| draft::agent(self.policy, state, stage) == agent)
    }

    /// Gives a task to an agent, on the record; gives why not, if that is refused.
    fn assign(
        &self,
        bench: &Bench<'_>,
        agent: &AgentName,
        reason: &str,
    ) -> Result<Option<String>, Stop> {
        let task = bench.task.as_str();
        let assign = ["task", "assign", task, "--to", agent.as_str(), "--reason", reason];
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
}

/// Gives how long the agent's command took last, and forgets it; nothing if it did not run.
fn took(clock: &Path) -> Duration {
    let told = std::fs::read_to_string(clock).unwrap_or_default();
    let _not_there = std::fs::remove_file(clock);
    Duration::from_millis(told.trim().parse().unwrap_or_default())
}

fn reason(failed: &Option<Failed>) -> String {
    let failure = failed.as_ref().map(|failed| &failed.failure);
    let told = failure.map(|failure| match &failure.message {
        Some(message) => format!("{}: {message}", failure.reason),
        None => failure.reason.clone(),
    });
    format!("failed ({})", told.unwrap_or_default())
}
