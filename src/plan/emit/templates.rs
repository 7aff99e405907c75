//! AgentRuns to be filled in: one for each lane and stage of a policy (R001-29).

use serde_json::Value;

use super::agentrun::{Run, manifest, specification};
use super::plain;
use crate::policy::{BranchParts, Policy, Stage};
use crate::record::kind::FailureClass;
use crate::record::plain_yaml;

/// Where the torghut template keeps them (R001-33).
pub const STAGE_TEMPLATES: &str = "docs/torghut/design-system/v3/full-loop/templates";

/// What the shared ImplementationSpec asks of everyone.
const TEXT: &str = "\
Carry out the stage that the run's parameters name, for the candidate that they name, in the repository \
that they name. Work on the branch `head`, which begins at `base`, and change only files of the stage's \
lane. `orch next` tells what to do; `orch run exec` runs the command. Leave what the stage produces at \
`artifactPath`, hand it over with `orch handoff create`, and commit. Do not pass the gate: that is the \
coordinator's.
";

/// Gives for each stage of a policy an AgentRun with `{placeholders}`, and the ImplementationSpec that
/// they follow: names of files and their texts. Gives nothing for a policy that names no
/// ImplementationSpec.
pub fn stage_templates(policy: &Policy) -> Vec<(String, String)> {
    let Some(spec) = &policy.implementation_spec else { return Vec::new() };
    let criteria = [
        "The guard passes: `orch guard` exits with 0",
        "Everything that the stage produces is handed over",
        "No file outside of the stage's lane has changed",
    ];
    let criteria = criteria.map(str::to_owned);
    let title = format!("A stage of {}, by orch", policy.project);
    let shared = specification(spec, TEXT, &title, &criteria).expect("short enough");
    let mut files = vec![("implementation-spec.yaml".to_owned(), plain_yaml(&shared))];
    for (workflow, stages) in &policy.workflows {
        for stage in &stages.stages {
            let file = format!("{}.yaml", plain(&format!("{}-{}", stage.lane, stage.name)));
            files.push((file, plain_yaml(&template(policy, workflow.as_str(), stage, spec))));
        }
    }
    files
}

fn template(policy: &Policy, workflow: &str, stage: &Stage, spec: &str) -> Value {
    let produced = stage.produces.values().find(|produce| !produce.optional);
    let path = produced.map_or(".orch/tasks", |produce| produce.glob.as_str());
    let lane = stage.lane.as_str();
    let parameters = [
        ("repository", "{repository}"),
        ("base", "{base}"),
        ("head", &head(policy, stage)),
        ("candidateId", "{candidate_id}"),
        ("stage", stage.name.as_str()),
        ("artifactPath", path),
        ("runId", "{run_id}"),
        ("workflow", workflow),
        ("lane", lane),
        ("agent", stage.agent.as_str()),
    ];
    manifest(&Run {
        name: "{run_name}".into(),
        agent: stage.agent.as_str(),
        spec: spec.to_owned(),
        objective: Some("{prompt}"),
        key: format!("{{candidate_id}}/{}/{{run_id}}", stage.name),
        stage: stage.name.as_str(),
        retry: policy.retry(Some(stage), FailureClass::Transient),
        timeout: stage.timeout,
        parameters: parameters.map(|(key, value)| (key, value.to_owned())).to_vec(),
        annotations: Vec::new(),
    })
}

/// Gives the name of the stage's branches, as the policy's first pattern has it, the lane filled in.
fn head(policy: &Policy, stage: &Stage) -> String {
    let known = BranchParts {
        lane: Some(stage.lane.as_str()),
        slug: Some(stage.name.as_str()),
        ..BranchParts::default()
    };
    policy.branches.first().map(|pattern| pattern.fill(&known)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R001-29: a template for each lane and stage, from the policy, by the code that emits plans.
    #[test]
    fn the_templates_are_current() {
        let policy = include_bytes!("../../../templates/torghut.yaml");
        let policy = Policy::parse(policy, &crate::checks::names()).expect("a policy");
        let files = stage_templates(&policy);
        assert_eq!(files.len(), 13);
        let below = |(file, text)| (format!("templates/torghut/{file}"), text);
        crate::testing::golden(&files.into_iter().map(below).collect::<Vec<_>>());
    }

    #[test]
    fn a_policy_without_a_specification_has_no_templates() {
        let policy = include_bytes!("../../../templates/team.yaml");
        let policy = Policy::parse(policy, &crate::checks::names()).expect("a policy");
        assert!(stage_templates(&policy).is_empty());
    }
}
