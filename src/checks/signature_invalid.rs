//! A signature beside a record is its actor's, over its very bytes.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::snapshot::Occasion;
use crate::world::{Seal, Unproved, World};

pub(super) static CHECK: Check = Check {
    name: "signature-invalid",
    group: Group::Authority,
    title: "A signature beside a record is its actor's, over its very bytes",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
A record's signature lies beside it under the same name with `.sig`. It holds if an SSH key that the
agreed policy (`identities`) or the agreed `.orch/allowed_signers` gives to the record's actor made
it, over the record's bytes, for the namespace `orch`; if that key is valid now, and not in
`.orch/revoked_keys`. A key that the same change brings counts from the next change on. What landed
is verified against its bytes for ever; whose key it was is judged when it lands. `orch sign` makes
such signatures, and `ssh-keygen -Y verify` checks them too.

```yaml bad
- done: {until: strategy}
- propose: orch/sign
- write: {.orch/tasks/2026-11/strat-001/0001-task.yaml.sig: no signature}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
```
";

fn run(world: &World) -> Vec<Objection> {
    let landed = world.occasion == Occasion::Verification;
    let seals = world.seals.values().filter(|seal| seal.is_new || landed);
    seals.filter_map(|seal| unproved(world, seal)).collect()
}

fn unproved(world: &World, seal: &Seal) -> Option<Objection> {
    let (why, help) = match world.proved(seal).err()? {
        // Whose key it was may change after a record has landed; its bytes may not.
        Unproved::Foreign(_) if world.occasion == Occasion::Verification => return None,
        Unproved::Foreign(why) => (
            why,
            format!(
                "sign with a key that `.orch/allowed_signers` gives to the actor, in the commit that \
                 brings the record: `git rm --force {}`, `orch sign`, `git commit --amend`; or have \
                 a person add the key first: `orch decide --changes .orch/allowed_signers`",
                seal.path()
            ),
        ),
        Unproved::Broken(why) => {
            (why, format!("remove it and sign the record again: `orch sign {}`", seal.record))
        }
    };
    let message = format!("this is no signature of `{}`: {why}", seal.record);
    Some(Objection::new(Place::file(seal.path()), message, help))
}
