//! `orch next`: what an agent should do now, as commands.

use std::collections::BTreeMap;

use super::Stop;
use super::context::{Context, View};
use super::elsewhere::{Ahead, ahead};
use super::heard::unanswered;
use super::incidents;
use super::output::{json, say, say_lines};
use super::suggest::{Suggestion, further_elsewhere, suggest};
use crate::checks::each;
use crate::plan::Asker;
use crate::render::{Format, one_line};
use crate::source::TaskId;
use crate::world::World;

/// How much is told at once, in bytes: an agent reads fewer than 500 tokens of three bytes and more.
const ROOM: usize = 1_400;

/// Tell what an agent should do now, as commands.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What can be typed comes first, the most urgent before the rest, and as much as is \
                  quickly read;\nJSON is whole.\nExample: orch next --agent quant_engineer"
)]
pub(super) struct Next {
    /// Tell all there is to do, however long that is
    #[arg(long)]
    all: bool,
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
        let asker = context.asker(&policy);
        let mut all = Vec::new();
        let elsewhere = ahead(context, &view, None)?;
        for (task, ahead) in &elsewhere {
            all.push(further_elsewhere(&policy, task, ahead));
        }
        all.extend(due_here(&view.world, &elsewhere, asker));
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
        let urgency = |found: &Suggestion| {
            let id = found.task_id.parse().ok();
            let state = id.and_then(|id| view.world.task(&id));
            (found.command.is_none(), state.map(|state| state.task.priority))
        };
        all.sort_by_cached_key(urgency);
        let mut room = if self.all { usize::MAX } else { ROOM };
        let mut left = all.len();
        let mut lines = Vec::new();
        for found in &all {
            let told = told(found, mine.is_none());
            // The first is told however long it is.
            if told.len() > room && left < all.len() {
                break;
            }
            room = room.saturating_sub(told.len());
            left -= 1;
            lines.push(told);
        }
        if !lines.is_empty() {
            say_lines(lines.join("\n"));
        }
        if left > 0 {
            say(format!("and {left} more: orch next --all"));
        }
        Ok(())
    }
}

/// Gives what could be done about the open tasks that are nowhere further than here.
fn due_here(
    world: &World,
    elsewhere: &BTreeMap<TaskId, Ahead>,
    asker: Option<Asker<'_>>,
) -> Vec<Suggestion> {
    let policy = &world.policy;
    let ledgers = world.ledgers.values();
    let open = ledgers.filter_map(|ledger| Some((ledger, ledger.state()?)));
    let here: Vec<_> = open
        .filter(|(_, state)| state.closed.is_none())
        .filter(|(_, state)| !elsewhere.contains_key(&state.task.task_id))
        .collect();
    let suggested = each(&here, |(ledger, state)| {
        let mut found = suggest(world, policy, ledger, state, asker);
        found.extend(unanswered(policy, ledger, state));
        found
    });
    suggested.into_iter().flatten().collect()
}

/// One thing to do: which task, why, and what to type.
fn told(found: &Suggestion, name_agents: bool) -> String {
    let who = match &found.agent {
        Some(agent) if name_agents => format!("{agent}: "),
        _ => String::new(),
    };
    let mut text = one_line(&format!("{}  {who}{}", found.task_id, found.why));
    for line in found.command.iter().chain(&found.help) {
        text.push_str(&format!("\n    {}", one_line(line)));
    }
    text
}
