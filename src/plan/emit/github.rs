//! A plan for GitHub Actions: a matrix of jobs, and a whole workflow around it.

use serde_json::{Map, Value, json};

use super::{Job, Target, Unfit, check, check_some, name, seconds};
use crate::record::plain_yaml;

/// How many jobs GitHub makes of one matrix.
const MATRIX_LIMIT: usize = 256;
/// The longest that GitHub lets a job on its own machines run, in minutes.
const LONGEST: i64 = 360;
/// What a job does beside its command: look, fetch, record; in minutes.
const AROUND: i64 = 15;
/// The action that checks out; pinned, so that nobody can change under us what runs (version 4.2.2).
pub const CHECKOUT: &str = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683";

/// Gives jobs as one line of JSON for `strategy.matrix: ${{ fromJSON(...) }}`; refuses more than 256,
/// which is what GitHub takes.
pub fn github_matrix(jobs: &[Job], target: &Target) -> Result<String, Unfit> {
    check(jobs, false)?;
    Ok(matrix(jobs, target)?.to_string())
}

/// Gives a workflow file with a matrix for each wave, which waits for the wave before it. Each job runs
/// its agent's command by `orch run exec` on a machine that has `orch`, and pushes what that recorded.
/// Refuses jobs without a command, and more than 256 in a wave.
pub fn github_workflow(jobs: &[Job], target: &Target) -> Result<String, Unfit> {
    check_some(jobs)?;
    check(jobs, true)?;
    let mut waves: Vec<usize> = jobs.iter().map(|job| job.wave).collect();
    waves.sort_unstable();
    waves.dedup();
    let mut steps = Map::new();
    for (index, wave) in waves.iter().enumerate() {
        let of_wave: Vec<Job> = jobs.iter().filter(|job| job.wave == *wave).cloned().collect();
        let behind = index.checked_sub(1).map(|before| format!("wave-{}", waves[before]));
        steps.insert(format!("wave-{wave}"), wave_job(&of_wave, target, behind)?);
    }
    let workflow = json!({
        "name": format!("Plan of {}", literal(&target.project)),
        "on": { "workflow_dispatch": {} },
        "permissions": {},
        "concurrency": {
            "group": format!("orch-plan-{}", name(&target.project)),
            "cancel-in-progress": false,
        },
        "jobs": steps,
    });
    Ok(plain_yaml(&workflow))
}

fn matrix(jobs: &[Job], target: &Target) -> Result<Value, Unfit> {
    if jobs.len() > MATRIX_LIMIT {
        let message = format!("{} jobs are more than GitHub takes in one matrix", jobs.len());
        let help = format!("plan at most {MATRIX_LIMIT} at once, such as those of one phase");
        return Err(Unfit::new(message, help));
    }
    let entries = jobs.iter().map(|job| {
        let command = serde_json::to_string(&job.command).expect("words are JSON");
        json!({
            "task_id": job.task_id,
            "title": job.title,
            "workflow": job.workflow,
            "stage": job.stage,
            "agent": job.agent,
            "lane": job.lane,
            "run_id": job.run_id,
            "branch": job.branch.as_ref().or(target.head.as_ref()).map_or("", String::as_str),
            "base": target.base,
            "wave": job.wave,
            // One run of a task at a time (R001-11).
            "group": format!("orch-{}", name(job.task_id.as_str())),
            "command": command,
            "timeout_minutes": minutes(job),
        })
    });
    Ok(json!({ "include": entries.collect::<Vec<_>>() }))
}

/// How long a job may take with all its attempts, as far as GitHub lets it.
fn minutes(job: &Job) -> i64 {
    let attempts = i64::from(job.retry.maximum_attempts);
    let whole = job.timeout.map(|timeout| {
        let waits = (attempts - 1).saturating_mul(seconds(job.retry.maximum_interval));
        seconds(timeout).saturating_mul(attempts).saturating_add(waits) / 60 + 1 + AROUND
    });
    whole.unwrap_or(LONGEST).min(LONGEST)
}

fn wave_job(jobs: &[Job], target: &Target, behind: Option<String>) -> Result<Value, Unfit> {
    let mut strategy = json!({ "fail-fast": false });
    if let Some(most) = target.max_parallel {
        strategy["max-parallel"] = most.max(1).into();
    }
    strategy["matrix"] = literals(matrix(jobs, target)?);
    let mut job = json!({
        "name": "${{ matrix.task_id }} ${{ matrix.stage }}",
        "runs-on": "ubuntu-latest",
        "timeout-minutes": "${{ matrix.timeout_minutes }}",
        // It pushes the branch that it worked on.
        "permissions": { "contents": "write" },
        "concurrency": { "group": "${{ matrix.group }}", "cancel-in-progress": false },
        "strategy": strategy,
    });
    if let Some(behind) = behind {
        job["needs"] = json!([behind]);
    }
    job["steps"] = json!([
        {
            "name": "Check out with history",
            "uses": CHECKOUT,
            "with": { "ref": "${{ matrix.base }}", "fetch-depth": 0, "persist-credentials": false },
        },
        {
            "name": "Run the stage",
            "env": {
                "ORCH_AGENT": "${{ matrix.agent }}",
                "ORCH_SESSION": "github-${{ github.run_id }}-${{ github.run_attempt }}-${{ matrix.run_id }}",
                "TASK": "${{ matrix.task_id }}",
                "STAGE": "${{ matrix.stage }}",
                "COMMAND": "${{ matrix.command }}",
            },
            "run": RUN,
        },
        {
            "name": "Record and push",
            "if": "${{ !cancelled() }}",
            "env": {
                "GH_TOKEN": "${{ github.token }}",
                "AGENT": "${{ matrix.agent }}",
                "TASK": "${{ matrix.task_id }}",
                "STAGE": "${{ matrix.stage }}",
                "BASE": "${{ matrix.base }}",
            },
            "run": PUSH,
        },
    ]);
    Ok(job)
}

/// The command's words come as JSON, so that none of them is read by a shell.
const RUN: &str = "\
command -v orch > /dev/null || { echo 'install orch on this runner first' >&2; exit 2; }
mapfile -d '' -t words < <(jq --join-output '.[] + \"\\u0000\"' <<< \"$COMMAND\")
orch run exec \"$TASK\" --stage \"$STAGE\" --handoff -- \"${words[@]}\"
";

/// What is on the record is kept, however the command ended.
const PUSH: &str = "\
branch=$(git branch --show-current)
if [ -z \"$branch\" ] || [ \"$branch\" = \"$BASE\" ]; then
  echo 'no branch was begun, so nothing is pushed'
  exit 0
fi
git config user.name \"$AGENT\"
git config user.email \"$AGENT@users.noreply.github.com\"
git diff --cached --quiet || git commit --message \"Run $STAGE of $TASK\"
gh auth setup-git
git push origin \"HEAD:refs/heads/$branch\"
";

/// Writes text so that GitHub, which looks for expressions in every value of a workflow, finds none.
pub fn literal(text: &str) -> String {
    text.replace("${{", "${{ '${{' }}")
}

fn literals(value: Value) -> Value {
    match value {
        Value::String(text) => literal(&text).into(),
        Value::Array(values) => values.into_iter().map(literals).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, literals(value))).collect(),
        other => other,
    }
}
