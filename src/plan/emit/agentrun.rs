//! A plan as AgentRuns and ImplementationSpecs of `agents.proompteng.ai/v1alpha1` (R001-35, R001-36).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Job, Target, Unfit, check, check_some, name, plain, run_name, seconds};
use crate::policy::Retry;
use crate::record::plain_yaml;

const API: &str = "agents.proompteng.ai/v1alpha1";
/// What every run's parameters hold (R001-36).
pub(super) const REQUIRED_KEYS: [&str; 6] =
    ["repository", "base", "head", "candidateId", "stage", "artifactPath"];
/// How long a finished run is kept to be looked at, in seconds.
const KEPT: i64 = 7 * 24 * 60 * 60;
/// Where a stage that makes no file leaves what it made: its record.
const LEDGERS: &str = ".orch/tasks";
/// The cluster's access to the repository, as it calls it.
const VCS: &str = "github";

/// The longest text, objective and summary, and the most criteria, that a cluster takes.
const TEXT_LIMIT: usize = 131_072;
const OBJECTIVE_LIMIT: usize = 8_192;
const SUMMARY_LIMIT: usize = 256;
const CRITERIA_LIMIT: usize = 50;

/// One AgentRun, as text in all its places: a job's, or a template's with `{placeholders}`.
pub(super) struct Run<'r> {
    pub(super) name: String,
    pub(super) agent: &'r str,
    /// The ImplementationSpec that it follows.
    pub(super) spec: String,
    /// What is asked of it, where the ImplementationSpec says the same to all.
    pub(super) objective: Option<&'r str>,
    pub(super) key: String,
    pub(super) stage: &'r str,
    pub(super) retry: &'r Retry,
    pub(super) timeout: Option<chrono::TimeDelta>,
    pub(super) parameters: Vec<(&'static str, String)>,
    pub(super) annotations: Vec<(&'static str, String)>,
}

/// Gives an AgentRun for each job, as YAML documents. Where the target names no ImplementationSpec that
/// the cluster has, each run gets one of its own, which stands before it.
///
/// Refuses what a cluster would: too long a prompt, too many criteria, agents whose names it would take
/// for the same.
pub fn agentrun(jobs: &[Job], target: &Target) -> Result<String, Unfit> {
    check_some(jobs)?;
    check(jobs, false)?;
    agents_differ(jobs)?;
    let mut documents = Vec::new();
    for job in jobs {
        let own = run_name(job);
        if target.implementation_spec.is_none() {
            documents.push(specification(&own, &job.prompt, &job.title, &job.success_criteria)?);
        }
        documents.push(manifest(&run(job, target, own)?));
    }
    let documents: Vec<String> = documents.iter().map(plain_yaml).collect();
    Ok(documents.join("---\n"))
}

fn run<'r>(job: &'r Job, target: &Target, own: String) -> Result<Run<'r>, Unfit> {
    let named = target.implementation_spec.as_ref();
    if named.is_some() && !(1..=OBJECTIVE_LIMIT).contains(&job.prompt.chars().count()) {
        let message =
            format!("the prompt of `{}` has not 1 to {OBJECTIVE_LIMIT} letters", job.task_id);
        return Err(Unfit::new(message, "say it shorter, or keep it in a file of the repository"));
    }
    let head = job.branch.as_ref().or(target.head.as_ref()).unwrap_or(&target.base);
    let depends_on: Vec<&str> = job.depends_on.iter().map(|id| id.as_str()).collect();
    let parameters = vec![
        ("repository", target.repository.clone()),
        ("base", target.base.clone()),
        ("head", head.clone()),
        ("candidateId", job.task_id.to_string()),
        ("stage", job.stage.to_string()),
        ("artifactPath", job.artifact_path.clone().unwrap_or_else(|| LEDGERS.into())),
        ("runId", job.run_id.to_string()),
        ("workflow", job.workflow.to_string()),
        ("lane", job.lane.to_string()),
        ("agent", job.agent.to_string()),
        ("scope", job.scope.join("\n")),
        ("successCriteria", job.success_criteria.join("\n")),
        ("command", serde_json::to_string(&job.command).expect("words are JSON")),
    ];
    Ok(Run {
        name: own.clone(),
        agent: job.agent.as_str(),
        spec: named.cloned().unwrap_or(own),
        objective: named.map(|_| job.prompt.as_str()),
        // R001-18: the same submission again is the same run.
        key: format!("{}/{}/{}", job.task_id, job.stage, job.run_id),
        stage: job.stage.as_str(),
        retry: &job.retry,
        timeout: job.timeout,
        parameters,
        annotations: vec![
            ("orch/wave", job.wave.to_string()),
            ("orch/depends-on", depends_on.join(",")),
        ],
    })
}

