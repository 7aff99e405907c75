//! `orch escalate`: ask a person to decide, with both positions on the record.

use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::ledger::{Writer, Writing};
use super::output::{id, moment, say, say_lines};
use crate::ledger::State;
use crate::record::kind::{Escalation, Position};
use crate::source::{AgentName, Moment, TaskId};

/// Ask a person to decide, with both positions on the record.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Level 1 is a conflict of agents, 2 a dispute of an audit's finding, 3 a live \
                        emergency. The task waits\nuntil a person decides: `orch decide --resolves \
                        TASK/SEQUENCE`.\nExample: orch escalate strat-001 --level 2 --trigger \
                        'Disputed lookahead' --position 'independent_auditor: uses the close' \
                        --position 'strategy_developer: trades at the next open' --evidence \
                        'strategy_developer: strategies/sma.py:12'"
)]
pub(super) struct Escalate {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// 1, 2 or 3
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    level: u8,
    /// What set it off
    #[arg(long)]
    trigger: String,
    /// One side of it, as AGENT: STATEMENT; name both sides
    #[arg(long, value_name = "POSITION", required = true, value_parser = said)]
    position: Vec<(AgentName, String)>,
    /// What a side shows, as AGENT: EVIDENCE; may be given several times
    #[arg(long, value_name = "EVIDENCE", value_parser = said)]
    evidence: Vec<(AgentName, String)>,
    /// The entry in dispute, by its sequence; for level 2, by default the last audit report
    #[arg(long, value_name = "SEQUENCE")]
    about: Option<u32>,
    /// An issue of the report in dispute; by default all of them
    #[arg(long, value_name = "ISSUE")]
    issue: Vec<String>,
    /// When the decision is due, if sooner than the policy says
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    due: Option<Moment>,
    #[command(flatten)]
    writing: Writing,
}

/// Reads `agent: words`.
pub(super) fn said(text: &str) -> Result<(AgentName, String), String> {
    let (agent, words) = text.split_once(':').ok_or("write AGENT: WORDS")?;
    let words = words.trim();
    if words.is_empty() {
        return Err("write AGENT: WORDS, with some words".into());
    }
    Ok((id(agent.trim())?, words.to_owned()))
}

impl Escalate {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let desk = Desk::of(context, &self.id)?;
        let state = desk.state();
        let positions = self.positions()?;
        let about = self.about.or_else(|| (self.level == 2).then(|| disputed(state)).flatten());
        let known = desk.view.world.unsettled(state).find(|known| {
            let escalation = &known.escalation;
            (escalation.level, &escalation.trigger, escalation.about)
                == (self.level, &self.trigger, about)
        });
        if let Some(known) = known {
            say(format!("this is escalated already, by entry {:04}", known.sequence));
            return Ok(());
        }
        let author = desk.author(context)?;
        let due_at = self.due.unwrap_or(author.at.plus(desk.policy().escalation.decision_due));
        let escalation = Escalation {
            level: self.level,
            trigger: self.trigger,
            about,
            issues: self.issue,
            positions,
            due_at,
        };
        let sequence = desk.ledger().records.last().map_or(1, |last| last.sequence() + 1);
        let finding = if escalation.level == 2 { " --finding upheld|overturned" } else { "" };
        let mut writer = Writer::new(context, &desk.view, author);
        writer.add(&desk.home(), escalation)?;
        if writer.commit(self.writing)?.is_foreseen() {
            return Ok(());
        }
        let id = &self.id;
        say_lines(format!(
            "a person decides until {due_at}: orch decide --resolves {id}/{sequence}{finding} \
             --title … --context … --decision …\nnext: git commit"
        ));
        if self.level == 3 {
            say(format!(
                "if it does harm now: orch incident open --task {id} --trigger …, then orch run \
                 start {id} --stage rollback --incident …"
            ));
        }
        Ok(())
    }

    /// Joins each side's words with what it shows; refuses evidence of a side that says nothing.
    fn positions(&self) -> Result<Vec<Position>, Stop> {
        let mut positions: Vec<Position> = Vec::new();
        for (agent, statement) in &self.position {
            let (agent, statement) = (agent.clone(), statement.clone());
            positions.push(Position { agent, statement, evidence: Vec::new() });
        }
        for (agent, shown) in &self.evidence {
            let side = positions.iter_mut().find(|position| position.agent == *agent);
            let Some(side) = side else {
                let message = format!("`{agent}` shows evidence, but has no position");
                let help = format!("add `--position '{agent}: STATEMENT'`");
                return Err(Stop::fault(message, help));
            };
            side.evidence.push(shown.clone());
        }
        Ok(positions)
    }
}

/// Gives the audit report that a dispute would be about: the last one.
fn disputed(state: &State) -> Option<u32> {
    state.audits.last().map(|audit| audit.sequence)
}
