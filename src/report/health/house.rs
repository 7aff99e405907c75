//! What everything else stands on: the policy, readable ledgers, hooks, documents, those on call, and
//! programs of one's own.

use super::{Component, Measured, Probed, Reason, Status, span};
use crate::policy::{AlertSeverity, Hours, POLICY_PATH};
use crate::snapshot::LastChange;
use crate::source::many;
use crate::world::World;

/// The policy can be used, and what is staged of it can be, too.
pub(super) fn policy(world: &World) -> Component {
    let problems = world.policy_problems.iter();
    let reasons = problems.map(|(path, problem)| {
        let message = format!("{path} is staged, and can't be used: {}", problem.message);
        Reason::degraded(message, problem.help.clone())
    });
    let policy = &world.policy;
    let (agents, workflows) = (policy.agents.len(), policy.workflows.len());
    let told = format!("{POLICY_PATH}: {}, {}", many(agents, "agent"), many(workflows, "workflow"));
    Component::of("policy", told, reasons.collect())
}

/// Every record that was looked at can be read.
pub(super) fn ledgers(world: &World, measured: &Measured) -> Component {
    let reasons = measured.unreadable.iter().map(|(path, why)| {
        Reason::failed(format!("{path} can't be read: {why}"), "see all of it: `orch verify`")
    });
    let told =
        format!("{} looked at; `orch verify` replays all", many(world.ledgers.len(), "ledger"));
    Component::of("ledgers", told, reasons.collect())
}

/// The documents that agents begin with are up to date (R002-33).
pub(super) fn documents(world: &World, measured: &Measured) -> Component {
    let name = "claude_md_updated";
    let known = &world.policy.health.documents;
    if known.is_empty() {
        let why = "no document is named: `health: {documents: [{path: CLAUDE.md, max_age: 30d}]}`";
        return Component::unknown(name, why);
    }
    let mut reasons = Vec::new();
    for (path, change) in &measured.documents {
        let document = known.iter().find(|document| document.path == *path);
        let Some(limit) = document.map(|document| document.max_age.0) else { continue };
        let help = format!("bring {path} up to date, and commit it");
        match change {
            LastChange::At(at) if world.at.since(*at) <= limit => {}
            LastChange::At(at) => {
                let age = span(world.at.since(*at));
                let message = format!("{path} last changed {age} ago, more than {}", span(limit));
                reasons.push(Reason::degraded(message, help));
            }
            LastChange::NotSince(_) => {
                let message = format!("{path} has not changed within {}", span(limit));
                reasons.push(Reason::degraded(message, help));
            }
            LastChange::Missing => {
                let message = format!("there is no {path}");
                reasons.push(Reason::failed(message, format!("write {path}, and commit it")));
            }
            LastChange::CutOff => {
                let message = format!("this shallow clone can't tell when {path} changed");
                let help = "fetch the rest: `git fetch --unshallow origin`".to_owned();
                reasons.push(Reason { status: Status::Unknown, message, help });
            }
        }
    }
    Component::of(name, many(known.len(), "document"), reasons)
}

/// The hooks that call the guard are in place.
pub(super) fn hooks(measured: &Measured) -> Component {
    let Some(missing) = &measured.hooks_missing else {
        return Component::unknown("hooks", "not looked at where nobody commits");
    };
    let reason = (!missing.is_empty()).then(|| {
        let message = format!("{} does not call orch here", missing.join(", "));
        Reason::degraded(message, "install them: `orch hooks install`")
    });
    let told = if reason.is_none() { "all in this clone" } else { "not all in this clone" };
    Component::of("hooks", told.into(), reason.into_iter().collect())
}

/// The roster is one that somebody has looked at lately (R003-4, R003-5, R003-44).
pub(super) fn on_call(world: &World, measured: &Measured) -> Component {
    let Some(on_call) = &world.policy.on_call else {
        return Component::unknown("on_call", "nobody is named: `on_call` in .orch/policy.yaml");
    };
    let days = on_call.reviewed.map(|day| day.days_until(world.at));
    let limit = on_call.review_every.0.num_days();
    let late = days.filter(|days| *days > limit).map(|days| {
        let message = format!("nobody has looked at the roster for {days} days, more than {limit}");
        let help = "ask all who are on it, set `on_call.reviewed` in .orch/policy.yaml to today, and \
                    decide: `orch decide --changes .orch/policy.yaml`";
        Reason::degraded(message, help)
    });
    let levels = on_call.levels.iter().map(|level| {
        let names: Vec<&str> = level.agents.iter().map(|name| name.as_str()).collect();
        format!("{}: {}", level.name, names.join(", "))
    });
    let hours = match (on_call.hours, measured.trading) {
        (Hours::Always, _) => "at any time",
        (Hours::Trading, Some(true)) => "now, while the exchange is open",
        (Hours::Trading, Some(false)) => "not now, for the exchange is closed",
        (Hours::Trading, None) => "while the exchange is open",
    };
    let told = format!("{hours}, {}", levels.collect::<Vec<_>>().join("; "));
    match days {
        Some(_) => Component::of("on_call", told, late.into_iter().collect()),
        None => {
            let why = "nobody has said when they last looked at it: `on_call.reviewed`";
            Component::unknown("on_call", format!("{why}; {told}"))
        }
    }
}

/// In these windows nothing else is expected (R003-16, R003-17).
pub(super) fn maintenance(measured: &Measured) -> Component {
    let windows = measured.windows.iter().map(|(name, until)| format!("{name} until {until}"));
    let windows = windows.collect::<Vec<_>>().join(", ");
    let told = if windows.is_empty() { "no window is open".to_owned() } else { windows };
    Component::of("maintenance", told, Vec::new())
}

/// Adds what one's own programs say, to the parts they belong to.
pub(super) fn add_probes(world: &World, probes: &[Probed], components: &mut Vec<Component>) {
    for (name, probe) in &world.policy.health.probes {
        let probed = probes.iter().find(|probed| probed.name == *name);
        let part = match probed {
            Some(probed) => of_probe(probed),
            None if probe.command.is_empty() => {
                let why = format!("probe {name} has no `command` yet: `health.probes.{name}`");
                Component::unknown(&probe.component, why)
            }
            None => Component::unknown(&probe.component, format!("probe {name} was not run")),
        };
        match components.iter_mut().find(|known| known.name == part.name) {
            None => components.push(part),
            Some(known) => {
                known.status = known.status.max(part.status);
                known.told = format!("{}; {}", known.told, part.told);
                known.reasons.extend(part.reasons);
            }
        }
    }
}

fn of_probe(probed: &Probed) -> Component {
    let Probed { name, title, component, ended, attempts, .. } = probed;
    let reason = (!probed.healthy).then(|| {
        let said = probed.output.last().map(|line| format!(": {line}")).unwrap_or_default();
        let message = format!("{title}: no ({name}: {ended}, at attempt {attempts}{said})");
        let help = format!("look at what it looks at: `orch health --component {component}`");
        match probed.severity {
            AlertSeverity::Debug | AlertSeverity::Info => {
                Reason { status: Status::Healthy, message, help }
            }
            AlertSeverity::Warning => Reason::degraded(message, help),
            AlertSeverity::Error | AlertSeverity::Critical => Reason::failed(message, help),
        }
    });
    let told = format!("probe {name} took {} ms", probed.milliseconds);
    Component::of(component, told, reason.into_iter().collect())
}
