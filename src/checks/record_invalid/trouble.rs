//! What halts and incidents say of the policy and of tasks.

use super::Fault;
use crate::policy::{Policy, REPORT_STEP};
use crate::record::kind::{Incident, IncidentStep, StepStatus};
use crate::record::{Home, Payload, did_you_mean};
use crate::source::TaskId;
use crate::world::{Step, World};

/// Gives what is wrong with an entry of an incident or a halt, beyond what its types refuse.
pub(super) fn faults(world: &World, step: &Step<'_>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = unknown_scope(world, step).into_iter().collect();
    match (&step.record.payload, step.policy) {
        (Payload::Halt(halt), Some(_)) => {
            let at = step.record.entry.recorded_at;
            if halt.until.is_some_and(|until| until <= at) {
                let message = "this halt ends before it begins, so it would stop nothing";
                let help = "name a later moment: `--until MOMENT`, or leave it out";
                faults.push(Fault::new("until", message, help));
            }
        }
        (Payload::Incident(incident), Some(policy)) => {
            faults.extend(unknown_task(world, incident));
            faults.extend(of_procedure(policy, incident));
        }
        (Payload::IncidentStep(taken), _) => faults.extend(of_step(step, taken)),
        (Payload::Postmortem(postmortem), _) => {
            let actions = &postmortem.actions;
            if actions.is_empty() || actions.iter().any(|action| action.trim().is_empty()) {
                let message = "a post-mortem says what is done so that it does not happen again";
                faults.push(Fault::new("actions", message, "name each with `--action A`"));
            }
        }
        _ => {}
    }
    faults
}

fn unknown_task(world: &World, incident: &Incident) -> Option<Fault> {
    let folders = &world.survey.folders;
    let known = |id: &TaskId| {
        folders.spelled(id).is_some() || world.ledgers.contains_key(&Home::Task(id.clone()))
    };
    let (index, task) = incident.tasks.iter().enumerate().find(|(_, task)| !known(task))?;
    let near = did_you_mean(task.as_str(), folders.names());
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`orch task list --all` shows all tasks".into(),
    };
    Some(Fault::new(format!("tasks.{index}"), format!("there is no task `{task}`"), help))
}

/// What follows a procedure follows the policy's, so that nobody opens lanes or leaves out steps by
/// words of their own.
fn of_procedure(policy: &Policy, incident: &Incident) -> Option<Fault> {
    let help = "open it with `orch incident open --procedure NAME`, which copies the policy's";
    let Some(name) = &incident.procedure else {
        let message = "only a procedure of the policy opens lanes";
        return (!incident.lanes.is_empty()).then(|| Fault::new("lanes", message, help));
    };
    let Some(known) = policy.procedures.get(name) else {
        let message = format!("the policy has no procedure `{name}`");
        let near = did_you_mean(name, policy.procedures.keys().map(String::as_str));
        let help = near.map_or(help.to_owned(), |near| format!("did you mean `{near}`?"));
        return Some(Fault::new("procedure", message, help));
    };
    let field = match (known.steps == incident.steps, known.lanes == incident.lanes) {
        (false, _) => "steps",
        (_, false) => "lanes",
        (true, true) => return None,
    };
    Some(Fault::new(field, format!("these are not the {field} of procedure `{name}`"), help))
}

fn of_step(step: &Step<'_>, taken: &IncidentStep) -> Option<Fault> {
    let planned = &step.incident?.incident.steps;
    let name = &taken.step;
    if let Some(index) = taken.evidence.iter().position(|text| text.trim().is_empty()) {
        let message = "this evidence says nothing";
        return Some(Fault::new(format!("evidence.{index}"), message, "name what shows it"));
    }
    let known = planned.iter().find(|planned| planned.step == *name);
    if known.is_none_or(|planned| planned.command.is_empty()) {
        let field = match (taken.status, taken.attempts) {
            (StepStatus::Failed, _) => Some("status"),
            (StepStatus::Completed, attempts) => attempts.map(|_| "attempts"),
        };
        if let Some(field) = field {
            let message = format!("step `{name}` has no command that could be tried or fail");
            let help = "say how it went with `--outcome`; a step that is not done stays open";
            return Some(Fault::new(field, message, help));
        }
    }
    if taken.attempts == Some(0) {
        let message = "a command that was never tried has done nothing";
        return Some(Fault::new("attempts", message, "count the first attempt as 1"));
    }
    match known {
        Some(planned) if planned.evidence && taken.evidence.is_empty() => {
            let message = format!("step `{name}` shows evidence, and this names none");
            Some(Fault::new("step", message, "name what shows it: `--evidence E`"))
        }
        None if !planned.is_empty() && name != REPORT_STEP => {
            let names: Vec<&str> = planned.iter().map(|planned| planned.step.as_str()).collect();
            let help = match did_you_mean(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its steps are {}", names.join(", ")),
            };
            Some(Fault::new("step", format!("the procedure has no step `{name}`"), help))
        }
        _ => None,
    }
}

