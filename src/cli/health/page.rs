//! Who is called when things are not healthy: the command that pages them, told or run (R003-35).

use std::process::{Command, Stdio};

use crate::cli::Stop;
use crate::cli::context::Context;
use crate::cli::output::complain;
use crate::policy::Policy;
use crate::report::{Health, Status};
use crate::source::path::unprintable;

/// How much of what is wrong goes into the message, in characters.
const TOLD: usize = 300;

/// Tells on standard error how those who are on call are paged about what was found, or pages them.
/// Refuses if that was asked for and can't be done.
pub(super) fn page(
    context: &Context,
    policy: &Policy,
    found: &Health,
    send: bool,
) -> Result<(), Stop> {
    let Some(page) = &policy.health.page else {
        if !send {
            return Ok(());
        }
        let help = "name one: `health: {page: {action: health_failure}}` in .orch/policy.yaml";
        return Err(Stop::fault("the policy names no alert for `--page`", help));
    };
    let message = message(found);
    let words = ["notify", "--action", page.action.as_str(), "--message", &message];
    if let Some(procedure) = &page.procedure {
        complain(format!("what is done about it: orch procedure start {procedure} --trigger T"));
    }
    if !send {
        complain(format!("page: orch notify --action {} --message T; or say --page", page.action));
        return Ok(());
    }
    let program = std::env::current_exe()
        .map_err(|error| Stop::fault(format!("orch can't be found: {error}"), "try again"))?;
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).current_dir(context.directory());
    if let Some(agent) = context.agent_word() {
        command.env("ORCH_AGENT", agent);
    }
    // What it says is no part of the document that this command prints.
    command.stdout(std::io::stderr());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let message = format!("nobody was paged: `orch notify` ended with {status}");
            Err(Stop::denied(message, "call them: `orch health --component on_call` tells who"))
        }
        Err(error) => {
            let message = format!("nobody was paged: `orch notify` can't be run: {error}");
            Err(Stop::denied(message, "call them: `orch health --component on_call` tells who"))
        }
    }
}

/// Gives what is wrong in one line, the worst first.
fn message(found: &Health) -> String {
    let mut reasons: Vec<_> = found
        .components
        .iter()
        .flat_map(|part| part.reasons.iter().map(move |reason| (part, reason)))
        .collect();
    reasons.retain(|(_, reason)| reason.status > Status::Healthy);
    reasons.sort_by_key(|(_, reason)| std::cmp::Reverse(reason.status));
    let told = reasons.iter().map(|(part, reason)| format!("{}: {}", part.name, reason.message));
    let text = told.collect::<Vec<_>>().join("; ");
    text.chars().filter(|character| !unprintable(*character)).take(TOLD).collect()
}
