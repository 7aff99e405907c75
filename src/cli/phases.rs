//! Phases and weeks of a larger plan, as they are asked for: one that nobody has named is a slip.

use std::collections::BTreeSet;

use super::Stop;
use super::context::{Context, View};
use super::run::near_or_all;
use crate::policy::Policy;
use crate::record::kind::Task;

/// Refuses a phase that no task is of and that the policy does not list, and a week of no task.
pub(super) fn known(
    context: &Context,
    view: &View,
    phase: Option<&str>,
    week: Option<u32>,
) -> Result<(), Stop> {
    let listed = |phase: &str| view.policy().fleet.phase(phase).is_some();
    let in_view = |takes: &dyn Fn(&Task) -> bool| tasks(view).any(takes);
    let of_phase = |task: &Task| phase.is_none() || task.phase.as_deref() == phase;
    let of_week = |task: &Task| week.is_none() || task.week == week;
    if (phase.is_none_or(listed) || in_view(&of_phase)) && in_view(&of_week) {
        return Ok(());
    }
    if phase.is_none() && week.is_none() {
        return Ok(());
    }
    // One whose tasks are all closed is known, too.
    let all = View::of_all(context, true)?;
    let policy = all.policy();
    if let Some(phase) = phase.filter(|phase| !listed(phase) && !tasks(&all).any(of_phase)) {
        let named: BTreeSet<&str> = tasks(&all).filter_map(|task| task.phase.as_deref()).collect();
        let names = || policy.fleet.phases.iter().map(String::as_str).chain(named.iter().copied());
        let help = match names().next() {
            Some(_) => near_or_all(phase, names).replacen("it has ", "the phases are ", 1),
            None => "no task has a phase: `orch task update ID --phase NAME`".to_owned(),
        };
        return Err(Stop::fault(format!("no task is of phase `{phase}`"), help));
    }
    if let Some(week) = week.filter(|_| !tasks(&all).any(of_week)) {
        let weeks: BTreeSet<u32> = tasks(&all).filter_map(|task| task.week).collect();
        let weeks: Vec<String> = weeks.iter().map(u32::to_string).collect();
        let help = match weeks.is_empty() {
            true => "no task has a week; leave `--week` out".to_owned(),
            false => format!("the weeks are {}", weeks.join(", ")),
        };
        return Err(Stop::fault(format!("no task is of week {week}"), help));
    }
    Ok(())
}

fn tasks(view: &View) -> impl Iterator<Item = &Task> {
    view.world.ledgers.values().filter_map(|ledger| Some(&ledger.state()?.task))
}

/// Gives what to say of a phase that a task is given and that the policy, which lists some, does not.
pub(super) fn unlisted(policy: &Policy, phase: Option<&str>) -> Option<String> {
    let phases = &policy.fleet.phases;
    let phase = phase.filter(|phase| !phases.is_empty() && policy.fleet.phase(phase).is_none())?;
    let near = near_or_all(phase, || phases.iter().map(String::as_str));
    let near = near.replacen("it has ", "they are ", 1);
    Some(format!("note: the policy's `phases` don't list `{phase}`; {near}"))
}

/// Reads how many may run at once: one and more.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "write a whole number, from 1".to_owned())
}
