//! Time lines: all tasks under one clock, then each by itself.

use super::element::{Element, element};
use super::parts::{
    anchor, cell, columns, folded, line, moment, nothing, section, short, table, task_link,
};
use super::scale::Scale;
use crate::render::board::duration;
use crate::report::overview::{Bar, Life, Lives, Mark, MarkKind};
use crate::report::{RunResult, spelled};
use crate::source::{Moment, StageName, many};

/// So many open tasks are unfolded at once, and so many of all if there are no more.
const UNFOLDED: usize = 12;
const FEW: usize = 4;
/// So many tasks stand under one clock at once; the others unfold.
const TOGETHER: usize = 40;

/// Gives the section.
pub(super) fn lives(lives: &Lives) -> Element {
    let about =
        "Each task from its opening to its end, in UTC: bars are runs, shapes are what was said.";
    let section = section("lives", "Time lines", about);
    if lives.told.is_empty() {
        return section.put(nothing("Nothing has happened yet.")).put_all(left_out(lives));
    }
    let (open, closed): (Vec<&Life>, Vec<&Life>) =
        lives.told.iter().partition(|life| life.outcome.is_none());
    let few = lives.told.len() <= FEW;
    let group = |name: &str, all: Vec<&Life>, unfold: bool| {
        let heading = element("h3").words(format!("{name} ({})", all.len()));
        let cards = all.iter().map(|life| card(life, unfold)).collect();
        let cards = folded(cards, "more");
        let group = element("div").put(heading).put_all(cards);
        (!all.is_empty()).then_some(group)
    };
    let unfold = few || open.len() <= UNFOLDED;
    let groups = [group("Open", open, unfold), group("Closed", closed, few)];
    section
        .put(key())
        .put(together(lives))
        .put_all(left_out(lives))
        .put_all(groups.into_iter().flatten())
}

fn left_out(lives: &Lives) -> Option<Element> {
    let counts = [
        (lives.not_begun, "open and not begun"),
        (lives.open_not_shown, "open and not shown"),
        (lives.not_shown, "closed and not shown"),
    ];
    let told = counts.into_iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, what)| format!("{count} {what}")).collect();
    let words = format!("Beside these, {}: `orch task list --all`.", told.join(", "));
    (!told.is_empty()).then(|| element("p").class("soft").prose(words))
}

/// Tells what the shapes and colours mean.
fn key() -> Element {
    let bars = [
        ("delivered", "delivered"),
        ("failed", "failed"),
        ("active", "goes on"),
        ("overtaken", "overtaken"),
        ("rest", "paused or blocked"),
    ];
    let bars = bars.into_iter().map(|(class, words)| {
        let bar = element("rect").class(class).with("x", "1").with("y", "3");
        entry(bar.with("width", "14").with("height", "10"), words)
    });
    let kinds = [
        (MarkKind::GatePassed, "gate passed"),
        (MarkKind::GateFailed, "gate failed"),
        (MarkKind::AuditPassed, "audit PASS"),
        (MarkKind::AuditFailed, "audit FAIL"),
        (MarkKind::Approved, "approved"),
        (MarkKind::Returned, "sent back"),
        (MarkKind::Stopped, "stopped"),
        (MarkKind::Resumed, "goes on"),
        (MarkKind::Closed, "closed"),
    ];
    let marks = kinds.into_iter().map(|(kind, words)| {
        entry(
            element("svg")
                .with("x", "8")
                .with("y", "8")
                .with("overflow", "visible")
                .put(shape(kind)),
            words,
        )
    });
    element("ul")
        .class("key")
        .with("aria-label", "What shapes and colours mean")
        .put_all(bars)
        .put_all(marks)
}

fn entry(shape: Element, words: &str) -> Element {
    let picture = element("svg").with("viewBox", "0 0 16 16").with("aria-hidden", "true");
    element("li").put(picture.put(shape)).put(element("span").words(words))
}

/// All of them under one clock, a row each; what unfolds has a clock of its own.
fn together(lives: &Lives) -> Element {
    let heading = element("h3").words("Side by side");
    let (first, rest) = lives.told.split_at(lives.told.len().min(TOGETHER));
    let more = element("summary").words(format!("{} more", rest.len()));
    let more = (!rest.is_empty()).then(|| element("details").put(more).put(under_one_clock(rest)));
    element("div").put(heading).put(under_one_clock(first)).put_all(more)
}

