//! Jobs for tests, with all that could be misread in them.

use chrono::TimeDelta;

use super::{Job, Target};
use crate::record::kind::FailureClass;

/// What a user may write, and no scheduler may take for its own.
pub(super) const HOSTILE: &str =
    "Say \"hi\" & <b>`id`</b> $(id) ${{ secrets.TOKEN }} {{workflow.name}} {{=1}} %0A\nyes";

/// Gives a job of a task, by the torghut template.
pub(super) fn job(task: &str) -> Job {
    let policy = include_bytes!("../../../templates/torghut.yaml");
    let policy = crate::policy::Policy::parse(policy, &crate::checks::names()).expect("a policy");
    let workflow = "full_loop".parse().expect("a name");
    let stage = "backtest-robustness".parse().expect("a name");
    let found = policy.stage(&workflow, &stage).expect("a stage");
    Job {
        task_id: task.parse().expect("an id"),
        title: format!("Title of {task}: {HOSTILE}"),
        workflow,
        stage,
        agent: found.agent.clone(),
        lane: found.lane.clone(),
        run_id: "r0123456789".parse().expect("an id"),
        branch: Some("codex/torghut-v3-c-20261121-r0123456789".into()),
        wave: 1,
        depends_on: Vec::new(),
        prompt: format!("Backtest it. {HOSTILE}"),
        success_criteria: vec!["Five folds".into(), HOSTILE.into()],
        scope: vec!["research/**".into()],
        artifact_path: Some("research/backtests/sma.json".into()),
        timeout: found.timeout,
        retry: policy.retry(Some(found), FailureClass::Transient).clone(),
        command: vec!["agent".into(), "--ask".into(), HOSTILE.into()],
    }
}

/// Gives two jobs side by side, and one behind both with nothing that can be left out.
pub(super) fn jobs() -> Vec<Job> {
    let mut last = job("Cand_SMA.with-a-name-that-is-longer-than-a-cluster-takes-003");
    last.wave = 2;
    last.depends_on = vec!["cand-001".parse().expect("an id"), "cand-002".parse().expect("an id")];
    (last.branch, last.artifact_path, last.timeout) = (None, None, None);
    last.success_criteria.clear();
    last.retry.backoff_coefficient = 1.5;
    last.retry.maximum_interval = TimeDelta::seconds(90);
    vec![job("cand-001"), job("cand-002"), last]
}

/// Gives a repository that they work in.
pub(super) fn target() -> Target {
    Target {
        repository: "example/torghut".into(),
        base: "main".into(),
        head: None,
        project: "torghut".into(),
        implementation_spec: None,
        max_parallel: Some(2),
    }
}
