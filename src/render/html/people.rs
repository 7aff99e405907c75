//! What people decided, and who did how much.

use super::element::{Element, element};
use super::page::Links;
use super::parts::{
    Column, Line, ago, cell, columns, line, moment, nothing, number, section, table,
};
use crate::record::kind::DecisionStatus;
use crate::report::overview::{Actor, Ruling, Rulings};
use crate::report::spelled;
use crate::source::Moment;

/// Gives the section of decisions.
pub(super) fn decisions(rulings: &Rulings, links: &Links) -> Element {
    let section = section("decisions", "Decisions", "What people decided, latest first.");
    if rulings.last.is_empty() {
        return section.put(nothing("Nothing had to be decided."));
    }
    let rows = rulings.last.iter().map(|ruling| decision(ruling, links));
    let columns = columns(["When", "What", "Decided", "Who", "About"]);
    let section = section.put_all(table("Decisions", &columns, rows.collect()));
    match rulings.not_shown {
        0 => section,
        1 => section.put(element("p").class("soft").words("1 older one is not shown.")),
        count => section
            .put(element("p").class("soft").words(format!("{count} older ones are not shown."))),
    }
}

fn decision(ruling: &Ruling, links: &Links) -> Line {
    let tag = match (ruling.withdrawn, ruling.status) {
        (true, _) => Some("replaced".to_owned()),
        (false, DecisionStatus::Accepted) => None,
        (false, other) => Some(spelled(&other)),
    };
    let tag = tag.map(|words| element("span").class("tag").words(words));
    let title = element("b").said(&ruling.title);
    let context = element("div").class("soft").said(&ruling.context);
    let what = cell().class("wide").put(title).words(" ").put_all(tag).put(context);
    let finding = ruling
        .finding
        .map(|finding| element("div").words(format!("finding {}", spelled(&finding))));
    let decided = cell().class("wide").said(&ruling.outcome).put_all(finding);
    let who: Vec<&str> = ruling.decided_by.iter().map(|name| name.as_str()).collect();
    let task = ruling.task_id.iter().map(|id| element("div").put(links.link(id)));
    let settles = ruling.resolves.iter().map(|name| element("div").said(format!("settles {name}")));
    let changes = ruling
        .changes
        .iter()
        .map(|path| element("div").put(element("code").words(path.to_string())));
    let about = cell().put_all(task).put_all(settles).put_all(changes);
    let when = element("th").with("scope", "row").put(moment(ruling.at));
    line().put(when).put(what).put(decided).put(cell().words(who.join(", "))).put(about)
}

/// Gives the section of who acted.
pub(super) fn actors(actors: &[Actor], at: Moment) -> Element {
    let about = "By what the records say in each name, the last seen first.";
    let section = section("actors", "Who acted", about);
    let (acted, silent): (Vec<&Actor>, Vec<&Actor>) =
        actors.iter().partition(|actor| actor.entries > 0);
    let rows = acted.iter().map(|actor| {
        let kind = match (actor.known, actor.human) {
            (false, _) => Some(element("span").class("tag bad").words("unknown")),
            (true, true) => Some(element("span").class("tag").words("person")),
            (true, false) => None,
        };
        let heading = element("th").with("scope", "row").words(actor.agent.as_str()).words(" ");
        let seen = actor.last_seen.map(|last| {
            let ago = element("span").class("soft").words(ago(last, at));
            cell().put(moment(last)).words(" ").put(ago)
        });
        let counts = [
            actor.entries,
            actor.runs,
            actor.failed,
            actor.handoffs,
            actor.gates,
            actor.audits,
            actor.approvals,
            actor.sign_offs,
            actor.sessions,
        ];
        let line = line().put(heading.put_all(kind));
        line.put_all(counts.map(|count| number(count.to_string()))).put_all(seen)
    });
    let counted = [
        "Entries",
        "Runs",
        "Failed",
        "Handoffs",
        "Gates",
        "Audits",
        "Approvals",
        "Sign-offs",
        "Sessions",
    ];
    let columns: Vec<Column> = std::iter::once(Column("Name", false))
        .chain(counted.map(|heading| Column(heading, true)))
        .chain([Column("Last seen", false)])
        .collect();
    let section = match acted.is_empty() {
        true => section.put(nothing("Nobody has written anything yet.")),
        false => section.put_all(table("Who acted", &columns, rows.collect())),
    };
    let names: Vec<&str> = silent.iter().map(|actor| actor.agent.as_str()).collect();
    match names.is_empty() {
        true => section,
        false => section
            .put(element("p").class("soft").words(format!("Not seen: {}.", names.join(", ")))),
    }
}
