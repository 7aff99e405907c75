//! A handoff delivers what its stage produces, all of it and nothing else.
//!
//! From R000-37.

use std::collections::BTreeSet;

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::ledger::Standing;
use crate::policy::Stage;
use crate::record::kind::{Handoff, HandoffStatus};
use crate::record::{Payload, did_you_mean};
use crate::source::{ArtifactName, RepoPath};
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "artifact-undelivered",
    group: Group::Artifacts,
    title: "A handoff delivers what its stage produces, all of it and nothing else",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
The policy says what a stage `produces`: names, each with a glob. A handoff that says `complete`
lists a file for every name (those with a `?` may be left out), calls nothing by a name that the
stage does not produce, and every file matches its glob. Where globs hold `{name}`, code and
documents belong together by it: some name must be found under all of them. `orch handoff create`
collects the files by itself; `--artifact NAME=PATH` chooses.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: code, docs/strategies/ema.md: about}
- handoff: {}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let Payload::Handoff(handoff) = &step.record.payload else { return Vec::new() };
    let Some(stage) = step.stage(&handoff.stage) else { return Vec::new() };
    // Whether there is anything to hand off is asked by the order of stages.
    let runs = Standing::Running(stage.name.clone());
    if step.before.is_none_or(|state| state.standing != runs || state.closed.is_some()) {
        return Vec::new();
    }
    let mut objections = lacking(step, stage, handoff);
    for (index, artifact) in handoff.artifacts.iter().enumerate() {
        let at = |field: &str| step.field(&format!("artifacts.{index}.{field}"));
        let Some(produce) = stage.produces.get(&artifact.name) else {
            objections.push(foreign(at("name"), stage, &artifact.name));
            continue;
        };
        if !produce.glob.matches(&artifact.path) {
            let (path, glob) = (&artifact.path, produce.glob.as_str());
            let message = format!("`{path}` does not match `{glob}`, where this evidence lies");
            let help = format!("move the file to where `{glob}` finds it, and hand off again");
            objections.push(Objection::new(at("path"), message, help));
        }
    }
    objections.extend(unlike(step, stage, handoff));
    objections
}

fn lacking(step: &Step<'_>, stage: &Stage, handoff: &Handoff) -> Vec<Objection> {
    if handoff.status != HandoffStatus::Complete {
        return Vec::new();
    }
    let delivered: BTreeSet<&ArtifactName> = handoff.artifacts.iter().map(|a| &a.name).collect();
    let wanted = stage.produces.iter().filter(|(_, produce)| !produce.optional);
    let lacking = wanted.filter(|(name, _)| !delivered.contains(name));
    let place = match delivered.is_empty() {
        true => step.heading(),
        false => step.field("artifacts"),
    };
    let objections = lacking.map(|(name, produce)| {
        let message =
            format!("stage `{}` produces `{name}`, and nothing is handed over", stage.name);
        let help = format!(
            "write `{}` and hand off again, or choose a file: `orch handoff create {} --artifact \
             {name}=PATH`",
            produce.glob.as_str(),
            handoff.task_id
        );
        Objection::new(place.clone(), message, help)
    });
    objections.collect()
}

fn foreign(place: Place, stage: &Stage, name: &ArtifactName) -> Objection {
    let message = format!("stage `{}` does not produce `{name}`", stage.name);
    let known: Vec<&str> = stage.produces.keys().map(|name| name.as_str()).collect();
    let help = match did_you_mean(name.as_str(), known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if known.is_empty() => "it produces nothing: hand off without artifacts".into(),
        None => format!("it produces {}", known.join(", ")),
    };
    Objection::new(place, message, help)
}

