//! CronJobs of Kubernetes, which know time zones.

use serde_json::{Value, json};

use super::{Exported, Setting, line, minutes};
use crate::calendar::Zone;
use crate::ops::schedule::{Firing, Timetable, firings, local_firings};
use crate::plan::emit::label;
use crate::policy::{Job, Schedule};
use crate::record::plain_yaml;
use crate::source::JobName;

/// The longest name of a CronJob: its Jobs' names get eleven letters more.
const NAME_LIMIT: usize = 52;
/// How late a CronJob may begin, in seconds: as the grace of `--scheduled`.
const LATE: u32 = 3000;
/// How long a Job may take beside the job's own time, in seconds.
const AROUND: i64 = 300;

/// Gives a CronJob for each time of the day at which a job may be due, in one document each. It goes by the
/// job's own zone; one that daylight saving leaves out or doubles goes by UTC. The repository is mounted
/// from a volume, so that what jobs leave there stays.
pub fn kubernetes(schedule: &Schedule, setting: &Setting) -> Vec<Exported> {
    let timetable = Timetable::of(schedule);
    let mut documents = Vec::new();
    for (name, job) in &schedule.jobs {
        let utc = Zone::utc();
        let (found, zone) = match local_firings(&timetable, job, setting.from) {
            Some(local) => (local, timetable.zone_of(job)),
            None => (firings(&timetable, job, &utc, setting.from), &utc),
        };
        let manifests = found.iter().map(|firing| manifest(name, job, (firing, zone), setting));
        documents.extend(manifests.map(|manifest| plain_yaml(&manifest)));
    }
    vec![("orch-schedule.yaml".into(), documents.join("---\n"))]
}

fn manifest(
    name: &JobName,
    job: &Job,
    (firing, zone): (&Firing, &Zone),
    setting: &Setting,
) -> Value {
    let clock = firing.clock.to_string().replace(':', "");
    let fired = format!("CRON_TZ={zone} {}", firing.cron());
    let mut work = json!({
        // orch itself tries again, as the policy says.
        "backoffLimit": 0,
        "template": { "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": false,
            "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [{
                "name": "orch",
                "image": setting.image,
                "command": [
                    setting.program, "schedule", "run-once", name, "--scheduled", "--fired-by", fired,
                ],
                "workingDir": "/repository",
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "capabilities": { "drop": ["ALL"] },
                },
                "volumeMounts": [{ "name": "repository", "mountPath": "/repository" }],
            }],
            "volumes": [{
                "name": "repository",
                "persistentVolumeClaim": { "claimName": label(&format!("orch-{}", setting.project), 63) },
            }],
        } },
    });
    if let Some(minutes) = minutes(job) {
        work["activeDeadlineSeconds"] = json!(minutes.saturating_mul(60).saturating_add(AROUND));
    }
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": label(&format!("orch-{name}-{clock}"), NAME_LIMIT),
            "annotations": { "orch/job": name, "orch/title": line(&job.title) },
        },
        "spec": {
            "schedule": firing.cron(),
            "timeZone": zone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": LATE,
            "jobTemplate": { "spec": work },
        },
    })
}
