//! The same submission, made twice: a run, its handoff and its gate are recorded once.

use super::Payload;
use super::kind::{Run, RunStatus};

/// Tells whether two entries are one submission (R001-18, R001-19): true if they say the same, false
/// if they contradict each other, none if they speak of different things.
///
/// How long something took, and in which words it was told, makes no difference.
pub fn same_submission(one: &Payload, other: &Payload) -> Option<bool> {
    let (same_run, same) = match (one, other) {
        (Payload::Run(a), Payload::Run(b)) => (step_of(a) == step_of(b), outcome(a) == outcome(b)),
        (Payload::Handoff(a), Payload::Handoff(b)) => {
            (a.run_id == b.run_id, (&a.artifacts, a.status) == (&b.artifacts, b.status))
        }
        (Payload::Gate(a), Payload::Gate(b)) => (a.run_id == b.run_id, a.verdict == b.verdict),
        _ => return None,
    };
    same_run.then_some(same)
}

/// Which step of which run an entry tells of. A run reaches several checkpoints; where it begins, the
/// one that it goes on from makes no other run of it.
fn step_of(run: &Run) -> impl PartialEq + use<'_> {
    let reached = run.checkpoint.as_ref().filter(|_| run.status == RunStatus::Checkpoint);
    (&run.run_id, run.attempt, run.status, reached)
}

fn outcome(run: &Run) -> impl PartialEq + use<'_> {
    let failure = run.failure.as_ref().map(|failure| (failure.class, &failure.reason));
    (&run.agent, &run.inputs, failure)
}