/// Several files may stand under one name; some word must be shared by all names that have one.
fn unlike(step: &Step<'_>, stage: &Stage, handoff: &Handoff) -> Option<Objection> {
    let mut shared: Option<BTreeSet<String>> = None;
    let mut first: Option<&RepoPath> = None;
    for (name, produce) in &stage.produces {
        let files = handoff.artifacts.iter().enumerate().filter(|(_, file)| file.name == *name);
        let named: Vec<(usize, &RepoPath, String)> = files
            .filter_map(|(index, file)| {
                Some((index, &file.path, produce.glob.name_in(&file.path)?))
            })
            .collect();
        let Some((index, path, word)) = named.first() else { continue };
        let words: BTreeSet<String> = named.iter().map(|(_, _, word)| word.clone()).collect();
        let before = shared.take().unwrap_or_else(|| words.clone());
        let common: BTreeSet<String> = before.intersection(&words).cloned().collect();
        if common.is_empty() {
            let before: Vec<String> = before.into_iter().collect();
            let message = format!(
                "`{path}` is named `{word}`, but `{}` is named `{}`",
                first.unwrap_or(path),
                before.join("`, `")
            );
            let help = "what belongs together has one name: rename a file, and hand off again";
            let place = step.field(&format!("artifacts.{index}.path"));
            return Some(Objection::new(place, message, help));
        }
        shared = Some(common);
        first = first.or(Some(path));
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn handoff(files: &str, said: &str) -> crate::testing::Findings {
        story(&format!(
            "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
- run: {{}}
- write: {{{files}}}
- handoff: {{{said}}}
"
        ))
    }

    const BOTH: &str = "strategies/sma.py: code, docs/strategies/sma.md: about";

    /// Attack 83: a handoff of nothing.
    #[test]
    fn a_complete_handoff_has_everything() {
        let findings = handoff(BOTH, "artifacts: []");
        findings.expect(&["artifact-undelivered"]);
        assert_eq!(findings.report.findings.len(), 2);
        assert_eq!(findings.underlined(0), "handoff");
        let findings = handoff(BOTH, "artifacts: ~");
        findings.expect(&["artifact-undelivered"]);
    }

    #[test]
    fn an_unfinished_handoff_may_lack_something() {
        for status in ["partial", "blocked"] {
            let findings = handoff(BOTH, &format!("artifacts: [], status: {status}"));
            assert!(findings.of("artifact-undelivered").is_empty(), "{status}");
        }
    }

    #[test]
    fn no_other_name_and_no_other_place() {
        let digest = crate::source::Digest::of(b"code");
        let file = |name: &str, path: &str| {
            let files = "strategies/sma.py: code, deploy/sma.py: code";
            handoff(
                files,
                &format!(
                    "status: partial, artifacts: [{{name: {name}, path: {path}, checksum: '{digest}'}}]"
                ),
            )
        };
        let findings = file("strategy_cod", "strategies/sma.py");
        let spoken = findings.of("artifact-undelivered");
        assert!(spoken.len() == 1 && spoken[0].help.contains("`strategy_code`"), "{spoken:?}");
        let spoken = file("strategy_code", "deploy/sma.py");
        assert_eq!(spoken.of("artifact-undelivered").len(), 1);
        let spoken = file("strategy_code", "strategies/sma.py");
        assert!(spoken.of("artifact-undelivered").is_empty());
    }

    /// Requirement R000-37, and attack 41: the glob's placeholder is one word everywhere.
    #[test]
    fn code_and_document_have_one_name() {
        let findings =
            handoff("strategies/pine_v6/sma.pine: code, docs/strategies/ema.md: about", "");
        findings.expect(&["artifact-undelivered"]);
        assert!(findings.report.findings[0].message.contains("`ema`"));
        handoff("strategies/pine_v6/sma.pine: code, docs/strategies/sma.md: about", "").expect(&[]);
        let helpers = "strategies/sma.py: code, strategies/lib/util.py: more, \
                       docs/strategies/sma.md: about";
        handoff(helpers, "").expect(&[]);
    }

    /// A model, its card and its metrics share a name, each in its folder.
    #[test]
    fn a_name_that_all_share_is_enough() {
        let files = "models/artifacts/m.json: '{}', models/cards/m.md: card, \
                     models/metrics/m.json: '{}'";
        let findings = story(&format!(
            "
- task: {{workflow: model_update}}
- run: {{stage: data}}
- write: {{data/training/x.json: '{{}}'}}
- handoff: {{}}
- gate: {{}}
- propose: feature/strat-001-training
- run: {{stage: training}}
- write: {{{files}}}
- handoff: {{}}
"
        ));
        assert!(findings.of("artifact-undelivered").is_empty(), "{:#?}", findings.report.findings);
    }

    /// A stage that must produce nothing may hand off nothing.
    #[test]
    fn nothing_may_be_all_there_is() {
        let findings = story(
            "
- done: {until: deploy_live}
- approval: {}
- propose: feature/strat-001-deploy_live
- run: {stage: deploy_live}
- handoff: {}
",
        );
        assert!(findings.of("artifact-undelivered").is_empty());
    }
}
