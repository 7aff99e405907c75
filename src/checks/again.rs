//! What the checks of retries share: the failed attempt that a new run follows.

use crate::ledger::{Failed, RunStanding, State};
use crate::policy::Retry;
use crate::record::Payload;
use crate::record::kind::{FailureClass, Run};
use crate::world::{Step, World};

/// A run that begins although its last attempt failed, on the same evidence.
pub(super) struct Again<'w> {
    /// The new run.
    pub(super) run: &'w Run,
    /// Where the task stands.
    pub(super) state: &'w State,
    /// How the last attempt failed.
    pub(super) failed: &'w Failed,
    /// How failures of that class are retried.
    pub(super) retry: &'w Retry,
    /// How many attempts there were since the task was last resumed.
    pub(super) attempts: u32,
}

/// Gives the attempt that a proposed entry follows; none if it begins no run, or the run was never
/// tried on this evidence since the task was resumed.
pub(super) fn again<'w>(step: &Step<'w>) -> Option<Again<'w>> {
    let (policy, state, run) = (step.policy?, step.before?, step.begun()?);
    // A paused task waits for a person, whose sign-off counts the attempts anew.
    if state.paused.is_some() {
        return None;
    }
    let last = state.run(&run.run_id).filter(|last| last.sequence > state.resumed)?;
    let RunStanding::Failed(failed) = &last.standing else { return None };
    let stage = policy.stage(&state.task.workflow, &run.stage);
    let retry = policy.retry(stage, failed.failure.class);
    Some(Again { run, state, failed, retry, attempts: state.attempts(&run.run_id) })
}

impl Again<'_> {
    /// Tells whether there is reason to expect another outcome: the lane's
    /// files are not what they were; for a fault of the task's description, that was changed; for
    /// one of the policy, that was. What can't be seen any more is not held against anyone.
    pub(super) fn has_changed(&self, world: &World, step: &Step<'_>) -> bool {
        let now = world.facts.lane(step.seen, &self.run.lane);
        let lane = match (self.failed.lane_state, now) {
            (Some(then), Some(now)) => then != now,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let updated = || {
            let mut since = step.earlier().take_while(|e| e.sequence() > self.failed.sequence);
            since.any(|entry| matches!(entry.payload, Payload::Update(_)))
        };
        let policy = step.policy.map(|policy| policy.digest);
        match self.failed.failure.class {
            FailureClass::Spec => lane || updated(),
            FailureClass::Policy => lane || self.failed.policy != policy,
            FailureClass::Transient | FailureClass::Deterministic => lane,
        }
    }
}
