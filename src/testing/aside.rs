//! Entries of incidents and halts in a story.

use serde_json::{Map, Value, json};

use super::derived::{actor, overlay};
use super::story::Teller;
use crate::draft::{self, Author};
use crate::policy::POLICY_PATH;
use crate::record::{Home, Payload, RecordPath};
use crate::snapshot::{Mode, Side};
use crate::source::TaskId;
use crate::world::{self, Focus, LedgerView, Terms, World};

/// Gives the ledger of an incident or a halt that an entry goes to; none for a task's.
pub(super) fn home(kind: &str, value: &Value) -> Option<Home> {
    let usual = match kind {
        "halt" => Some("halts/halt-001"),
        "incident" | "incident_step" | "postmortem" => Some("incidents/inc-001"),
        _ => None,
    };
    let (shelf, id) = value["in"].as_str().or(usual)?.split_once('/').expect("a shelf and an id");
    let id = id.parse().expect("an id");
    Some(if shelf == "halts" { Home::Halt(id) } else { Home::Incident(id) })
}

impl Teller {
    /// Adds an entry to the ledger of an incident or a halt, drafted as the commands would.
    pub(super) fn aside(&mut self, home: &Home, kind: &str, value: Value) {
        let Value::Object(mut said) = value else { panic!("{kind}: {value} is no map") };
        said.remove("in");
        let envelope_said = said.remove("entry").unwrap_or(json!({}));
        self.wait("1m");
        let named = said.get("task_id").and_then(Value::as_str).unwrap_or("strat-001");
        let task: TaskId = named.parse().expect("an id");
        let world = self.world_beside(vec![home.clone(), Home::Task(task.clone())]);
        let ledger = world.ledgers.get(home);
        let mut payload = self.draft_aside(&world, home, kind, &said, &task);
        overlay(&mut payload, said);
        let author = Author {
            actor: actor(kind, &payload).parse().expect("a name"),
            session: None,
            branch: self.branch.clone(),
            at: self.clock,
        };
        let envelope = draft::envelope(ledger, &world.policy, &author);
        let mut envelope = serde_json::to_value(&envelope).expect("JSON");
        let Value::Object(envelope_said) = envelope_said else { panic!("entry is no map") };
        overlay(&mut envelope, envelope_said);
        let sequence = envelope["sequence"].as_u64().and_then(|n| n.try_into().ok()).unwrap_or(1);
        let path = RecordPath::of(home, "", sequence, kind).path;
        let text = serde_yaml::to_string(&json!({ kind: payload, "entry": envelope }));
        self.files.insert(path, (Mode::File, text.expect("YAML").into_bytes()));
    }

    fn world_beside(&self, homes: Vec<Home>) -> World {
        let repository = self.repository();
        let proposal = self.proposal(&repository, Side::Index, Side::Index);
        let policy = super::compiled(&self.files[&POLICY_PATH.into()].1);
        let (policy_problems, bootstrap, at) = (Vec::new(), false, self.clock);
        let signers = Default::default();
        let terms =
            Terms { policy, signers, policy_problems, bootstrap, at, focus: Focus::Ledgers(homes) };
        world::build(&repository, &proposal, terms).expect("a world to draft in")
    }

    fn draft_aside(
        &self,
        world: &World,
        home: &Home,
        kind: &str,
        said: &Map<String, Value>,
        task: &TaskId,
    ) -> Value {
        let policy = &world.policy;
        let incident = world.ledgers.get(home).and_then(LedgerView::incident);
        let payload: Payload = match (kind, incident) {
            ("incident", _) => {
                let procedure = said.get("procedure").and_then(Value::as_str);
                draft::incident(policy, procedure, "A stop was lost".into()).into()
            }
            ("run", Some(state)) => {
                let workflow = world.task(task).map(|state| &state.task.workflow);
                let by = workflow.and_then(|name| policy.workflows[name].rollback.as_ref());
                let id = home.id().expect("no decision");
                let mut run =
                    draft::rollback(id, state, task, by.expect("a workflow with a rollback"));
                run.branch = self.branch.clone();
                run.into()
            }
            ("handoff", Some(state)) => {
                let run = state.runs.last().expect("a rollback that began");
                draft::rollback_handoff(task, run, Vec::new()).into()
            }
            ("incident_step", _) => return json!({"step": "report", "outcome": "Done"}),
            ("postmortem", _) => {
                return json!({"summary": "It broke", "root_cause": "R", "actions": ["A test"]});
            }
            ("halt", _) => {
                return json!({"topic": "runtime.kill_switch", "scope": "all", "reason": "Stop"});
            }
            ("resume", _) => return json!({"approver": "founder", "sign_off": "Go on"}),
            ("close", _) => return json!({"outcome": "completed", "reason": "Over"}),
            _ => return json!({}),
        };
        serde_json::to_value(&payload).expect("JSON")
    }
}
