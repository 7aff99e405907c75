//! A plan as one Argo Workflow: a graph of containers, each of which runs `orch run exec`.

use serde_json::{Value, json};

use super::{Job, Target, Unfit, check, check_some, name, run_name, seconds};
use crate::record::plain_yaml;
use crate::source::Digest;

/// The image that runs the jobs, unless the workflow is submitted with another: it holds orch, Git,
/// Bash, jq and the agents' commands.
const IMAGE: &str = "orch:latest";

/// The same for every job, as all that differs is in the environment.
const SCRIPT: &str = "\
git clone --quiet --branch \"$ORCH_BASE\" -- \"$ORCH_REPOSITORY\" work
cd work
mapfile -d '' -t words < <(jq --join-output '.[] + \"\\u0000\"' <<< \"$ORCH_COMMAND\")
ended=0
orch run exec \"$ORCH_TASK_ID\" --stage \"$ORCH_STAGE_NAME\" --handoff -- \"${words[@]}\" || ended=$?
branch=$(git branch --show-current)
if [ -n \"$branch\" ] && [ \"$branch\" != \"$ORCH_BASE\" ]; then
  git config user.name \"$ORCH_AGENT\"
  git config user.email \"$ORCH_AGENT@localhost\"
  git diff --cached --quiet || git commit --quiet --message \"Run $ORCH_STAGE_NAME of $ORCH_TASK_ID\"
  git push --quiet origin \"HEAD:refs/heads/$branch\"
fi
exit \"$ended\"
";

/// Gives one Workflow whose graph has a task for each job, behind those it depends on. Refuses jobs
/// without a command, and names of branches and repositories that Argo would read as its own.
pub fn argo(jobs: &[Job], target: &Target) -> Result<String, Unfit> {
    check_some(jobs)?;
    check(jobs, true)?;
    for text in [&target.repository, &target.base] {
        if text.contains("{{") {
            let message = format!("`{text}` holds `{{{{`, which Argo would replace");
            return Err(Unfit::new(message, "give it another name"));
        }
    }
    let tasks = jobs.iter().map(|job| {
        let behind = job
            .depends_on
            .iter()
            .filter_map(|id| jobs.iter().find(|other| other.task_id == *id).map(run_name));
        let mut task = json!({ "name": run_name(job), "template": run_name(job) });
        let behind: Vec<String> = behind.collect();
        if !behind.is_empty() {
            task["dependencies"] = behind.into();
        }
        task
    });
    let graph = json!({
        "name": "plan",
        "dag": { "failFast": false, "tasks": tasks.collect::<Vec<_>>() },
    });
    let templates: Vec<Value> = std::iter::once(graph).chain(jobs.iter().map(template)).collect();
    let mut spec = json!({
        "entrypoint": "plan",
        "arguments": { "parameters": [
            { "name": "repository", "value": address(&target.repository) },
            { "name": "base", "value": target.base },
            { "name": "image", "value": IMAGE },
        ] },
        "templates": templates,
    });
    if let Some(most) = target.max_parallel {
        spec["parallelism"] = most.max(1).into();
    }
    // The same plan again is the same workflow, which a cluster does not start twice.
    let runs: String = jobs.iter().map(run_name).collect();
    let digest = Digest::of(runs.as_bytes()).hex();
    let own = name(&format!("plan-{}-{}", target.project, &digest[..8]));
    Ok(plain_yaml(&json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": { "name": own },
        "spec": spec,
    })))
}

/// Gives what `git clone` takes: `owner/name` is GitHub's.
fn address(repository: &str) -> String {
    let parts: Vec<&str> = repository.split('/').collect();
    let plain = |part: &&str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(letter)
    };
    match parts.len() == 2 && parts.iter().all(plain) {
        true => format!("https://github.com/{repository}.git"),
        false => repository.to_owned(),
    }
}

fn template(job: &Job) -> Value {
    let retry = &job.retry;
    let variable = |name: &str, value: &str| json!({ "name": name, "value": value });
    let environment = [
        variable("ORCH_REPOSITORY", "{{workflow.parameters.repository}}"),
        variable("ORCH_BASE", "{{workflow.parameters.base}}"),
        variable("ORCH_TASK_ID", job.task_id.as_str()),
        variable("ORCH_STAGE_NAME", job.stage.as_str()),
        variable("ORCH_AGENT", job.agent.as_str()),
        variable("ORCH_SESSION", "argo-{{workflow.uid}}-{{pod.name}}"),
        variable("ORCH_COMMAND", &words(&job.command)),
    ];
    let mut template = json!({
        "name": run_name(job),
        "container": {
            "image": "{{workflow.parameters.image}}",
            "command": ["bash", "-euo", "pipefail", "-c"],
            "args": [SCRIPT],
            "env": environment,
        },
        "retryStrategy": {
            "limit": retry.maximum_attempts.saturating_sub(1).to_string(),
            // A command that fails is tried again by `orch run exec`: here only what the cluster lost.
            "retryPolicy": "OnError",
            "backoff": {
                "duration": format!("{}s", seconds(retry.initial_interval)),
                "factor": format!("{}", retry.backoff_coefficient.round().max(1.0)),
                "cap": format!("{}s", seconds(retry.maximum_interval)),
            },
        },
    });
    if let Some(timeout) = job.timeout {
        template["activeDeadlineSeconds"] = deadline(job, timeout).to_string().into();
    }
    template
}

/// How long all attempts of one container may take.
fn deadline(job: &Job, timeout: chrono::TimeDelta) -> i64 {
    let attempts = i64::from(job.retry.maximum_attempts);
    let waits = (attempts - 1).saturating_mul(seconds(job.retry.maximum_interval));
    seconds(timeout).saturating_mul(attempts).saturating_add(waits).min(i64::from(i32::MAX))
}

/// Gives a command's words as JSON in which no `{` and no `$` stands plainly: Argo would look for names
/// of its own behind `{{`, and Kubernetes for variables behind `$(`.
fn words(command: &[String]) -> String {
    let words = serde_json::to_string(command).expect("words are JSON");
    words.replace('{', "\\u007b").replace('$', "\\u0024")
}
