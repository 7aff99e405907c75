//! What stories derive beside drafts: decisions, and ids of runs whose inputs a story makes up.

use serde_json::{Map, Value, json};

use super::story::{Files, Teller};
use crate::draft::{self, Author};
use crate::ledger::{self, State};
use crate::policy::{Policy, Stage};
use crate::record::Payload;
use crate::record::kind::{Artifact, AuditTest, RunStatus, Verdict};
use crate::snapshot::{Mode, Side};
use crate::source::{Digest, Moment, RepoPath, RunId, StageName};
use crate::world::{World, lane_state};

/// Writes a decision by the founder, overlaid with what the story says. Each path in its `changes`
/// gets the digest that the file has now and the one that is agreed, and none if there is no file.
pub(super) fn decide(
    (files, agreed): (&mut Files, Option<&Files>),
    mut said: Map<String, Value>,
    at: Moment,
    branch: Option<&str>,
) {
    let id = format!("{}-a-choice", at.day());
    let changes = said.remove("changes").unwrap_or(json!([]));
    let named = changes.as_array().expect("a list of paths").iter();
    let changes: Vec<Value> = named
        .map(|path| {
            let path = path.as_str().expect("a path");
            let digest = |files: &Files| {
                files.get(&RepoPath::from(path)).map(|(_, bytes)| Digest::of(bytes))
            };
            let mut change = json!({ "path": path });
            let replaces = agreed.and_then(digest);
            for (field, digest) in [("checksum", digest(files)), ("replaces", replaces)] {
                if let Some(digest) = digest {
                    change[field] = json!(digest);
                }
            }
            change
        })
        .collect();
    let mut payload = json!({
        "id": id, "title": "A choice", "status": "accepted", "date": at.day(),
        "decision_makers": ["founder"], "context": "It came up", "outcome": "So be it",
        "changes": changes,
    });
    let mut envelope = json!({"recorded_at": at, "actor": "founder", "branch": branch});
    if let Some(Value::Object(said)) = said.remove("entry") {
        overlay(&mut envelope, said);
    }
    overlay(&mut payload, said);
    let document = json!({"decision": payload, "entry": envelope});
    let text = serde_yaml::to_string(&document).expect("YAML");
    let path = format!(".orch/decisions/{id}.yaml");
    files.insert(path.as_str().into(), (Mode::File, text.into_bytes()));
}

impl Teller {
    /// A report as the command would write it, over all that must be covered.
    pub(super) fn audit_report(
        &self,
        policy: &Policy,
        state: &State,
        stage: &Stage,
        verdict: Verdict,
    ) -> Payload {
        let tests =
            stage.tests.iter().map(|name| AuditTest { name: name.clone(), verdict, notes: None });
        let author = Author {
            actor: "independent_auditor".parse().expect("a name"),
            session: None,
            branch: self.branch.clone(),
            at: self.clock,
        };
        let tests = tests.collect();
        draft::audit_report(policy, state, stage, &author, verdict, tests, Vec::new()).into()
    }

    /// Moves the clock by a number and a unit, such as 31d.
    pub(super) fn wait(&mut self, duration: &str) {
        let (number, unit) = duration.split_at(duration.len() - 1);
        let number: i64 = number.parse().expect("a number and a unit");
        let seconds = match unit {
            "d" => 86_400,
            "h" => 3_600,
            "m" => 60,
            _ => 1,
        };
        self.clock = self.clock.plus(chrono::TimeDelta::seconds(number * seconds));
    }

    /// Where `strat-001` stands now.
    pub(super) fn state(&self) -> Option<State> {
        let task = "strat-001".parse().expect("an id");
        self.world(&task).task(&task).cloned()
    }

    /// What follows on a run: a failure as the command would record it, else what the story says.
    pub(super) fn follow_up(
        &self,
        world: &World,
        state: &State,
        said: &Map<String, Value>,
    ) -> Value {
        let run = state.active_run().expect("a run to follow");
        let failure =
            said.get("failure").and_then(|said| serde_json::from_value(said.clone()).ok());
        let drafted = match failure {
            Some(failure) => {
                let (repository, policy) = (self.repository(), &world.policy);
                let lane = lane_state(&repository, Side::Index, policy, &run.lane).expect("memory");
                draft::failure(policy, state, run, failure, self.clock, lane).0
            }
            None => draft::of_run(run, RunStatus::Failed),
        };
        serde_json::to_value(Payload::from(drafted)).expect("JSON")
    }
}

/// The id that follows from the inputs that a story gives a run.
pub(super) fn run_id(state: &State, run: &Value) -> RunId {
    let stage: StageName = serde_json::from_value(run["stage"].clone()).expect("a stage");
    let inputs: Vec<Artifact> = serde_json::from_value(run["inputs"].clone()).expect("artifacts");
    ledger::run_id(&state.task.task_id, &stage, &inputs, state.times_entered(&stage))
}

/// Replaces the fields that a story names; null removes one.
pub(super) fn overlay(value: &mut Value, said: Map<String, Value>) {
    let Value::Object(fields) = value else { panic!("{value} is no map") };
    for (key, value) in said {
        if value.is_null() {
            fields.remove(&key);
        } else {
            fields.insert(key, value);
        }
    }
}

/// Who would say this, by default.
pub(super) fn actor(kind: &str, payload: &Value) -> String {
    let named = match kind {
        "run" => payload["agent"].as_str(),
        "handoff" => payload["from"].as_str(),
        "gate" => payload["evaluated_by"].as_str(),
        "audit_report" => payload["auditor"].as_str(),
        "failure_response" => Some("independent_auditor"),
        "approval" | "resume" => payload["approver"].as_str().or(Some("founder")),
        _ => None,
    };
    named.unwrap_or("orchestrator").to_owned()
}
