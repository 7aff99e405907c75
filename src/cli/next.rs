//! `orch next`: what an agent should do now, as commands.

use super::Stop;
use super::context::{Context, View};
use super::elsewhere::ahead;
use super::incidents;
use super::output::{json, say};
use super::suggest::{Suggestion, further_elsewhere, suggest};
use crate::render::Format;

/// Tell what an agent should do now, as commands.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch next --agent quant_engineer")]
pub(super) struct Next {
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
    /// The same as `--format json`
    #[arg(long)]
    json: bool,
}

impl Next {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of_all(context, false)?;
        let policy = view.policy();
        let mine = match context.agent_word() {
            Some(_) => Some(context.agent(&policy)?),
            None => None,
        };
        let mut all = Vec::new();
        let elsewhere = ahead(context, &view, None)?;
        for (task, ahead) in &elsewhere {
            all.push(further_elsewhere(&policy, task, ahead));
        }
        for ledger in view.world.ledgers.values() {
            let Some(state) = ledger.state().filter(|state| state.closed.is_none()) else {
                continue;
            };
            if !elsewhere.contains_key(&state.task.task_id) {
                all.extend(suggest(&view.world, &policy, ledger, state, context.at()));
            }
        }
        for incident in &view.world.survey.incidents {
            let due = incidents::next(&policy, &incident.id, &incident.state);
            all.extend(due.map(|due| due.suggested(&incident.id)));
        }
        all.retain(|found| mine.is_none() || found.agent == mine);
        if self.json || self.format == Format::Json {
            json(&all);
            return Ok(());
        }
        if all.is_empty() {
            let whom = mine.as_ref().map(|agent| format!(" for {agent}")).unwrap_or_default();
            say(format!("nothing to do{whom}; the board: orch status"));
        }
        for found in &all {
            tell(found, mine.is_none());
        }
        Ok(())
    }
}

fn tell(found: &Suggestion, name_agents: bool) {
    let who = match &found.agent {
        Some(agent) if name_agents => format!("{agent}: "),
        _ => String::new(),
    };
    say(format!("{}  {who}{}", found.task_id, found.why));
    if let Some(command) = &found.command {
        say(format!("    {command}"));
    }
    if let Some(help) = &found.help {
        say(format!("    {help}"));
    }
}
