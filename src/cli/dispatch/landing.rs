//! What becomes of a stage that is done: it is merged, tried again, or set aside.

use super::bench::Voice;
use super::floor::{Floor, Shift, Sight};
use super::stage::Done;
use crate::cli::Stop;
use crate::policy::Policy;
use crate::record::kind::FailureClass;
use crate::source::{TaskId, many};

impl Shift<'_> {
    /// Merges what is ready; sets aside what failed.
    pub(super) fn settle(
        &mut self,
        sight: &mut Sight,
        task: &TaskId,
        done: Done,
    ) -> Result<(), Stop> {
        match done {
            Done::Ready { branch, closed, passed, worked } => {
                match self.merge(&sight.policy, task, &branch)? {
                    None => {
                        self.board.landed(task, passed, closed, worked);
                        sight.landed(task, closed);
                        if !passed {
                            self.count_return(&sight.policy, task);
                        }
                        sight.base = self.head()?;
                    }
                    Some(why) => self.set_aside(task, &format!("it can't be merged: {why}")),
                }
            }
            Done::Note(_) => {}
            Done::Rests => drop(self.aside.insert(task.clone())),
            Done::Failed(why) => self.set_aside(task, &why),
        }
        Ok(())
    }

    /// A stage whose gate fails, or whose audit does, is done again: as often as the policy lets a
    /// stage fail in a row before a person looks.
    fn count_return(&mut self, policy: &Policy, task: &TaskId) {
        let retry = policy.retry(None, FailureClass::Deterministic);
        let limit = retry.pause_after.unwrap_or(retry.maximum_attempts).max(1);
        let count = self.returned.entry(task.clone()).or_default();
        *count += 1;
        if *count >= limit {
            let why = format!(
                "its work was returned {}: look at `orch status {task}`",
                many(*count as usize, "time")
            );
            self.board.failed(task, &why);
            self.aside.insert(task.clone());
        }
    }

    fn set_aside(&mut self, task: &TaskId, why: &str) {
        self.board.failed(task, why);
        let folder = self.floor.shop.folder(task);
        self.board.note(&format!("{task}  what it has is in {}", folder.display()));
        self.aside.insert(task.clone());
    }

    /// Merges a branch, through the hooks; gives why not, if that is refused.
    fn merge(&self, policy: &Policy, task: &TaskId, branch: &str) -> Result<Option<String>, Stop> {
        let Floor { context, shop, coordinator, .. } = self.floor;
        let here = context.repository()?.current_branch()?;
        if here.as_ref() != Some(&self.floor.branch) {
            return Ok(Some(format!("`{}` is not checked out any more", self.floor.branch)));
        }
        let voice = Voice::new(policy, coordinator, shop.session.clone());
        if !shop.hooked
            && let Some(refused) = self.judge(branch)?
        {
            return Ok(Some(refused));
        }
        let message = format!("Merge {task}");
        let merge = ["merge", "--quiet", "--no-ff", "--message", &message, branch];
        let output = shop.git(&shop.top, &merge, Some(&voice))?;
        if !output.status.success() {
            let told = super::bench::line_of(&String::from_utf8_lossy(&output.stderr));
            // Where no merge was begun, there is none to be undone.
            let _as_it_was = shop.git(&shop.top, &["merge", "--abort"], None)?;
            return Ok(Some(told));
        }
        if let Err(stop) = shop.clear(task, branch) {
            self.board.note(&format!("{task}  merged; {}", stop.in_words()));
        }
        Ok(None)
    }

    /// Asks the guard about a branch where no hook does; gives why it is refused.
    fn judge(&self, branch: &str) -> Result<Option<String>, Stop> {
        let Floor { shop, branch: base, .. } = self.floor;
        let guard = ["guard", "--base", base, "--head", branch, "--branch", branch];
        let mut command = std::process::Command::new(&shop.program);
        command.args(guard).current_dir(&shop.top).env("NO_COLOR", "1");
        let output = command.output().map_err(|error| {
            Stop::fault(format!("orch can't run itself: {error}"), "run it by its path")
        })?;
        let told = super::bench::line_of(&String::from_utf8_lossy(&output.stderr));
        Ok((!output.status.success()).then_some(told))
    }

    fn head(&self) -> Result<String, Stop> {
        let head = self.floor.context.repository()?.head_commit()?;
        Ok(head.map(|oid| oid.to_string()).unwrap_or_default())
    }
}
