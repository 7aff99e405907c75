//! What stops the work, what is owed, and what the checks say.

use super::board::name_cell;
use super::element::{Element, element};
use super::page::Links;
use super::parts::{ago, cell, columns, command, line, moment, nothing, section, table};
use crate::diagnostic::Severity;
use crate::report::Debt;
use crate::report::overview::{Found, HaltRow, IncidentRow};
use crate::report::spelled;
use crate::source::Moment;

/// Gives what stands above everything else: halts that stand, with what lifts them.
pub(super) fn alarm(halts: &[HaltRow]) -> Option<Element> {
    let told = halts.iter().map(|halt| {
        let topic = halt.topic.map_or("unreadable".into(), |topic| spelled(&topic));
        let head = element("b").words(format!("{}: {}", halt.id, halt.scope));
        let line = element("p").put(head).words(" ").said(&halt.reason);
        let line = line.words(format!(" ({topic}"));
        let line = match halt.since {
            Some(since) => line.words(", since ").put(moment(since)),
            None => line,
        };
        let line = match halt.until {
            Some(until) => line.words(", until ").put(moment(until)),
            None => line,
        };
        let lift = element("p").words("A person lifts it: ").put(command(&halt.command));
        element("div").put(line.words(")")).put(lift)
    });
    let heading = element("h2").with("id", "halts").words(match halts.len() {
        1 => "A halt stands".to_owned(),
        many => format!("{many} halts stand"),
    });
    let alarm =
        element("div").class("alarm").with("role", "region").with("aria-labelledby", "halts");
    (!halts.is_empty()).then(|| alarm.put(heading).put_all(told))
}

/// Gives the section of what is owed.
pub(super) fn debts(debts: &[Debt], links: &Links, at: Moment) -> Element {
    let section = section(
        "debts",
        "Open debts",
        "What somebody owes: overdue first, then by when it is due.",
    );
    if debts.is_empty() {
        return section.put(nothing("Nobody owes anything."));
    }
    let rows = debts.iter().map(|debt| {
        let due = match debt.due_at {
            None => cell().words("–"),
            Some(due) => {
                let tag = match debt.overdue {
                    true => element("span").class("tag bad").words("overdue"),
                    false => element("span").class("soft").words(ago(due, at)),
                };
                cell().put(moment(due)).words(" ").put(tag)
            }
        };
        let who: Vec<&str> = debt.who.iter().map(|name| name.as_str()).collect();
        let line = line().put(links.heading(&debt.about));
        let line = line.put(cell().class("wide").said(&debt.what)).put(due);
        line.put(cell().words(who.join(", "))).put(cell().class("wide").put(command(&debt.command)))
    });
    let columns = columns(["About", "What", "Due", "Who", "Command"]);
    section.put_all(table("Open debts", &columns, rows.collect()))
}

/// Gives the section of open incidents; none if there are none.
pub(super) fn incidents(incidents: &[IncidentRow], links: &Links, at: Moment) -> Option<Element> {
    let section =
        section("incidents", "Open incidents", "What went wrong, and how far its procedure is.");
    let rows = incidents.iter().map(|incident| {
        let line = line().put(element("th").with("scope", "row").words(incident.id.as_str()));
        let line = line
            .put(cell().words(&incident.severity))
            .put(cell().class("wide").said(&incident.trigger));
        let opened = cell()
            .put(moment(incident.opened_at))
            .words(format!(" {}", ago(incident.opened_at, at)));
        let all = incident.done.len() + incident.open_steps.len();
        let steps = format!(
            "{} of {all} done; next: {}",
            incident.done.len(),
            match incident.open_steps.first() {
                Some(step) => step,
                None if !incident.reported => "report",
                None => "post-mortem",
            }
        );
        let tasks = incident.tasks.iter().map(|id| element("span").put(links.link(id)).words(" "));
        let tasks = match incident.tasks.is_empty() {
            true => cell().words("–"),
            false => cell().put_all(tasks),
        };
        line.put(opened).put(cell().words(steps)).put(tasks)
    });
    let columns = columns(["Incident", "Severity", "Trigger", "Opened", "Steps", "Tasks"]);
    let table = table("Open incidents", &columns, rows.collect());
    (!incidents.is_empty()).then(|| section.put_all(table))
}

/// Gives the section of what the checks say.
pub(super) fn findings(findings: &[Found], links: &Links) -> Element {
    let about = "What the checks say of this state; `orch verify` replays all of its history.";
    let section = section("findings", "Findings", about);
    if findings.is_empty() {
        return section.put(nothing("Nothing is refused."));
    }
    let rows = findings.iter().map(|found| {
        let class = match found.severity {
            Severity::Error => "tag bad",
            Severity::Warning => "tag busy",
            Severity::Note => "tag",
        };
        let tag = element("span").class(class).words(spelled(&found.severity));
        let task = found.task.as_ref().map_or_else(
            || name_cell(None::<&String>),
            |id| cell().class("id").put(links.link(id)),
        );
        let heading = element("th").with("scope", "row").words(found.check);
        let line = line().put(heading).put(cell().put(tag)).put(task);
        let line = line.put(cell().class("wide").prose(&found.message));
        line.put(cell().class("wide").prose(&found.help))
    });
    let columns = columns(["Check", "Weight", "Task", "What is wrong", "What to do"]);
    section.put_all(table("Findings", &columns, rows.collect()))
}
