//! The policy's own rules: every name that is used exists, every stage can be passed.

use chrono::TimeDelta;

use super::compile::owners;
use super::failure::PatternFault;
use super::glob::first_fault;
use super::model::{self, Model};
use super::terms::{DURATION_HELP, Problems, duration, not_a_duration, retries};
use super::{BranchPattern, Conditions, Override, PathSet, Process, Version};
use crate::record::yaml::Node;
use crate::record::{Problem, belongs_to_orch, did_you_mean};

/// Gives everything that is wrong with a policy that could be read.
pub(super) fn problems(
    model: &Model,
    tree: &Node,
    conditions: &Conditions,
    patterns: &[PatternFault],
    checks: &[(&'static str, bool)],
) -> Vec<Problem> {
    let mut problems = Problems { tree, found: Vec::new() };
    version(model, &mut problems);
    implementation_spec(model, &mut problems);
    agents(model, &mut problems);
    super::identity::problems(model, &mut problems);
    lanes_and_branches(model, &mut problems);
    super::stages::problems(model, conditions, &mut problems);
    super::fleet::problems(model, &mut problems);
    rules(model, &mut problems);
    if duration(&model.audit.max_age).is_none_or(|age| age <= TimeDelta::zero()) {
        problems.at("audit.max_age", not_a_duration(&model.audit.max_age), DURATION_HELP);
    }
    retries(&model.retry, "retry", &mut problems);
    super::trouble::problems(model, patterns, &mut problems);
    super::procedure::problems(model, &mut problems);
    super::schedule::problems(model, &mut problems);
    super::health::problems(model, &mut problems);
    super::alerts::problems(model, &mut problems);
    overrides(model, checks, &mut problems);
    problems.found
}

fn version(model: &Model, problems: &mut Problems<'_>) {
    if model.version != 1 {
        let message = format!("version {} is not known", model.version);
        problems.at("version", message, "this orch reads version 1");
    }
    if let Some(text) = model.min_version.as_ref().filter(|text| Version::parse(text).is_none()) {
        let message = format!("`{text}` is no version");
        problems.at("min_version", message, "write it in quotes, such as `\"0.2.0\"`");
    }
}

/// Names in a cluster are words of small letters, digits and `-`, joined by dots, 253 bytes at most.
fn implementation_spec(model: &Model, problems: &mut Problems<'_>) {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let word = |word: &str| {
        let ends = [word.bytes().next(), word.bytes().last()];
        word.bytes().all(|byte| plain(byte) || byte == b'-')
            && ends.iter().all(|end| end.is_some_and(plain))
    };
    let named = model.implementation_spec.as_ref();
    if let Some(name) = named.filter(|name| name.len() > 253 || !name.split('.').all(word)) {
        let message = format!("`{name}` is no name of a resource in a cluster");
        let help = "use small letters, digits and `-`, at most 253 in all";
        problems.at("implementation_spec", message, help);
    }
}

fn agents(model: &Model, problems: &mut Problems<'_>) {
    for (name, agent) in &model.agents {
        for (index, lane) in agent.lanes.iter().enumerate() {
            if !model.lanes.contains_key(lane) {
                let field = format!("agents.{name}.lanes.{index}");
                problems.at(&field, format!("there is no lane `{lane}`"), "add it to `lanes`");
            }
        }
        if agent.auditor && agent.coordinator {
            let message = format!("`{name}` would judge what it coordinates");
            problems.at(&format!("agents.{name}"), message, "an auditor is no coordinator");
        }
    }
    if !model.agents.values().any(|agent| agent.coordinator) {
        let help = "give one agent `coordinator: true`; only it records gates";
        problems.at("agents", "no agent is the coordinator".into(), help);
    }
    if !model.agents.values().any(|agent| agent.human) {
        let help = "give one agent `human: true`; only a person can approve and sign off";
        problems.at("agents", "no agent is a person".into(), help);
    }
}

fn lanes_and_branches(model: &Model, problems: &mut Problems<'_>) {
    for (name, lane) in &model.lanes {
        if lane.owns.is_empty() {
            let field = format!("lanes.{name}.owns");
            problems.at(&field, format!("lane `{name}` owns nothing"), "give it a glob");
        }
        globs(&lane.owns, &format!("lanes.{name}.owns"), problems);
    }
    globs(&model.shared_paths, "shared_paths", problems);
    globs(&model.protected, "protected", problems);
    globs(&model.guarded, "guarded", problems);
    process(&model.process, problems);
    shadowed(model, problems);
    if problems.found.is_empty() {
        matched_together(model, problems);
    }
    if model.protected.is_empty() {
        let help = "name the branch that takes only merges, such as `main`";
        problems.at("protected", "no branch is protected".into(), help);
    }
    for (index, branch) in model.branches.iter().enumerate() {
        if let Err(fault) = BranchPattern::new(branch) {
            let message = format!("`{branch}` is no pattern for branches");
            problems.at(&format!("branches.{index}"), message, fault);
        }
    }
    if !model
        .branches
        .iter()
        .any(|branch| branch.contains("{task_id}") || branch.contains("{run_id}"))
    {
        let help = "add `feature/{task_id}-{slug}`";
        problems.at("branches", "no pattern names a task or a run".into(), help);
    }
}

/// What people work by, and where they read of its changes, are files that people write.
fn process(process: &Process, problems: &mut Problems<'_>) {
    let changelog = process.changelog.iter().map(|path| ("process.changelog".to_owned(), path));
    let runbooks = process.runbooks.iter().enumerate();
    let runbooks = runbooks.map(|(at, path)| (format!("process.runbooks.{at}"), path));
    for (field, path) in changelog.chain(runbooks) {
        if belongs_to_orch(path) {
            let message = format!("`{path}` is written by orch, not by people");
            problems.at(&field, message, "name a file outside of `.orch/`");
        } else if path.to_string().contains(['*', '?', '[', '{']) {
            let message = format!("`{path}` is a pattern, and no path");
            problems.at(&field, message, "name each file by itself");
        }
    }
}

/// A lane's glob whose every file is shared says nothing (attack 24).
fn shadowed(model: &Model, problems: &mut Problems<'_>) {
    for (name, lane) in &model.lanes {
        for (index, glob) in lane.owns.iter().enumerate() {
            if let Some(shared) = model.shared_paths.iter().find(|shared| covers(shared, glob)) {
                let message =
                    format!("this rule never matches: `{shared}` in `shared_paths` covers it");
                let help = "narrow `shared_paths`, or drop the lane's glob";
                problems.at(&format!("lanes.{name}.owns.{index}"), message, help);
            }
        }
    }
}

/// Tells whether one glob plainly holds everything that another does.
fn covers(broad: &str, narrow: &str) -> bool {
    let folder =
        broad.strip_suffix("**").filter(|folder| folder.is_empty() || folder.ends_with('/'));
    let plain = folder.filter(|folder| !folder.contains(['*', '?', '[', '{', '\\']));
    broad == narrow || plain.is_some_and(|folder| narrow.starts_with(folder))
}

/// Globs that are fine one by one may still be too many for one matcher.
fn matched_together(model: &Model, problems: &mut Problems<'_>) {
    let refused = |globs: &[String]| PathSet::new(globs).err().map(|(_, fault)| fault);
    let faults = [
        ("shared_paths", refused(&model.shared_paths)),
        ("protected", refused(&model.protected)),
        ("guarded", refused(&super::compile::lowercase(&model.guarded))),
        ("lanes", owners(model).err()),
    ];
    for (field, fault) in faults {
        if let Some(fault) = fault {
            let message = format!("these globs can't be matched together: {fault}");
            problems.at(field, message, "write fewer and plainer ones");
        }
    }
}

fn globs(globs: &[String], field: &str, problems: &mut Problems<'_>) {
    if let Some((index, fault)) = first_fault(globs) {
        let glob = globs.get(index).map(String::as_str).unwrap_or_default();
        problems.at(&format!("{field}.{index}"), format!("`{glob}` is no glob"), fault);
    }
    for (index, glob) in globs.iter().enumerate() {
        if globs[..index].contains(glob) {
            let message = format!("`{glob}` stands here twice");
            problems.at(&format!("{field}.{index}"), message, "keep one");
        }
    }
}

/// The dependencies of a rule in words must agree with the stages (R000-22 to R000-26).
fn rules(model: &Model, problems: &mut Problems<'_>) {
    for (index, rule) in model.rules.iter().enumerate() {
        let field = format!("rules.{index}");
        if rule.description.trim().is_empty() {
            problems.at(&field, format!("rule `{}` says nothing", rule.rule), "describe it");
        }
        if rule.enforcement.is_empty() && rule.dependencies.is_empty() {
            let help = "list how it is enforced, or the dependencies";
            problems.at(&field, format!("nothing enforces rule `{}`", rule.rule), help);
        }
        for (stage, required) in &rule.dependencies {
            let all = model.workflows.values().flat_map(|workflow| &workflow.stages);
            let stages: Vec<_> = all.filter(|candidate| candidate.name == *stage).collect();
            let place = format!("{field}.dependencies.{stage}");
            if stages.is_empty() {
                problems.at(&place, format!("there is no stage `{stage}`"), "name a stage");
            }
            let missing =
                |stage: &&model::Stage| required.iter().any(|name| !stage.requires.contains(name));
            if !stages.is_empty() && stages.iter().all(missing) {
                let message = format!("stage `{stage}` does not require {}", required.join(", "));
                problems.at(&place, message, "make the rule and the stage's `requires` agree");
            }
        }
    }
}

fn overrides(model: &Model, checks: &[(&'static str, bool)], problems: &mut Problems<'_>) {
    for (name, severity) in &model.checks {
        let field = format!("checks.{name}");
        match checks.iter().find(|(check, _)| check == name) {
            None => {
                let near = did_you_mean(name, checks.iter().map(|(check, _)| *check));
                let help = near.map_or("`orch explain` lists the checks".into(), |near| {
                    format!("did you mean `{near}`?")
                });
                problems.at(&field, format!("there is no check `{name}`"), help);
            }
            Some((_, true)) if *severity != Override::Error => {
                let message = format!("`{name}` can't be lowered");
                problems.at(&field, message, "remove the line: the check is mandatory");
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;
    use crate::testing::strategy_problems as problems_of;

    #[test]
    fn every_template_is_a_policy() {
        for text in [
            include_str!("../../templates/hedge.yaml"),
            include_str!("../../templates/strategy.yaml"),
            include_str!("../../templates/team.yaml"),
            include_str!("../../templates/torghut.yaml"),
            include_str!("../../templates/trader.yaml"),
        ] {
            assert_eq!(Policy::parse(text.as_bytes(), &crate::checks::names()).err(), None);
        }
    }

    /// Attack 18: a typo is an error, never ignored.
    #[test]
    fn typos_are_named_with_the_nearest_word() {
        let found = problems_of("shared_paths:", "shared_pahts:");
        assert!(found[0].contains("did you mean `shared_paths`?"), "{found:?}");
        let found = problems_of("agent: quant_engineer", "agent: quant_enginer");
        assert!(found[0].contains("did you mean `quant_engineer`?"), "{found:?}");
        let found = problems_of("on_fail: strategy", "on_fail: stratgy");
        assert!(found[0].contains("did you mean `strategy`?"), "{found:?}");
    }

    /// R000-13: no setting turns the gatekeeper off.
    #[test]
    fn a_deploy_stage_without_an_audit_before_it_is_refused() {
        let found = problems_of(
            "kind: audit\n        requires: [backtest_results, documentation]",
            "kind: work\n        requires: [backtest_results, documentation]",
        );
        assert!(found.iter().any(|line| line.contains("no audit stands before it")), "{found:?}");
    }

    #[test]
    fn mandatory_checks_cannot_be_lowered() {
        let found = problems_of("version: 1", "version: 1\nchecks: {checksum-mismatch: warning}");
        assert!(found[0].contains("can't be lowered"), "{found:?}");
        let found = problems_of("version: 1", "version: 1\nchecks: {path-unownd: off}");
        assert!(found[0].contains("did you mean `path-unowned`?"), "{found:?}");
    }

    /// Attack 24: a rule that another one hides is named.
    #[test]
    fn a_lane_that_everything_hides_is_refused() {
        let shared = r#"shared_paths: ["README.md", "#;
        for (with, told) in [
            (r#""data/**", "#, true),
            (r#""**", "#, true),
            (r#""data/*", "#, false),
            (r#""dat/**", "#, false),
            (r#""d*/**", "#, false),
        ] {
            let found = problems_of(shared, &format!("{shared}{with}"));
            let hidden = found.iter().any(|line| line.contains("never matches"));
            assert_eq!(hidden, told, "{with}: {found:?}");
        }
    }

    /// Attack 28: what is no version can't be asked for.
    #[test]
    fn the_oldest_orch_is_a_version() {
        let asks =
            |text: &str| problems_of("version: 1", &format!("version: 1\nmin_version: {text}"));
        assert_eq!(asks("0.1.0"), Vec::<String>::new());
        assert!(asks("soon")[0].contains("is no version"));
    }

    /// R001-35: what a cluster would refuse is refused here.
    #[test]
    fn an_implementation_spec_has_a_name_that_a_cluster_takes() {
        let asks = |text: &str| {
            problems_of("version: 1", &format!("version: 1\nimplementation_spec: {text}"))
        };
        assert_eq!(asks("torghut-v3-orchestration-playbook-impl-v1"), Vec::<String>::new());
        for bad in ["Torghut", "a_b", "-a", "a-", "a..b", "''", &"a".repeat(254)] {
            assert!(asks(bad)[0].contains("is no name of a resource"), "{bad}");
        }
    }

    /// R000-12: rules in words that contradict the stages make the policy invalid.
    #[test]
    fn rules_agree_with_the_stages() {
        let found =
            problems_of("backtest: [strategy_code, validated_data]", "backtest: [documentation]");
        assert!(found[0].contains("does not require documentation"), "{found:?}");
    }
}
