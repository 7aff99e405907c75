//! `orch gate`: evaluate the condition behind a stage, and record what was observed.

use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::ledger::{Writer, Writing};
use super::output::{complain, id, say, say_lines};
use crate::draft;
use crate::ledger::Standing;
use crate::record::Payload;
use crate::record::kind::GateVerdict;
use crate::source::{StageName, TaskId};

/// Evaluate the gate behind a stage, and record the result.
#[derive(Debug, clap::Args)]
#[command(after_help = "Only a coordinator records gates. Exit code 1 if the gate fails; the \
                        failure is recorded too,\nand returns the task.\nExample: orch gate \
                        strat-001 --agent orchestrator")]
pub(super) struct Gate {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// Where a pass leads, if the policy names several places
    #[arg(long, value_parser = id::<StageName>)]
    next: Option<StageName>,
    #[command(flatten)]
    writing: Writing,
}

impl Gate {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let desk = Desk::of(context, &self.id)?;
        let state = desk.state();
        let last = desk.ledger().records.last().map(|record| &record.payload);
        if let (Some(Payload::Gate(gate)), false) =
            (last, matches!(state.standing, Standing::Delivered(_)))
        {
            say(format!("stage {} has its gate already: {:?}", gate.stage, gate.verdict));
            return Ok(());
        }
        if !matches!(state.standing, Standing::Delivered(_)) {
            let help = format!("see how far it got: `orch status {}`", self.id);
            return Err(Stop::denied(format!("nothing of `{}` waits for a gate", self.id), help));
        }
        let stage = desk.stage(None)?;
        let author = desk.author(context)?;
        let world = &desk.view.world;
        let gate = draft::gate(world, state, stage, author.actor.clone(), self.next);
        let (verdict, reasons) = (gate.verdict, gate.reasons.clone());
        let conditions = gate.conditions.clone();
        let next = gate.next_stage.clone();
        let mut writer = Writer::new(context, &desk.view, author);
        writer.add(&desk.home(), gate)?;
        let foreseen = writer.commit(self.writing)?.is_foreseen();
        for condition in &conditions {
            let mark = if condition.result { "holds" } else { "does not hold" };
            let observed = condition.observed.as_deref().unwrap_or_default();
            say(format!("{mark}: {}  ({observed})", condition.expression));
        }
        match (verdict, next) {
            (GateVerdict::Pass, next) if foreseen => {
                let next = next.map(|next| format!(", and {next} could start"));
                say(format!("gate would pass{}", next.unwrap_or_default()));
                Ok(())
            }
            (GateVerdict::Pass, Some(next)) => {
                say_lines(format!("gate passed: {} may start\nnext: git commit", next));
                Ok(())
            }
            (GateVerdict::Pass, None) => {
                let id = &self.id;
                say_lines(format!(
                    "gate passed: that was the last stage\nnext: git commit, then orch task close {id} --outcome completed --reason …"
                ));
                Ok(())
            }
            (GateVerdict::Fail, _) => {
                let how = if foreseen { "would fail" } else { "failed" };
                for reason in reasons {
                    complain(format!("gate {how}: {reason}"));
                }
                if !foreseen {
                    complain("next: git commit, then the work returns");
                }
                Err(Stop::Refused)
            }
        }
    }
}
