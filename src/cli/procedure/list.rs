//! `orch procedure list` and `show`.

use serde_json::{Value, json};

use super::known;
use crate::cli::Stop;
use crate::cli::context::{Context, View};
use crate::cli::output::{format, json as print_json, say, table};
use crate::policy::{Policy, Procedure};
use crate::record::kind::PlannedStep;
use crate::render::Format;
use crate::source::many;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct List {
    /// human or json
    #[arg(long, default_value = "human", value_parser = format)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Show {
    /// The procedure
    name: String,
    /// human or json
    #[arg(long, default_value = "human", value_parser = format)]
    format: Format,
}

impl List {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let policy = View::of(context, &[])?.policy();
        let all = &policy.procedures;
        if self.format == Format::Json {
            let rows = all.iter().map(|(name, procedure)| as_json(&policy, name, procedure));
            print_json(&rows.collect::<Vec<_>>());
            return Ok(());
        }
        if all.is_empty() {
            say("the policy has no procedures; add them to `procedures` in .orch/policy.yaml");
            return Ok(());
        }
        let heading = ["PROCEDURE", "SEVERITY", "STEPS", "STARTED BY", "TITLE"];
        let rows = all.iter().map(|(name, procedure)| {
            let starts = starts(&policy, name);
            let by = if starts.is_empty() { "hand".to_owned() } else { starts.join(", ") };
            let severity = procedure.severity.clone().unwrap_or_else(|| "-".into());
            let count = procedure.steps.len().to_string();
            vec![name.clone(), severity, count, by, procedure.title.clone()]
        });
        let heading = heading.map(str::to_owned).to_vec();
        table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
        say("start one: orch procedure start NAME --trigger T");
        Ok(())
    }
}

impl Show {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let policy = View::of(context, &[])?.policy();
        let procedure = known(&policy, &self.name)?;
        if self.format == Format::Json {
            print_json(&as_json(&policy, &self.name, procedure));
            return Ok(());
        }
        say(format!("{}: {}", self.name, procedure.title));
        for (index, step) in procedure.steps.iter().enumerate() {
            let what = step.description.as_deref().unwrap_or(&step.step);
            say(format!("{}. {} ({}): {what}", index + 1, step.step, terms(step).join(", ")));
            if !step.command.is_empty() {
                say(format!("    {}", step.command.join(" ")));
            }
        }
        for start in starts(&policy, &self.name) {
            say(format!("started by {start}"));
        }
        say(format!("start it: orch procedure start {} --trigger T", self.name));
        Ok(())
    }
}

/// Gives who takes a step and what is asked of it, in a few words each.
fn terms(step: &PlannedStep) -> Vec<String> {
    let owner = step.owner.as_ref().map_or("anyone".into(), ToString::to_string);
    let tries = step.retry.as_ref().map(|retry| many(retry.maximum_attempts as usize, "attempt"));
    let timeout = step.timeout.as_ref().map(|timeout| format!("within {timeout}"));
    let instead = step.if_failed.as_ref().map(|before| format!("only if {before} fails"));
    let person = step.person.then(|| "a person".to_owned());
    let evidence = step.evidence.then(|| "shows evidence".to_owned());
    let all = [Some(owner), person, tries, timeout, instead, evidence];
    all.into_iter().flatten().collect()
}

/// Gives what of the policy starts a procedure, or names it (R003-6).
fn starts(policy: &Policy, name: &str) -> Vec<String> {
    let named = |procedure: &Option<String>| procedure.as_deref() == Some(name);
    let jobs = policy.schedule.jobs.iter();
    let jobs = jobs.filter(|(_, job)| named(&job.procedure)).map(|(job, _)| format!("job {job}"));
    let failing = policy.schedule.jobs.iter().filter(|(_, job)| named(&job.on_failure));
    let failing = failing.map(|(job, _)| format!("failure of job {job}"));
    let actions = policy.alerts.actions.iter().filter(|(_, action)| named(&action.procedure));
    let actions = actions.map(|(action, _)| format!("alert {action}"));
    let page = policy.health.page.iter().filter(|page| named(&page.procedure));
    let page = page.map(|_| "orch health".to_owned());
    jobs.chain(failing).chain(actions).chain(page).collect()
}

fn as_json(policy: &Policy, name: &str, procedure: &Procedure) -> Value {
    json!({
        "name": name,
        "title": procedure.title,
        "severity": procedure.severity,
        "lanes": procedure.lanes,
        "steps": procedure.steps,
        "started_by": starts(policy, name),
    })
}