/// A halt of something that does not exist stops nothing, and whoever pulled it would not know.
fn unknown_scope(world: &World, step: &Step<'_>) -> Option<Fault> {
    let (Payload::Halt(halt), Some(policy)) = (&step.record.payload, step.policy) else {
        return None;
    };
    let (word, name) = halt.scope.split_once(':')?;
    let stages = policy.workflows.values().flat_map(|workflow| &workflow.stages);
    let known: Vec<&str> = match word {
        "workflow" => policy.workflows.keys().map(|known| known.as_str()).collect(),
        "schedule" => {
            let jobs = policy.schedule.jobs.keys().map(|known| known.as_str());
            jobs.chain(policy.schedule.windows.keys().map(String::as_str)).chain(["*"]).collect()
        }
        "lane" => policy.lanes.keys().map(|known| known.as_str()).collect(),
        "stage" => stages.map(|stage| stage.name.as_str()).collect(),
        "task" => {
            let known = world.survey.folders.contains(name)
                || world.ledgers.keys().any(|home| home.id().is_some_and(|id| *id == name));
            if known {
                return None;
            }
            let message = format!("there is no task `{name}`, so this halt would stop nothing");
            return Some(Fault::new("scope", message, "`orch task list --all` shows all tasks"));
        }
        _ => return None,
    };
    if known.contains(&name) {
        return None;
    }
    let what = if word == "schedule" { "job or window of the schedule" } else { word };
    let message = format!("the policy knows no {what} `{name}`, so this halt would stop nothing");
    let help = match did_you_mean(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{word}:{nearest}`?"),
        None => "halt everything with `--scope all` if in doubt".into(),
    };
    Some(Fault::new("scope", message, help))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// An incident is about tasks that exist, and follows the policy's own procedure.
    #[test]
    fn an_incident_says_what_is_so() {
        let open =
            |said: &str| story(&format!("- task: {{}}\n- propose: main\n- incident: {{{said}}}\n"));
        open("tasks: [strat-001], procedure: live_emergency").expect(&[]);
        for said in [
            "tasks: [strat-002]",
            "procedure: live_emergncy",
            "procedure: live_emergency, steps: []",
            "procedure: live_emergency, lanes: [E]",
            "lanes: [E]",
        ] {
            open(said).expect(&["record-invalid"]);
        }
    }

    #[test]
    fn a_step_is_the_procedures_and_shows_what_it_must() {
        let step = |said: &str| {
            let open = "- incident: {procedure: kill_switch}\n- propose: main\n";
            story(&format!("{open}- incident_step: {{outcome: Done, {said}}}\n"))
        };
        step("step: confirm_safe, evidence: [log]").expect(&[]);
        step("step: confirm_safe").expect(&["record-invalid"]);
        step("step: confirm_safe, evidence: [' ']").expect(&["record-invalid"]);
        step("step: confirm_saef, evidence: [log]").expect(&["record-invalid"]);
    }

    /// A written report may come along in the lanes of its incident, with an entry of it.
    #[test]
    fn a_report_is_committed_with_its_entry() {
        let open = "- incident: {procedure: kill_switch}\n- propose: orch/inc-001\n";
        let file = "- write: {incidents/2026-11-21.md: It broke}\n";
        story(&format!("{open}{file}- incident_step: {{}}\n")).expect(&[]);
        story(&format!("{open}{file}")).expect(&["lane-violation"]);
    }
}
