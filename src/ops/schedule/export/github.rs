//! A workflow of GitHub Actions, whose clock is UTC and often late.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Exported, Setting, line, minutes};
use crate::calendar::Zone;
use crate::ops::schedule::{Firing, Timetable, firings};
use crate::plan::emit::{CHECKOUT, label, literal};
use crate::policy::Schedule;
use crate::record::plain_yaml;
use crate::source::JobName;

/// The longest that GitHub lets a job on its own machines run, in minutes.
const LONGEST: i64 = 360;
/// What a job does beside its command: look, fetch; in minutes.
const AROUND: i64 = 10;

/// Gives a workflow with a job for each job of the schedule, woken in UTC at both halves of daylight saving.
/// The line that woke it is handed on, so that just one half runs, however late the machine is. It may
/// be started by hand as well. What a procedure puts on the record is pushed on a branch of its own.
pub fn github(schedule: &Schedule, setting: &Setting) -> Vec<Exported> {
    let timetable = Timetable::of(schedule);
    let mut lines = BTreeSet::new();
    let mut steps = Map::new();
    for (name, job) in &schedule.jobs {
        let own = firings(&timetable, job, &Zone::utc(), setting.from);
        let own: Vec<String> = own.iter().map(Firing::cron).collect();
        lines.extend(own.iter().cloned());
        let limit = minutes(job).map_or(LONGEST, |minutes| minutes.saturating_add(AROUND));
        let woken = serde_json::to_string(&own).expect("words are JSON");
        let when = format!(
            "${{{{ (github.event_name == 'workflow_dispatch' && inputs.job == '{name}') || \
             contains(fromJSON('{woken}'), github.event.schedule) }}}}"
        );
        // Only what may write records gets to push them.
        let records = job.procedure.is_some() || job.on_failure.is_some();
        let mut step = json!({
            "name": literal(&line(&job.title)),
            "if": when,
            "runs-on": "ubuntu-latest",
            "timeout-minutes": limit.min(LONGEST),
            "permissions": { "contents": if records { "write" } else { "read" } },
            "concurrency": {
                "group": format!("orch-schedule-{}", label(name.as_str(), 60)),
                "cancel-in-progress": false,
            },
        });
        let mut done = vec![
            json!({
                "name": "Check out with history",
                "uses": CHECKOUT,
                "with": { "fetch-depth": 0, "persist-credentials": false },
            }),
            json!({
                "name": "Run the job",
                "env": { "JOB": name, "FIRED_BY": "${{ github.event.schedule }}" },
                "run": RUN,
            }),
        ];
        if records {
            done.push(push(name));
        }
        step["steps"] = done.into();
        steps.insert(label(name.as_str(), 60), step);
    }
    let names: Vec<&str> = schedule.jobs.keys().map(|name| name.as_str()).collect();
    let lines: Vec<Value> = lines.into_iter().map(|line| json!({ "cron": line })).collect();
    let workflow = json!({
        "name": format!("Schedule of {}", literal(&line(&setting.project))),
        "on": {
            "schedule": lines,
            "workflow_dispatch": { "inputs": { "job": {
                "description": "The job to run now",
                "type": "choice",
                "required": true,
                "options": names,
            } } },
        },
        "permissions": {},
        "jobs": steps,
    });
    vec![("orch-schedule.yml".into(), plain_yaml(&workflow))]
}

/// Gives the step that keeps what a procedure put on the record, for somebody to merge.
fn push(name: &JobName) -> Value {
    json!({
        "name": "Push what was recorded",
        "if": "${{ !cancelled() }}",
        "env": {
            "GH_TOKEN": "${{ github.token }}",
            "JOB": name,
            "RUN": "${{ github.run_id }}-${{ github.run_attempt }}",
        },
        "run": PUSH,
    })
}

const PUSH: &str = "\
git diff --cached --quiet && exit 0
git config user.name \"github-actions[bot]\"
git config user.email \"github-actions[bot]@users.noreply.github.com\"
git commit --message \"Record what job $JOB started\"
gh auth setup-git
git push origin \"HEAD:refs/heads/orch/schedule-$JOB-$RUN\"
";

const RUN: &str = "\
command -v orch > /dev/null || { echo 'install orch on this runner first' >&2; exit 2; }
if [ -n \"$FIRED_BY\" ]; then
  orch schedule run-once \"$JOB\" --scheduled --fired-by \"$FIRED_BY\"
else
  orch schedule run-once \"$JOB\"
fi
";
