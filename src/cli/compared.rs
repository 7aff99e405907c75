//! A list of tasks read again: where it differs from the ledgers, which say how things stand.

use crate::draft;
use crate::exchange::tasks::{Listed, Status};
use crate::ledger::State;
use crate::policy::Policy;
use crate::record::kind::Outcome;
use crate::report::spelled;
use crate::source::TaskId;

/// Gives a note for each thing that a list says otherwise of a task than its ledger does, with what
/// to type to change the ledger; `needed` is what the list lets the task wait for. What the list does not say
/// is no difference, and what is closed can't be changed any more.
pub(super) fn differences(
    policy: &Policy,
    state: &State,
    listed: &Listed,
    needed: &[TaskId],
) -> Vec<String> {
    let id = &state.task.task_id;
    let mut notes = Vec::new();
    match (&listed.status, state.closed) {
        (_, Some(Outcome::Completed)) => return notes,
        (Status::Done, outcome) => {
            let stands = outcome.map_or_else(|| state.standing.to_string(), |o| spelled(&o));
            notes.push(format!(
                "the list calls {id} done, the ledger does not ({stands}): what depends on it waits \
                 for the ledger; see it: orch status {id}"
            ));
        }
        (Status::Blocked(reason), None) if state.blocked.is_none() => {
            let reason = reason.as_deref().map_or_else(|| "…".to_owned(), word);
            notes.push(format!(
                "the list calls {id} blocked, the ledger does not; change it with: orch task block \
                 {id} --reason {reason}"
            ));
        }
        _ => {}
    }
    if state.closed.is_none() {
        notes.extend(Terms::of(state, listed, needed).note(id));
        notes.extend(assigned(policy, state, listed));
    }
    notes
}

/// What differs of a task's terms.
#[derive(Default)]
struct Terms {
    told: Vec<String>,
    /// What `orch task update` takes.
    flags: String,
}

impl Terms {
    fn of(state: &State, listed: &Listed, needed: &[TaskId]) -> Self {
        let task = &state.task;
        let mut terms = Terms::default();
        terms.text("title", Some("--title"), Some(&listed.title), Some(&task.title));
        let priority = listed.priority.map(|priority| spelled(&priority));
        let now = spelled(&task.priority);
        terms.text("priority", Some("--priority"), priority.as_deref(), Some(&now));
        let [listed_ids, ids] = [needed, &task.depends_on].map(|ids| {
            let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            ids.sort();
            ids
        });
        let none = (listed_ids.is_empty() && !ids.is_empty()).then_some(" --independent");
        terms.texts("prerequisites", "--depends-on", &listed_ids, &ids, none);
        if !listed.scope.is_empty() {
            terms.texts("scope", "--scope", &listed.scope, &task.scope, None);
        }
        terms.text("phase", Some("--phase"), listed.phase.as_deref(), task.phase.as_deref());
        let estimate = (listed.estimate.as_deref(), task.estimate.as_deref());
        terms.text("estimate", Some("--estimate"), estimate.0, estimate.1);
        let deadline = (listed.deadline.as_deref(), task.deadline.as_deref());
        terms.text("deadline", Some("--deadline"), deadline.0, deadline.1);
        let [week, now] = [listed.week, task.week].map(|week| week.map(|week| week.to_string()));
        terms.text("week", None, week.as_deref(), now.as_deref());
        let workflow = listed.workflow.as_ref().map(|name| name.as_str());
        terms.text("workflow", None, workflow, Some(task.workflow.as_str()));
        if !listed.success_criteria.is_empty() {
            let [said, now] = [&listed.success_criteria, &task.success_criteria];
            let [said, now] = [said, now].map(|criteria| criteria.join("; "));
            terms.text("success criteria", None, Some(&said), Some(&now));
        }
        terms
    }

    /// Compares one text, if the list says any.
    fn text(&mut self, name: &str, flag: Option<&str>, said: Option<&str>, now: Option<&str>) {
        let Some(said) = said.filter(|said| Some(*said) != now) else { return };
        self.told.push(format!("{name} (list {said}, ledger {})", now.unwrap_or("none")));
        if let Some(flag) = flag {
            self.flags.push_str(&format!(" {flag} {}", word(said)));
        }
    }

    /// Compares a list of texts; `none` is what to type if the list has none.
    fn texts(
        &mut self,
        name: &str,
        flag: &str,
        said: &[String],
        now: &[String],
        none: Option<&str>,
    ) {
        if said == now {
            return;
        }
        let all = |texts: &[String]| match texts {
            [] => "none".to_owned(),
            texts => texts.join(", "),
        };
        self.told.push(format!("{name} (list {}, ledger {})", all(said), all(now)));
        self.flags.extend(said.iter().map(|text| format!(" {flag} {}", word(text))));
        self.flags.push_str(none.unwrap_or_default());
    }

    fn note(self, id: &TaskId) -> Option<String> {
        let told = self.told.join(", ");
        match (self.told.is_empty(), self.flags.is_empty()) {
            (true, _) => None,
            (_, true) => Some(format!("{id} differs: {told}; a task keeps that for its life")),
            _ => Some(format!(
                "{id} differs: {told}; change it with: orch task update {id}{}",
                self.flags
            )),
        }
    }
}

/// Compares whom the list names with who has the task, while it is in its first stage: the list names
/// nobody for the later ones.
fn assigned(policy: &Policy, state: &State, listed: &Listed) -> Option<String> {
    let id = &state.task.task_id;
    let named = listed.assigned_to.as_ref()?;
    let workflow = policy.workflows.get(&state.task.workflow)?;
    let stage = draft::next_stage(workflow, state)?;
    let now =
        state.active_run().map_or_else(|| draft::agent(policy, state, stage), |run| &run.agent);
    (stage.name == workflow.first().name && now != named).then(|| {
        format!(
            "{id} differs: assigned to (list {named}, ledger {now}); change it with: orch task \
             assign {id} --to {named}"
        )
    })
}

/// Gives a text as a shell takes it for one word.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/+=@%,-:".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
