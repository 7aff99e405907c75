//! Charts: columns along time, and bars by name. Widths are shares of what there is, so that words keep
//! their size on every screen.

use super::element::{Element, element};
use super::parts::{nothing, number};
use super::scale::percent;

/// So many columns have their names and numbers written out.
const NAMED: usize = 7;
/// A chart of few columns has room for so many, or each would be a wall.
const FEWEST: usize = 7;

/// What stands above one day, or week.
#[derive(Debug, Clone)]
pub(super) struct Slot<'n> {
    /// Which.
    pub(super) when: &'n str,
    /// What is stacked there, from below.
    pub(super) parts: Vec<Part>,
}

/// A part of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// How it is drawn.
    pub(super) class: &'static str,
    /// How many.
    pub(super) count: u64,
    /// Of what.
    pub(super) what: &'static str,
}

/// A bar.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    /// What it is about.
    pub(super) label: String,
    /// How long it is, among its like.
    pub(super) value: f64,
    /// How it is drawn.
    pub(super) class: &'static str,
    /// The value as people read it.
    pub(super) words: String,
}

fn figure(name: &str, about: &str) -> Element {
    let about = element("span").class("soft").words(about);
    element("figure").put(element("figcaption").words(format!("{name} ")).put(about))
}

/// Draws columns along time.
pub(super) fn plot(name: &str, about: &str, slots: Vec<Slot<'_>>) -> Element {
    let figure = figure(name, about);
    let sum = |slot: &Slot<'_>| slot.parts.iter().map(|part| part.count).sum::<u64>();
    let Some(most) = slots.iter().map(sum).max().filter(|most| *most > 0) else {
        return figure.put(nothing("None yet."));
    };
    let told = slots.iter().filter(|slot| sum(slot) > 0).map(|slot| {
        let parts = slot.parts.iter().filter(|part| part.count > 0);
        let parts: Vec<String> =
            parts.map(|part| format!("{} {}", part.count, part.what)).collect();
        format!("{} {}", slot.when, parts.join(", "))
    });
    let told = told.collect::<Vec<_>>().join("; ");
    let every = slots.len().div_ceil(NAMED);
    let room = slots.len().max(FEWEST) as f64;
    let middle = |at: usize| percent(100.0 * (at as f64 + 0.5) / room);
    let columns = slots.iter().enumerate().flat_map(|(at, slot)| {
        let parts = column(slot, (at, room), most);
        let counted = every == 1 && sum(slot) > 0;
        let top = percent(100.0 - 100.0 * sum(slot) as f64 / most as f64);
        let count = element("text").with("x", middle(at)).with("y", top).with("dy", "-4");
        let count = count.with("text-anchor", "middle").words(sum(slot).to_string());
        parts.into_iter().chain(counted.then_some(count))
    });
    let field = element("svg").with("y", "18").with("height", "102").with("overflow", "visible");
    let line =
        element("line").class("tick").with("x2", "100%").with("y1", "120.5").with("y2", "120.5");
    let names = slots.iter().enumerate().filter(|(at, _)| at % every == 0).map(|(at, slot)| {
        let text =
            element("text").with("x", middle(at)).with("y", "136").with("text-anchor", "middle");
        // Of `2026-11-21` and of `2026-W47` the year goes without saying.
        text.words(slot.when.get(5..).unwrap_or(slot.when))
    });
    let svg = element("svg")
        .class("plot")
        .with("role", "img")
        .with("aria-label", format!("{name}: {told}"));
    let most =
        (every > 1).then(|| element("text").with("y", "12").words(format!("at most {most}")));
    figure.put(svg.put(field.put_all(columns)).put(line).put_all(names).put_all(most))
}

fn column(slot: &Slot<'_>, (at, room): (usize, f64), most: u64) -> Vec<Element> {
    let mut below = 0;
    let mut drawn = Vec::new();
    for part in slot.parts.iter().filter(|part| part.count > 0) {
        below += part.count;
        let top = 100.0 - 100.0 * below as f64 / most as f64;
        let rect = element("rect").class(part.class);
        let rect =
            rect.with("x", percent(100.0 * (at as f64 + 0.15) / room)).with("y", percent(top));
        let rect = rect.with("width", percent(70.0 / room));
        let rect = rect.with("height", percent(100.0 * part.count as f64 / most as f64));
        let words = format!("{}: {} {}", slot.when, part.count, part.what);
        drawn.push(rect.put(element("title").words(words)));
    }
    drawn
}

/// Draws bars, a row each: what it is about, the bar, and the value.
pub(super) fn bars(name: &str, about: &str, bars: Vec<Bar>) -> Element {
    let figure = figure(name, about);
    let most = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    if bars.is_empty() {
        return figure.put(nothing("None yet."));
    }
    let rows = bars.iter().map(|bar| {
        let share = if most > 0.0 { 100.0 * bar.value / most } else { 0.0 };
        let rect =
            element("rect").class(bar.class).with("width", percent(share)).with("height", "100%");
        let svg = element("svg").with("aria-hidden", "true").put(rect);
        let heading = element("th").with("scope", "row").words(&bar.label);
        let drawn = element("td").class("bar").put(svg);
        element("tr").put(heading).put(drawn).put(number(&bar.words))
    });
    figure.put(element("table").class("bars").put(element("tbody").put_all(rows)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(when: &str, passed: u64, failed: u64) -> Slot<'_> {
        let part = |class, count, what| Part { class, count, what };
        Slot {
            when,
            parts: vec![part("column good", passed, "PASS"), part("column bad", failed, "FAIL")],
        }
    }

    /// Parts are stacked without a gap, the tallest column fills the field, and the numbers are told in
    /// words to those who see no picture.
    #[test]
    fn columns_are_stacked() {
        let drawn =
            plot("Audits", "", vec![slot("2026-W46", 3, 1), slot("2026-W47", 0, 2)]).to_string();
        let document = roxmltree::Document::parse(&drawn).expect("XML");
        let rects = document.descendants().filter(|node| node.has_tag_name("rect"));
        let places: Vec<_> =
            rects.map(|rect| (rect.attribute("y"), rect.attribute("height"))).collect();
        let place = |y, height| (Some(y), Some(height));
        assert_eq!(places, [place("25%", "75%"), place("0%", "25%"), place("50%", "50%")]);
        assert!(drawn.contains("Audits: 2026-W46 3 PASS, 1 FAIL; 2026-W47 2 FAIL"), "{drawn}");
    }

    /// Many columns have room for few names.
    #[test]
    fn names_have_room() {
        let whens: Vec<String> = (1..=26).map(|week| format!("2026-W{week:02}")).collect();
        let drawn = plot("x", "", whens.iter().map(|when| slot(when, 1, 0)).collect()).to_string();
        assert_eq!(drawn.matches("W01<").count() + drawn.matches("W05<").count(), 2, "{drawn}");
        assert!(!drawn.contains("W02<") && drawn.contains("at most 1"), "{drawn}");
        let none = plot("x", "", vec![slot("2026-W46", 0, 0)]).to_string();
        assert!(none.contains("None yet.") && !none.contains("NaN"), "{none}");
    }
}