/// Writes one AgentRun.
pub(super) fn manifest(run: &Run<'_>) -> Value {
    let mut step = json!({
        "name": name(run.stage),
        "parameters": { "stage": run.stage },
        "retries": run.retry.maximum_attempts.saturating_sub(1).min(i32::MAX as u32),
        "retryBackoffSeconds": seconds(run.retry.initial_interval),
    });
    if let Some(timeout) = run.timeout {
        step["timeoutSeconds"] = seconds(timeout).into();
    }
    let pairs = |pairs: &[(&str, String)]| -> Map<String, Value> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.as_str().into())).collect()
    };
    let mut spec = json!({
        "agentRef": { "name": plain(run.agent) },
        "implementationSpecRef": { "name": run.spec },
        "idempotencyKey": run.key,
        "ttlSecondsAfterFinished": KEPT,
        "runtime": { "type": "workflow" },
        "workflow": { "steps": [step] },
        "vcsRef": { "name": VCS },
        "vcsPolicy": { "required": true, "mode": "read-write" },
        "parameters": pairs(&run.parameters),
    });
    if let Some(objective) = run.objective {
        spec["goal"] = json!({ "objective": objective });
    }
    let mut metadata = json!({ "name": run.name });
    if !run.annotations.is_empty() {
        metadata["annotations"] = pairs(&run.annotations).into();
    }
    json!({ "apiVersion": API, "kind": "AgentRun", "metadata": metadata, "spec": spec })
}

/// Writes one ImplementationSpec; refuses what a cluster would.
pub(super) fn specification(
    name: &str,
    text: &str,
    title: &str,
    criteria: &[String],
) -> Result<Value, Unfit> {
    if text.chars().count() > TEXT_LIMIT {
        let message = format!("the prompt of `{name}` has more than {TEXT_LIMIT} letters");
        return Err(Unfit::new(message, "keep it in a file of the repository, and name that"));
    }
    if criteria.len() > CRITERIA_LIMIT {
        let message = format!("`{name}` has more than {CRITERIA_LIMIT} success criteria");
        return Err(Unfit::new(message, "join some of them, or split the task"));
    }
    let summary = match title.chars().count() <= SUMMARY_LIMIT {
        true => title.to_owned(),
        false => title.chars().take(SUMMARY_LIMIT - 1).chain(['…']).collect(),
    };
    Ok(json!({
        "apiVersion": API,
        "kind": "ImplementationSpec",
        "metadata": { "name": name },
        "spec": {
            "summary": summary,
            "text": text,
            "acceptanceCriteria": criteria,
            "contract": { "requiredKeys": REQUIRED_KEYS },
        },
    }))
}

/// A cluster's names know no capitals and no `_`: two agents must not become one.
fn agents_differ(jobs: &[Job]) -> Result<(), Unfit> {
    let mut known = BTreeMap::new();
    for job in jobs {
        let other = known.entry(plain(job.agent.as_str())).or_insert(&job.agent);
        if *other != &job.agent {
            let message =
                format!("a cluster takes `{}` and `{other}` for the same agent", job.agent);
            return Err(Unfit::new(message, "name one of them otherwise in the policy"));
        }
    }
    Ok(())
}
