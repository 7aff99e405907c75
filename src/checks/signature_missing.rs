//! What must be signed is signed.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::ledger::Standing;
use crate::record::Payload;
use crate::source::StageName;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "signature-missing",
    group: Group::Authority,
    title: "What must be signed is signed",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
A name in a record is a claim, and so is an address in a commit. The policy's `signatures` say whose
records must be signed, of which kinds, or in which stages. The signature lies beside the record, so
that it survives a squash and a rebase, which a commit's signature does not. orch signs by itself
what must be signed, with the SSH key that Git is configured to use (`gpg.format`,
`user.signingKey`); `orch sign` signs what was written without one.

```yaml bad
- policy: ['version: 1', \"version: 1\\nsignatures: {kinds: [approval]}\"]
- done: {until: deploy_live}
- propose: feature/strat-001-deploy_live
- approval: {stage: deploy_live, statement: The paper results convince me}
```

```yaml good
- policy: ['version: 1', \"version: 1\\nsignatures: {kinds: [pause]}\"]
- done: {until: deploy_live}
- propose: feature/strat-001-deploy_live
- approval: {stage: deploy_live, statement: The paper results convince me}
```
";

fn run(world: &World) -> Vec<Objection> {
    world.steps().filter_map(|step| missing(world, &step)).collect()
}

fn missing(world: &World, step: &Step<'_>) -> Option<Objection> {
    let record = step.record;
    let actor = &record.entry.actor;
    let asked = step.policy?.signatures.asks(actor, record.payload.word(), stage_of(step));
    let which = asked.filter(|_| !world.seals.contains_key(record.repo_path()))?;
    let message = format!("{which} must be signed, and this one is not");
    let help = format!(
        "let Git sign with a key of `{actor}`, `git config gpg.format ssh` and `git config \
         user.signingKey KEY.pub`: then orch signs as it writes; `orch sign {}` signs what is written",
        record.repo_path()
    );
    let objection = Objection::new(step.envelope("actor"), message, help);
    Some(step.task_id().into_iter().fold(objection, Objection::task))
}

/// Gives the stage that an entry is about: the one it names, else the one that its task is in.
fn stage_of<'w>(step: &Step<'w>) -> Option<&'w StageName> {
    match &step.record.payload {
        Payload::Run(run) => Some(&run.stage),
        Payload::Handoff(handoff) => Some(&handoff.stage),
        Payload::Gate(gate) => Some(&gate.stage),
        Payload::Approval(approval) => Some(&approval.stage),
        _ => match &step.before?.standing {
            Standing::Running(stage) | Standing::Delivered(stage) => Some(stage),
            Standing::Ready(stage) => stage.as_ref(),
            Standing::Finished => None,
        },
    }
}
