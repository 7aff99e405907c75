//! What those saw who let something go live.

use super::element::{Element, element};
use super::page::Links;
use super::parts::{Line, cell, columns, digest, folded, line, moment, section, table};
use crate::report::overview::{Seal, Shown};
use crate::source::many;

/// How a task stands whose work is live.
const DONE: &str = "is done";
/// So many are unfolded at once.
const UNFOLDED: usize = 3;

/// Gives the section; none if no workflow brings anything live yet.
pub(super) fn shown(all: &[Shown], links: &Links) -> Option<Element> {
    let about = "Tasks that go live or went: the evidence that passed, what the gates read in it, and who approved it.";
    let section = section("shown", "Before going live", about);
    let (went, goes): (Vec<&Shown>, Vec<&Shown>) = all.iter().partition(|one| one.stands == DONE);
    let unfold = |count: usize| count <= UNFOLDED;
    let goes = goes.iter().map(|one| task(one, links, unfold(goes.len())));
    let went = went.iter().map(|one| task(one, links, unfold(all.len())));
    let told: Vec<Element> = goes.chain(went).collect();
    (!all.is_empty()).then(|| section.put_all(folded(told, "more")))
}

fn task(shown: &Shown, links: &Links, unfold: bool) -> Element {
    let Shown { task_id, title, stage, stands, .. } = shown;
    let tag = element("span").class(if *stands == DONE { "tag good" } else { "tag busy" });
    let summary = element("summary").words(task_id.as_str()).words(" ");
    let summary = summary.put(tag.words(format!("{stage} {stands}"))).words(" ");
    let summary = summary.put(element("span").class("soft").said(title));
    let about = element("p").put(approvals(shown)).words(" ").put_all(links.more(task_id));
    let evidence = shown.seals.iter().map(seal);
    let columns_of_evidence = columns(["Evidence", "Stage", "File", "Digest", "Approved by"]);
    let evidence =
        table(&format!("Evidence of {task_id}"), &columns_of_evidence, evidence.collect());
    let contents = shown.seals.iter().filter_map(content);
    let read = shown.gates.iter().flat_map(|gate| {
        gate.conditions.iter().map(move |condition| {
            let heading = element("th").with("scope", "row").words(gate.stage.as_str());
            let asked = cell().class("wide").put(element("code").said(&condition.expression));
            let observed = condition.observed.as_deref().unwrap_or("–");
            let line = line().put(heading).put(asked).put(cell().class("wide").said(observed));
            line.put(cell().put(moment(gate.at))).put(cell().words(gate.by.as_str()))
        })
    });
    let read: Vec<Line> = read.collect();
    let columns_of_gates = columns(["Gate", "Asked", "Observed", "When", "By"]);
    let read = match read.is_empty() {
        true => Vec::new(),
        false => table(&format!("What the gates of {task_id} read"), &columns_of_gates, read),
    };
    let inner = element("div").class("inner").put(about).put_all(evidence).put_all(contents);
    let card = element("details").class("life");
    let card = if unfold { card.with("open", "open") } else { card };
    card.put(summary).put(inner.put_all(read))
}

fn approvals(shown: &Shown) -> Element {
    if shown.approvals_needed == 0 && shown.signs.is_empty() {
        return element("span").class("soft").words("asks for no approval");
    }
    let count = format!("{} of {}", shown.signs.len(), many(shown.approvals_needed, "approval"));
    let signs = shown.signs.iter().map(|sign| {
        let line = element("span").words("; ").put(element("b").words(sign.approver.as_str()));
        line.words(" ").put(moment(sign.at)).words(": ").said(&sign.statement)
    });
    element("span").words(count).put_all(signs)
}

fn seal(seal: &Seal) -> Line {
    let needed = seal.required.then(|| element("span").class("tag live").words("consumed"));
    let heading =
        element("th").with("scope", "row").words(seal.name.as_str()).words(" ").put_all(needed);
    let by: Vec<&str> = seal.approved_by.iter().map(|name| name.as_str()).collect();
    let line = line().put(heading).put(cell().words(seal.stage.as_str()));
    let line = line.put(cell().class("wide").put(element("code").words(seal.path.to_string())));
    line.put(cell().put(digest(seal.checksum))).put(cell().words(if by.is_empty() {
        "–".into()
    } else {
        by.join(", ")
    }))
}

/// A small document as it stands, line by line.
fn content(seal: &Seal) -> Option<Element> {
    let text = seal.content.as_ref()?;
    let lines = text.lines().map(|line| element("span").words(line).line());
    let summary = element("summary").words(format!("{} holds", seal.name));
    Some(element("details").with("open", "open").put(summary).put(element("pre").put_all(lines)))
}
