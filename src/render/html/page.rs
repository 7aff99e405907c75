//! The page as a whole: its head, what it is of, and the sections in the order in which they are read.

use std::collections::BTreeSet;

use super::element::{Element, element};
use super::parts::{ago, moment, task_heading, task_link};
use super::style::STYLE;
use super::{board, charts, graph, lives, people, shown, trouble};
use crate::report::Overview;
use crate::source::{TaskId, many};

/// Nothing is loaded and nothing runs, whatever a record says.
const CLOSED: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Which tasks have a time line that others can lead to.
pub(super) struct Links<'o> {
    lives: BTreeSet<&'o TaskId>,
}

impl<'o> Links<'o> {
    fn of(overview: &'o Overview) -> Self {
        Links { lives: overview.lives.told.iter().map(|life| &life.task_id).collect() }
    }

    /// Tells whether a task has a time line.
    pub(super) fn leads(&self, id: &TaskId) -> bool {
        self.lives.contains(id)
    }

    /// Heads a row with a task.
    pub(super) fn heading(&self, id: &TaskId) -> Element {
        task_heading(id, self.leads(id))
    }

    /// Leads to a task's time line, if it has one.
    pub(super) fn more(&self, id: &TaskId) -> Option<Element> {
        let link = element("a").with("href", format!("#{}", super::parts::anchor(id)));
        self.leads(id).then(|| link.words("its time line"))
    }

    /// Names a task.
    pub(super) fn link(&self, id: &TaskId) -> Element {
        task_link(id, self.leads(id))
    }
}

/// Gives an overview as one page that needs nothing else: no script, no font, no network. The same
/// overview gives the same bytes. It is well-formed as XML, too.
pub fn page(overview: &Overview) -> String {
    let links = Links::of(overview);
    let at = overview.at;
    let sections = [
        Some(trouble::debts(&overview.debts, &links, at)),
        trouble::incidents(&overview.incidents, &links, at),
        Some(board::board(&overview.board, &links, at)),
        shown::shown(&overview.shown, &links),
        Some(charts::charts(&overview.measures)),
        graph::graph(&overview.graph, &links),
        Some(people::decisions(&overview.decisions, &links)),
        Some(people::actors(&overview.actors, at)),
        Some(trouble::findings(&overview.findings, &links)),
        Some(lives::lives(&overview.lives)),
    ];
    let overdue = overview.debts.iter().filter(|debt| debt.overdue).count();
    let main = element("main").with("id", "main").put_all(trouble::alarm(&overview.halts));
    let main =
        main.put(board::tiles(&overview.board, overdue)).put_all(sections.into_iter().flatten());
    let body = element("body")
        .put(element("a").class("skip").with("href", "#main").words("Skip to the content"));
    let body = body.put(header(overview)).put(navigation(overview)).put(main).put(footer(overview));
    let html = element("html").with("lang", "en").put(head(overview)).put(body);
    format!("<!DOCTYPE html>\n{html}\n")
}

fn head(overview: &Overview) -> Element {
    let meta = |name, content| element("meta").with("name", name).with("content", content);
    let policy =
        element("meta").with("http-equiv", "Content-Security-Policy").with("content", CLOSED);
    element("head")
        .put(element("meta").with("charset", "utf-8"))
        .put(policy)
        .put(meta("viewport", "width=device-width, initial-scale=1"))
        .put(meta("color-scheme", "light dark"))
        .put(meta("referrer", "no-referrer"))
        .put(meta("generator", concat!("orch ", env!("CARGO_PKG_VERSION"))))
        .put(element("title").words(format!("{}: how the work stands", overview.project)))
        .put(element("style").fixed(STYLE))
}

fn header(overview: &Overview) -> Element {
    let of = element("p").class("of").words("As of ").put(moment(overview.at)).words(" UTC, ");
    let of = match &overview.commit {
        Some(commit) => {
            let short =
                element("code").with("title", commit).words(&commit[..commit.len().min(12)]);
            of.words("commit ").put(short)
        }
        None => of.words("before the first commit"),
    };
    let of = if overview.staged { of.words(" and what is staged on it") } else { of };
    let of = of.words(format!(", {}", many(overview.records, "record")));
    let of = match overview.last_at {
        Some(last) => of.words(format!(", the last {}", ago(last, overview.at))),
        None => of,
    };
    let unreadable = (overview.unreadable > 0).then(|| {
        let tag = element("span").class("tag bad");
        tag.words(format!("{} can't be read: orch verify", overview.unreadable))
    });
    let of = if unreadable.is_some() { of.words(" ") } else { of };
    let of = of.put_all(unreadable);
    let policy = element("code").with("title", overview.policy.to_string());
    let policy = policy.words(format!("{}…", &overview.policy.hex()[..12]));
    let of = of.words(", policy ").put(policy);
    element("header").put(element("h1").said(&overview.project)).put(of)
}

fn navigation(overview: &Overview) -> Element {
    let all = [
        ("debts", "Debts", true),
        ("incidents", "Incidents", !overview.incidents.is_empty()),
        ("board", "Board", true),
        ("shown", "Before going live", !overview.shown.is_empty()),
        ("charts", "In numbers", true),
        ("graph", "What waits for what", graph::is_drawn(&overview.graph)),
        ("decisions", "Decisions", true),
        ("actors", "Who acted", true),
        ("findings", "Findings", true),
        ("lives", "Time lines", true),
    ];
    let items = all.into_iter().filter(|(.., there)| *there).map(|(anchor, words, _)| {
        element("li").put(element("a").with("href", format!("#{anchor}")).words(words))
    });
    element("nav").with("aria-label", "Sections").put(element("ul").put_all(items))
}

fn footer(overview: &Overview) -> Element {
    let version = concat!("Written by orch ", env!("CARGO_PKG_VERSION"));
    let again = match &overview.commit {
        Some(commit) if !overview.staged => {
            format!(
                "{version}. The same page again: orch report {commit} --at {} --html FILE",
                overview.at
            )
        }
        _ => format!("{version}."),
    };
    element("footer").put(element("p").words(again))
}