fn under_one_clock(lives: &[Life]) -> Element {
    let from = lives.iter().map(|life| life.opened_at).min();
    let to = lives.iter().map(|life| life.until).max();
    let (Some(from), Some(to)) = (from, to) else { return element("div") };
    let scale = Scale::new(from, to);
    let row = |life: &Life| {
        let words = format!("{}: {} to {}", life.task_id, short(life.opened_at), short(life.until));
        let whole = element("rect").class("whole").with("x", scale.place(life.opened_at));
        let whole = whole.with("width", scale.width(life.opened_at, life.until));
        let whole = whole.with("y", "6").with("height", "10");
        let bars = life.bars.iter().map(|bar| drawn(bar, life.until, &scale, ("8", "6")));
        let track = track(&words).put(whole).put_all(bars);
        [element("div").put(task_link(&life.task_id, true)), track]
    };
    let axis = [element("div").class("soft").words("UTC"), scale.axis()];
    let grid = element("div").class("gantt").put_all(lives.iter().flat_map(row)).put_all(axis);
    let span = element("p").class("of").words(format!("{} to {}", short(from), short(to)));
    element("div").put(span).put(grid)
}

fn track(words: &str) -> Element {
    let svg = element("svg").class("track").with("role", "img").with("aria-label", words);
    let line = element("line").class("base").with("x1", "0").with("x2", "100%");
    svg.put(line.with("y1", "11").with("y2", "11"))
}

/// A run as a bar.
fn drawn(bar: &Bar, until: Moment, scale: &Scale, (y, height): (&str, &str)) -> Element {
    let class = match bar.result {
        None => "active",
        Some(RunResult::Delivered) => "delivered",
        Some(RunResult::Failed) => "failed",
        Some(RunResult::Overtaken) => "overtaken",
        Some(RunResult::Abandoned) => "abandoned",
    };
    let ended = bar.ended.unwrap_or(until);
    let rect = element("rect").class(class).with("x", scale.place(bar.began)).with("y", y);
    let rect = rect.with("width", scale.width(bar.began, ended)).with("height", height);
    rect.put(element("title").words(told(bar, ended)))
}

/// A run in words.
fn told(bar: &Bar, ended: Moment) -> String {
    let took = duration(ended.since(bar.began).num_seconds().max(0));
    let how = match (bar.result, bar.failure) {
        (None, _) => "goes on".to_owned(),
        (Some(RunResult::Failed), Some(class)) => format!("failed, {}", spelled(&class)),
        (Some(result), _) => spelled(&result),
    };
    let Bar { stage, attempt, agent, began, .. } = bar;
    format!("{stage}, attempt {attempt}, {agent}: {how} after {took}, from {}", short(*began))
}

/// One task by itself: a lane for each stage, what was said, and its entries.
fn card(life: &Life, unfold: bool) -> Element {
    let summary =
        element("summary").words(life.task_id.as_str()).words(" ").put(state(life)).words(" ");
    let summary = summary.put(element("span").class("soft").said(&life.title));
    let inner = element("div").class("inner").with("id", anchor(&life.task_id));
    let inner = inner.put(facts(life)).put_all(lanes(life)).put(entries(life));
    let card = element("details").class("life");
    let card = if unfold { card.with("open", "open") } else { card };
    card.put(summary).put(inner)
}

fn state(life: &Life) -> Element {
    let tag = element("span");
    match life.outcome {
        None => tag.class("tag live").words("open"),
        Some(crate::record::kind::Outcome::Completed) => tag.class("tag good").words("completed"),
        Some(other) => tag.class("tag").words(spelled(&other).replace('_', " ")),
    }
}

fn facts(life: &Life) -> Element {
    let took = duration(life.until.since(life.opened_at).num_seconds().max(0));
    let end = if life.outcome.is_some() { "closed" } else { "as of" };
    let facts = element("p").class("of").words(format!("{}, opened ", life.workflow));
    let facts = facts.put(moment(life.opened_at)).words(format!(", {end} "));
    facts.put(moment(life.until)).words(format!(", {took} in all"))
}

fn lanes(life: &Life) -> Vec<Element> {
    let scale = Scale::new(life.opened_at, life.until);
    let mut stages: Vec<&StageName> = Vec::new();
    for bar in &life.bars {
        if !stages.contains(&&bar.stage) {
            stages.push(&bar.stage);
        }
    }
    let mut lanes: Vec<Element> = stages
        .into_iter()
        .map(|stage| {
            let bars: Vec<&Bar> = life.bars.iter().filter(|bar| bar.stage == *stage).collect();
            lane(stage, &bars, life.until, &scale)
        })
        .collect();
    if !life.marks.is_empty() || !life.rests.is_empty() {
        lanes.push(said(life, &scale));
    }
    lanes.push(row(element("p").class("soft").words("UTC"), scale.axis()));
    lanes
}

fn row(label: Element, track: Element) -> Element {
    element("div").class("lane").put(label).put(track)
}

fn lane(stage: &StageName, bars: &[&Bar], until: Moment, scale: &Scale) -> Element {
    let mut agents: Vec<&str> = bars.iter().map(|bar| bar.agent.as_str()).collect();
    agents.dedup();
    let seconds = bars.iter().map(|bar| bar.ended.unwrap_or(until).since(bar.began).num_seconds());
    let took = duration(seconds.map(|seconds| seconds.max(0)).sum());
    let tries = if bars.len() > 1 { format!(", {} runs", bars.len()) } else { String::new() };
    let about = format!("{}, {took}{tries}", agents.join(", "));
    let words = format!("{stage}: {about}");
    let label = element("p").put(element("b").words(stage.as_str())).words(" ");
    let drawn = bars.iter().map(|bar| drawn(bar, until, scale, ("4", "14")));
    row(label.put(element("span").class("soft").words(about)), track(&words).put_all(drawn))
}

/// What was said of it, over the times in which it rested.
fn said(life: &Life, scale: &Scale) -> Element {
    let rests = life.rests.iter().map(|rest| {
        let to = rest.to.unwrap_or(life.until);
        let rect = element("rect").class("rest").with("x", scale.place(rest.from)).with("y", "4");
        let rect = rect.with("width", scale.width(rest.from, to)).with("height", "14");
        let words = format!("{} from {} to {}", rest.what, short(rest.from), short(to));
        rect.put(element("title").words(words))
    });
    let marks = life.marks.iter().map(|mark| placed(mark, scale));
    let words: Vec<String> =
        life.marks.iter().map(|mark| spelled(&mark.kind).replace('_', " ")).collect();
    let label = element("p").put(element("b").words("said")).words(" ");
    let label = label.put(element("span").class("soft").words("gates, audits, stops"));
    row(label, track(&format!("Said of it: {}", words.join(", "))).put_all(rests).put_all(marks))
}

fn placed(mark: &Mark, scale: &Scale) -> Element {
    let words = short(mark.at) + " " + &mark.words.chars().take(120).collect::<String>();
    let place = element("svg").with("x", scale.place(mark.at)).with("y", "11");
    place.with("overflow", "visible").put(shape(mark.kind).put(element("title").words(words)))
}

/// Draws a kind of mark around the origin. Shapes differ, for those who see no colours.
fn shape(kind: MarkKind) -> Element {
    let (class, way) = match kind {
        MarkKind::GatePassed => ("mark gate_passed", "M0-7 7 0 0 7-7 0z"),
        MarkKind::GateFailed => {
            ("mark gate_failed", "M-6-3-3-6 0-3 3-6 6-3 3 0 6 3 3 6 0 3-3 6-6 3-3 0z")
        }
        MarkKind::AuditPassed => ("mark audit_passed", "M-6 0A6 6 0 1 1 6 0 6 6 0 1 1-6 0z"),
        MarkKind::AuditFailed => ("mark audit_failed", "M-7-6H7L0 7z"),
        MarkKind::Approved => ("mark approved", "M-7 6H7L0-7z"),
        MarkKind::Returned => ("mark returned", "M6-7V7L-7 0z"),
        MarkKind::Stopped => ("mark stopped", "M-6-6H-1V6H-6zM1-6H6V6H1z"),
        MarkKind::Resumed => ("mark resumed", "M-6-7V7L7 0z"),
        MarkKind::Closed => ("mark closed", "M-2-8H2V8H-2z"),
    };
    element("path").class(class).with("d", way)
}

fn entries(life: &Life) -> Element {
    let rows = life.entries.iter().map(|entry| {
        let heading = element("th").with("scope", "row").words(format!("{:04}", entry.sequence));
        let row = line().put(heading).put(cell().put(moment(entry.at)));
        row.put(cell().words(entry.actor.as_str())).put(cell().class("wide").said(&entry.words))
    });
    let count = life.entries.len() + life.entries_before;
    let words = match life.entries_before {
        0 if count == 1 => "The only entry".to_owned(),
        0 => format!("All {count} entries"),
        _ => format!(
            "The last {} of {}; all: `orch status {}`",
            life.entries.len(),
            many(count, "entry"),
            life.task_id
        ),
    };
    let name = format!("Entries of {}", life.task_id);
    let table = table(&name, &columns(["Entry", "When", "Who", "What"]), rows.collect());
    element("details").put(element("summary").prose(words)).put_all(table)
}
